"""CSV as record batches: dialect, decimal mark, lines, parser.

Belongs here: how text is cut into cells.
Does not: where a table begins (`layout`), what a cell means (`values`), what a column is for (`plan`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from logscan.errors import EmptyInputError, InputError
from logscan.notes import Note, note
from logscan.read.files.encoding import Utf8Stream
from logscan.read.files.inputs import Source
from logscan.read.files.opened import SAMPLE_BYTES, OpenedFile
from logscan.read.formats.csv.dialect import BLANK, CsvSettings, Dialect, found_dialect
from logscan.read.formats.csv.lines import ChangedLines, Pieces, squeezed, unquoted
from logscan.read.formats.csv.odd_rows import header_column
from logscan.read.formats.csv.reader import CsvRows
from logscan.read.formats.layout.times_across import Across, found_across
from logscan.read.formats.table import ColumnsToRead, Format, Found, settings_of
from logscan.read.values.units import UnitStripper

BLOCK_BYTES = 4 << 20  # also the longest line that is read
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0c\x1b")
_MARKUP = ((re.compile(rb"\{|\[\s*[\[{\"]"), "JSON"), (re.compile(rb"<"), "HTML or XML"))
# Headers of attribute-relation files, of archives of series that write one in a line, and the line their data begin in.
_ATTRIBUTES = re.compile(rb"(?:\s*[%#][^\r\n]*[\r\n]+)*\s*@(?:relation|problemname)\b", re.IGNORECASE)
_NUMERIC_ATTRIBUTE = re.compile(rb"^@attribute\s.*\s(?:numeric|real|integer)\b", re.IGNORECASE | re.MULTILINE)
_DATA_MARK = re.compile(rb"^@data\b", re.IGNORECASE | re.MULTILINE)


class CsvTable:
    """An opened CSV."""

    def __init__(self, file: OpenedFile, settings: CsvSettings) -> None:
        """Look at its beginning.

        Raises:
            InputError: empty, binary, header only, or text that is no table.
            UsageError: an option that cannot be.
        """
        self._file = file
        sample = _checked_sample(file)
        if settings.data_from is None:
            _refuse_attributes(sample, file.place)
        text = sample.decode("utf-8", errors="replace")
        self._dialect = found_dialect(text, settings, ended=len(sample) < SAMPLE_BYTES, place=file.place)
        stream = file.text.stream
        _skip_lines(stream, self._dialect.skipped_lines)
        lines: Pieces = ChangedLines(stream, unquoted) if self._dialect.quoted_lines else stream
        lines = ChangedLines(lines, squeezed) if self._dialect.delimiter == BLANK else lines
        self._csv = CsvRows(lines, self._dialect, file.place, lambda: file.position)
        self._rows = self._csv.batches(BLOCK_BYTES)
        self._marks = frozenset(self._dialect.marks) - settings.named
        if self._marks:
            self._rows = map(self._without_marks, self._rows)
        self._units: UnitStripper | None = None
        if settings.units:
            left_alone = frozenset({*settings.entity, settings.time or ""})
            self._units = UnitStripper(file.place, left_alone)
            self._rows = map(self._units.stripped, self._rows)
        headed = self._dialect.header_line is not None
        self._across: Across | None = None
        self._across = found_across(self.names, settings.named) if headed else None
        if self._across is not None:
            self._rows = map(self._across.below, self._rows)

    @property
    def source(self) -> Source:
        """The file."""
        return self._file.source

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        if self._across is not None:
            return self._across.columns
        return tuple(name for name in self._dialect.names if name not in self._marks)

    @property
    def found(self) -> Found:
        """The dialect, and the encoding as far as it is known now."""
        dialect = self._dialect
        return Found(
            "csv",
            encoding=self._file.text.encoding,
            delimiter=dialect.delimiter,
            quote=dialect.quote,
            decimal=dialect.decimal,
            header_line=dialect.header_line,
            header_end=dialect.header_end,
            data_line=dialect.skipped_lines + 1,
        )

    @property
    def dropped(self) -> Counter[Note]:
        """Reason -> rows that are in no batch, so far."""
        return self._csv.dropped

    @property
    def position(self) -> int | None:
        """How far the file was read for the batches so far, in bytes."""
        return self._csv.position

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches that are still to come."""
        return self._rows

    def read_only(self, columns: ColumnsToRead) -> None:
        """Leave columns out, and convert some at once.

        Units are part of the text, and times across the columns need them all: there all columns stay text.
        """
        if self._units is None and self._across is None:
            self._csv.wanted = _with_tellers(columns, self._dialect)

    def _without_marks(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.select([name for name in batch.schema.names if name not in self._marks])

    def notes(self) -> list[Note]:
        """What a user should know about how the file was read."""
        found = list(self._dialect.notes)
        if self._marks:
            marks = tuple(name for name in self._dialect.marks if name in self._marks)
            found.append(note("marks-left", columns=marks))
        if self._across is not None:
            found.append(self._across.note)
        found += self._file.text.notes()
        if self._units is not None and self._units.units:
            units = [
                note("unit-of-column", column=name, unit=unit) for name, unit in self._units.units.items()
            ]
            found.append(note("units-removed", units=tuple(units)))
        if self._units is not None:
            found += [
                note("prefixes-applied", column=name, cells=n) for name, n in self._units.scaled.items()
            ]
        return found

    def close(self) -> None:
        """Close the file."""
        self._csv.close()
        self._file.close()


def _opened(file: OpenedFile, given: Mapping[str, Any]) -> CsvTable:
    return CsvTable(file, settings_of(CsvSettings, given))


# Any other text is read as CSV, or refused as none.
FORMAT = Format(
    "csv", "CSV", (".csv", ".txt", ".tsv"), is_text=True, recognises=lambda _: True, opened=_opened
)


def _with_tellers(columns: ColumnsToRead, dialect: Dialect) -> ColumnsToRead:
    """The columns in the order of the file, with those that tell empty rows and repeated headers."""
    first = header_column(dialect.written[: len(dialect.names)])
    tellers = {dialect.names[0], *([] if first is None else [dialect.names[first]])}
    names = tuple(name for name in dialect.names if name in {*columns.names, *tellers})
    types = {name: kind for name, kind in columns.types.items() if name in names}
    if first is not None and _converts(dialect.written[first], types.get(dialect.names[first])):
        del types[dialect.names[first]]
    return ColumnsToRead(names, types, columns.decimal)


def _converts(cell: str, kind: pa.DataType | None) -> bool:
    if kind is None:
        return False
    try:
        pa.array([cell.strip()]).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True


def _checked_sample(file: OpenedFile) -> bytes:
    """The first bytes of the text; raises InputError where there are none or they are no text."""
    place, sample = file.place, file.text.sample
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > 0.01 * len(sample) or (file.text.stream.removed and not sample):
        raise InputError(place, "this is a binary file, not a table", file.remedy)
    if not sample:
        raise EmptyInputError(place, "the file is empty", "pass a file with a header line and rows of data")
    begin = sample[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    markup = next((name for mark, name in _MARKUP if mark.match(begin)), None)
    if markup is not None:
        raise InputError(place, f"this is {markup}, not a table", "write its rows as CSV")
    if len(sample) == SAMPLE_BYTES and not (b"\n" in sample or b"\r" in sample):
        raise InputError(
            place, f"the first line is longer than {SAMPLE_BYTES:,} bytes", "pass a CSV with shorter lines"
        )
    return sample


def _refuse_attributes(sample: bytes, place: str) -> None:
    """Raise InputError where names stand in lines of their own above the data, as in ARFF and TSF."""
    if not _ATTRIBUTES.match(sample):
        return
    mark = _DATA_MARK.search(sample) if _NUMERIC_ATTRIBUTE.search(sample) else None
    line = len(sample[: mark.start()].splitlines()) + 2 if mark else 0  # the first of the data
    below = f", or pass --header none --data-from {line} to read its rows without names" if mark else ""
    raise InputError(
        place,
        "its columns are told in lines such as @relation, it is no CSV",
        f"write it as CSV with a row per time and the names in the first line{below}",
    )


def _skip_lines(stream: Utf8Stream, lines: int) -> None:
    """Take the lines before the data off the stream; CR, LF and CRLF end a line."""
    sample = stream.sample(SAMPLE_BYTES)
    position = 0
    for _ in range(lines):
        ends = [end for end in (sample.find(b"\n", position), sample.find(b"\r", position)) if end >= 0]
        if not ends:
            position = len(sample)
            break
        end = min(ends)
        position = end + (2 if sample[end : end + 2] == b"\r\n" else 1)
    stream.read(position)
