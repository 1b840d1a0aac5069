"""Unclosed quotes: lines that they swallow are found, so that no row is lost silently."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa

from logscan.errors import InputError
from logscan.read.values.numbers import is_text
from logscan.read.values.recognise import is_value

_LINE_END = re.compile(rb"[\r\n]")
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


def holds_rows(text: str, delimiter: str, width: int) -> bool:
    """Whether a cell holds a whole row behind a line end: a number or time first and as many cells."""
    lines = _LINE_ENDS.split(text)[1:]
    return width > 1 and any(
        line.count(delimiter) >= width - 1 and is_value(line.split(delimiter, 1)[0]) for line in lines
    )


def refuse_swallowed_lines(batch: pa.RecordBatch, delimiter: str, place: str) -> None:
    """Look at the text cells of a batch.

    Args:
        batch: all columns of the table; cells of other types hold no line end.
        delimiter: of the text.
        place: file name, for the message.

    Raises:
        InputError: a cell holds lines of the table.
    """
    for column in batch.columns:
        if is_text(column.type):
            refuse_swallowed(_cells_of_lines(column), delimiter, batch.num_columns, place)


def refuse_swallowed(cells: list[str], delimiter: str, width: int, place: str) -> None:
    """Raise InputError where one of the cells that hold a line end holds rows."""
    for cell in cells:
        if holds_rows(cell, delimiter, width):
            shown = _LINE_ENDS.split(cell)[0][:40]
            fact = f"a quote that is not closed swallows lines, in the cell that begins with '{shown}'"
            raise InputError(place, fact, "close it, or pass --quote none to read quotes as text")


def _cells_of_lines(column: Any) -> list[str]:
    """The cells of a text column that hold a line end."""
    data = column.buffers()[2]
    if data is None:
        return []
    data = data.to_pybytes()
    if b"\n" not in data and b"\r" not in data:  # far quicker than by pattern
        return []
    offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset :]
    ends = [match.start() for match in _LINE_END.finditer(data)]
    places = np.unique(np.searchsorted(offsets[: len(column) + 1], ends, side="right") - 1)
    return [column[int(place)].as_py() or "" for place in places if 0 <= place < len(column)]
