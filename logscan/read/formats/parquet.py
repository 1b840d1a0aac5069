"""The rows of a Parquet file in order; once the plan is known, only the columns that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from logscan.errors import EmptyInputError, InputError
from logscan.read.formats.csv.dialect import MOST_COLUMNS
from logscan.read.formats.csv.header import distinct_names
from logscan.read.values.numbers import is_number, plain

_BATCH_CELLS = 1 << 21
_FEWEST_ROWS, _MOST_ROWS = 1 << 12, 1 << 17
_DAMAGE = (pa.ArrowException, OSError, ValueError, KeyError)


class ParquetRows:
    """An opened file.

    Attributes:
        names: of its columns, each once.
        wanted: the columns that are read of the row groups to come; None: all. May be set at any time.
        position: how far the file was read for the batches so far, in bytes, as far as its rows tell.
    """

    def __init__(self, raw: BinaryIO, path: Path | None, place: str) -> None:
        """Look at the file.

        Args:
            raw: the opened file.
            path: of the file, if it has one: read past Python, a tenth of the work is saved.
            place: how it is named.

        Raises:
            InputError: damaged, without rows, or too many columns.
        """
        self.wanted: frozenset[str] | None = None
        self.position = 0
        self._place = place
        try:
            self._file = pq.ParquetFile(raw if path is None else pa.OSFile(str(path)))
            columns = self._file.schema_arrow.names
            self._bytes = raw.seek(0, 2)
        except _DAMAGE as error:
            raise self._damaged() from error
        if len(columns) > MOST_COLUMNS:
            fact = f"there are more than {MOST_COLUMNS:,} columns"
            raise InputError(place, fact, "write fewer columns, or one row per reading")
        if self._file.metadata.num_rows == 0:
            raise EmptyInputError(
                place, "there is a header but no rows of data", "pass a file with rows of data"
            )
        self.names = distinct_names([" ".join(name.split()) for name in columns])
        self._columns = columns

    def batches(self) -> Iterator[Any]:
        """The record batches with plain columns; raises InputError where the file is damaged."""
        read, all_rows = 0, self._file.metadata.num_rows
        rows = min(max(_BATCH_CELLS // len(self.names), _FEWEST_ROWS), _MOST_ROWS)
        try:
            for groups in self._groups(rows):
                chosen = self._chosen()
                names = [self.names[place] for place in chosen]
                columns = (
                    None if len(chosen) == len(self._columns) else [self._columns[place] for place in chosen]
                )
                for batch in self._file.iter_batches(rows, row_groups=groups, columns=columns):
                    read += batch.num_rows
                    self.position = self._bytes * read // all_rows
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
        if self.wanted is None or len(set(self._columns)) < len(self._columns):
            return every
        return [place for place in every if self.names[place] in self.wanted] or every

    def _damaged(self) -> InputError:
        return InputError(self._place, "the Parquet file is damaged or cut off", "write the file again")


def _plain(batch: Any, names: list[str]) -> Any:
    """A batch with plain columns under other names."""
    if batch.schema.names == names and all(
        is_number(kind) or pa.types.is_timestamp(kind) for kind in batch.schema.types
    ):
        return batch
    return pa.RecordBatch.from_arrays([plain(column) for column in batch.columns], names=names)
