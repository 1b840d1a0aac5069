"""Hive partitions: folder names such as `line=A` become columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa

from logscan.notes import Note
from logscan.read.files.inputs import Source
from logscan.read.formats.table import ColumnsToRead, Found, TableReader


class WithPartitions:
    """A reader with one more column per folder; a column of the file itself comes first."""

    def __init__(self, table: TableReader) -> None:
        self._table = table
        self._added = [(name, value) for name, value in table.source.partitions if name not in table.names]
        self._rows = map(self._with_columns, table.batches())

    @property
    def source(self) -> Source:
        """The file."""
        return self._table.source

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the file, then those of the folders."""
        return (*self._table.names, *(name for name, _ in self._added))

    @property
    def found(self) -> Found:
        """What was found in the file and its path."""
        return replace(self._table.found, partitions=tuple(name for name, _ in self._added))

    @property
    def dropped(self) -> Counter[Note]:
        """As of the file."""
        return self._table.dropped

    @property
    def position(self) -> int | None:
        """As of the file."""
        return self._table.position

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches that are still to come."""
        return self._rows

    def read_only(self, columns: ColumnsToRead) -> None:
        """Columns of folders cost nothing and stay."""
        self._table.read_only(columns)

    def notes(self) -> list[Note]:
        """As of the file."""
        return self._table.notes()

    def close(self) -> None:
        """Close the file."""
        self._table.close()

    def _with_columns(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        constants = [pa.repeat(pa.scalar(value, pa.string()), batch.num_rows) for _, value in self._added]
        names = [*batch.schema.names, *(name for name, _ in self._added)]
        return pa.RecordBatch.from_arrays([*batch.columns, *constants], names=names)
