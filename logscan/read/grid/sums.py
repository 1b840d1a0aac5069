"""Growable sums per entity and time bin: memory grows with the distinct pairs, not with the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from logscan.read.grid.bins import I32, Bins, KeyedRows, KeyGrid, Segments, joined
from logscan.records import F64, I64, TimeGrid
from logscan.times import BLOCK_TIMES, Times

_BUFFER_VALUES = 1 << 22
_MOST_BUFFER_ROWS, _FEWEST_BUFFER_ROWS = 1 << 19, 1 << 12
_LONG_ROWS = 1 << 11
_LARGE_KEYS = 1 << 13  # of a block that is not worth copying
_MOST_SMALL = 32  # blocks of an entity that wait to become one


class EntitySums:
    """The bins of one entity: blocks that ascend and do not overlap; new bins mostly come at the end."""

    def __init__(self, blocks: Iterable[Bins] = ()) -> None:
        self.blocks = list(blocks)
        self.bins = sum(block.key.count for block in self.blocks)  # how many keys there are

    def add(self, bins: Bins) -> None:
        """Add bins with any keys."""
        if not self.blocks or bins.key.first > self.blocks[-1].key.last:
            self._coalesce(bins.key.count)
            self.blocks.append(bins)
            self.bins += bins.key.count
            return
        # Every block takes the keys from its own first one up to the next block's.
        new = bins.unpacked()
        cuts = np.searchsorted(new.key, [block.key.first for block in self.blocks[1:]])
        bounds = pairwise([0, *cuts.tolist(), len(new.key)])
        blocks: list[Bins] = []
        for block, (first, end) in zip(self.blocks, bounds, strict=True):
            if first == end:
                blocks.append(block)
                continue
            both = block.unpacked().then(new.part(first, end)).ordered().summed()
            most = max(2 * BLOCK_TIMES, block.key.count)
            blocks += [both] if both.key.count <= most else _halves(both)
        self.blocks = blocks
        self.bins = sum(block.key.count for block in blocks)

    def times(self) -> Times:
        """The keys."""
        return Times(block.key for block in self.blocks)

    def rows(self) -> int:
        """Input rows behind all keys."""
        return sum(block.key.count if block.rows is None else int(block.rows.sum()) for block in self.blocks)

    def taken(self) -> Iterator[KeyedRows]:
        """The bins block by block, ascending; they are let go of as they are taken."""
        blocks, self.blocks, self.bins = self.blocks[::-1], [], 0
        while blocks:
            yield blocks.pop().unpacked()

    def _coalesce(self, coming: int) -> None:
        """Join the last small blocks before the coming bins no longer fit in: few blocks, little copying."""
        keys = small = 0
        for block in reversed(self.blocks):
            if block.key.count >= _LARGE_KEYS or keys + block.key.count > BLOCK_TIMES:
                break
            keys += block.key.count
            small += 1
        if small > 1 and (keys + coming > BLOCK_TIMES or small >= _MOST_SMALL):
            self.blocks[-small:] = [joined(self.blocks[-small:])]


def _halves(bins: Bins) -> list[Bins]:
    whole = bins.unpacked()
    middle = bins.key.count // 2
    return [whole.part(0, middle).summed(), whole.part(middle, bins.key.count).summed()]


class Accumulator:
    """Takes rows in any order.

    Long ascending pieces of one entity, the usual way of a log, are added up where they lie; other rows are gathered
    and sorted first. The rows of the last key wait for the next piece, so that sums do not depend on how a log in
    order comes in pieces.
    """

    def __init__(self, width: int, sums: dict[int, EntitySums] | None = None) -> None:
        """Begin with nothing, or with the sums of rows that were added before."""
        self._width = width
        rows = _BUFFER_VALUES // max(width, 1)
        self._capacity = min(max(rows, _FEWEST_BUFFER_ROWS), _MOST_BUFFER_ROWS)
        self._entity = np.empty(0, dtype=np.int32)
        self._key = np.empty(0, dtype=np.int64)
        self._values = np.empty((width, 0))
        self._waiting = 0
        self._sums = {} if sums is None else sums
        self.held = width * sum(one.bins for one in self._sums.values())  # numbers, beside rows that wait

    def add(self, entity: I32, key: I64, columns: Sequence[F64]) -> None:
        """Add rows.

        Args:
            entity: (rows,) entity codes.
            key: (rows,) keys of bins.
            columns: of each channel (rows,) float64, NaN where missing.
        """
        if len(key) >= _LONG_ROWS and _in_order(entity, key) and entity[0] == entity[-1]:
            self._add_segments(int(entity[0]), Segments.of(key), columns)
        else:
            self._gather(entity, key, columns)

    def add_ascending(self, code: int, times: I64, grid: KeyGrid, columns: Sequence[F64]) -> None:
        """Add rows of one entity that are known to ascend; their keys are those of a grid.

        Args:
            code: of the entity.
            times: (rows,) ascending, at least one.
            grid: of the keys.
            columns: of each channel (rows,) float64, NaN where missing.
        """
        if len(times) >= _LONG_ROWS:
            self._add_segments(code, grid.segments(times), columns)
        else:
            self._gather(np.full(len(times), code, dtype=np.int32), grid.keys(times), columns)

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

    def _add_segments(self, code: int, segments: Segments, columns: Sequence[F64]) -> None:
        """Add ascending rows of one entity, all but those of the last key."""
        first, last = 0, len(segments.key) - 1
        if segments.starts is None:
            last += 1  # each its own bin, with nothing to wait for
        waits = (
            self._waiting
            and self._entity[0] == code
            and (self._key[: self._waiting] == segments.key[0]).all()
        )
        if waits and len(segments.key) > 1:
            self._gather_segments(code, segments, 0, 1, columns)
            first = 1
        if not waits or first:
            self._flush()
        if first < last:
            begin, end = segments.start(first), segments.start(last)
            part = segments.part(first, last)
            self._take(
                code,
                KeyedRows(part.key, None, [column[begin:end] for column in columns], None).summed_by(part),
            )
        self._gather_segments(code, segments, max(first, last), len(segments.key), columns)

    def _gather_segments(
        self, code: int, segments: Segments, first: int, end: int, columns: Sequence[F64]
    ) -> None:
        """Put at most one segment behind the rows that wait."""
        if first == end:
            return
        here = slice(segments.start(first), segments.start(end))
        rows = here.stop - here.start
        entity, key = np.full(rows, code, dtype=np.int32), np.full(rows, segments.key[first])
        self._gather(entity, key, [column[here] for column in columns])

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
            bins = KeyedRows(key[first:end], None, columns, None).summed()
            kept = kept or any(np.may_share_memory(column, self._values) for column in bins.sums)
            self._take(int(entity[first]), bins)
        if kept:  # the buffer is bins now, and the next rows need another
            self._key, self._values = np.empty(0, dtype=np.int64), np.empty((self._width, 0))

    def _take(self, code: int, bins: Bins) -> None:
        one = self._sums.setdefault(code, EntitySums())
        before = one.bins
        one.add(bins)
        self.held += self._width * (one.bins - before)


def _in_order(entity: I32, key: I64) -> bool:
    """Whether rows are in order of entity and key."""
    same = entity[1:] == entity[:-1]
    return bool(((entity[1:] > entity[:-1]) | (same & (key[1:] >= key[:-1]))).all())


def regrouped(one: EntitySums, key_of: Callable[[I64], I64]) -> EntitySums:
    """The sums of an entity under coarser keys; what was summed before is let go of on the way.

    Args:
        one: the entity.
        key_of: gives the new, ascending keys of ascending keys.
    """
    coarse = EntitySums()
    for piece in one.taken():
        coarse.add(replace(piece, key=key_of(piece.key)).summed())
    return coarse


def without_sums(one: EntitySums) -> EntitySums:
    """Only the keys of an entity, and the rows behind them."""
    return EntitySums(Bins(block.key, block.rows, [], None) for block in one.blocks)


def on_steps(mine: EntitySums, low: int, high: int, grid: TimeGrid, *, events: bool) -> Iterator[Bins]:
    """The bins between two keys, added up per step: steps are their keys.

    The last step of a piece waits for the next piece, so that the sums do not depend on where pieces end. The
    bins of the entity are let go of on the way.
    """
    held: KeyedRows | None = None
    for block in mine.taken():
        piece = next(within(block, low, high), None)
        if piece is None:
            continue
        step = (piece.key - grid.start) // grid.step if events else grid.index(piece.key)
        piece = replace(piece, key=step)
        if held is not None and held.key[-1] == piece.key[0]:
            piece = held.then(piece)
        elif held is not None:
            yield held.summed()
        last = int(np.searchsorted(piece.key, piece.key[-1]))
        if last:
            yield piece.part(0, last).summed()
        held = piece.part(last, len(piece.key))
    if held is not None:
        yield held.summed()


def rows_of(bins: Bins) -> slice | I64:
    """The steps of bins, which are their keys, for an assignment; a slice where none is left out."""
    first, last = bins.key.first, bins.key.last
    return slice(first, last + 1) if last - first + 1 == bins.key.count else bins.key.times()


def within(block: KeyedRows, low: int, high: int) -> Iterator[KeyedRows]:
    """The part of a block between two keys, both included; nothing where there is none."""
    first, end = (int(index) for index in np.searchsorted(block.key, [low, high + 1]))
    if first < end:
        yield block.part(first, end)
