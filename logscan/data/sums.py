"""Growable sums per entity and time: memory grows with the distinct pairs, not with the rows. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from logscan.records import F64, I64
from logscan.times import BLOCK_TIMES, TimeBlock, Times

I32 = npt.NDArray[np.int32]

_BUFFER_CELLS = 1 << 22
_MOST_BUFFER_ROWS, _FEWEST_BUFFER_ROWS = 1 << 19, 1 << 12


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums of one entity per key; keys ascending, each once.

    Attributes:
        key: the keys, packed.
        rows: (keys,) int64, input rows behind each; `None`: one each.
        sums: (width, keys) float64, sums of the readings, NaN where there were none.
        counts: (width, keys) int32, readings behind each sum; `None`: where the sum is finite, as many as rows.
    """

    key: TimeBlock
    rows: I64 | None
    sums: F64
    counts: I32 | None

    def row_counts(self) -> I64:
        """(keys,) int64, input rows behind each key."""
        return np.ones(self.key.count, dtype=np.int64) if self.rows is None else self.rows

    def means(self) -> F64:
        """(width, keys) float64, means of the readings, NaN where there were none."""
        if self.rows is None:
            return self.sums
        if self.counts is None:
            return self.sums / self.rows
        return np.where(self.counts > 0, self.sums / np.maximum(self.counts, 1), np.nan)

    def reading_counts(self) -> I32:
        """(width, keys) int32, readings behind each sum."""
        if self.counts is not None:
            return self.counts
        return np.where(np.isfinite(self.sums), self.row_counts(), 0).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Rows or cells of one entity in ascending order of keys, which may repeat.

    Attributes:
        key: (keys,) int64.
        rows: (keys,) int64, input rows behind each; `None`: one each.
        sums: (width, keys) float64, NaN where there is no reading.
        counts: (width, keys) int32, readings behind each sum; `None` with `rows`.
    """

    key: I64
    rows: I64 | None
    sums: F64
    counts: I32 | None

    def part(self, first: int, end: int) -> Keyed:
        """A half-open range of the keys."""
        return Keyed(
            self.key[first:end],
            None if self.rows is None else self.rows[first:end],
            self.sums[:, first:end],
            None if self.counts is None else self.counts[:, first:end],
        )

    def then(self, other: Keyed) -> Keyed:
        """Both, one behind the other; the order of keys is the caller's business."""
        rows = counts = None
        if self.rows is not None or other.rows is not None:
            rows = np.concatenate([self._row_counts(), other._row_counts()])
            counts = np.concatenate([self._reading_counts(), other._reading_counts()], axis=1)
        key = np.concatenate([self.key, other.key])
        return Keyed(key, rows, np.concatenate([self.sums, other.sums], axis=1), counts)

    def ordered(self) -> Keyed:
        """In ascending order of keys; what has the same key stays in its order."""
        if (self.key[1:] >= self.key[:-1]).all():
            return self
        order = np.argsort(self.key, kind="stable")
        return Keyed(
            self.key[order],
            None if self.rows is None else self.rows[order],
            self.sums[:, order],
            None if self.counts is None else self.counts[:, order],
        )

    def summed(self) -> Cells:
        """What has the same key added up."""
        key, rows = self.key, self.rows
        new = np.empty(len(key), dtype=np.bool_)
        new[0] = True
        np.not_equal(key[1:], key[:-1], out=new[1:])
        if new.all():
            return Cells(TimeBlock.of(key), rows, self.sums, self.counts)
        starts = np.flatnonzero(new)
        rows = np.diff(starts, append=len(key)) if rows is None else np.add.reduceat(rows, starts)
        total = np.empty((len(self.sums), len(starts)))
        count = np.empty((len(self.sums), len(starts)), dtype=np.int32)
        for position, column in enumerate(self.sums):
            np.add.reduceat(column, starts, out=total[position])
            if self.counts is None and not np.isnan(total[position]).any():
                count[position] = rows
                continue
            known = np.isfinite(column).astype(np.int32) if self.counts is None else self.counts[position]
            np.add.reduceat(known, starts, out=count[position])
            np.add.reduceat(np.nan_to_num(column, nan=0.0), starts, out=total[position])
            total[position, count[position] == 0] = np.nan
        told = ((count == rows) | (count == 0)).all()
        return Cells(TimeBlock.of(key[starts]), rows, total, None if told else count)

    def _row_counts(self) -> I64:
        return np.ones(len(self.key), dtype=np.int64) if self.rows is None else self.rows

    def _reading_counts(self) -> I32:
        return np.isfinite(self.sums).astype(np.int32) if self.counts is None else self.counts


def part_of(cells: Cells, first: int, end: int) -> Cells:
    """The cells of a half-open range of keys, at least one."""
    return Cells(
        TimeBlock.of(cells.key.times()[first:end]),
        None if cells.rows is None else cells.rows[first:end],
        cells.sums[:, first:end],
        None if cells.counts is None else cells.counts[:, first:end],
    )


def keyed(cells: Cells) -> Keyed:
    """The cells with their keys unpacked."""
    counts = None if cells.rows is None else cells.reading_counts()
    return Keyed(cells.key.times(), cells.rows, cells.sums, counts)


def joined(earlier: Cells, later: Cells) -> Cells:
    """Cells of one entity as one, added up where their keys agree."""
    return keyed(earlier).then(keyed(later)).ordered().summed()


class EntitySums:
    """The cells of one entity as a list of blocks, ascending and apart; new ones mostly come at the end."""

    def __init__(self) -> None:
        self.blocks: list[Cells] = []

    def add(self, cells: Cells) -> None:
        """Add cells with any keys."""
        if not self.blocks or cells.key.first > self.blocks[-1].key.last:
            self.blocks.append(cells)
            self._coalesce()
            return
        # Every block takes the keys from its own first one up to the next block's.
        cuts = np.searchsorted(cells.key.times(), [block.key.first for block in self.blocks[1:]])
        bounds = [0, *cuts.tolist(), cells.key.count]
        blocks: list[Cells] = []
        for block, first, end in zip(self.blocks, bounds[:-1], bounds[1:], strict=True):
            if first == end:
                blocks.append(block)
                continue
            both = joined(block, part_of(cells, first, end))
            pieces = -(-both.key.count // max(2 * BLOCK_TIMES, block.key.count))
            edges = np.linspace(0, both.key.count, pieces + 1).astype(int)
            blocks += [part_of(both, *edge) for edge in pairwise(edges.tolist())]
        self.blocks = blocks

    def times(self) -> Times:
        """The keys."""
        return Times(block.key for block in self.blocks)

    def rows(self) -> int:
        """Input rows behind all keys."""
        return sum(block.key.count if block.rows is None else int(block.rows.sum()) for block in self.blocks)

    def _coalesce(self) -> None:
        """Small blocks become one when they are no smaller than half the one before: few blocks, little copying."""
        while len(self.blocks) > 1:
            size, before = self.blocks[-1].key.count, self.blocks[-2].key.count
            if before > 2 * size or before + size > BLOCK_TIMES:
                return
            self.blocks[-2:] = [joined(*self.blocks[-2:])]


class Accumulator:
    """Takes rows in any order.

    Rows are gathered up to a fixed number before they are added up, so that the sums do not depend on the sizes of
    the pieces in which they come.
    """

    def __init__(self, width: int, sums: dict[int, EntitySums] | None = None) -> None:
        """Begin with nothing, or with the sums of rows that were added before."""
        self._width = width
        rows = _BUFFER_CELLS // max(width, 1)
        self._capacity = min(max(rows, _FEWEST_BUFFER_ROWS), _MOST_BUFFER_ROWS)
        self._entity = np.empty(0, dtype=np.int32)
        self._key = np.empty(0, dtype=np.int64)
        self._values = np.empty((width, 0))
        self._waiting = 0
        self.held = 0  # numbers kept, beside the rows that wait
        self._sums = {} if sums is None else sums

    def add(self, entity: I32, key: I64, columns: Sequence[F64]) -> None:
        """Add rows.

        Args:
            entity: (rows,) entity codes.
            key: (rows,) times or grid cells.
            columns: of each channel (rows,) float64, NaN where missing.
        """
        taken = 0
        while taken < len(key):
            if len(self._key) == 0:
                self._entity = np.empty(self._capacity, dtype=np.int32)
                self._key = np.empty(self._capacity, dtype=np.int64)
                self._values = np.empty((self._width, self._capacity))
            count = min(len(key) - taken, self._capacity - self._waiting)
            here, there = slice(self._waiting, self._waiting + count), slice(taken, taken + count)
            self._entity[here] = entity[there]
            self._key[here] = key[there]
            for own, column in zip(self._values, columns, strict=True):
                own[here] = column[there]
            taken += count
            self._waiting += count
            if self._waiting == self._capacity:
                self._flush()

    def entities(self) -> dict[int, EntitySums]:
        """The sums of everything added so far, by entity code."""
        self._flush()
        self._key = self._key[:0]
        self._values = np.empty((self._width, 0))
        return self._sums

    def _flush(self) -> None:
        """Add up the rows that wait."""
        count, self._waiting = self._waiting, 0
        if count == 0:
            return
        entity, key, sums = self._entity[:count], self._key[:count], self._values[:, :count]
        same = entity[1:] == entity[:-1]
        if not ((entity[1:] > entity[:-1]) | (same & (key[1:] >= key[:-1]))).all():
            order = np.lexsort((key, entity))
            entity, key, sums = entity[order], key[order], sums[:, order]
        bounds = [0, *(np.flatnonzero(entity[1:] != entity[:-1]) + 1).tolist(), count]
        for first, end in pairwise(bounds):
            cells = Keyed(key[first:end], None, sums[:, first:end], None).summed()
            if np.shares_memory(cells.sums, self._values):
                cells = Cells(cells.key, cells.rows, cells.sums.copy(), cells.counts)
            self._sums.setdefault(int(entity[first]), EntitySums()).add(cells)
        self.held = self._width * sum(block.key.count for one in self._sums.values() for block in one.blocks)


def taken_blocks(one: EntitySums) -> Iterator[Keyed]:
    """The cells of an entity block by block, ascending; they are let go of as they are taken."""
    blocks, one.blocks = one.blocks[::-1], []
    while blocks:
        yield keyed(blocks.pop())


def regrouped(one: EntitySums, cell_of: Callable[[I64], I64]) -> EntitySums:
    """The sums of an entity under coarser keys; what was summed before is let go of on the way.

    Args:
        one: the entity.
        cell_of: gives the new, ascending keys of ascending keys.
    """
    coarse = EntitySums()
    for piece in taken_blocks(one):
        coarse.add(replace(piece, key=cell_of(piece.key)).summed())
    return coarse


def without_sums(one: EntitySums) -> EntitySums:
    """Only the keys of an entity, and the rows behind them."""
    kept = EntitySums()
    kept.blocks = [Cells(block.key, block.rows, np.empty((0, block.key.count)), None) for block in one.blocks]
    return kept
