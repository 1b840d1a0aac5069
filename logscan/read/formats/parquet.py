"""Parquet: row groups in order, only the columns that the plan reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from logscan.errors import EmptyInputError, InputError
from logscan.notes import Note
from logscan.read.files.inputs import Source
from logscan.read.files.opened import OpenedFile
from logscan.read.formats.table import ColumnsToRead, Format, Found, distinct_names, refuse_wide
from logscan.read.values.numbers import is_number, plain

_BATCH_CELLS = 1 << 21
_FEWEST_ROWS, _MOST_ROWS = 1 << 12, 1 << 17
_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)


class ParquetTable:
    """An opened Parquet file."""

    def __init__(self, file: OpenedFile) -> None:
        """Look at the file; raises InputError where it is damaged, without rows or has too many columns."""
        self._opened = file
        self._wanted: frozenset[str] | None = None  # of the row groups to come; None: all
        self._position = 0
        path = file.source.path
        try:
            # Read past Python, a tenth of the work is saved.
            self._file = pq.ParquetFile(file.raw if path is None else pa.OSFile(str(path), "r"))
            columns = self._file.schema_arrow.names
            self._bytes = file.raw.seek(0, 2)
        except _DAMAGE as error:
            raise self._damaged() from error
        refuse_wide(len(columns), file.place)
        if self._file.metadata.num_rows == 0:
            raise EmptyInputError(
                file.place, "there is a header but no rows of data", "pass a file with rows of data"
            )
        self._names = distinct_names([" ".join(name.split()) for name in columns])
        self._columns = columns
        self._rows = self._batches()

    @property
    def source(self) -> Source:
        """The file."""
        return self._opened.source

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, each once."""
        return self._names

    @property
    def found(self) -> Found:
        """A Parquet file says itself how it is written."""
        return Found("parquet")

    @property
    def dropped(self) -> Counter[Note]:
        """Nothing: every row is in a batch."""
        return Counter()

    @property
    def position(self) -> int | None:
        """How far the file was read for the batches so far, in bytes, as far as its rows tell."""
        return self._position

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches that are still to come; raises InputError where the file is damaged."""
        return self._rows

    def read_only(self, columns: ColumnsToRead) -> None:
        """Leave columns out of the row groups to come."""
        self._wanted = frozenset(columns.names)

    def notes(self) -> list[Note]:
        """Nothing to tell."""
        return []

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        read, all_rows = 0, self._file.metadata.num_rows
        rows = min(max(_BATCH_CELLS // len(self._names), _FEWEST_ROWS), _MOST_ROWS)
        try:
            for groups in self._groups(rows):
                chosen = self._chosen()
                names = [self._names[place] for place in chosen]
                columns = (
                    None if len(chosen) == len(self._columns) else [self._columns[place] for place in chosen]
                )
                for batch in self._file.iter_batches(rows, row_groups=groups, columns=columns):
                    read += batch.num_rows
                    self._position = self._bytes * read // all_rows
                    yield _plain(batch, names)
        except _DAMAGE as error:
            raise self._damaged() from error

    def _groups(self, rows: int) -> Iterator[list[int]]:
        """The row groups, small ones several at a time."""
        taken: list[int] = []
        held = 0
        for group in range(self._file.num_row_groups):
            taken.append(group)
            held += self._file.metadata.row_group(group).num_rows
            if held >= rows:
                yield taken
                taken, held = [], 0
        if taken:
            yield taken

    def _chosen(self) -> list[int]:
        """The places of the columns that are read."""
        every = list(range(len(self._columns)))
        if self._wanted is None or len(set(self._columns)) < len(self._columns):
            return every
        return [place for place in every if self._names[place] in self._wanted] or every

    def _damaged(self) -> InputError:
        return InputError(
            self._opened.place, "the Parquet file is damaged or cut off", "write the file again"
        )


def _plain(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    """A batch with plain columns under other names."""
    if batch.schema.names == names and all(
        is_number(kind) or pa.types.is_timestamp(kind) for kind in batch.schema.types
    ):
        return batch
    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=names)


FORMAT = Format(
    "parquet",
    "Parquet",
    (".parquet",),
    is_text=False,
    recognises=lambda file: file.starts_with(b"PAR1"),
    opened=lambda file, _: ParquetTable(file),
)
