"""Odd CSV rows: another number of cells, empty rows, repeated headers; mended or counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from logscan.notes import Note, note
from logscan.read.formats.csv.open_quotes import holds_rows, refuse_swallowed

_MOST_ROWS_OF_WORDS = 100  # of a block; more are no names
EMPTY = note("row-empty")
REPEATS_HEADER = note("header-repeats")


class RaggedRows:
    """Takes what the CSV reader could not fit into its columns and puts mended rows back in their place.

    A row that is too long only by empty cells (a delimiter at the end of the line) loses them. Any other
    is counted: nothing tells which of its cells is missing.

    Attributes:
        dropped: reason -> rows.
        mended: whether a row was mended.
        ended: whether the row was seen that was put behind the text, to tell whether a quoted cell goes on there.
    """

    def __init__(self, names: tuple[str, ...], delimiter: str, quote: str, place: str, *, end: str) -> None:
        """Begin with the first row of a text; `end` is the row that may be put behind it."""
        self.dropped: Counter[Note] = Counter()
        self.mended = False
        self.ended = False
        self._end = end
        self._names = list(names)
        self._delimiter = delimiter
        self._quote = quote
        self._place = place
        self._swallowing: str | None = None  # a row that holds other rows
        self._waiting: list[tuple[int, list[str] | None]] = []  # row number, its cells if mended
        self._next_number = 1

    def handle(self, row: pa_csv.InvalidRow) -> Literal["skip"]:
        """The `invalid_row_handler` of `pyarrow.csv`: keep the row for later, tell the reader to skip it."""
        if row.text == self._end:
            self.ended = True
            return "skip"
        if self._quote and holds_rows(row.text, self._delimiter, len(self._names)):
            self._swallowing = row.text
        cells = self._mended(row)
        self.mended = self.mended or cells is not None
        if cells is None:
            comment = row.text.lstrip().startswith("#")
            self.dropped[note("comment") if comment else note("cells-differ", names=len(self._names))] += 1
        if row.number is not None:
            self._waiting.append((row.number, cells))
        return "skip"

    def restored(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches with the mended rows at their places; raises InputError where a quote swallows rows."""
        for batch in batches:
            self._refuse_swallowed()
            yield self._with_mended(batch)
        self._refuse_swallowed()
        rest = [cells for _, cells in self._waiting if cells is not None]
        if rest:
            yield self._batch(rest)

    def _refuse_swallowed(self) -> None:
        # Not raised by the handler: the CSV reader would not let it through.
        if self._swallowing is not None:
            refuse_swallowed([self._swallowing], self._delimiter, len(self._names), self._place)

    def _mended(self, row: pa_csv.InvalidRow) -> list[str] | None:
        if row.actual_columns <= row.expected_columns:
            return None
        quoting: dict[str, Any] = {"quotechar": self._quote} if self._quote else {"quoting": csv.QUOTE_NONE}
        try:
            cells = next(csv.reader([row.text], delimiter=self._delimiter, **quoting), [])
        except csv.Error:  # a cell beyond the limit of the csv module
            return None
        fitting, extra = cells[: len(self._names)], cells[len(self._names) :]
        return None if any(cell.strip() for cell in extra) or len(fitting) < len(self._names) else fitting

    def _with_mended(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One batch; its rows have the numbers that the skipped rows left free."""
        end = self._next_number + batch.num_rows
        inside = 0
        for number, _ in self._waiting:
            if number >= end:
                break
            inside += 1
            end += 1
        taken, self._waiting = self._waiting[:inside], self._waiting[inside:]
        first, self._next_number = self._next_number, end
        mended = [(number, cells) for number, cells in taken if cells is not None]
        if not mended:
            return batch
        free = np.setdiff1d(np.arange(first, end), [number for number, _ in taken])
        order = np.argsort(np.r_[free, [number for number, _ in mended]], kind="stable")
        table = pa.Table.from_batches([batch, self._batch([cells for _, cells in mended])])
        return table.take(order).combine_chunks().to_batches()[0]

    def _batch(self, rows: list[list[str]]) -> pa.RecordBatch:
        columns = [
            pa.array([cell or None for cell in cells], pa.string()) for cells in zip(*rows, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=self._names)


def without_blank_rows(batch: pa.RecordBatch, dropped: Counter[Note]) -> pa.RecordBatch:
    """A batch of text without rows of empty cells, which spreadsheets leave at the end; they are counted."""
    if batch.num_columns == 0 or batch.column(0).null_count == 0:
        return batch
    blank: Any = pa.array(np.ones(batch.num_rows, dtype=np.bool_))
    for column in batch.columns:
        blank = pc.and_(blank, _holds(column, ""))
    if not blank.true_count:
        return batch
    dropped[EMPTY] += blank.true_count
    return batch.filter(pc.invert(blank))


def header_column(written: Sequence[str]) -> int | None:
    """The first column that the header has a cell for; None where it has none."""
    return next((position for position, cell in enumerate(written) if cell), None)


def without_repeated_header(
    batch: pa.RecordBatch, written: Sequence[str], dropped: Counter[Note]
) -> pa.RecordBatch:
    """A batch of text without rows that are the header again, as in exports put one under the other.

    Args:
        batch: all columns, as text.
        written: the header's cells, as many as there are columns or fewer.
        dropped: rows taken out are counted here.
    """
    first = header_column(written)
    if first is None or not pc.any(pc.equal(batch.column(first), pa.scalar(written[first]))).as_py():
        return batch
    same: Any = pc.fill_null(pc.equal(batch.column(first), pa.scalar(written[first])), pa.scalar(False))
    for column, cell in zip(batch.columns, written, strict=False):
        same = pc.and_(same, _holds(column, cell))
    if not same.true_count:
        return batch
    dropped[REPEATS_HEADER] += same.true_count
    return batch.filter(pc.invert(same))


def rows_of_words(batch: pa.RecordBatch) -> list[tuple[list[str], list[str]]]:
    """The rows of a batch of text in which no cell holds a digit or is empty, each with the row below it."""
    mask: Any = None
    for column in batch.columns:
        worded: Any = pc.fill_null(pc.match_substring_regex(column, r"^\D+$"), pa.scalar(False))
        mask = worded if mask is None else pc.and_(mask, worded)
        if not mask.true_count:
            return []
    places = np.flatnonzero(mask.to_numpy(zero_copy_only=False))[:_MOST_ROWS_OF_WORDS].tolist()
    return [
        ([str(cell) for cell in row.values()], [str(cell or "") for cell in below.values()])
        for row, below in (
            batch.slice(place, 2).to_pylist() for place in places if place + 1 < batch.num_rows
        )
    ]


def _holds(column: Any, cell: str) -> Any:
    """Where the cells of a text column are `cell` but for blanks around them."""
    return pc.equal(pc.utf8_trim_whitespace(column.fill_null("")), pa.scalar(cell))
