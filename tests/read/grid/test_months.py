# ruff: noqa: PD011  `Series.values` is logscan's own
"""Months without a day, days of the week, numbered periods of the day."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.records import TimeKind
from logscan.time_units import MONTH_NS

MONTHS = pd.date_range("2013-11-01", freq="MS", periods=113)
VALUES = np.random.default_rng(5).integers(100, 999, 113)
DAYS = "月火水木金土日"


def read_column(texts, name="time", **config):
    """The log of a column of times and a reading each."""
    data = pd.DataFrame({name: list(texts), "x": VALUES[: len(texts)]}).to_csv(index=False)
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data.encode()))


def assert_months(log):
    """Every month has a step of its own, in which its reading lies."""
    series = log.series[0]
    assert series.grid.step == MONTH_NS
    np.testing.assert_array_equal(series.values[:, 0], VALUES)
    np.testing.assert_array_equal(
        series.grid.times().astype("datetime64[ns]").astype("datetime64[M]"), MONTHS
    )


@pytest.mark.parametrize(
    "write",
    [
        lambda t: f"{t.year}年{t.month}月",
        lambda t: f"{t.year}/{t.month}",
        lambda t: f"{t:%Y-%m}",
        lambda t: f"{t:%m/%Y}",
        lambda t: f"{t:%b %Y}",
        lambda t: f"{t:%b-%y}",
        lambda t: f"{t:%Y %B}",
        lambda t: f"{t:%YM%m}",
        lambda t: f"{t:%Y%m}",
        lambda t: f"H{t.year - 1988}.{t.month}",
        lambda t: f"平成{t.year - 1988}年{t.month}月分",
    ],
)
def test_a_month_without_a_day_is_its_first(write):
    """Months in many writings lie on their first day, and no two fall into one step."""
    log = read_column([write(time) for time in MONTHS])
    np.testing.assert_array_equal(log.series[0].row_times, MONTHS.as_unit("ns").asi8)
    assert_months(log)


@pytest.mark.parametrize("freq", ["MS", "ME"])
def test_dates_by_the_month_get_a_step_each(freq):
    """First and last days of months are 28 to 31 days apart, yet every one has its step."""
    assert_months(read_column(pd.date_range("2013-11-01", freq=freq, periods=113).strftime("%Y-%m-%d")))


def test_quarters_and_years():
    """Quarters have steps of three months; years are integer steps."""
    quarters = [f"{2000 + row // 4}Q{row % 4 + 1}" for row in range(61)]
    series = read_column(quarters).series[0]
    assert (series.grid.step, len(series.values)) == (3 * MONTH_NS, 61)
    years = read_column(range(1930, 2017), "Year")
    assert (years.schema.time_kind, years.series[0].grid.start) == (TimeKind.INTEGER, 1930)


def test_columns_of_year_and_month():
    """A year and a month in two columns are joined where they name another month in every row."""
    data = pd.DataFrame({"年": MONTHS.year, "月": MONTHS.month, "x": VALUES}).to_csv(index=False)
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(data.encode()))
    assert log.schema.time_format == "year + month"
    assert_months(log)
    assert_months(read_log(["-"], InputConfig(time=log.schema.time_column), stdin=io.BytesIO(data.encode())))


def test_a_name_of_a_month_and_a_day_is_no_month():
    """`Jan-01` to `Jan-31` and on are days without a year, not Januaries of many years."""
    days = [f"{time:%b-%d}" for time in pd.date_range("2024-01-01", periods=60)]
    assert read_column(days, "day").schema.time_kind is TimeKind.ROW


@pytest.mark.parametrize(
    "write",
    [
        lambda t: f"{t:%Y/%m/%d}({DAYS[t.weekday()]})",
        lambda t: f"{t:%Y/%m/%d}（{DAYS[t.weekday()]}・祝）",
        lambda t: f"{t.year}年{t.month}月{t.day}日 {DAYS[t.weekday()]}曜日",
        lambda t: f"{t:%Y/%m/%d} {DAYS[t.weekday()]}",
        lambda t: f"R{t.year - 2018}.{t.month}.{t.day}({DAYS[t.weekday()]})",
        lambda t: f"{t:%Y-%m-%d (%a)}",
        lambda t: f"{t.year}年{t.month}月{t.day}日 星期{'一二三四五六日'[t.weekday()]}",
        lambda t: f"{t.year}년 {t.month}월 {t.day}일 ({'월화수목금토일'[t.weekday()]})",
    ],
)
def test_the_day_of_the_week_behind_a_date_is_passed_over(write):
    """Dates with the day of the week are the same dates."""
    times = pd.date_range("2023-12-01", periods=83)
    log = read_column([write(time) for time in times], "日付")
    np.testing.assert_array_equal(log.series[0].row_times, times.as_unit("ns").asi8)


@pytest.mark.parametrize(
    ("name", "periods", "first"),
    [("時刻コード", 48, 1), ("コマ", 48, 0), ("SETTLEMENT_PERIOD", 48, 1), ("interval", 288, 1)],
)
def test_numbered_periods_of_the_day_are_joined_to_the_date(name, periods, first):
    """A date and the number of a half hour, or of five minutes, are one time."""
    times = pd.date_range("2024-02-28", freq=f"{1440 // periods}min", periods=3 * periods)
    code = np.arange(len(times)) % periods + first
    data = pd.DataFrame({"年月日": times.strftime("%Y/%m/%d"), name: code, "x": np.arange(len(times)) % 7})
    for time in (None, f"年月日 + {name}"):
        log = read_log(["-"], InputConfig(time=time), stdin=io.BytesIO(data.to_csv(index=False).encode()))
        np.testing.assert_array_equal(log.series[0].row_times, times.as_unit("ns").asi8)
        assert log.schema.channels == ("x",)


def test_an_interval_is_named_by_its_beginning():
    """`0:30～1:00` beside a date is half past midnight."""
    times = pd.date_range("2024-02-28", freq="30min", periods=97)
    clock = [
        f"{time.hour}:{time:%M}～{time.hour + time.minute // 30}:{'00' if time.minute else '30'}"
        for time in times
    ]
    data = pd.DataFrame({"日付": times.strftime("%Y/%m/%d"), "時間帯": clock, "x": np.arange(97) % 7})
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(data.to_csv(index=False).encode()))
    np.testing.assert_array_equal(log.series[0].row_times, times.as_unit("ns").asi8)
