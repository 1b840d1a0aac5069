"""The decimal mark of a CSV: point or comma, detected on a sample; asked for where unclear. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from logscan.errors import InputError
from logscan.read.values.recognise import Rows, is_moment

_COMMA_DECIMAL = re.compile(
    r"[+-]?(\d+,(\d{1,2}|\d{4,})|\d{4,},\d+|0,\d+|\d{1,3}([. \u00a0\u202f'’]\d{3})+,\d+)([eE][+-]?\d+)?\s*%?"
)
_POINT_DECIMAL = re.compile(
    r"[+-]?(\d*\.(\d{1,2}|\d{4,})|\d{4,}\.\d+|0?\.\d+|\d{1,3}([, \u00a0\u202f'’]\d{3})+\.\d+)([eE][+-]?\d+)?\s*%?"
)
_COMMA_GROUP = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINT_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(,\d{3}){2,}")
_POINT_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3}){2,}")
_SHORT = re.compile(r"[1-9]\d{0,2}")
_LONG = re.compile(r"[+-]?\d{4,}")
_WHOLE = re.compile(r"[+-]?\d+")
_ASK = "pass --decimal . or --decimal ,"
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff66-\uff9d]")


def found_decimal(rows: Rows, delimiter: str, place: str, text: str = "") -> str:
    """The decimal mark of rows of data: a comma where more cells can only be read with one.

    Args:
        rows: rows of data.
        delimiter: between their cells; a semicolon makes thousands parted by points likely.
        place: file name, for the message.
        text: the sample. Where Chinese, Japanese or Korean is written decimals stand behind a point, but for files
            with semicolons, which instruments from elsewhere write.

    Raises:
        InputError: a mark stands before groups of three digits only, so that it may part thousands.
    """
    commas = points = 0
    for cells in _columns(rows):
        commas += _hits(_COMMA_DECIMAL, cells) + _hits(_POINT_GROUPS, cells)
        points += _hits(_POINT_DECIMAL, cells) + _hits(_COMMA_GROUPS, cells)
    if commas or points:
        return "," if commas > points else "."
    votes = {"": 0, ".": 0, ",": 0}
    open_cell = ""
    for cells in _columns(rows):
        vote = _column_vote(cells, delimiter)
        if vote is None:
            continue
        votes[vote] += 1
        if vote == "":
            open_cell = next(cell for cell in cells if "," in cell or "." in cell)
    decided = [mark for mark in ".," if votes[mark]]
    if len(decided) == 1:
        return decided[0]
    pointed = delimiter != ";" and _EAST_ASIAN.search(text)
    if (open_cell or len(decided) == 2) and not pointed:
        shown = open_cell or "1,234"
        fact = f"whether '{shown}' is a thousand and more or has decimals cannot be told"
        raise InputError(place, fact, _ASK)
    return "."


def _column_vote(cells: list[str], delimiter: str) -> str | None:
    """The decimal mark that one column speaks for, "" where it stays open, None where it says nothing.

    Where thousands are parted, numbers below a thousand stand without a mark and none above does.
    """
    grouped = _hits(_COMMA_GROUP, cells)
    if grouped:
        short, long = _hits(_SHORT, cells), _hits(_LONG, cells)
        return "" if bool(short) == bool(long) else "." if short else ","
    dotted = _hits(_POINT_GROUP, cells)
    # A point is a decimal mark unless whole numbers beside it, or where it comes from, make thousands as likely.
    likely = _hits(_SHORT, cells) or (delimiter == ";" and dotted == len(cells))
    return "" if dotted >= 3 and likely and not _hits(_LONG, cells) else None


def _columns(rows: Rows) -> Iterable[list[str]]:
    """The cells of each column that hold no time, without blanks."""
    width = max((len(row) for _, row in rows), default=0)
    for position in range(width):
        cells = [row[position].strip() for _, row in rows if len(row) > position and row[position].strip()]
        if cells and 2 * sum(map(is_moment, cells)) < len(cells):
            yield cells


def _hits(pattern: re.Pattern[str], cells: list[str]) -> int:
    return sum(bool(pattern.fullmatch(cell)) for cell in cells)


def refuse_split_decimals(rows: Rows, header: Sequence[str], place: str) -> None:
    """Refuse a table whose decimal commas were taken for the delimiter by what wrote it.

    Its numbers are all whole, its rows have no gaps but more or fewer cells, and the readings move from
    column to column with the number of cells; or its rows hold more cells than the header names.

    Args:
        rows: rows of data, as written, parted by commas.
        header: the names, none if there is no header.
        place: file name, for the message.

    Raises:
        InputError: it is such a table.
    """
    filled = [_without_end(row) for _, row in rows]
    filled = [row for row in filled if row]
    lengths = sorted({len(row) for row in filled})
    if not filled or not _all_whole(filled) or any(not cell.strip() for row in filled for cell in row):
        return
    names = len(_without_end(list(header)))
    unnamed = bool(header) and lengths[0] > names and not (lengths == [names + 1] and _is_index(filled))
    if not (unnamed or (len(lengths) > 1 and _is_shifted(filled))):
        return
    held = f"{lengths[0]} to {lengths[-1]}" if len(lengths) > 1 else f"{lengths[0]}"
    raise InputError(
        place,
        f"decimal commas were most likely split into cells: all numbers are whole, and under {names} names the rows "
        f"hold {held} cells",
        "write it again with ; between the cells, or pass --decimal . to read it as it stands",
    )


def _is_index(rows: list[list[str]]) -> bool:
    """Whether the first cells number or name the rows, as R and pandas write them without a name of their own."""
    cells = [row[0].strip() for row in rows]
    if any(map(is_moment, cells)):
        return False
    numbers = [float(cell) for cell in cells if _WHOLE.fullmatch(cell)]
    distinct = len(set(cells)) == len(cells)
    return distinct and (len(numbers) < len(cells) or bool((np.diff(numbers) > 0).all()))


def _without_end(row: list[str]) -> list[str]:
    """A row without the empty cells at its end."""
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return row[:end]


def _all_whole(rows: list[list[str]]) -> bool:
    whole = False
    for cell in (cell for row in rows for cell in row if not is_moment(cell)):
        if not _WHOLE.fullmatch(cell.strip()):
            return False
        whole = True
    return whole


def _is_shifted(rows: list[list[str]]) -> bool:
    """Whether some column holds other readings in long rows than in short ones."""
    middle = float(np.median([len(row) for row in rows]))
    groups = [[row for row in rows if len(row) >= middle], [row for row in rows if len(row) < middle]]
    if not groups[1]:
        groups = [[row for row in rows if len(row) > middle], [row for row in rows if len(row) <= middle]]
    if min(len(group) for group in groups) < 5:
        return False
    for position in range(min(len(row) for row in rows)):
        parts = [
            np.array([float(row[position]) for row in group if _WHOLE.fullmatch(row[position].strip())])
            for group in groups
        ]
        if min(len(part) for part in parts) < 5:
            continue
        spreads = [float(np.subtract(*np.quantile(part, (0.75, 0.25)))) for part in parts]
        if abs(float(np.median(parts[0]) - np.median(parts[1]))) > max(*spreads, 1.0):
            return True
    return False
