"""Files as streams of Arrow record batches: CSV with every column as text, Parquet as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from logscan.config import InputConfig
from logscan.data.cast import plain
from logscan.data.dialect import Dialect, distinct_names, found_dialect
from logscan.data.encoding import Utf8Stream, known_encoding
from logscan.data.ragged import RaggedRows
from logscan.data.sources import BINARY_REMEDY, Source, Unpacked, is_parquet, opened
from logscan.errors import InputError

BLOCK_BYTES = 4 << 20  # also the longest line that is read
PARQUET_ROWS = 1 << 16
_SAMPLE_BYTES = 1 << 18


@dataclass(slots=True)
class Table:
    """One opened file: its columns, and its rows as they come."""

    source: Source
    format: str  # "csv" or "parquet"
    names: tuple[str, ...]
    rows: Iterator[Any]  # record batches with plain columns
    dialect: Dialect | None
    stream: Utf8Stream | None
    ragged: RaggedRows | None
    raw: BinaryIO | None  # closed by `close`; None for the standard input

    @property
    def encoding(self) -> str | None:
        """The encoding as far as it is known now."""
        if self.stream is None:
            return None
        return "utf-8" if self.stream.encoding == "ascii" else self.stream.encoding

    @property
    def ragged_rows(self) -> int:
        """Rows with another number of cells than the header, so far."""
        return self.ragged.dropped if self.ragged else 0

    def close(self) -> None:
        """Close the file."""
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
        if owned is not None and is_parquet(owned):
            return _parquet_table(source, owned)
        return _csv_table(source, raw, owned, config)
    except BaseException:
        if owned is not None:
            owned.close()
        raise


def _csv_table(source: Source, raw: BinaryIO, owned: BinaryIO | None, config: InputConfig) -> Table:
    encoding = known_encoding(config.encoding) if config.encoding else None
    stream = Utf8Stream(Unpacked(raw, source.name), encoding)
    sample = _checked_sample(stream, source.name)
    dialect = found_dialect(
        sample.decode("utf-8", errors="replace"),
        ended=len(sample) < _SAMPLE_BYTES,
        place=source.name,
        delimiter=config.delimiter,
        decimal=config.decimal,
    )
    ragged = RaggedRows(dialect.names, dialect.delimiter)
    rows = ragged.restored(_csv_batches(source.name, stream, dialect, ragged))
    return Table(source, "csv", dialect.names, rows, dialect, stream, ragged, owned)


def _checked_sample(stream: Utf8Stream, place: str) -> bytes:
    """The first bytes of the text; raises InputError where there are none or they are no text."""
    sample = stream.sample(_SAMPLE_BYTES)
    if not sample:
        raise InputError(place, "the file is empty", "pass a file with a header line and rows of data")
    control = sum(sample.count(byte) for byte in range(32) if byte not in b"\t\n\r\x0c\x1a\x1b")
    if b"\x00" in sample or control > 0.01 * len(sample):
        raise InputError(place, "this is a binary file, not a table", BINARY_REMEDY)
    if len(sample) == _SAMPLE_BYTES and not (b"\n" in sample or b"\r" in sample):
        raise InputError(
            place, f"the first line is longer than {_SAMPLE_BYTES:,} bytes", "pass a CSV with shorter lines"
        )
    return sample


def _csv_batches(place: str, stream: Utf8Stream, dialect: Dialect, ragged: RaggedRows) -> Iterator[Any]:
    _skip_lines(stream, dialect.skipped_lines)
    try:
        reader = pa_csv.open_csv(
            pa.PythonFile(stream, "r"),
            read_options=pa_csv.ReadOptions(
                column_names=list(dialect.names), block_size=BLOCK_BYTES, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=dialect.multiline,
                invalid_row_handler=ragged.handle,
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(dialect.names, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
        yield from reader
    except pa.ArrowInvalid as error:
        text = str(error)
        if "Empty CSV file" in text:
            return
        if "straddling" in text:
            fact = f"a line is longer than {BLOCK_BYTES:,} bytes"
            raise InputError(place, fact, "look for a quote that is not closed") from error
        raise InputError(
            place, f"cannot be read as CSV ({text.splitlines()[0]})", "look at the file"
        ) from error


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
    remedy = "write the file again"
    try:
        file = pq.ParquetFile(raw)
        columns = file.schema_arrow.names
    except (pa.ArrowException, OSError) as error:
        raise InputError(source.name, "the Parquet file is damaged or cut off", remedy) from error
    if file.metadata.num_rows == 0:
        raise InputError(
            source.name, "there is a header but no rows of data", "pass a file with rows of data"
        )
    names = distinct_names([" ".join(name.split()) for name in columns])

    def batches() -> Iterator[Any]:
        try:
            for batch in file.iter_batches(batch_size=PARQUET_ROWS):
                yield pa.RecordBatch.from_arrays(
                    [plain(column) for column in batch.columns], names=list(names)
                )
        except (pa.ArrowException, OSError) as error:
            raise InputError(source.name, "the Parquet file is damaged or cut off", remedy) from error

    return Table(source, "parquet", names, batches(), None, None, None, raw)
