"""CSV rows with another number of cells than the header: mended if the extra ones are empty, else counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from logscan.notes import Note, note
from logscan.read.formats.csv.open_quotes import holds_rows, refuse_swallowed


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

    def handle(self, row: Any) -> str:
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

    def restored(self, batches: Iterable[Any]) -> Iterator[Any]:
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

    def _mended(self, row: Any) -> list[str] | None:
        if row.actual_columns <= row.expected_columns:
            return None
        quoting: dict[str, Any] = {"quotechar": self._quote} if self._quote else {"quoting": csv.QUOTE_NONE}
        try:
            cells = next(csv.reader([row.text], delimiter=self._delimiter, **quoting), [])
        except csv.Error:  # a cell beyond the limit of the csv module
            return None
        fitting, extra = cells[: len(self._names)], cells[len(self._names) :]
        return None if any(cell.strip() for cell in extra) or len(fitting) < len(self._names) else fitting

    def _with_mended(self, batch: Any) -> Any:
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
        return table.take(pa.array(order)).combine_chunks().to_batches()[0]

    def _batch(self, rows: list[list[str]]) -> Any:
        columns = [
            pa.array([cell or None for cell in cells], pa.string()) for cells in zip(*rows, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=self._names)
