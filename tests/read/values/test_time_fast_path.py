"""Times read by the places of their digits, beside the patterns of their forms."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.read.values import time_fast_path, time_parser
from logscan.read.values.time_formats import TimeForm
from logscan.read.values.time_parser import INVALID, text_times

FORMS: dict[str, tuple[str, bool]] = {
    "%Y/%m/%d %H:%M:%S": ("year first", False),
    "%Y/%-m/%-d %-H:%M": ("year first", False),
    "%Y-%m-%d %H": ("year first", False),
    "%Y年%m月%d日 %H時%M分%S秒": ("year first", False),
    "%Y-%m-%dT%H:%M:%S+09:00": ("year first", True),
    "%d.%m.%Y %H:%M:%S,%f": ("dmy", False),
    "%d/%m/%y %I:%M:%S %p": ("dmy", False),
    "%m/%d/%Y %H:%M": ("mdy", False),
    "%y/%m/%d": ("ymd", False),
    "%d-%b-%Y %H:%M:%S": ("d-mon-y", False),
    "%b %d, %Y %H:%M": ("mon-d-y", False),
    "%a %b %d %H:%M:%S %Y": ("ctime", False),
    "%Y%m%d%H%M%S": ("compact", False),
    "%Y%m%d": ("compact", False),
    "%y%m%d %H%M%S": ("short", False),
    "1%y/%m/%d %H:%M": ("roc", False),
    "%Y/%m/%d %p %I:%M:%S": ("year first", False),
    "%H:%M:%S": ("time of day", False),
    "%-I:%M %p": ("time of day", False),
}
MOMENTS = st.builds(
    lambda start, step, count: [start + timedelta(seconds=step * place) for place in range(count)],
    st.datetimes(datetime(1975, 1, 1), datetime(2060, 1, 1)),  # noqa: DTZ001 - wall clock
    st.sampled_from([1, 61, 3600, 43_210, 86_400, 2_700_000]),
    st.integers(1, 40),
)
DAMAGE = st.sampled_from(
    ["", " ", "x", "2024", "9", "30", "٣", "：", "PM", "午後", "-", "1904", "99", "\0", "T25"]
)


@pytest.fixture(autouse=True)
def _also_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_fast_path, "_FEW_ROWS", 1)


@pytest.mark.parametrize("written", FORMS)
@settings(max_examples=40)
@given(moments=MOMENTS, data=st.data())
def test_times_by_layout_are_times_by_pattern(
    written: str, moments: list[datetime], data: st.DataObject
) -> None:
    """Whatever stands in a column, every cell is read, or not read, as the pattern of the form reads it alone."""
    cells: list[str | None] = [moment.strftime(written) for moment in moments]
    order, aware = FORMS[written]
    form = TimeForm(order, aware, clocked=True)
    expected = time_parser._matched_times(pa.array(cells, pa.string()), form)
    for place in data.draw(st.lists(st.integers(0, len(cells) - 1), max_size=4)):
        cell = cells[place] or ""
        cut, gone = data.draw(st.integers(0, len(cell))), data.draw(st.integers(0, 3))
        damaged = cell[:cut] + data.draw(DAMAGE) + cell[cut + gone :]
        cells[place] = data.draw(st.sampled_from([damaged, None]))
        alone = None if cells[place] is None else time_parser._matched_times(pa.array([damaged]), form)[0]
        expected[place] = INVALID if alone is None else alone

    np.testing.assert_array_equal(text_times(pa.array(cells, pa.string()), form), expected)


def test_a_part_of_a_column_is_read_from_its_own_bytes() -> None:
    """A slice, as batches often are, begins where it begins."""
    column = pa.array([f"{day:02d}.01.2024 10:00" for day in range(1, 32)])
    form = TimeForm("dmy", aware=False, clocked=True)

    np.testing.assert_array_equal(text_times(column.slice(7, 9), form), text_times(column, form)[7:16])
