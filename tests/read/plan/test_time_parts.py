"""Times in several columns, as weather services, markets and loggers write them."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.errors import UsageError
from logscan.read import read_log
from logscan.records import TimeKind
from tests.words import words

HOURS = pd.date_range("2024-01-29", periods=97, freq="1h")
X = np.arange(97) % 7 + 0.5


def read_frame(frame, *, header=True, sep=",", **config):
    """The log of a frame."""
    text = frame.to_csv(index=False, header=header, sep=sep)
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(text.encode()))


def assert_times(log, times, label):
    """The rows lie at `times`, read as `label` says."""
    assert log.schema.time_format == label
    np.testing.assert_array_equal(log.series[0].row_times, times.as_unit("ns").asi8)


@pytest.mark.parametrize(
    ("names", "label"),
    [
        ("YEAR MO DY HR", "year + month + day + hour"),
        ("yr mo dy hr", "year + month + day + hour"),
        ("#YY MM DD hh", "year + month + day + hour"),
        ("Year Month [1] Day Hour(UTC)", "year + month + day + hour"),
    ],
)
def test_short_names_of_parts_are_known_with_signs_and_units_around_them(names, label):
    """NASA POWER, data buoys and others shorten the names of the parts."""
    parts = zip(names.split() if "[" not in names else ["Year", "Month [1]", "Day", "Hour(UTC)"],
                (HOURS.year, HOURS.month, HOURS.day, HOURS.hour), strict=True)  # fmt: skip
    assert_times(read_frame(pd.DataFrame(dict(parts) | {"x": X})), HOURS, label)


def test_the_day_of_the_year_joins_its_year_and_a_clock_of_four_digits():
    """Loggers count days of the year and write the clock as a number."""
    frame = pd.DataFrame(
        {"Year": HOURS.year, "DOY": HOURS.day_of_year, "MST": HOURS.hour * 100 + HOURS.minute, "x": X}
    )
    assert_times(read_frame(frame), HOURS, "year + day of year + hhmm")


def test_a_clock_as_text_joins_year_month_and_day():
    """A column of hh:mm is the clock of the parts beside it."""
    frame = pd.DataFrame(
        {"Year": HOURS.year, "Month": HOURS.month, "Day": HOURS.day, "Time": HOURS.strftime("%H:%M"), "x": X}
    )
    assert_times(read_frame(frame), HOURS, "year + month + day + clock")


def test_parts_without_names_are_found_by_their_run():
    """A table without a header that begins with year, month, day and hour is in time."""
    frame = pd.DataFrame({0: HOURS.year, 1: HOURS.month, 2: HOURS.day, 3: HOURS.hour, 4: X})
    assert_times(read_frame(frame, header=False, sep=" "), HOURS, "year + month + day + hour")


def test_numbers_that_only_look_like_parts_are_no_time():
    """Whole numbers in no order are readings."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        {0: 2000 + rng.integers(0, 9, 97), 1: rng.integers(1, 12, 97), 2: rng.integers(1, 28, 97)}
    )
    assert read_frame(frame, header=False).schema.time_kind is TimeKind.ROW


def test_named_parts_without_telling_names_are_taken_in_order():
    """--time names them from the year on."""
    frame = pd.DataFrame({0: HOURS.year, 1: HOURS.month, 2: HOURS.day, 3: HOURS.hour * 100, 4: X})[::-1]
    log = read_frame(frame, header=False, time="column 1+column 2+column 3+column 4")
    assert_times(log, HOURS, "year + month + day + hhmm")


def test_named_columns_that_are_no_parts_are_refused():
    """Three columns that are no time are a wrong use of the option."""
    frame = pd.DataFrame({"a": X, "b": X, "c": X, "x": X})
    with pytest.raises(UsageError, match="are no columns of year, month, day"):
        read_frame(frame, time="a+b+c")


def test_numbers_that_count_the_hours_of_every_date_are_its_clock_under_any_name():
    """Hours 1 to 24 of a market: 24 is the end of the day."""
    ends = HOURS + pd.Timedelta(hours=1)
    frame = pd.DataFrame({"Data": HOURS.strftime("%d/%m/%Y"), "Godz.": HOURS.hour + 1, "x": X})
    assert_times(read_frame(frame), ends, "DD/MM/YYYY + hour")


def test_hours_written_with_the_next_one_are_a_clock():
    """`00 - 01` beside a date is the hour from midnight on."""
    spans = [f"{one:02d} - {(one + 1) % 24:02d}" for one in HOURS.hour]
    frame = pd.DataFrame({"Day": HOURS.strftime("%d-%m-%Y"), "Hours": spans, "x": X})
    assert_times(read_frame(frame), HOURS, "DD-MM-YYYY + hour")


def test_a_bare_clock_with_its_zone_joins_its_date():
    """`0300 UTC` is three o'clock."""
    frame = pd.DataFrame({"Data": HOURS.strftime("%Y/%m/%d"), "Hora UTC": HOURS.strftime("%H%M UTC"), "x": X})
    assert_times(read_frame(frame), HOURS, "YYYY/MM/DD + hh:mm:ss")


def test_the_time_of_a_daily_extreme_is_not_the_clock_of_the_day():
    """A clock that stands apart from a date of which each is one row tells when something was."""
    days = pd.date_range("2024-01-01", periods=80, freq="1D")
    frame = pd.DataFrame({"fecha": days.strftime("%Y-%m-%d"), "tmin": X[:80], "horatmin": "06:10"})
    assert_times(read_frame(frame), days, "YYYY-MM-DD")


def test_quarters_join_their_year():
    """Statistics come by the year and the quarter."""
    frame = pd.DataFrame({"year": np.repeat(np.arange(1990, 2010), 4), "quarter": np.tile([1, 2, 3, 4], 20)})
    log = read_frame(frame.assign(x=np.arange(80) % 7))
    assert_times(log, pd.date_range("1990-01-01", periods=80, freq="QS"), "year + quarter")


@pytest.mark.parametrize(("scale", "label"), [(1, "epoch s"), (1000, "epoch ms")])
def test_seconds_since_1970_in_a_first_column_without_a_name_are_times(scale, label):
    """Meters of households are logged as `1303132929 59`."""
    seconds = 1_303_132_929 + 6 * np.arange(97)
    log = read_frame(pd.DataFrame({0: seconds * scale, 1: X}), header=False, sep=" ")
    assert_times(log, pd.to_datetime(seconds, unit="s"), label)


def test_dates_of_eight_digits_without_a_name_take_the_clock_beside_them():
    """Climate networks write `20240129 1610` in columns without names."""
    frame = pd.DataFrame({0: 53131, 1: HOURS.strftime("%Y%m%d"), 2: HOURS.strftime("%H%M"), 3: X})
    assert_times(read_frame(frame, header=False, sep=" "), HOURS, "YYYYMMDD + hhmm")


def test_large_readings_without_a_name_are_no_times():
    """Numbers as large as seconds since 1970 that rise and fall are readings."""
    frame = pd.DataFrame({0: 1_303_132_929 + 6 * (np.arange(97) % 7), 1: X})
    assert read_frame(frame, header=False).schema.time_kind is TimeKind.ROW


def test_a_line_of_totals_under_counted_hours_does_not_hide_them():
    """It has no date and no hour."""
    frame = pd.DataFrame({"Data": HOURS.strftime("%d/%m/%Y"), "Ora": HOURS.hour, "x": X})
    log = read_frame(pd.concat([frame, pd.DataFrame({"x": [99.5]})]).astype({"Ora": "Int64"}))
    assert_times(log, HOURS, "DD/MM/YYYY + hour")
    assert words(log.counts.dropped) == {"time does not parse": 1}


@pytest.mark.parametrize("name", ["Store", "turbine_id", "MachineID", "Station no."])
def test_numbered_things_that_are_there_every_day_are_no_hours(name):
    """Twenty-four stores are not the hours of a day: they are series of their own."""
    days = pd.date_range("2024-01-01", periods=40)
    rows = pd.MultiIndex.from_product([days.strftime("%Y-%m-%d"), range(1, 25)], names=["Date", name])
    log = read_frame(pd.DataFrame({"x": np.arange(960) % 7 + 0.5}, index=rows).reset_index())
    assert log.schema.time_column == "Date"
    assert log.schema.entity_columns == (name,)
    assert len(log.series) == 24


@pytest.mark.parametrize("head", ["date,hour", "year,month,day", "year,doy,hhmm", "time,minute"])
def test_numbers_of_any_size_are_no_parts_of_a_time(head):
    """A number that fits no clock and no calendar ends in no overflow."""
    names = head.split(",")
    row = ",".join(["2024-01-02", *["1e19"] * (len(names) - 1)])
    text = "\n".join([f"{head},x", *(f"{row},{place % 5}" for place in range(40))])
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(text.encode()))
    assert log.counts.rows_used + sum(log.counts.dropped.values()) == 40
