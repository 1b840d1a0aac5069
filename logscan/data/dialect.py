"""The shape of a CSV by evidence: delimiter, header line, decimal mark. Pure; works on a sample."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from logscan.data.cast import MISSING_WORDS
from logscan.errors import InputError, UsageError

Rows = list[tuple[int, list[str]]]  # (line number after the row, 1-based; its cells)

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 500
_VALUE = re.compile(r"[+-]?[\d,.]*\d[\d,.]*([eE][+-]?\d+)?\s*[%％]?|[+-]?inf|nan", re.IGNORECASE)
_MOMENT = re.compile(
    r"\d{1,4}[-/.年]\d{1,2}([-/.月]\d{1,4})?\b[^,;|\t]*|\d{1,2}[:時]\d{2}[^,;|\t]*"
    r"|\d{1,2}[- ][A-Za-z]{3,9}[- ,]+\d{2,4}.*|\d{8}[T _-]?\d*"
)
_COMMA_DECIMAL = re.compile(r"[+-]?(\d+,(\d{1,2}|\d{4,})|0,\d+|\d{1,3}(\.\d{3})+,\d+)")
_POINT_DECIMAL = re.compile(r"[+-]?(\d*\.(\d{1,2}|\d{4,})|0?\.\d+|\d{1,3}(,\d{3})+\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to take a CSV apart."""

    delimiter: str
    decimal: str
    names: tuple[str, ...]
    header_line: int | None  # 1-based; None: there is no header
    skipped_lines: int  # physical lines before the first row of data
    multiline: bool  # quoted cells hold line ends


def found_dialect(
    sample: str, *, ended: bool, place: str, delimiter: str | None, decimal: str | None
) -> Dialect:
    """The dialect of the text that begins with `sample`.

    Args:
        sample: the first lines; the last may be cut off.
        ended: whether the sample is the whole text.
        place: file name, for messages.
        delimiter: given by the user, else found.
        decimal: given by the user, else found.

    Raises:
        InputError: no rows, a header only, or text that is no table.
        UsageError: a delimiter of more than one character.
    """
    if delimiter is not None:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1:
            raise UsageError(
                "--delimiter", f"'{delimiter}' is not one character", "use one such as , ; tab or |"
            )
    if decimal not in {None, ".", ","}:
        raise UsageError("--decimal", f"'{decimal}' is not a decimal mark", "use . or ,")
    lines = sample if ended else sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1]
    if not lines.strip():
        raise InputError(place, "the file holds no rows", "pass a file with a header line and rows of data")
    parsed = {mark: _rows(lines, mark) for mark in ([delimiter] if delimiter else _DELIMITERS)}
    found = max(parsed, key=lambda mark: _consistency(parsed[mark]))
    rows = parsed[found]
    width = _width(rows)
    rows = [(line, _trimmed(row, width)) for line, row in rows]
    first = _first_data(rows, width)
    if first is None:
        first = _only_text(rows, width, place)
    header = _header(rows[:first], width)
    names = _names(header[1] if header else [], rows[first:], width)
    return Dialect(
        delimiter=found,
        decimal=decimal or _decimal(rows[first:]),
        names=names,
        header_line=header[0] if header else None,
        skipped_lines=rows[first - 1][0] if first else 0,
        multiline=any("\n" in cell or "\r" in cell for _, row in rows for cell in row),
    )


def _rows(text: str, delimiter: str) -> Rows:
    """The non-blank rows of the sample, each with the number of the physical line it ends on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: Rows = []
    try:
        for row in reader:
            if row:
                rows.append((reader.line_num, row))
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:  # a cell beyond the limit of the csv module, or a stray NUL: judge by what was read
        pass
    return rows


def _width(rows: Rows) -> int:
    """The usual number of cells, counted over the later half, where no preamble is."""
    later = rows[len(rows) // 2 :]
    return Counter(len(row) for _, row in later).most_common(1)[0][0] if later else 1


def _trimmed(row: list[str], width: int) -> list[str]:
    """A row without the empty cells beyond the usual width."""
    return row[:width] if len(row) > width and not any(cell.strip() for cell in row[width:]) else row


def _consistency(rows: Rows) -> tuple[bool, float, float, int]:
    """Better delimiters give more than one cell, the same number on every line, values, more cells."""
    width = _width(rows)
    later = rows[len(rows) // 2 :]
    share = sum(len(row) == width for _, row in later) / max(len(later), 1)
    cells = [cell for _, row in later for cell in row if cell.strip()]
    values = sum(map(is_value, cells)) / max(len(cells), 1)
    return width > 1 and share > 0.5, round(share, 1), round(values, 1), width


def is_value(cell: str) -> bool:
    """Whether a cell holds a number or a time."""
    text = cell.strip()
    return bool(_VALUE.fullmatch(text) or _MOMENT.fullmatch(text))


def _first_data(rows: Rows, width: int) -> int | None:
    """Index of the first row that looks like the usual row: values where the later rows have values."""
    fitting = [row for _, row in rows if len(row) == width]
    later = fitting[len(fitting) // 2 :]
    usual = []
    for position in range(width):
        cells = [row[position] for row in later if row[position].strip().casefold() not in MISSING_WORDS]
        if cells and sum(map(is_value, cells)) >= 0.5 * len(cells):
            usual.append(position)
    for index, (_, row) in enumerate(rows):
        if len(row) != width:
            continue
        cells = [row[position] for position in usual if row[position].strip()]
        if cells and sum(map(is_value, cells)) >= 0.5 * len(cells):
            return index
    return None


def _only_text(rows: Rows, width: int, place: str) -> int:
    """A sample without a single value: refused, or rows of text under the first row."""
    if len(rows) == 1 and (width > 1 or len(rows[0][1][0]) <= 80):
        raise InputError(place, "there is a header line but no rows of data", "pass a file with rows of data")
    if width == 1:
        raise InputError(
            place,
            "this is text, not a table: no delimiter splits its lines into the same number of cells",
            "turn it into CSV with a time column and one column per number",
        )
    return 1


def _header(before: Rows, width: int) -> tuple[int, list[str]] | None:
    """The line above the data that names most columns; lines under it tell repeated names apart."""
    best: int | None = None
    most = 0
    for index, (_, row) in enumerate(before):
        named = [cell.strip() for cell in row if cell.strip()]
        # A lone word above many columns is a title, not a header.
        fits = abs(len(row) - width) <= 1 and 2 * len(named) >= width
        if fits and len(set(named)) >= max(most, min(width, 2)):
            best, most = index, len(set(named))
    if best is None:
        return None
    line, cells = before[best]
    if most < len([cell for cell in cells if cell.strip()]):
        under = [row for _, row in before[best + 1 :] if len(row) == len(cells)]
        cells = [
            " ".join(part for part in parts if part.strip()) for parts in zip(cells, *under, strict=True)
        ]
    return line, cells


def _names(header: list[str], data: Rows, width: int) -> tuple[str, ...]:
    """One distinct name per column; unnamed columns are called after their place."""
    cells = [" ".join(cell.replace("\ufeff", "").split()) for cell in header]
    if len(cells) == width - 1:
        fitting = [row for _, row in data if len(row) == width]
        trailing = all(not row[-1].strip() for row in fitting)
        cells = [*cells, ""] if trailing else ["", *cells]
    return distinct_names(cells[:width] + [""] * (width - len(cells)))


def distinct_names(cells: list[str]) -> tuple[str, ...]:
    """Names made distinct: unnamed ones become `column N`, repeated ones get ` (2)`, ` (3)` ..."""
    taken = Counter(cells)
    names: list[str] = []
    seen: set[str] = set()
    for place, cell in enumerate(cells, start=1):
        name = base = cell or f"column {place}"
        number = 1
        while name in seen or (number > 1 and taken[name]):
            number += 1
            name = f"{base} ({number})"
        seen.add(name)
        names.append(name)
    return tuple(names)


def _decimal(rows: Rows) -> str:
    """The decimal mark: a comma where more cells can only be read with one."""
    cells = [cell.strip() for _, row in rows for cell in row]
    commas = sum(bool(_COMMA_DECIMAL.fullmatch(cell)) for cell in cells)
    points = sum(bool(_POINT_DECIMAL.fullmatch(cell)) for cell in cells)
    return "," if commas > points else "."
