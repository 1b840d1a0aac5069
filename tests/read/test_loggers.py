# ruff: noqa: PD011  `Series.values` is logscan's own
"""Tables as data loggers and controllers write them: settings above, kinds under the names, parts of the time apart."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log
from tests.words import words

ROWS = 97
FAST = pd.date_range("2023-11-27 14:08:41", freq="200ms", periods=ROWS)
SLOW = pd.date_range("2024-03-20 13:51:10", freq="2min", periods=ROWS)
VALUES = np.random.default_rng(23).normal(25, 3, ROWS).round(1)


def read(lines, **config):
    """The log of lines of CSV."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO("\n".join([*lines, ""]).encode()))


def assert_series(log, times, channel):
    """One channel at some times."""
    assert log.schema.channels == (channel,)
    np.testing.assert_array_equal(log.series[0].row_times, times.as_unit("ns").asi8)
    np.testing.assert_array_equal(log.series[0].values[:, 0], VALUES)


@pytest.mark.parametrize("unit", ["ms", "us", "ミリ秒"])
@pytest.mark.parametrize("apart", [False, True])
def test_a_column_of_milliseconds_is_joined_to_the_time(unit, apart):
    """Times to the second and their milliseconds beside them are one time, with date and clock apart or not."""
    small = FAST.microsecond if unit == "us" else FAST.microsecond // 1000
    form = "%Y/%m/%d,%H:%M:%S" if apart else "%Y/%m/%d %H:%M:%S"
    lines = [("Date,Time," if apart else "Date&Time,") + f"{unit},CH1"]
    lines += [f"{time:{form}},{part},{value}" for time, part, value in zip(FAST, small, VALUES, strict=True)]
    log = read(lines)
    assert_series(log, FAST, "CH1")
    assert_series(read(lines, time=log.schema.time_column), FAST, "CH1")


def test_excels_days_beside_the_time_are_no_channel():
    """The time a second time, as a number, is left out with a reason."""
    days = (SLOW - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
    lines = ["Date/Time,Date/Time,No.1", ",,°C"]
    lines += [f"{time},{day:.10f},{value}" for time, day, value in zip(SLOW, days, VALUES, strict=True)]
    log = read(lines)
    assert_series(log, SLOW, "No.1 [°C]")
    assert "is the time again" in words(log.schema.ignored).values()


def test_kinds_of_value_above_the_names_are_no_names():
    """A controller writes the kinds of its values above the names, and settings above them."""
    lines = ["[LOGGING],PLC_1,2,3", "DATETIME[YYYY/MM/DD hh:mm:ss],SHORT[DEC.0]", "TIME,D100"]
    lines += [f"{time:%Y/%m/%d %H:%M:%S},{value}" for time, value in zip(SLOW, VALUES, strict=True)]
    assert_series(read(lines), SLOW, "D100")


def test_of_two_rows_of_words_the_one_that_names_the_time_is_the_header():
    """Settings of channels with as many cells as the data stand above the header."""
    lines = ["CH,mode", "CH1-1,temperature", "日時,CH1-1"]
    lines += [f"{time:%Y/%m/%d %H:%M:%S},{value}" for time, value in zip(SLOW, VALUES, strict=True)]
    assert_series(read(lines), SLOW, "CH1-1")


def test_lines_of_text_with_a_time_in_front_are_refused_as_text():
    """What no delimiter splits is text; the remedy is one that works."""
    with pytest.raises(InputError, match="this is text, not a table") as raised:
        read([f"{time} [INFO] pump {row} started" for row, time in enumerate(SLOW)])
    assert raised.value.remedy == "turn it into CSV with a time column and one column per number"


def test_nearly_complete_readings_are_readings():
    """`9.9 )`, as meteorologists write it, is 9.9; `9.9 ]` is not enough and counted."""
    marks = np.array([" )", "", " ]"])[np.arange(ROWS) % 3]
    lines = ["日付,気温"]
    lines += [f"{time},{value}{mark}" for time, value, mark in zip(SLOW, VALUES, marks, strict=True)]
    log = read(lines)
    np.testing.assert_array_equal(log.series[0].values[:, 0], np.where(marks == " ]", np.nan, VALUES))
    assert log.counts.not_numeric["気温"].count == ROWS // 3


def test_a_zero_in_front_parts_no_thousands():
    """`0.812` under decimal commas is no 812."""
    lines = ["time;a;b"] + [f"{time};{row},5;0.{row + 100}" for row, time in enumerate(SLOW)]
    values = read(lines, decimal=",").series[0].values
    np.testing.assert_allclose(values[:, 1], (np.arange(ROWS) + 100) / 1000)


@pytest.mark.parametrize(
    "write",
    [
        lambda t: f"'{t:%Y/%m/%d %H:%M:%S}",
        lambda t: f"[{t:%Y-%m-%d %H:%M:%S}]",
        lambda t: f"{t:%Y/%m/%d %p %I:%M:%S}",
        lambda t: f"{t.year}/{t.month}/{t.day}　{t.hour}時{t.minute}分{t.second}秒",
        lambda t: f"{t.year - 1911}/{t:%m/%d %H:%M:%S}",
        lambda t: f"民國{t.year - 1911}年{t.month}月{t.day}日 {t:%H:%M:%S}",
    ],
)
def test_times_in_other_dress(write):
    """Brackets and apostrophes around times, AM in front, wide blanks, years of the Republic of China."""
    assert_series(
        read(["日時,x", *(f"{write(time)},{value}" for time, value in zip(SLOW, VALUES, strict=True))]),
        SLOW,
        "x",
    )


@pytest.mark.parametrize(
    ("names", "form"),
    [
        ("日付,時,分,秒", "%Y/%m/%d,%H時,%M分,%S秒"),
        ("Date,Hour,Minute,Second", "%d-%b-%Y,%H,%M,%S"),
        ("年,月,日,時,分,秒", "%Y年,%m月,%d日,%H時,%M分,%S秒"),
    ],
)
def test_parts_of_the_time_in_columns_of_their_own(names, form):
    """A date, an hour, a minute and a second in four columns, with their words or without, are one time."""
    lines = [f"{names},x", *(f"{time:{form}},{value}" for time, value in zip(SLOW, VALUES, strict=True))]
    log = read(lines)
    assert_series(log, SLOW, "x")
    assert_series(read(lines, time=log.schema.time_column), SLOW, "x")
