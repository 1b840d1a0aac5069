"""Growable sums per entity and time: memory grows with the distinct pairs, not with the rows. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from logscan.records import F64, I64
from logscan.times import BLOCK_TIMES, TimeBlock, Times

I32 = npt.NDArray[np.int32]

_BUFFER_CELLS = 1 << 22
_MOST_BUFFER_ROWS, _FEWEST_BUFFER_ROWS = 1 << 19, 1 << 12
_LONG_ROWS = 1 << 11
_MOST_SMALL = 32  # blocks of an entity that wait to become one


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums of one entity per key; keys ascending, each once.

    Attributes:
        key: the keys, packed.
        rows: (keys,) int64, input rows behind each; `None`: one each.
        sums: of each channel (keys,) float64, sums of the readings, NaN where there were none.
        counts: of each channel (keys,) int32, readings behind each sum; `None`: where it is finite, as many as rows.
    """

    key: TimeBlock
    rows: I64 | None
    sums: list[F64]
    counts: list[I32] | None

    def row_counts(self) -> I64:
        """(keys,) int64, input rows behind each key."""
        return np.ones(self.key.count, dtype=np.int64) if self.rows is None else self.rows

    def reading_counts(self) -> list[I32]:
        """Of each channel (keys,) int32, readings behind each sum."""
        if self.counts is not None:
            return self.counts
        rows = self.row_counts()
        return [np.where(np.isfinite(total), rows, 0).astype(np.int32) for total in self.sums]

    def means(self, channel: int) -> F64:
        """(keys,) float64, means of a channel's readings, NaN where there were none."""
        total = self.sums[channel]
        if self.counts is None:
            return total if self.rows is None else total / self.rows
        count = self.counts[channel]
        mean: F64 = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)
        return mean

    def keyed(self) -> Keyed:
        """The same with keys unpacked."""
        counts = None if self.rows is None and self.counts is None else self.reading_counts()
        return Keyed(self.key.times(), self.rows, self.sums, counts)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Rows or cells of one entity in ascending order of keys, which may repeat.

    Attributes:
        key: (keys,) int64.
        rows: (keys,) int64, input rows behind each; `None`: one each.
        sums: of each channel (keys,) float64, NaN where there is no reading.
        counts: of each channel (keys,) int32, readings behind each sum; `None` with `rows`.
    """

    key: I64
    rows: I64 | None
    sums: list[F64]
    counts: list[I32] | None

    def part(self, first: int, end: int) -> Keyed:
        """A half-open range of the keys."""
        return self._each(lambda values: values[first:end])

    def ordered(self) -> Keyed:
        """In ascending order of keys; what has the same key stays in its order."""
        if (self.key[1:] >= self.key[:-1]).all():
            return self
        order = np.argsort(self.key, kind="stable")
        return self._each(lambda values: values[order])

    def then(self, other: Keyed) -> Keyed:
        """Both, one behind the other; the order of keys is the caller's business."""
        rows = counts = None
        if self.rows is not None or other.rows is not None:
            rows = np.concatenate([self._row_counts(), other._row_counts()])
            counts = _paired(self._reading_counts(), other._reading_counts())
        return Keyed(np.concatenate([self.key, other.key]), rows, _paired(self.sums, other.sums), counts)

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
        totals, counts = [], []
        told = True
        for position, column in enumerate(self.sums):
            total = np.add.reduceat(column, starts)
            if self.counts is None and not np.isnan(total).any():
                count = rows.astype(np.int32)
            else:
                known = np.isfinite(column).astype(np.int32) if self.counts is None else self.counts[position]
                count = np.add.reduceat(known, starts)
                total = np.add.reduceat(np.nan_to_num(column, nan=0.0), starts)
                total[count == 0] = np.nan
                told = told and bool(((count == rows) | (count == 0)).all())
            totals.append(total)
            counts.append(count)
        return Cells(TimeBlock.of(key[starts]), rows, totals, None if told else counts)

    def _each(self, change: Callable[[Any], Any]) -> Keyed:
        return Keyed(
            change(self.key),
            None if self.rows is None else change(self.rows),
            [change(total) for total in self.sums],
            None if self.counts is None else [change(count) for count in self.counts],
        )

    def _row_counts(self) -> I64:
        return np.ones(len(self.key), dtype=np.int64) if self.rows is None else self.rows

    def _reading_counts(self) -> list[I32]:
        if self.counts is not None:
            return self.counts
        return [np.isfinite(total).astype(np.int32) for total in self.sums]


def _paired(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Arrays of one list, each with that of another behind it."""
    return [np.concatenate(pair) for pair in zip(first, second, strict=True)]


def joined(blocks: Sequence[Cells]) -> Cells:
    """Cells of one entity as one; ascending, and apart."""
    rows = None
    if any(block.rows is not None for block in blocks):
        rows = np.concatenate([block.row_counts() for block in blocks])
    counts = None
    if any(block.counts is not None for block in blocks):
        counts = _together([block.reading_counts() for block in blocks])
    key = np.concatenate([block.key.times() for block in blocks])
    return Cells(TimeBlock.of(key), rows, _together([block.sums for block in blocks]), counts)


def _together(pieces: Sequence[Sequence[Any]]) -> list[Any]:
    """Arrays of one list, each with those of the others behind it."""
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]


class EntitySums:
    """The cells of one entity as a list of blocks, ascending and apart; new ones mostly come at the end."""

    def __init__(self, blocks: Iterable[Cells] = ()) -> None:
        self.blocks = list(blocks)

    def add(self, cells: Cells) -> None:
        """Add cells with any keys."""
        if not self.blocks or cells.key.first > self.blocks[-1].key.last:
            self._coalesce(cells.key.count)
            self.blocks.append(cells)
            return
        # Every block takes the keys from its own first one up to the next block's.
        new = cells.keyed()
        cuts = np.searchsorted(new.key, [block.key.first for block in self.blocks[1:]])
        bounds = pairwise([0, *cuts.tolist(), len(new.key)])
        blocks: list[Cells] = []
        for block, (first, end) in zip(self.blocks, bounds, strict=True):
            if first == end:
                blocks.append(block)
                continue
            both = block.keyed().then(new.part(first, end)).ordered().summed()
            most = max(2 * BLOCK_TIMES, block.key.count)
            blocks += [both] if both.key.count <= most else _halves(both)
        self.blocks = blocks

    def times(self) -> Times:
        """The keys."""
        return Times(block.key for block in self.blocks)

    def cells(self) -> int:
        """How many keys there are."""
        return sum(block.key.count for block in self.blocks)

    def rows(self) -> int:
        """Input rows behind all keys."""
        return sum(block.key.count if block.rows is None else int(block.rows.sum()) for block in self.blocks)

    def taken(self) -> Iterator[Keyed]:
        """The cells block by block, ascending; they are let go of as they are taken."""
        blocks, self.blocks = self.blocks[::-1], []
        while blocks:
            yield blocks.pop().keyed()

    def _coalesce(self, coming: int) -> None:
        """The last small blocks become one before what comes would no longer fit in: few blocks, little copying."""
        keys = small = 0
        for block in reversed(self.blocks):
            if keys + block.key.count > BLOCK_TIMES:
                break
            keys += block.key.count
            small += 1
        if small > 1 and (keys + coming > BLOCK_TIMES or small >= _MOST_SMALL):
            self.blocks[-small:] = [joined(self.blocks[-small:])]


def _halves(cells: Cells) -> list[Cells]:
    whole = cells.keyed()
    middle = cells.key.count // 2
    return [whole.part(0, middle).summed(), whole.part(middle, cells.key.count).summed()]


class Accumulator:
    """Takes rows in any order.

    Long ascending pieces of one entity, the usual way of a log, are added up where they lie; other rows are gathered
    and sorted first. The rows of the last key wait for the next piece, so that sums do not depend on how a log in
    order comes in pieces.
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
        if len(key) >= _LONG_ROWS and _in_order(entity, key) and entity[0] == entity[-1]:
            self._add_in_order(int(entity[0]), key, columns)
        else:
            self._gather(entity, key, columns)

    def entities(self) -> dict[int, EntitySums]:
        """The sums of everything added so far, by entity code."""
        self._flush()
        self._key = self._key[:0]
        self._values = np.empty((self._width, 0))
        return self._sums

    def _gather(self, entity: I32, key: I64, columns: Sequence[F64]) -> None:
        """Put rows behind those that wait."""
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

    def _add_in_order(self, code: int, key: I64, columns: Sequence[F64]) -> None:
        """Add ascending rows of one entity, all but those of the last key."""
        first = int(np.searchsorted(key, key[0], side="right"))
        last = int(np.searchsorted(key, key[-1]))
        if last == len(key) - 1 and not (key[1:] == key[:-1]).any():
            last = len(key)  # each its own cell, with nothing to wait for
        begin = 0
        waits = self._waiting and self._entity[0] == code and (self._key[: self._waiting] == key[0]).all()
        if waits and first < len(key):
            self._gather(
                np.full(first, code, dtype=np.int32), key[:first], [column[:first] for column in columns]
            )
            begin = first
        if not waits or begin:
            self._flush()
        if last > begin:
            part = [column[begin:last] for column in columns]
            self._take(code, Keyed(key[begin:last], None, part, None).summed())
        rest = max(last, begin)
        entity = np.full(len(key) - rest, code, dtype=np.int32)
        self._gather(entity, key[rest:], [column[rest:] for column in columns])

    def _flush(self) -> None:
        """Add up the rows that wait."""
        count, self._waiting = self._waiting, 0
        if count == 0:
            return
        entity, key, sums = self._entity[:count], self._key[:count], self._values[:, :count]
        if not _in_order(entity, key):
            order = np.lexsort((key, entity))
            entity, key, sums = entity[order], key[order], sums[:, order]
        bounds = [0, *(np.flatnonzero(entity[1:] != entity[:-1]) + 1).tolist(), count]
        kept = False
        for first, end in pairwise(bounds):
            columns = [column[first:end] for column in sums]
            cells = Keyed(key[first:end], None, columns, None).summed()
            kept = kept or any(np.may_share_memory(column, self._values) for column in cells.sums)
            self._take(int(entity[first]), cells)
        if kept:  # the buffer is cells now, and the next rows need another
            self._key, self._values = np.empty(0, dtype=np.int64), np.empty((self._width, 0))

    def _take(self, code: int, cells: Cells) -> None:
        one = self._sums.setdefault(code, EntitySums())
        before = one.cells()
        one.add(cells)
        self.held += self._width * (one.cells() - before)


def _in_order(entity: I32, key: I64) -> bool:
    """Whether rows are in order of entity and key."""
    same = entity[1:] == entity[:-1]
    return bool(((entity[1:] > entity[:-1]) | (same & (key[1:] >= key[:-1]))).all())


def regrouped(one: EntitySums, cell_of: Callable[[I64], I64]) -> EntitySums:
    """The sums of an entity under coarser keys; what was summed before is let go of on the way.

    Args:
        one: the entity.
        cell_of: gives the new, ascending keys of ascending keys.
    """
    coarse = EntitySums()
    for piece in one.taken():
        coarse.add(replace(piece, key=cell_of(piece.key)).summed())
    return coarse


def without_sums(one: EntitySums) -> EntitySums:
    """Only the keys of an entity, and the rows behind them."""
    return EntitySums(Cells(block.key, block.rows, [], None) for block in one.blocks)
