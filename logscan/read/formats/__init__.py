"""Files as streams of Arrow record batches: CSV as text until the plan is known, Parquet as it is."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import pyarrow as pa

from logscan.config import InputConfig
from logscan.errors import EmptyInputError, InputError, LogscanError
from logscan.notes import Note, note
from logscan.read.files.ahead import ReadAhead
from logscan.read.files.compressed import Unpacked, packed_as
from logscan.read.files.encoding import Utf8Stream, found_encoding, known_encoding
from logscan.read.files.growing import UpTo, whole_bytes
from logscan.read.files.inputs import BINARY_REMEDY, Source, is_parquet, opened
from logscan.read.formats.csv.dialect import BLANK, Dialect, found_dialect
from logscan.read.formats.csv.reader import CsvRows
from logscan.read.formats.csv.squeeze import Squeezed
from logscan.read.formats.csv.times_across import Across, found_across
from logscan.read.formats.parquet import ParquetRows
from logscan.read.plan.columns import Plan
from logscan.read.plan.columns_to_read import wanted_columns
from logscan.read.values.units import UnitStripper
from logscan.records import LogKind

BLOCK_BYTES = 4 << 20  # also the longest line that is read
_SAMPLE_BYTES = 1 << 18
_HEAD_BYTES = 1 << 12
_CONTROL = bytes(byte for byte in range(32) if byte not in b"\t\n\r\x0c\x1b")
_MARKUP = ((re.compile(rb"\{|\[\s*[\[{\"]"), "JSON"), (re.compile(rb"<"), "HTML or XML"))
# Headers of attribute-relation files, of archives of series that write one in a line, and the line their data begin in.
_ATTRIBUTES = re.compile(rb"(?:\s*[%#][^\r\n]*[\r\n]+)*\s*@(?:relation|problemname)\b", re.IGNORECASE)
_NUMERIC_ATTRIBUTE = re.compile(rb"^@attribute\s.*\s(?:numeric|real|integer)\b", re.IGNORECASE | re.MULTILINE)
_DATA_MARK = re.compile(rb"^@data\b", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class Table:
    """One opened file: its columns, and its rows as they come."""

    source: Source
    format: str  # "csv" or "parquet"
    names: tuple[str, ...]
    rows: Iterator[Any]  # record batches with plain columns
    dialect: Dialect | None = None
    stream: Utf8Stream | None = None
    csv: CsvRows | None = None
    parquet: ParquetRows | None = None
    raw: BinaryIO | None = None  # closed by `close`; None for the standard input
    ahead: ReadAhead | None = None  # what undoes a packed file beforehand
    units: UnitStripper | None = None
    across: Across | None = None  # times that stand across the columns
    folders: tuple[str, ...] = ()  # columns that the names of folders add
    line_left: bool = False  # the last line is not whole and was left for the next run

    @property
    def encoding(self) -> str | None:
        """The encoding as far as it is known now."""
        if self.stream is None:
            return None
        return "utf-8" if self.stream.encoding == "ascii" else self.stream.encoding

    @property
    def position(self) -> int | None:
        """How far the file was read for the batches so far, in bytes; None where that cannot be told."""
        rows = self.csv or self.parquet
        return rows.position if rows is not None else None

    def dropped(self) -> Counter[Note]:
        """Rows that never became part of a batch, by reason, so far."""
        return self.csv.dropped if self.csv is not None else Counter()

    def want(self, plan: Plan, decimal: str) -> None:
        """Read what is still to come as a plan needs it: only its columns, numbers and times at once.

        Events are compared row by row, units are part of the text, and times across the columns need them all: there
        all columns stay text.
        """
        if self.csv is not None and self.dialect is not None and self.units is None and self.across is None:
            samples = plan.kind is LogKind.SAMPLES
            self.csv.wanted = wanted_columns(plan, self.dialect, decimal) if samples else None
        if self.parquet is not None and plan.kind is LogKind.SAMPLES:
            self.parquet.wanted = frozenset(plan.columns)

    def notes(self) -> list[Note]:
        """What a user should know about how the file was read; complete at its end."""
        found: list[Note] = []
        if self.dialect is not None:
            found += self.dialect.notes
        if self.across is not None:
            found.append(self.across.note)
        if self.line_left:
            found.append(note("last-line-left"))
        if self.stream is not None and self.stream.replaced:
            encoding = self.encoding or ""
            found.append(note("characters-replaced", count=self.stream.replaced, encoding=encoding))
        if self.stream is not None and self.stream.removed:
            found.append(note("bytes-removed", count=self.stream.removed))
        if self.units is not None and self.units.units:
            units = [
                note("unit-of-column", column=name, unit=unit) for name, unit in self.units.units.items()
            ]
            found.append(note("units-removed", units=tuple(units)))
        return [*self.source.notes, *(one.at(self.source.name) for one in found)]

    def close(self) -> None:
        """Close the file."""
        if self.csv is not None:
            self.csv.close()
        if self.ahead is not None:
            self.ahead.close()
        if self.raw is not None:
            self.raw.close()


def opened_table(source: Source, config: InputConfig, stdin: BinaryIO) -> Table:
    """Open one source and look at its beginning.

    Raises:
        InputError: empty, binary, header only, text that is no table, damaged.
        UsageError: an unknown encoding or delimiter.
    """
    raw = opened(source, stdin)
    owned = raw if source.path is not None else None
    try:
        if owned is not None and source.member is None and is_parquet(owned):
            table = _parquet_table(source, owned)
        else:
            table = _csv_table(source, raw, owned, config)
    except BaseException:
        if owned is not None:
            owned.close()
        raise
    if source.partitions:
        _add_partitions(table)
    return table


def without_empty(sources: Sequence[Source], config: InputConfig) -> tuple[Source, ...]:
    """The sources without files that hold no row yet, as the newest of rotated logs; they are told by a note.

    Where all are empty they are kept, so that reading them says so.
    """
    empty = [source for source in sources if len(sources) > 1 and _is_empty(source, config)]
    kept = [source for source in sources if source not in empty]
    if not empty or not kept:
        return tuple(sources)
    names = tuple(source.name for source in empty)
    told = note("files-empty", count=len(empty), files=len(sources), names=names)
    return replace(kept[0], notes=(*kept[0].notes, told)), *kept[1:]


def _is_empty(source: Source, config: InputConfig) -> bool:
    """Whether a small file is empty or holds a header only."""
    try:
        if source.path is None or not source.path.is_file() or source.path.stat().st_size > _SAMPLE_BYTES:
            return False
        opened_table(source, config, sys.stdin.buffer).close()
    except EmptyInputError:
        return True
    except (LogscanError, OSError):
        return False  # said when it is read
    return False


def _csv_table(source: Source, raw: BinaryIO, owned: BinaryIO | None, config: InputConfig) -> Table:
    encoding = known_encoding(config.encoding) if config.encoding else None
    whole, line_left = _whole_lines(source, raw, encoding)
    unpacked = Unpacked(whole, source.name)
    ahead = ReadAhead(unpacked) if _is_packed_file(source, unpacked) else None
    stream = Utf8Stream(ahead or unpacked, encoding)
    try:
        return _csv_of(source, stream, owned, config, ahead=ahead, line_left=line_left)
    except BaseException:
        if ahead is not None:
            ahead.close()
        raise


def _is_packed_file(source: Source, unpacked: Unpacked) -> bool:
    """Whether undoing the packing is work for another thread, and nothing that it has to wait for."""
    packed = source.member is not None or unpacked.codec is not None
    return packed and source.path is not None and source.path.is_file()


def _csv_of(
    source: Source,
    stream: Utf8Stream,
    owned: BinaryIO | None,
    config: InputConfig,
    *,
    ahead: ReadAhead | None,
    line_left: bool,
) -> Table:
    sample = _checked_sample(stream, source.name)
    if config.data_from is None:
        _refuse_attributes(sample, source.name)
    dialect = found_dialect(
        sample.decode("utf-8", errors="replace"), config, ended=len(sample) < _SAMPLE_BYTES, place=source.name
    )
    _skip_lines(stream, dialect.skipped_lines)
    text = Squeezed(stream) if dialect.delimiter == BLANK else stream
    csv = CsvRows(text, dialect, source.name, lambda: _position(owned))
    rows = csv.batches(BLOCK_BYTES)
    table = Table(
        source,
        "csv",
        dialect.names,
        rows,
        dialect,
        stream,
        csv=csv,
        raw=owned,
        ahead=ahead,
        line_left=line_left,
    )
    if config.units:
        left_alone = {*config.entity, config.time or ""}
        table.units = UnitStripper(source.name, frozenset(left_alone))
        table.rows = map(table.units.stripped, table.rows)
    said = {*config.channels, *config.ignore, *config.entity, config.time or "", config.value or ""}
    table.across = found_across(dialect.names, said) if dialect.header_line is not None else None
    if table.across is not None:
        table.names = table.across.columns
        table.rows = map(table.across.below, table.rows)
    return table


def _position(raw: BinaryIO | None) -> int | None:
    """How far a file was read."""
    with suppress(OSError, ValueError):
        return raw.tell() if raw is not None else None
    return None


def _whole_lines(source: Source, raw: BinaryIO, encoding: str | None) -> tuple[Any, bool]:
    """The file up to its last whole line, and whether a line is left out; only plain files still grow."""
    if source.path is None or source.member is not None or not raw.seekable():
        return raw, False
    head = raw.read(_HEAD_BYTES)
    raw.seek(0)
    if packed_as(head) is not None:
        return raw, False
    size, left = whole_bytes(raw, encoding or found_encoding(head))
    return UpTo(raw, size), left


def _checked_sample(stream: Utf8Stream, place: str) -> bytes:
    """The first bytes of the text; raises InputError where there are none or they are no text."""
    sample = stream.sample(_SAMPLE_BYTES)
    control = len(sample) - len(sample.translate(None, _CONTROL))
    if control > 0.01 * len(sample) or (stream.removed and not sample):
        raise InputError(place, "this is a binary file, not a table", BINARY_REMEDY)
    if not sample:
        raise EmptyInputError(place, "the file is empty", "pass a file with a header line and rows of data")
    begin = sample[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    markup = next((name for mark, name in _MARKUP if mark.match(begin)), None)
    if markup is not None:
        raise InputError(place, f"this is {markup}, not a table", "write its rows as CSV")
    if len(sample) == _SAMPLE_BYTES and not (b"\n" in sample or b"\r" in sample):
        raise InputError(
            place, f"the first line is longer than {_SAMPLE_BYTES:,} bytes", "pass a CSV with shorter lines"
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
    sample = stream.sample(_SAMPLE_BYTES)
    position = 0
    for _ in range(lines):
        ends = [end for end in (sample.find(b"\n", position), sample.find(b"\r", position)) if end >= 0]
        if not ends:
            position = len(sample)
            break
        end = min(ends)
        position = end + (2 if sample[end : end + 2] == b"\r\n" else 1)
    stream.read(position)


def _parquet_table(source: Source, raw: BinaryIO) -> Table:
    rows = ParquetRows(raw, source.path, source.name)
    return Table(source, "parquet", rows.names, rows.batches(), parquet=rows, raw=raw)


def _add_partitions(table: Table) -> None:
    """Add the columns told by the names of folders; a column of the file itself comes first."""
    added = [(name, value) for name, value in table.source.partitions if name not in table.names]
    names = (*table.names, *(name for name, _ in added))

    def with_columns(batch: Any) -> Any:
        constants = [pa.repeat(pa.scalar(value, pa.string()), batch.num_rows) for _, value in added]
        own = batch.schema.names
        return pa.RecordBatch.from_arrays(
            [*batch.columns, *constants], names=[*own, *(name for name, _ in added)]
        )

    table.names = names
    table.folders = tuple(name for name, _ in added)
    table.rows = map(with_columns, table.rows)
