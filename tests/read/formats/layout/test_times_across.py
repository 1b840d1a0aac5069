# ruff: noqa: PD011  `Series.values` is logscan's own
"""Tables whose times stand across their columns."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.formats.layout.times_across import found_across
from logscan.time_units import MONTH_NS
from tests.words import words

DAYS = pd.date_range("2023-03-27", periods=23)
VALUES = np.random.default_rng(3).normal(50, 9, (23, 24)).round(1)


def read(lines, **config):
    """The log of lines of CSV."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO("\n".join([*lines, ""]).encode()))


def table(names, first="年月日", date="%Y/%m/%d", between=""):
    """Lines of a day each."""
    head = ",".join([first, *(f"{name}{between}" for name in names)])
    rows = zip(DAYS, VALUES, strict=True)
    return [
        head,
        *(",".join([f"{day:{date}}", *(f"{value}{between}" for value in row)]) for day, row in rows),
    ]


@pytest.mark.parametrize(
    ("names", "start"),
    [
        ([f"{hour}時" for hour in range(1, 25)], 1),
        ([f"{hour}시" for hour in range(1, 25)], 1),
        ([f"h{hour}" for hour in range(1, 25)], 1),
        ([f"{hour:02d}" for hour in range(24)], 0),
        ([f"{hour}:00" for hour in range(24)], 0),
        ([f"{hour}時～{hour + 1}時" for hour in range(24)], 0),
    ],
)
def test_hours_of_the_day_across_are_read_one_below_the_other(names, start):
    """A day per row and its hours across is a series by the hour, and a note says so."""
    log = read(table(names))
    series = log.series[0]
    times = pd.date_range(DAYS[0] + pd.Timedelta(hours=start), freq="h", periods=VALUES.size)
    np.testing.assert_array_equal(series.row_times, times.as_unit("ns").asi8)
    np.testing.assert_array_equal(series.values[:, 0], VALUES.ravel())
    assert any(f"olumns '{names[0]}' to '{names[-1]}' are" in note for note in words(log.notes))


def test_marks_between_the_hours_are_left_out():
    """Columns without a name behind each hour, as in tables of water levels, are no readings."""
    log = read(table([f"{hour}時" for hour in range(1, 25)], between=", "))
    assert log.schema.channels == ("value",)
    np.testing.assert_array_equal(log.series[0].values[:, 0], VALUES.ravel())


def test_half_hours_across():
    """48 clocks across are half hours."""
    names = [f"{minute // 60}:{minute % 60:02d}" for minute in range(0, 1440, 30)]
    lines = [",".join(["日付", *names])]
    lines += [
        ",".join([f"{day:%Y-%m-%d}", *map(str, np.tile(row, 2))])
        for day, row in zip(DAYS, VALUES, strict=True)
    ]
    assert len(read(lines).series[0].values) == 23 * 48


def test_items_below_one_another_become_channels():
    """A column of items beside the hours across is long format."""
    names = [f"{hour:02d}" for hour in range(24)]
    lines = [",".join(["日期", "測項", *names])]
    for day, row in zip(DAYS, VALUES, strict=True):
        lines += [
            ",".join([f"{day:%Y/%m/%d}", item, *map(str, row + add)]) for item, add in (("CO", 0), ("NO2", 7))
        ]
    log = read(lines)
    assert log.schema.channels == ("CO", "NO2")
    np.testing.assert_allclose(log.series[0].values, np.stack([VALUES.ravel(), VALUES.ravel() + 7], axis=1))


def test_months_across_beside_years():
    """Years down and months across are a series by the month."""
    lines = ["Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"]
    lines += [",".join([str(1990 + year), *map(str, row[:12])]) for year, row in enumerate(VALUES)]
    series = read(lines).series[0]
    assert series.grid.step == MONTH_NS
    np.testing.assert_array_equal(series.values[:, 0], VALUES[:, :12].ravel())


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%m/%d/%y", "%Y%m", "%Y"])
def test_dates_across(form):
    """A thing per row and dates across: the thing is the entity, and a note says so."""
    freq = {"%Y%m": "MS", "%Y": "YS"}.get(form, "D")
    times = pd.date_range("2001-01-01", freq=freq, periods=19)
    lines = [",".join(["name", *times.strftime(form)])]
    lines += [",".join([f"thing {place}", *map(str, VALUES[place, :19])]) for place in range(11)]
    log = read(lines)
    assert log.schema.entity_columns == ("name",)
    assert any("tells rows of one time apart" in note for note in words(log.notes))
    log = read(lines, entity=("name",))
    assert [len(one.values) for one in log.series] == [19] * 11
    np.testing.assert_array_equal(
        next(one for one in log.series if one.entity == "thing 3").values[:, 0], VALUES[3, :19]
    )


@pytest.mark.parametrize(
    "names",
    [
        ["Time", *(f"V{number}" for number in range(1, 25))],
        ["date", *map(str, range(1, 31))],
        ["date", *map(str, range(2001, 2024))],
        ["id", *(f"d_{day}" for day in range(1, 90))],
        [f"{hour}時" for hour in range(1, 25)],
        ["年度", *(f"{month}月" for month in (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3))],
    ],
)
def test_numbered_columns_are_no_times(names):
    """Sensors by number, days by count, fiscal years and tables without anything else stay as they are."""
    assert found_across(names) is None


def test_hours_named_as_channels_stay_channels():
    """A user who names the columns reads them as channels."""
    log = read(table([f"{hour}時" for hour in range(1, 25)]), channels=("9時", "12時"))
    assert log.schema.channels == ("9時", "12時")
