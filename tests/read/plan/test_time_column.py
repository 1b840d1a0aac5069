"""Times in every usual form, time zones and the grid."""

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.grid.step import event_step, far_rows, sample_step
from logscan.read.grid.sums import Accumulator
from logscan.records import TimeKind
from logscan.time_text import time_text, time_text_column
from logscan.times import Times
from tests.oracles import grid_means_oracle
from tests.words import words

MINUTE = 60_000_000_000
START = pd.Timestamp("2024-01-29 22:10:00")
TIMES = pd.date_range(START, periods=19, freq="7h")


def read_times(texts, header="time", **config):
    """The log of a column of times and a running value."""
    lines = [f"{header},x", *(f'"{text}",{place % 5}' for place, text in enumerate(texts))]
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO("\n".join(lines).encode()))


FORMS = {
    "%Y-%m-%d %H:%M:%S": "YYYY-MM-DD hh:mm:ss",
    "%Y-%m-%dT%H:%M:%S.250": "YYYY-MM-DD hh:mm:ss",
    "%Y/%m/%d %H:%M": "YYYY/MM/DD hh:mm:ss",
    "%Y.%m.%d.%H.%M.%S": "YYYY.MM.DD hh:mm:ss",
    "%Y年%m月%d日 %H時%M分": "YYYY年MM月DD日 hh:mm:ss",
    "%d/%m/%Y %H:%M": "DD/MM/YYYY hh:mm:ss",
    "%d.%m.%Y %H:%M:%S": "DD.MM.YYYY hh:mm:ss",
    "%m/%d/%Y %I:%M %p": "MM/DD/YYYY hh:mm:ss",
    "%m/%d/%y %H:%M": "MM/DD/YYYY hh:mm:ss",
    "%d %b %Y %H:%M": "DD Mon YYYY hh:mm:ss",
    "%b %d, %Y %H:%M": "Mon DD YYYY hh:mm:ss",
    "%Y%m%d%H%M%S": "YYYYMMDD hh:mm:ss",
    "%Y%m%dT%H%M": "YYYYMMDD hh:mm:ss",
}


@pytest.mark.parametrize("form", FORMS)
def test_usual_forms_are_found(form):
    """Each form is recognised, shown, and gives the same instants."""
    log = read_times([time.strftime(form) for time in TIMES])
    shift = 250_000_000 if ".250" in form else 0
    assert log.schema.time_format == FORMS[form]
    assert log.schema.timezone is None
    np.testing.assert_array_equal(log.series[0].row_times, TIMES.as_unit("ns").asi8 + shift)


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_epochs_are_told_by_their_size(unit, per_second):
    """Epoch numbers are UTC, whatever their unit, exact to the nanosecond."""
    log = read_times([time.value * per_second // 10**9 for time in TIMES])
    assert log.schema.time_format == f"epoch {unit}"
    assert log.schema.timezone == "UTC"
    np.testing.assert_array_equal(log.series[0].row_times, TIMES.as_unit("ns").asi8)


def test_offsets_become_utc():
    """Aware times are UTC instants."""
    log = read_times([f"{time:%Y-%m-%d %H:%M:%S}+09:00" for time in TIMES])
    assert log.schema.timezone == "UTC"
    np.testing.assert_array_equal(log.series[0].row_times, TIMES.as_unit("ns").asi8 - 9 * 60 * MINUTE)
    log = read_times([f"{time:%Y/%m/%d %H:%M}Z" for time in TIMES], timezone="Asia/Tokyo")
    assert log.schema.timezone == "Asia/Tokyo"
    np.testing.assert_array_equal(log.series[0].row_times, TIMES.as_unit("ns").asi8)


def test_day_first_is_found_anywhere_in_the_sample():
    """One day beyond 12 decides, and so do times that run through neighbouring days."""
    days = [f"{day:02d}/03/2024" for day in range(1, 14)]
    assert read_times(days).schema.time_format == "DD/MM/YYYY"
    hours = [f"{1 + hour // 24:02d}/03/2024 {hour % 24:02d}:00" for hour in range(72)]
    log = read_times(hours)
    assert log.schema.time_format == "DD/MM/YYYY hh:mm:ss"
    assert log.series[0].grid.steps == 72
    split = "Date,Time,x\n" + "".join(f"{text.replace(' ', ',')},1\n" for text in hours)
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(split.encode()))
    assert log.series[0].grid.steps == 72
    assert read_times(days[:5], date_order="mdy").schema.time_format == "MM/DD/YYYY"


def test_date_and_clock_columns_are_joined():
    """A date without a clock takes the clock or hour column beside it."""
    data = "Date,Hour,Time,x\n" + "".join(
        f"2024-01-{15 + h // 24},{h % 24},{h % 24}:30,{h}\n" for h in range(48)
    )
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(data.encode()))
    assert log.schema.time_column == "Date + Time"
    assert log.series[0].grid.start == pd.Timestamp("2024-01-15 00:30").value
    hourly = read_log(["-"], InputConfig(time="Date+Hour"), stdin=io.BytesIO(data.encode()))
    assert hourly.series[0].grid.start == pd.Timestamp("2024-01-15").value
    assert hourly.series[0].grid.steps == 48


def test_midnight_as_24_is_the_next_day():
    """24:00 belongs to the day after."""
    log = read_times(["2024-01-31 23:00", "2024-01-31 24:00", "2024-02-01 01:00", "2024-02-30 02:00"])
    assert log.series[0].grid.steps == 3
    assert words(log.counts.dropped) == {"time does not parse": 1}


def test_integer_and_missing_time():
    """A step column counts in integers; without any time the row number counts."""
    log = read_times(range(3, 300, 7), header="t")
    assert (log.schema.time_kind, log.schema.step) == (TimeKind.INTEGER, 7)
    assert log.series[0].grid.start == 3
    fractions = read_times([0.1, 0.2, 0.3], header="time")
    assert words(fractions.schema.ignored) == {
        "time": "looks like a time in fractions, which the grid cannot use"
    }
    row = read_times(range(3, 300, 7), header="t", time="row")
    assert (row.schema.time_kind, row.schema.step) == (TimeKind.ROW, 1)
    assert row.series[0].grid.start == 0


def test_local_times_become_utc():
    """Naive times with --timezone are UTC instants, as the standard library says."""
    log = read_times([str(time) for time in TIMES], timezone="Asia/Tokyo")
    expected = [time.tz_localize("Asia/Tokyo").tz_convert("UTC").value for time in TIMES]
    np.testing.assert_array_equal(log.series[0].row_times, expected)
    assert log.series[0].grid.timezone == "Asia/Tokyo"


def test_clock_changes_follow_the_stated_rule():
    """A repeated hour is its first pass, a missing one has the offset of the day before; both are told."""
    texts = ["2024-10-27 01:30", "2024-10-27 02:30", "2024-10-27 03:30"]
    log = read_times(texts, timezone="Europe/Berlin")
    hours = [datetime(2024, 10, 26, 23, 30, tzinfo=UTC), datetime(2024, 10, 27, 0, 30, tzinfo=UTC)]
    assert log.series[0].row_times[:2].tolist() == [int(hour.timestamp()) * 10**9 for hour in hours]
    assert words(log.notes)[0].startswith("1 row lies in an hour that occurs twice")
    log = read_times(["2024-03-31 01:30", "2024-03-31 02:15", "2024-03-31 03:30"], timezone="Europe/Berlin")
    times = np.asarray(log.series[0].row_times)
    minutes = (times - times[0]) // MINUTE
    np.testing.assert_array_equal(minutes, [0, 45, 60])
    assert words(log.notes)[0].startswith("1 row lies in an hour that does not exist")


def test_jitter_does_not_move_the_step():
    """Times that tremble around a minute are a grid of minutes with every row on it."""
    rng = np.random.default_rng(3)
    jitter = START.value + np.arange(223) * MINUTE + rng.integers(-9, 10, 223) * 10**8
    log = read_times(pd.to_datetime(jitter).strftime("%Y-%m-%d %H:%M:%S.%f"))
    assert log.schema.step == MINUTE
    assert np.isfinite(log.series[0].values).all()
    assert log.series[0].grid.steps == 223


def test_accumulator_equals_the_loop():
    """Sums per entity and key, whatever the order and the blocks, are those of a plain loop."""
    rng = np.random.default_rng(13)
    entity, key = rng.integers(0, 3, 401).astype(np.int32), rng.integers(0, 37, 401)
    values = np.where(rng.random((401, 2)) < 0.2, np.nan, rng.normal(size=(401, 2)))
    accumulator = Accumulator(2)
    for part in np.array_split(np.arange(401), 7):
        accumulator.add(entity[part], key[part], values[part].T)
        if part[0] % 2:
            accumulator.entities()
    sums = accumulator.entities()
    expected = grid_means_oracle(entity.tolist(), key.tolist(), values.tolist())
    found = [(code, int(key)) for code in sorted(sums) for key in sums[code].times()]
    assert found == [pair for pair, _ in expected]
    blocks = [block for code in sorted(sums) for block in sums[code].blocks]
    means = [np.stack([block.means(channel) for channel in range(2)], axis=1) for block in blocks]
    np.testing.assert_allclose(np.concatenate(means), [means for _, means in expected])
    assert sum(one.rows() for one in sums.values()) == 401


def test_steps_are_inferred():
    """The usual distance, not the smallest or the largest; ten rows a step for events."""
    times = np.delete(np.arange(101) * 5 * MINUTE, [7, 8, 31, 50])
    assert sample_step([Times.of(times)], TimeKind.TIMESTAMP) == 5 * MINUTE
    assert event_step([(times, np.ones(len(times), dtype=np.int64))], TimeKind.TIMESTAMP) == 60 * MINUTE


def test_far_rows_keep_the_bulk():
    """A few lonely ends are cut, a long gap in the middle of the rows is not."""
    key = np.r_[-(10**9), np.arange(2000), 10**8]
    assert far_rows(key, np.ones(2002, dtype=np.int64)) == (1, 2001)
    key = np.r_[np.arange(1000), 90_000 + np.arange(1000)]
    assert far_rows(key, np.ones(2000, dtype=np.int64)) == (0, 2000)
    assert far_rows(np.array([0, 10**9]), np.ones(2, dtype=np.int64)) == "too long"


@pytest.mark.parametrize(
    ("kind", "value", "zone", "text"),
    [
        (TimeKind.TIMESTAMP, 1_704_164_645_000_000_000, None, "2024-01-02 03:04:05"),
        (TimeKind.TIMESTAMP, 1_704_164_645_250_000_000, "Asia/Tokyo", "2024-01-02 12:04:05.25+09:00"),
        (TimeKind.TIMESTAMP, -1, "UTC", "1969-12-31 23:59:59.999999999+00:00"),
        (TimeKind.INTEGER, 17, None, "17"),
    ],
)
def test_time_text(kind, value, zone, text):
    """Times are ISO 8601 in their zone, without zeros below the second; integers are digits."""
    assert time_text(kind, value, zone) == text


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "Asia/Kolkata", "+09:00"])
def test_time_text_column_agrees_with_time_text(zone):
    """The vectorised text is the text of each time, also over a clock change."""
    times = pd.Timestamp("2024-11-03 04:30").value + np.arange(7) * 30 * MINUTE
    column = time_text_column(times, TimeKind.TIMESTAMP, zone)
    assert column.to_pylist() == [time_text(TimeKind.TIMESTAMP, int(time), zone) for time in times]
    assert column.type == pa.string()
