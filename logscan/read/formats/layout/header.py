"""The header of a table: which lines above the data name the columns, detected on a sample. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from logscan.notes import Note, note
from logscan.read.formats.table import distinct_names
from logscan.read.values.recognise import Rows, is_moment, is_value
from logscan.read.values.units import is_kind, is_unit
from logscan.read.values.vocabulary import HEADER_TIME_WORD

_MANY_UNITS = 0.4
_DATE_OR_TIME = re.compile(r"\s*(date|time|datetime)\s*", re.IGNORECASE)
_MOST_BETWEEN = 3  # last lines above the data, of which one is the header though the last is none


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns, and where they stand."""

    first_line: int  # 1-based
    last_line: int
    cells: list[str]  # one per cell of the header, joined over its lines
    written: list[str]  # the cells of the line that names most columns, as written


def found_header(before: Rows, width: int, *, exact: bool = False) -> Header | None:
    """The header among the rows above the data; None if no row there names half of the columns.

    Looked for in the rows of about as many cells that stand right above the data. The row that names most
    columns; of two the one that names the time, or the upper one, unless it holds values. Units under it stand in
    brackets behind the names. Where names repeat, the rows under it tell them apart, else the row above, whose
    names hold for the empty cells to their right.

    Args:
        before: the rows above the data.
        width: usual number of cells of the data.
        exact: whether only lines of that many cells (one less: the rows are numbered or named) can be it.
    """
    begin = len(before)
    while begin and _is_near(before[begin - 1][1], width):
        row = before[begin - 1][1]
        if begin < len(before) and 2 * _values(row) >= len(row):
            break  # a row of another table; right above the data names may be numbers
        begin -= 1
    close = range(max(len(before) - _MOST_BETWEEN, 0), len(before))
    near = [index for index in close if _is_near(before[index][1], width)]
    block = range(begin, len(before)) or near or range(len(before))[-1:]
    candidates = [
        index
        for index in block
        if _fits(before[index][1], width) and not (exact and len(before[index][1]) not in {width - 1, width})
    ]
    # Numbers name columns only right above the data.
    candidates = [
        index
        for index in candidates
        if index == len(before) - 1 or 2 * _values(before[index][1]) <= _filled_cells(before[index][1])
    ]
    if not candidates:
        return None
    named = [index for index in candidates if not _is_units(before[index][1])]
    named = named or [min(candidates, key=lambda index: _unit_share(before[index][1]))]
    named = [index for index in named if not before[index][1][0].startswith("# ")] or named
    base = max(named, key=lambda index: _fitness(before[index][1], index))
    if len(before[base][1]) > width:  # a title or settings, if a line under it names the columns one by one
        below = (index for index in named if index > base and _names_each(before[index][1], width))
        base = next(below, base)
    return joined_header(before[base:], above=before[begin:base])


def _fitness(row: list[str], index: int) -> tuple[int, bool, int, int]:
    """A better header names more columns, the time among them, holds fewer values and stands further up."""
    timed = any(HEADER_TIME_WORD.search(cell) for cell in row)
    return _distinct(row), timed, -_values(row), -index


def _is_near(row: list[str], width: int) -> bool:
    """Whether a row has about as many cells as the data."""
    return width - 1 <= len(row) <= width + 1 and (width > 2 or len(row) == width)


def _fits(row: list[str], width: int) -> bool:
    """Whether a row names half of the columns; a lone word above many columns is a title."""
    named = _filled_cells(row)
    return len(row) <= max(width + 1, 3 * width // 2) and 2 * named >= width


def _names_each(row: list[str], width: int) -> bool:
    """Whether a row has a name of its own for every column, the first perhaps left out."""
    filled = _filled_cells(row)
    return len(row) == width and filled >= max(width - 1, 2) and _distinct(row) == filled and not _values(row)


def _filled_cells(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _values(row: list[str]) -> int:
    return sum(map(is_value, row))


def _distinct(row: list[str]) -> int:
    return len({cell.strip() for cell in row if cell.strip()})


def _is_units(row: list[str]) -> bool:
    """Whether many cells of a row are units, types or kinds of value."""
    return _unit_share(row) >= _MANY_UNITS


def _unit_share(row: list[str]) -> float:
    """The share of units and kinds; `date` and `time` name columns too, so the other cells must be units."""
    cells = [cell for cell in row if cell.strip()]
    others = [cell for cell in cells if not _DATE_OR_TIME.fullmatch(cell)]
    hits = sum(is_unit(cell) or is_kind(cell) for cell in others)
    if len(others) < len(cells) and 2 * hits <= len(others):
        return 0.0
    return (hits + len(cells) - len(others)) / max(len(cells), 1)


def joined_header(rows: Rows, *, above: Rows) -> Header:
    """The header whose main line is the first of `rows`; the others stand between it and the data."""
    line, written = rows[0]
    first, last = line, line
    cells = [cell.strip() for cell in written]
    under = [(number, row[: len(cells)]) for number, row in rows[1:] if len(row) >= len(cells)]
    plain = [(number, row) for number, row in under if not _is_units(row)]
    levels = bool(plain) and _names_index(plain[-1][1], cells)
    if levels:  # the name of the index stands alone, the cells above it name the levels
        last, index = plain.pop()
        cells[0] = index[0].strip()
    if plain and _repeats(cells):
        cells = [_joined(parts) for parts in zip(cells, *(row for _, row in plain), strict=True)]
        last = plain[-1][0]
    elif plain and _completes(plain[0][1], cells):
        cells = [below.strip() or cell for below, cell in zip(plain[0][1], cells, strict=True)]
        last = plain[0][0]
    stacked = [(number, ["", *row[1:]] if levels else row) for number, row in above]
    if stacked and _is_stacked(stacked[-1][1], cells):
        timed = [not cell.strip() for cell in stacked[-1][1]]
        for number, row in reversed(stacked):
            if not _is_stacked(row, cells) or [not cell.strip() for cell in row] != timed:
                break
            first = number
            cells = [_joined(parts) for parts in zip(row, cells, strict=True)]
    elif _repeats(cells):
        group = next((item for item in reversed(above) if _is_group(item[1], cells)), None)
        if group is not None:
            first = group[0]
            cells = [_joined(parts) for parts in zip(_filled(group[1], len(cells)), cells, strict=True)]
    elif above and _completes(above[-1][1], cells):
        first = above[-1][0]
        cells = [cell or over.strip() for cell, over in zip(cells, above[-1][1], strict=True)]
    units = next(((number, row) for number, row in under if _is_units(row)), None)
    if units is not None:
        cells = [_with_unit(name, unit) for name, unit in zip(cells, units[1], strict=True)]
        last = max(last, units[0])
    if cells and cells[0].startswith("#"):
        cells[0] = cells[0].lstrip("# ")
    return Header(first, last, cells, [cell.strip() for cell in written])


def _repeats(cells: list[str]) -> bool:
    named = [cell for cell in cells if cell.strip()]
    return len(set(named)) < len(named)


def _joined(parts: tuple[str, ...]) -> str:
    return " ".join(part.strip() for part in parts if part.strip())


def _is_group(row: list[str], cells: list[str]) -> bool:
    """Whether a row above the names has several names of groups of columns."""
    return 2 <= len(row) <= len(cells) + 1 and _distinct(row) >= 2


def _is_stacked(row: list[str], cells: list[str]) -> bool:
    """Whether a row has the first words of all names but those of the time, or of some where it repeats a word.

    The same word above all names, such as a station, tells nothing apart.
    """
    filled = [bool(cell.strip()) for cell in row]
    if len(row) != len(cells) or filled[0] or _distinct(row) < 2 or _values(row) or _is_units(row):
        return False
    empty = [name for name, full in zip(cells, filled, strict=True) if not full]
    if not any(HEADER_TIME_WORD.search(name) for name in empty):
        return False
    return _is_written_out(row) or all(not name or HEADER_TIME_WORD.search(name) for name in empty)


def _is_written_out(row: list[str]) -> bool:
    """Whether cells side by side repeat a word: then an empty cell is empty, and no part of a group before it."""
    return any(one.strip() and one.strip() == other.strip() for one, other in pairwise(row))


def _names_index(row: list[str], cells: list[str]) -> bool:
    """Whether a row under the names holds but the name of the time, as under names of several levels."""
    alone = len(row) > 2 and bool(row[0].strip()) and not any(cell.strip() for cell in row[1:])
    return alone and bool(HEADER_TIME_WORD.search(row[0])) and not HEADER_TIME_WORD.search(cells[0])


def _completes(row: list[str], cells: list[str]) -> bool:
    """Whether a row has names for all columns that the names leave out, as where cells were merged."""
    names = [name.strip() for name, cell in zip(row, cells, strict=False) if not cell]
    return len(row) == len(cells) and len(names) > 0 and all(names) and not _values(names)


def _filled(row: list[str], width: int) -> list[str]:
    """The names of groups over all their columns."""
    if _is_written_out(row):
        return [cell.strip() for cell in (row + [""] * width)[:width]]
    filled: list[str] = []
    for cell in (row + [""] * width)[:width]:
        filled.append(cell.strip() or (filled[-1] if filled else ""))
    return filled


def _with_unit(name: str, unit: str) -> str:
    bare = unit.strip().strip("[](){}<>（）").strip()
    shown = bool(bare) and is_unit(unit) and not is_kind(unit)
    said = re.search(rf"(?<![^\W\d]){re.escape(bare)}(?![^\W\d])", name) is not None
    return f"{name} [{bare}]" if shown and name and not said else name


def column_names(header: list[str], data: Rows, width: int) -> tuple[tuple[str, ...], list[Note]]:
    """One distinct name per column, and notes on names and cells that do not pair.

    Args:
        header: cells of the header, none if there is no header.
        data: rows of data.
        width: their usual number of cells.
    """
    cells = [" ".join(cell.replace("\ufeff", "").split()) for cell in header]
    notes: list[Note] = []
    missing = width - len(cells)
    if cells and missing > 0:
        fitting = [row for _, row in data if len(row) == width]
        trailing = not any(cell.strip() for row in fitting for cell in row[len(cells) :])
        if not trailing and missing == 1 and not is_shifted(cells, fitting):
            cells = ["", *cells]  # R and pandas leave the index of the rows without a name
        elif not trailing:
            notes.append(note("header-too-short", names=len(cells), cells=width))
    extra = [cell for cell in cells[width:] if cell]
    if extra:
        notes.append(note("header-too-long", names=len(cells), cells=width, extra=tuple(extra)))
    return distinct_names(cells[:width] + [""] * (width - len(cells))), notes


def is_shifted(header: list[str], fitting: list[list[str]]) -> bool:
    """Whether the first column holds times and the first name is that of a time: no index without a name."""
    times = sum(is_moment(row[0]) for row in fitting)
    return bool(header) and 2 * times > len(fitting) and bool(HEADER_TIME_WORD.search(header[0]))
