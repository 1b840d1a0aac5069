"""Times in every usual form, and time zones."""

import io
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.records import TimeKind
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
