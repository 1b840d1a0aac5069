"""Times as Japanese, European and American plants write them, and as numbers."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from logscan.records import TimeKind
from tests.words import words

TIMES = pd.date_range("2024-01-29 22:10:00", periods=29, freq="7h")


def read_table(data, **config):
    """The log of a frame or of texts."""
    text = data if isinstance(data, str) else data.to_csv(index=False)
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(text.encode()))


def read_times(texts, name="time", **config):
    """The log of a column of times and a running value."""
    return read_table(pd.DataFrame({name: list(texts), "x": np.arange(len(texts)) % 5}), **config)


def assert_times(log, times, label):
    """The form is shown as `label` and the rows lie at `times`."""
    assert log.schema.time_format == label
    np.testing.assert_array_equal(log.series[0].row_times, times.as_unit("ns").asi8)


FORMS = {
    "era": (
        lambda t: f"令和{t.year - 2018}年{t.month}月{t.day}日 {t.hour}時{t.minute}分",
        "Japanese era hh:mm:ss",
    ),
    "era letter": (
        lambda t: f"R{t.year - 2018}.{t.month:02d}.{t.day:02d} {t:%H:%M}",
        "Japanese era hh:mm:ss",
    ),
    "weekday": (
        lambda t: f"{t.year}年{t.month}月{t.day}日({'月火水木金土日'[t.weekday()]}) {t.hour}時{t.minute}分",
        "YYYY年MM月DD日 hh:mm:ss",
    ),
    "half day": (
        lambda t: f"{t:%Y/%m/%d} {'午前' if t.hour < 12 else '午後'}{t.hour % 12}:{t:%M}",
        "YYYY/MM/DD hh:mm:ss",
    ),
    "full width": (
        lambda t: f"{t:%Y年%m月%d日　%H時%M分}".translate(
            str.maketrans("0123456789", "０１２３４５６７８９")
        ),
        "YYYY年MM月DD日 hh:mm:ss",
    ),
    "German month": (
        lambda t: f"{t.day}. {['Januar', 'Februar'][t.month - 1]} {t:%Y %H:%M}",
        "DD Mon YYYY hh:mm:ss",
    ),
    "French month": (
        lambda t: f"{t.day}-{['janv.', 'févr.'][t.month - 1]}-{t:%Y %H:%M}",
        "DD Mon YYYY hh:mm:ss",
    ),
    "ctime": (lambda t: t.strftime("%a %b %d %H:%M:%S %Y"), "Day Mon DD hh:mm:ss YYYY"),
    "dashes": (lambda t: t.strftime("%Y-%m-%d_%H-%M-%S"), "YYYY-MM-DD hh:mm:ss"),
    "two digits": (lambda t: t.strftime("%y%m%d%H%M%S"), "YYMMDD hh:mm:ss"),
    "colon before milliseconds": (lambda t: t.strftime("%Y/%m/%d %H:%M:%S:000"), "YYYY/MM/DD hh:mm:ss"),
    "German clock": (lambda t: t.strftime("%d.%m.%Y %H:%M Uhr"), "DD.MM.YYYY hh:mm:ss"),
    "French clock": (lambda t: t.strftime("%d/%m/%Y %Hh%M"), "DD/MM/YYYY hh:mm:ss"),
    "meridiem": (lambda t: t.strftime("%d.%m.%Y %I.%M.%S %p"), "DD.MM.YYYY hh:mm:ss"),
}


@pytest.mark.parametrize("form", FORMS)
def test_written_times_are_read(form):
    """Each way to write a time is recognised, shown, and gives the instants it names."""
    write, label = FORMS[form]
    assert_times(read_times([write(time) for time in TIMES], "日時"), TIMES, label)


@pytest.mark.parametrize("form", ["%Y%m%d%H", "%Y-%m-%d %H", "%Y年%m月%d日 %H時", "%Y/%m/%d %H:%M JST"])
def test_hours_and_zone_names(form):
    """An hour without minutes is a whole hour; JST is nine hours east."""
    hours = TIMES.floor("h") if "%M" not in form else TIMES
    log = read_times([time.strftime(form) for time in TIMES], "日時")
    expected = hours - pd.Timedelta("9h") if "JST" in form else hours
    np.testing.assert_array_equal(log.series[0].row_times, expected.as_unit("ns").asi8)


def test_the_first_year_of_an_era_and_the_change_of_eras():
    """The first year is written with its own word, and one era follows the other."""
    texts = ["平成31年4月29日", "平成31年4月30日", "令和元年5月1日", "令和元年5月2日"]
    assert_times(read_times(texts, "年月日"), pd.date_range("2019-04-29", periods=4), "Japanese era")


@pytest.mark.parametrize("decimal", [".", ","])
def test_excel_days(decimal):
    """Excel's day numbers are dates by the name of their column, exact to the second."""
    days = (TIMES - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")
    texts = [f"{day:.5f}".replace(".", decimal) for day in days]
    table = "Date;x\n" + "".join(f"{text};1{decimal}5\n" for text in texts)
    log = read_table(table)
    assert log.schema.time_format == "Excel days"
    np.testing.assert_array_equal(log.series[0].row_times, TIMES.as_unit("ns").asi8)
    assert read_table(table, timezone="Asia/Tokyo").schema.timezone == "Asia/Tokyo"


def test_whole_excel_days_stay_among_fractions():
    """Midnights between fractions of days are rows like any other."""
    times = pd.date_range("2024-01-15", periods=37, freq="8h")
    days = (times - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D")
    assert_times(read_times(days, "日時"), times, "Excel days")


def test_fractions_of_epoch_seconds_stay_beside_whole_ones():
    """Whole and broken seconds since 1970 may alternate."""
    log = read_times([1_706_000_000 + row / 2 for row in range(31)], "timestamp")
    assert log.counts.rows_used == 31
    assert log.schema.step == 500_000_000


def test_seconds_that_count_up_are_no_dates():
    """Numbers in the range of Excel's days are days only at distances at which people log."""
    log = read_times([30_000 + 0.1 * row for row in range(40)])
    assert log.schema.time_kind is TimeKind.ROW
    minutes = [f"{45_000 + row / 1440:.6f}" for row in range(40)]
    assert read_times(minutes).schema.time_format == "Excel days"


def test_columns_of_year_month_day_and_hour_are_one_time():
    """Calendar columns are joined, in Japanese too, also where the user names them."""
    hours = pd.date_range("2024-02-27", periods=71, freq="h")
    frame = pd.DataFrame(
        {"No": range(71), "year": hours.year, "month": hours.month, "day": hours.day, "hour": hours.hour}
    ).assign(x=np.arange(71) % 7)
    log = read_table(frame)
    assert_times(log, hours, "year + month + day + hour")
    assert log.schema.channels == ("x",)
    japanese = frame.rename(columns={"year": "年", "month": "月", "day": "日", "hour": "時"})
    assert_times(read_table(japanese), hours, "year + month + day + hour")
    buoy = frame.rename(columns={"year": "YY", "month": "MM", "day": "DD", "hour": "hh"}).assign(mm=30)
    assert_times(read_table(buoy), hours + pd.Timedelta("30min"), "year + month + day + hour + minute")
    named = read_table(frame, time="year+month+day")
    assert named.schema.time_column == "year + month + day"
    with pytest.raises(UsageError, match="are no columns of year, month, day"):
        read_table(frame, time="year+x+day")


def test_impossible_calendar_dates_are_dropped():
    """The 30th of February costs its row."""
    rows = [(2024, 2, day) for day in (27, 28, 29, 30)] + [(2024, 3, day) for day in range(1, 20)]
    log = read_table(pd.DataFrame(rows, columns=["year", "month", "day"]).assign(x=1.5))
    assert words(log.counts.dropped) == {"time does not parse": 1}


@pytest.mark.parametrize(("digits", "label"), [("%H%M", "hhmm"), ("%H%M%S", "hhmmss")])
def test_clocks_written_as_numbers(digits, label):
    """A number beside a date is its hour and minute, with or without the zeros in front."""
    minutes = pd.date_range("2024-01-13 22:00", periods=171, freq="7min")
    for write in (str, int):
        clock = [write(time.strftime(digits)) for time in minutes]
        log = read_table(pd.DataFrame({"Date": minutes.strftime("%d/%m/%Y"), "Time": clock, "x": 1.5}))
        assert_times(log, minutes, f"DD/MM/YYYY + {label}")


def test_numbers_called_a_date_are_no_channel():
    """Numbers that are no months are asked about, not read as a reading."""
    months = [202413 + month for month in range(9)]
    with pytest.raises(InputError, match="'date' looks like the time but does not parse: '202413'"):
        read_times(months, "date")


def test_a_time_that_no_form_reads_is_asked_for():
    """A column that is called time and cannot be read is never silently replaced by row numbers."""
    texts = [f"{row:02d}:00 / week 5" for row in range(20)]
    with pytest.raises(InputError, match="'time' looks like the time but does not parse: '00:00 / week 5'"):
        read_times(texts)
    assert read_times(texts, time="row").schema.time_kind is TimeKind.ROW
