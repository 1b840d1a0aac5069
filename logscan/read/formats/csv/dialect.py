"""The dialect of a CSV: delimiter, quote, header, decimal mark, detected on a sample. Pure."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections import Counter
from dataclasses import dataclass

from logscan.errors import EmptyInputError, InputError, UsageError
from logscan.notes import Note, note
from logscan.read.formats.csv.decimal_mark import found_decimal, refuse_split_decimals
from logscan.read.formats.csv.lines import unquoted
from logscan.read.formats.csv.open_quotes import holds_rows
from logscan.read.formats.layout import found_layout
from logscan.read.formats.layout.second_table import folded_rows
from logscan.read.formats.table import refuse_wide
from logscan.read.values.recognise import Rows, is_moment, is_value

BLANK = " "  # as a delimiter: a run of blanks and tabs

_DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 500
_NAMES_WITHIN = 5  # first rows
_SHORT_WORD = 3  # letters, of a word that stands for no reading
# Text may hold them by chance, so they are proposed and not taken: mark, how it is called, cells that a row needs.
_OTHER_DELIMITERS = ((BLANK, "a blank", 3), *((mark, f"'{mark}'", 2) for mark in "^~!#&*@"))
_SEP_LINE = re.compile(r'\ufeff?"?sep=(.)"?[ \t]*(\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CsvSettings:
    """What the user set about a CSV, as in the configuration; None: found by evidence."""

    delimiter: str | None = None
    quote: str | None = None
    decimal: str | None = None
    header: str | None = None
    data_from: int | None = None
    units: bool = False  # numbers may carry one
    time: str | None = None
    entity: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    value: str | None = None

    @property
    def named(self) -> frozenset[str]:
        """The columns that the user spoke of."""
        return frozenset({*self.channels, *self.ignore, *self.entity, self.time or "", self.value or ""})


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to take a CSV apart."""

    delimiter: str  # BLANK: a run of blanks and tabs
    quote: str  # "" if nothing is quoted
    decimal: str
    names: tuple[str, ...]
    header_line: int | None  # 1-based, the first; None: there is no header
    header_end: int | None  # 1-based, the last line whose cells are in the names
    written: tuple[str, ...]  # the cells of its main line as written, to find it again further down
    skipped_lines: int  # physical lines before the first row of data
    notes: tuple[Note, ...]
    quoted_lines: bool = False  # quotes stand around whole lines, and are taken off first
    marks: tuple[str, ...] = ()  # columns of numbers that mark what a row is, and are no readings
    # Rows above the data as they are compared, to tell names of another table from them; None: the user said where
    # the table stands.
    above: frozenset[tuple[str, ...]] | None = None


def found_dialect(sample: str, settings: CsvSettings, *, ended: bool, place: str) -> Dialect:
    """The dialect of the text that begins with `sample`.

    Args:
        sample: the first lines; the last may be cut off.
        settings: what the user said of delimiter, quote, header, first line of data and decimal mark.
        ended: whether the sample is the whole text.
        place: file name, for messages.

    Raises:
        InputError: no rows, a header only, text that is no table, or a decimal mark that stays open.
        UsageError: an option that cannot be.
    """
    delimiter, quote = _checked_delimiter(settings.delimiter), _checked_quote(settings.quote)
    if settings.decimal not in {None, ".", ","}:
        raise UsageError("--decimal", f"'{settings.decimal}' is not a decimal mark", "use . or ,")
    lines = sample if ended else sample[: max(sample.rfind("\n"), sample.rfind("\r")) + 1]
    if not lines.strip():
        raise EmptyInputError(
            place, "the file holds no rows", "pass a file with a header line and rows of data"
        )
    said = _SEP_LINE.match(lines)
    if said and delimiter is None:
        delimiter = said[1]
    raw, found, quote = _taken_apart(lines, delimiter, quote)
    bare = unquoted(lines.encode()).decode() if quote == '"' and _width(raw) == 1 else lines
    quoted_lines = bare != lines and _width(_taken_apart(bare, delimiter, quote)[0]) > 1
    if quoted_lines:
        lines, (raw, found, quote) = bare, _taken_apart(bare, delimiter, quote)
    if said:
        raw = [(line, row) for line, row in raw if line > 1]
    width = _width(raw)
    if width == 1 and delimiter is None:
        _refuse_other_marks(lines, place)
    refuse_wide(width, place)
    rows = [(line, _trimmed(row, width)) for line, row in raw]
    layout = found_layout(
        rows,
        width,
        header=settings.header,
        data_from=settings.data_from,
        place=place,
        blanks=lines if found == BLANK else None,
    )
    first = layout.first
    if found == "," and settings.decimal is None:
        refuse_split_decimals(raw[first:], layout.cells, place)
    return Dialect(
        delimiter=found,
        quote=quote,
        decimal=settings.decimal or found_decimal(rows[first:], found, place, sample),
        names=layout.names,
        header_line=layout.header_line,
        header_end=layout.header_end,
        written=layout.written,
        skipped_lines=rows[first - 1][0] if first else (1 if said else 0),
        quoted_lines=quoted_lines,
        marks=layout.marks,
        above=folded_rows(rows[:first]) if settings.header is None and settings.data_from is None else None,
        notes=(*layout.notes, *([note("lines-quoted")] if quoted_lines else [])),
    )


def _refuse_other_marks(lines: str, place: str) -> None:
    """Raise InputError for text that no usual delimiter splits, where blanks or a rare mark part times and numbers."""
    for mark, name, fewest in _OTHER_DELIMITERS:
        rows = _rows(lines, mark, "")
        width = _width(rows)
        fitting = [row for _, row in rows if len(row) == width]
        if width < fewest or len(fitting) < 0.9 * len(rows):
            continue
        columns = list(zip(*fitting, strict=True))
        timed = [sum(map(is_moment, column)) >= 0.9 * len(fitting) for column in columns]
        values = [sum(map(is_value, column)) >= 0.9 * len(fitting) for column in columns]
        sentence = mark == BLANK and values.count(False) > 1  # several words, such as `[INFO] pump 3 started`
        if any(timed) and sum(values) > sum(timed) and not sentence:
            fact = f"no usual delimiter splits its lines, but {name} parts them into {width} cells"
            option = "space" if mark == BLANK else shlex.quote(mark)
            raise InputError(place, fact, f"pass --delimiter {option} to read it so")


def _checked_delimiter(given: str | None) -> str | None:
    if given is None:
        return None
    delimiter = {"tab": "\t", "\\t": "\t", "space": BLANK}.get(given, given)
    if len(delimiter) != 1 or delimiter in "\r\n\0\"'" or not delimiter.isascii():
        remedy = "use one such as , ; tab space or |"
        raise UsageError("--delimiter", f"'{given}' is not one character", remedy)
    return delimiter


def _checked_quote(given: str | None) -> str | None:
    if given is None:
        return None
    quote = {"none": "", "double": '"', "single": "'"}.get(given, given)
    if len(quote) > 1 or quote in {",", ";", "\t", " ", "\n", "\r", "\0"} or not quote.isascii():
        raise UsageError("--quote", f"'{given}' cannot quote a cell", "use \" or ' or none")
    return quote


def _taken_apart(lines: str, delimiter: str | None, quote: str | None) -> tuple[Rows, str, str]:
    """The rows of a sample under the delimiter and the quote that fit best, and the two."""
    marks = [delimiter] if delimiter else _DELIMITERS
    parsed = {mark: _rows(lines, mark, '"' if quote is None else quote) for mark in marks}
    found = max(parsed, key=lambda mark: _consistency(parsed[mark]))
    rows = parsed[found]
    if delimiter is None and not _is_clear_table(rows):
        by_blanks = _rows(lines, BLANK, "")
        values = _value_share(by_blanks, missing=_missing_word(by_blanks))
        width = _width(by_blanks)
        even = sum(len(row) == width for _, row in by_blanks) >= 0.9 * len(by_blanks)
        if width > 1 and even and values >= 0.95 and len(by_blanks) > 1:
            return by_blanks, BLANK, ""
    if found == BLANK:
        return rows, found, ""
    if quote is None:
        rows, quote = _with_found_quote(lines, found, rows)
    return rows, found, quote


def _is_clear_table(rows: Rows) -> bool:
    many, share, values, _ = _consistency(rows)
    return many and share >= 0.8 and values >= 0.8


def _with_found_quote(lines: str, mark: str, rows: Rows) -> tuple[Rows, str]:
    """The rows under the quote that fits: double, single where cells stand in them, none where it garbles."""
    cells = [cell.strip() for _, row in rows for cell in row if cell.strip()]
    single = sum(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in cells)
    if single and (
        single >= 0.2 * len(cells) or any(map(_all_single, [row for _, row in rows[:_NAMES_WITHIN]]))
    ):
        return _rows(lines, mark, "'"), "'"
    if any("\n" in cell or "\r" in cell for cell in cells):
        bare = _rows(lines, mark, "")
        width = _width(bare)
        swallowed = any(holds_rows(cell, mark, width) for cell in cells)
        better, worse = _consistency(bare)[:2], _consistency(rows)[:2]
        if better > worse or (swallowed and better == worse):
            return bare, ""
    return rows, '"'


def _all_single(row: list[str]) -> bool:
    """Whether several cells and no others stand in single quotes, as names do above numbers."""
    filled = [cell.strip() for cell in row if cell.strip()]
    return len(filled) > 1 and all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in filled)


def _rows(text: str, delimiter: str, quote: str) -> Rows:
    """The non-blank rows of the sample, each with the number of the physical line it ends on."""
    if delimiter == BLANK:
        split = (line.split() for line in io.StringIO(text, newline=None))
        rows = [(number, cells) for number, cells in enumerate(split, start=1) if cells]
        return rows[:_SAMPLE_ROWS]
    quoting = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **quoting)
    rows = []
    try:
        for row in reader:
            if row:
                rows.append((reader.line_num, row))
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:  # a cell beyond the limit of the csv module: judge by what was read
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
    return width > 1 and share > 0.5, round(share, 1), round(_value_share(rows), 1), width


def _value_share(rows: Rows, missing: str = "") -> float:
    """The share of the filled cells in the later half that hold a number or a time, but for a word for no reading."""
    cells = [cell for _, row in rows[len(rows) // 2 :] for cell in row if cell.strip() not in {"", missing}]
    return sum(map(is_value, cells)) / max(len(cells), 1)


def _missing_word(rows: Rows) -> str:
    """The short word that stands for no reading in several columns of the later half, such as `MM`, "" if none does."""
    later = [row for _, row in rows[len(rows) // 2 :]]
    words = Counter(cell for row in later for cell in row if len(cell) <= _SHORT_WORD and not is_value(cell))
    word = next((word for word, _ in words.most_common(1)), "")
    columns = {place for row in later for place, cell in enumerate(row) if cell == word}
    return word if len(columns) > 1 else ""
