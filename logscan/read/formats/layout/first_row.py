"""The first row of data of a table, detected on a sample. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

from logscan.errors import EmptyInputError, InputError
from logscan.read.formats.layout.times_across import found_across
from logscan.read.formats.table import distinct_names
from logscan.read.values.numbers import MISSING_WORDS
from logscan.read.values.recognise import Rows, is_moment, is_value

_DATED_COLUMNS = 13  # from which times may stand across the columns
_PREAMBLE_ROWS = 50  # a preamble holds at most so many rows that look like data
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FEWEST_OF_A_RUN = 10


def first_data(rows: Rows, width: int) -> int | None:
    """Index of the first row that looks like the usual row: values and times where the later rows have them.

    A preamble may hold such rows too; they end where a row of words, the header, comes early in the sample. It may
    hold one cell more than the data.

    Args:
        rows: of the sample.
        width: their usual number of cells.

    Returns:
        None where no row looks like that.
    """
    usual, timed = _usual_places(rows, width)
    first: int | None = None
    passed = 0  # rows like data so far
    headers: list[list[str]] = []
    dated = _dated_header(rows, width)
    for index, (_, row) in enumerate(rows):
        if len(row) == width + 1 and all(cell.strip() and not is_value(cell) for cell in row[:width]):
            if passed <= _PREAMBLE_ROWS and _more(rows, index, passed):
                first = None
            continue
        if len(row) != width or index == dated:
            continue
        cells = [row[position] for position in usual if row[position].strip()]
        values = sum(map(is_value, cells))
        words = [row[position] for position in timed if row[position].strip()]
        # A word where times stand is a header, even above channels that are called by numbers; a damaged
        # time still has digits.
        worded = any(not any(letter.isdigit() for letter in word) for word in words)
        if values == 0 and 2 * len(cells) >= width > 1:
            if passed <= _PREAMBLE_ROWS and row not in headers and _more(rows, index, passed):
                first = None
            headers.append(row)
        elif cells and 2 * values >= len(cells) and not (worded and first is None):
            passed += 1
            first = index if first is None else first
    return first


def _dated_header(rows: Rows, width: int) -> int | None:
    """Index of the first row of the usual width if it holds times as names above rows of none."""
    whole = [index for index, (_, row) in enumerate(rows[:_PREAMBLE_ROWS]) if len(row) == width]
    if width < _DATED_COLUMNS or len(whole) < 2:
        return None
    first, second = (found_across(distinct_names(rows[index][1])) for index in whole[:2])
    return whole[0] if first is not None and second is None and 2 * len(first.names) >= width else None


def _more(rows: Rows, index: int, passed: int) -> bool:
    """Whether more rows follow a row than rows of data stand above it."""
    return len(rows) - index - 1 > passed


def _usual_places(rows: Rows, width: int) -> tuple[list[int], list[int]]:
    """The columns that hold values in the later half of the rows, and those of them that hold times, or run so."""
    fitting = [row for _, row in rows if len(row) == width]
    later = fitting[len(fitting) // 2 :]
    usual, timed = [], []
    for position in range(width):
        cells = [row[position] for row in later if row[position].strip().casefold() not in MISSING_WORDS]
        if cells and sum(map(is_value, cells)) >= 0.5 * len(cells):
            usual.append(position)
            if sum(map(is_moment, cells)) >= 0.9 * len(cells) or (position == 0 and _runs(cells)):
                timed.append(position)
    return usual, timed


def _runs(cells: list[str]) -> bool:
    """Whether numbers grow from row to row, as elapsed times and numbers of rows do."""
    if len(cells) < _FEWEST_OF_A_RUN or not all(_PLAIN.fullmatch(cell.strip()) for cell in cells):
        return False
    values = [float(cell) for cell in cells]
    return all(later > earlier for earlier, later in pairwise(values))


def only_text(rows: Rows, width: int, place: str) -> int:
    """A sample without a single value: refused, or rows of text under the first row."""
    if len(rows) == 1 and (width > 1 or len(rows[0][1][0]) <= 80):
        raise EmptyInputError(
            place, "there is a header line but no rows of data", "pass a file with rows of data"
        )
    if width == 1:
        raise InputError(
            place,
            "this is text, not a table: no delimiter splits its lines into the same number of cells",
            "turn it into CSV with a time column and one column per number",
        )
    return 1
