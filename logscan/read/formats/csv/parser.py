"""The CSV parser: one block of lines as record batches, typed where the plan allows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from logscan.errors import InputError
from logscan.notes import Note
from logscan.read.formats.csv.dialect import Dialect
from logscan.read.formats.csv.lines import Block
from logscan.read.formats.csv.odd_rows import (
    RaggedRows,
    header_column,
    rows_of_words,
    without_blank_rows,
    without_repeated_header,
)
from logscan.read.formats.csv.open_quotes import refuse_swallowed_lines
from logscan.read.formats.layout.second_table import folded, refuse_names_below
from logscan.read.formats.table import ColumnsToRead

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Parsed:
    """What became of a block.

    Attributes:
        batches: its rows.
        dropped: reason -> rows that are in none of them.
        cut: the block ends inside a quoted cell, and has to be parsed again with what follows.
        failed: columns that hold cells which pyarrow does not convert.
    """

    batches: list[pa.RecordBatch] = field(default_factory=list)
    dropped: Counter[Note] = field(default_factory=Counter)
    cut: bool = False
    failed: frozenset[str] = frozenset()


class Parser:
    """Parses blocks of one CSV; each by itself, so that threads may share it."""

    def __init__(self, dialect: Dialect, place: str) -> None:
        self._dialect = dialect
        self._place = place
        self._written = dialect.written[: len(dialect.names)]
        # A row no text holds and no table has: where it is not seen, a quoted cell has swallowed it.
        self._end = "\0" + dialect.delimiter * len(dialect.names)

    def parsed(self, block: Block, wanted: ColumnsToRead | None) -> Parsed:
        """The rows of a block.

        Args:
            block: whole lines.
            wanted: the columns to read and their types; None: all, as text.

        Raises:
            InputError: a quote swallows lines, or the text cannot be read as CSV.
        """
        text = block.text
        if text[:3] == _BOM:
            text = b"\n" + text  # part of a cell: pyarrow takes it off only at the very beginning
        quoted = bool(self._dialect.quote) and block.quoted
        ends = quoted and not block.last
        if ends:
            text = b"".join([text, self._end.encode()])
        if not text:
            return Parsed()
        if wanted is None:
            return self._as_text(text, quoted=quoted, ends=ends)
        found = self._as_typed(text, wanted, quoted=quoted, ends=ends)
        if found is not None:
            return found
        plain = self._as_text(text, quoted=quoted, ends=ends)
        failed = [name for name, kind in wanted.types.items() if not _all_convert(plain.batches, name, kind)]
        return Parsed(plain.batches, plain.dropped, plain.cut, frozenset(failed or wanted.types))

    def _as_typed(
        self, text: bytes | memoryview, wanted: ColumnsToRead, *, quoted: bool, ends: bool
    ) -> Parsed | None:
        """The wanted columns; None where the block has to be looked at as text."""
        ragged = self._ragged()
        # Lines that a quote has swallowed may be in a column that nobody wants.
        names = self._dialect.names if quoted else wanted.names
        try:
            batch = self._read(text, ragged, names, wanted)
        except pa.ArrowInvalid:
            return None
        if ragged.mended or (ends and not ragged.ended) or self._holds_needless(batch):
            return None
        batches = list(ragged.restored([batch]))
        if quoted:
            refuse_swallowed_lines(batch, self._dialect.delimiter, self._place)
        return Parsed(batches, ragged.dropped)

    def _as_text(self, text: bytes | memoryview, *, quoted: bool, ends: bool) -> Parsed:
        """All columns as text, without rows that are no data."""
        ragged = self._ragged()
        try:
            read = self._read(text, ragged, self._dialect.names, None)
        except pa.ArrowInvalid as error:
            fact = f"cannot be read as CSV ({str(error).splitlines()[0]})"
            raise InputError(self._place, fact, "look at the file, or pass --quote none") from error
        cut = ends and not ragged.ended
        batches = []
        dropped: Counter[Note] = Counter()
        for batch in ragged.restored([read]):
            if quoted:
                refuse_swallowed_lines(batch, self._dialect.delimiter, self._place)
            kept = without_blank_rows(batch, dropped)
            kept = without_repeated_header(kept, self._written, dropped) if self._written else kept
            self._refuse_second_table(kept)
            batches.append(kept)
        return Parsed(batches, ragged.dropped + dropped, cut)

    def _refuse_second_table(self, batch: pa.RecordBatch) -> None:
        """Raise InputError where names of another table stand in a batch of text."""
        dialect = self._dialect
        if dialect.above is None:
            return
        for row, below in rows_of_words(batch):
            if folded(row) not in dialect.above:
                headed = dialect.header_line is not None
                begin = dialect.header_line or dialect.skipped_lines + 1
                refuse_names_below(row, below, begin, headed=headed, place=self._place)

    def _holds_needless(self, batch: pa.RecordBatch) -> bool:
        """Whether rows may be empty or repeat the header, by the columns that tell it."""
        if batch.column(self._dialect.names[0]).null_count:
            return True
        first = header_column(self._written)
        if first is None:
            return False
        column = batch.column(self._dialect.names[first])
        if column.type != pa.string():
            return False
        return bool(pc.any(pc.equal(column, pa.scalar(self._written[first]))).as_py())

    def _ragged(self) -> RaggedRows:
        dialect = self._dialect
        return RaggedRows(dialect.names, dialect.delimiter, dialect.quote, self._place, end=self._end)

    def _read(
        self,
        text: bytes | memoryview,
        ragged: RaggedRows,
        names: tuple[str, ...],
        wanted: ColumnsToRead | None,
    ) -> pa.RecordBatch:
        """One record batch; raises ArrowInvalid where a cell does not convert."""
        dialect = self._dialect
        types = wanted.types if wanted is not None else {}
        source: Any = pa.BufferReader(text)
        table = pa_csv.read_csv(
            source,
            read_options=pa_csv.ReadOptions(
                column_names=list(dialect.names), block_size=len(text) + 1, use_threads=False
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=True,
                invalid_row_handler=ragged.handle,
            ),
            convert_options=pa_csv.ConvertOptions(
                check_utf8=False,  # the stream gives no other
                column_types={name: types.get(name, pa.string()) for name in names},
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
                include_columns=list(names),
                decimal_point=wanted.decimal if wanted is not None else ".",
            ),
        )
        return table.combine_chunks().to_batches()[0] if table.num_rows else _empty(table.schema)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], kind) for kind in schema.types], schema=schema)


def _all_convert(batches: list[pa.RecordBatch], name: str, kind: pa.DataType) -> bool:
    """Whether all cells of a text column convert to a type."""
    try:
        for batch in batches:
            batch.column(name).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
