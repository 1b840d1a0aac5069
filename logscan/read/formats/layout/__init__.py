"""Where the data of a table of cells begin, and what its columns are called; for CSV and spreadsheets.

Belongs here: evidence on rows of cells, whatever file they come from. Pure.
Does not: how a file is cut into cells (`csv`, `excel`), what a column is for (`plan`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from logscan.errors import UsageError
from logscan.notes import Note, note
from logscan.read.formats.layout.first_row import first_data, only_text
from logscan.read.formats.layout.header import Header, column_names, found_header, joined_header
from logscan.read.formats.layout.second_table import refuse_second_table
from logscan.read.values.recognise import Rows, is_value

_QUOTED = re.compile(r"^(['\"])(.*)\1$")
_LINES = re.compile(r"\s*(\d{1,6})\s*(?:-\s*(\d{1,6})\s*)?")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table, and where its parts stand in the sample."""

    names: tuple[str, ...]
    header_line: int | None  # 1-based, the first; None: there is no header
    header_end: int | None  # 1-based, the last line whose cells are in the names
    cells: tuple[str, ...]  # of the header, joined over its lines
    written: tuple[str, ...]  # the cells of its main line as written, to find it again further down
    first: int  # index of the first row of data
    marks: tuple[str, ...]  # columns of numbers that mark what a row is, and are no readings
    notes: tuple[Note, ...]


def found_layout(
    rows: Rows,
    width: int,
    *,
    header: str | None,
    data_from: int | None,
    place: str,
    blanks: str | None = None,
) -> Layout:
    """The layout of the table whose first rows are given, by option or by evidence.

    Args:
        rows: of the sample, without empty cells beyond the usual width.
        width: their usual number of cells.
        header: line or lines of the header, or `none`; None where it is to be found.
        data_from: line of the first row of data; None where it is to be found.
        place: file name, for messages.
        blanks: the text where runs of blanks part the cells, which names may hold.

    Raises:
        InputError: a header only, text that is no table, or two tables.
        UsageError: an option that cannot be.
    """
    found, first = _header_and_first(rows, width, header, data_from, place, blanks)
    if header is None and data_from is None:
        refuse_second_table(rows, first, found.first_line if found else None, width, place)
    names, notes = column_names(found.cells if found else [], rows[first:], width)
    marks = _marks(names, found.cells if found else [], rows[first:])
    notes += _passed_over([line for line, _ in rows[:first]], found)
    return Layout(
        names=names,
        header_line=found.first_line if found else None,
        header_end=found.last_line if found else None,
        cells=tuple(found.cells) if found else (),
        written=tuple(found.written) if found else (),
        first=first,
        marks=marks,
        notes=tuple(notes),
    )


def _marks(names: tuple[str, ...], cells: list[str], data: Rows) -> tuple[str, ...]:
    """Columns of numbers whose every cell is the cell of the header, beside a column of words of that kind.

    Records of several kinds in one file begin like that: with the name and the version of their kind, the header too.
    """
    fitting = [row for _, row in data if len(row) == len(names)]
    if not fitting or len(cells) < len(names):
        return ()
    same = [
        place
        for place, cell in enumerate(cells[: len(names)])
        if cell and all(row[place].strip() == cell for row in fitting)
    ]
    numbers = [place for place in same if is_value(cells[place])]
    return tuple(names[place] for place in numbers) if len(numbers) < len(same) else ()


def _passed_over(lines: list[int], header: Header | None) -> list[Note]:
    """Notes on the lines above the data that are not in the names."""
    first, last = (header.first_line, header.last_line) if header else (lines[-1] + 1 if lines else 1, 0)
    above = [line for line in lines if line < first]
    below = [line for line in lines if header and line > last]
    found = []
    if len(above) == 1:
        line = above[0]
        found.append(note("line-above-header", line=line) if header else note("line-above-data", line=line))
    elif above:
        ends = {"first": above[0], "last": above[-1]}
        found.append(note("lines-above-header", **ends) if header else note("lines-above-data", **ends))
    if len(below) == 1:
        found.append(note("line-below-header", line=below[0]))
    elif below:
        found.append(note("lines-below-header", first=below[0], last=below[-1]))
    return found


def _header_and_first(
    rows: Rows, width: int, header: str | None, data_from: int | None, place: str, blanks: str | None
) -> tuple[Header | None, int]:
    """The header and the index of the first row of data, by option or by evidence.

    `blanks` is the text where runs of blanks part the cells, which names may hold.
    """
    wanted = _wanted_lines(header)
    if data_from is not None:
        first = next((index for index, (line, _) in enumerate(rows) if line >= data_from), len(rows))
        if first == len(rows):
            last = rows[-1][0]
            raise UsageError(
                "--data-from",
                f"there is no row from line {data_from} on",
                f"the sample ends at line {last}",
            )
    elif isinstance(wanted, tuple):
        after = [(line, row) for line, row in rows if line > wanted[1]]
        below = first_data(after, width)
        first = len(rows) - len(after) + (below or 0)
    else:
        found = first_data(rows, width)
        first = only_text(rows, width, place) if found is None else found
    if blanks is not None:
        texts = blanks.splitlines()
        rows = [(line, _names_apart(texts[line - 1], row, width)) for line, row in rows[:first]] + rows[
            first:
        ]
    if wanted is None:
        return found_header(rows[:first], width, exact=blanks is not None), first
    if isinstance(wanted, str):
        return None, first
    inside = [(line, row) for line, row in rows[:first] if wanted[0] <= line <= wanted[1]]
    if not inside or first >= len(rows):
        raise UsageError(
            "--header", f"there is no header and data below line {wanted[0]}", "count its lines from 1"
        )
    main = max(range(len(inside)), key=lambda index: len({cell.strip() for cell in inside[index][1]} - {""}))
    return joined_header(inside[main:], above=inside[:main]), first


def _names_apart(text: str, row: list[str], width: int) -> list[str]:
    """The cells of a line above data that blanks part; names that hold blanks are parted by several, or by commas.

    A lone `#` in front makes it a comment and names no column.
    """
    if row[0] == "#":
        row = row[1:] if len(row) == width + 1 else []
    if len(row) != width:
        for mark in (r"\t+|\s{2,}", r"\s*[,;]\s*"):
            cells = re.split(mark, text.strip().lstrip("#").strip())
            if len(cells) == width:
                return cells
    return [_QUOTED.sub(r"\2", cell) for cell in row]


def _wanted_lines(text: str | None) -> tuple[int, int] | str | None:
    """The lines of `--header`; `none` where there is no header, None where it is to be found."""
    if text is None or text.strip().casefold() == "none":
        return None if text is None else "none"
    match = _LINES.fullmatch(text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= first <= last:
        raise UsageError(
            "--header", f"'{text}' is no line", "use a line such as 3, lines such as 3-5, or none"
        )
    return first, last
