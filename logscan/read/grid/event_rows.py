"""What is kept of events beside their sums: negative numbers, distinct values, possible duplicate imports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from logscan.notes import Note, note
from logscan.read.grid.bins import I32
from logscan.read.grid.repeated_imports import U64, all_copies, cell_hashes, repeated_rows, row_hashes
from logscan.read.grid.sums import Accumulator, EntitySums
from logscan.read.plan.columns import Plan
from logscan.read.values.numbers import as_text
from logscan.records import F64, I64, Bool

REPEATED = note("import-repeats")
_FEWEST_NEGATIVES = 5  # fewer are slips of the pen
_MOST_HELD_BYTES = 128 << 20
_MERGE_ROWS = 1 << 21

_Triples = tuple[I64, I64, U64]  # group, key, hash of the cell


@dataclass(frozen=True, slots=True)
class Extras:
    """Of rows: the hashes of the cells whose different values are counted, (rows, columns) uint64, 0 if empty."""

    cells: U64

    def part(self, kept: Bool) -> Extras:
        """Some of the rows."""
        return Extras(self.cells[kept])


_Rows = tuple[I64, I64, Sequence[F64], Extras]


class EventExtras:
    """Takes rows of events; holds them back while they may turn out to be an import that came twice."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._held: list[_Rows] = []
        self._hashes: list[U64] = []
        self._held_bytes = 0
        self._holding = True
        self._copies = self._dropped = 0
        self._negatives = Accumulator(len(plan.numeric))
        self._distinct: list[list[_Triples]] = [[] for _ in plan.distinct]
        self._pending = [0 for _ in plan.distinct]

    def taken(self, batch: Any, codes: I64, times: I64, values: Sequence[F64]) -> Iterator[_Rows]:
        """Take rows; yields those that are to be added to the sums now.

        Args:
            batch: the rows, with all their columns.
            codes: (rows,) group of each.
            times: (rows,).
            values: of each numeric column (rows,) float64.
        """
        rows = (codes, times, values, Extras(self._cells(batch)))
        if not self._holding:
            yield rows
            return
        self._held.append(rows)
        self._hashes.append(row_hashes(batch))
        self._held_bytes += codes.nbytes * (3 + len(values)) + rows[3].cells.nbytes
        if self._held_bytes > _MOST_HELD_BYTES:
            # Too many to remember: what is here is taken as it is, and said.
            self._holding = False
            yield from self._held
            self._held, self._hashes = [], []

    def released(self) -> tuple[list[_Rows], int]:
        """The rows held back without copies of an import that came twice, and how many copies there are."""
        if not self._held:
            return [], 0
        times = np.concatenate([rows[1] for rows in self._held])
        hashes = np.concatenate(self._hashes)
        found = repeated_rows(hashes, times)
        surplus, self._copies = found.surplus, found.copies
        if self.plan.repeats == "drop":
            surplus, self._copies = all_copies(hashes, times), 0
        elif self.plan.repeats == "count":
            self._copies += int(surplus.sum())
            surplus = np.zeros_like(surplus)
        self._dropped = int(surplus.sum())
        bounds = np.cumsum([len(rows[1]) for rows in self._held])[:-1]
        released: list[_Rows] = []
        for (codes, moments, values, extras), gone in zip(self._held, np.split(surplus, bounds), strict=True):
            kept = ~gone
            released.append((codes[kept], moments[kept], [one[kept] for one in values], extras.part(kept)))
        self._held, self._hashes = [], []
        return released, self._dropped

    def add(self, entity: I32, keys: I64, values: Sequence[F64], extras: Extras) -> None:
        """Count negative numbers and different values of rows that are used.

        Args:
            entity: (rows,) group of each.
            keys: (rows,) of its time bin.
            values: of each numeric column (rows,) float64.
            extras: of the same rows.
        """
        some = np.zeros(len(keys), dtype=np.bool_)
        for column in values:
            some |= column < 0
        if some.any():
            marked = [np.where(column[some] < 0, 1.0, np.nan) for column in values]
            self._negatives.add(entity[some], keys[some], marked)
        codes = entity.astype(np.int64)
        for position in range(len(self.plan.distinct)):
            cells = extras.cells[:, position]
            told = cells != 0
            self._distinct[position].append((codes[told], keys[told], cells[told]))
            self._pending[position] += int(told.sum())
            if self._pending[position] > _MERGE_ROWS:
                merged = _unique(self._distinct[position])
                self._distinct[position], self._pending[position] = [merged], -len(merged[0])

    def negatives(self) -> dict[int, EntitySums]:
        """Negative numbers per group and key."""
        return self._negatives.entities()

    def negative_rows(self) -> dict[str, int]:
        """How many negative numbers the columns hold whose negative numbers are a channel."""
        rows = np.zeros(len(self.plan.numeric))
        for one in self.negatives().values():
            for block in one.blocks:
                rows += [np.nansum(column) for column in block.sums]
        wanted = self.plan.negatives
        return {
            name: int(count)
            for name, count in zip(self.plan.numeric, rows, strict=True)
            if (count >= _FEWEST_NEGATIVES if wanted is None else name in wanted)
        }

    def distinct(self, position: int) -> _Triples:
        """Every (group, key, cell) once, of one of the columns whose different values are counted."""
        return _unique(self._distinct[position])

    def notes(self) -> list[Note]:
        """Notes on repeated rows."""
        notes = []
        if self._dropped and self.plan.repeats is None:
            notes.append(note("import-repeated", rows=self._dropped))
        if self._copies and self.plan.repeats is None:
            notes.append(note("copies-counted", rows=self._copies))
        if not self._holding:
            notes.append(note("copies-unchecked"))
        return notes

    def _cells(self, batch: Any) -> U64:
        """(rows, columns) hashes of the cells whose different values are counted, 0 where empty."""
        found = np.zeros((batch.num_rows, len(self.plan.distinct)), dtype=np.uint64)
        for position, name in enumerate(self.plan.distinct):
            found[:, position] = cell_hashes(pc.utf8_trim_whitespace(as_text(batch.column(name))))
        return found


def _unique(parts: list[_Triples]) -> _Triples:
    """Parts as one, sorted, each triple once."""
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty, empty.astype(np.uint64)
    codes, keys, cells = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((cells, keys, codes))
    codes, keys, cells = codes[order], keys[order], cells[order]
    new = np.r_[True, (codes[1:] != codes[:-1]) | (keys[1:] != keys[:-1]) | (cells[1:] != cells[:-1])]
    new = new[: len(codes)]
    return codes[new], keys[new], cells[new]
