"""Time bins: sums of rows that share a key, as the rows come and added up.

A bin is an interval of time, or one exact time. Its key is an integer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from logscan.records import F64, I64
from logscan.times import TimeBlock

I32 = npt.NDArray[np.int32]
# From so many rows per bin on, a search for the edges of bins is quicker than a key for every row.
_ROWS_PER_EDGE = 16
Numbers = npt.NDArray[Any]
_FEW_ROWS = 8  # numpy adds up to seven numbers to a first one from left to right


@dataclass(frozen=True, slots=True)
class Segments:
    """Rows in ascending order of keys, as segments that share a key.

    Attributes:
        key: (segments,) int64 ascending, each once.
        starts: (segments,) int64, the first row of each; `None`: every row is a segment.
        rows: how many rows there are, at least one.
    """

    key: I64
    starts: I64 | None
    rows: int

    @staticmethod
    def of(keys: I64) -> Segments:
        """The segments of (rows,) ascending keys, which may repeat."""
        new = keys[1:] != keys[:-1]
        if new.all():
            return Segments(keys, None, len(keys))
        starts = np.flatnonzero(np.concatenate([[True], new]))
        return Segments(keys[starts], starts, len(keys))

    def lengths(self) -> I64:
        """(segments,) int64, the rows of each."""
        if self.starts is None:
            return np.ones(self.rows, dtype=np.int64)
        return np.diff(self.starts, append=self.rows)

    def adder(self) -> Callable[[Numbers], Numbers]:
        """A function that adds up (rows,) numbers over each segment, to (segments,)."""
        starts = self.starts
        if starts is None:
            return lambda column: column
        length = self.rows // len(self.key)
        if (
            1 < length <= _FEW_ROWS
            and length * len(self.key) == self.rows
            and (np.diff(starts) == length).all()
        ):
            return lambda column: _in_strides(column, length)
        return lambda column: np.add.reduceat(column, starts)

    def start(self, segment: int) -> int:
        """The first row of a segment; the end of the rows for the segment behind the last."""
        if segment == len(self.key):
            return self.rows
        return segment if self.starts is None else int(self.starts[segment])

    def part(self, first: int, end: int) -> Segments:
        """A half-open range of the segments, not empty; rows are counted from its own first one."""
        begin = self.start(first)
        starts = None if self.starts is None else self.starts[first:end] - begin
        return Segments(self.key[first:end], starts, self.start(end) - begin)


def _in_strides(column: Numbers, length: int) -> Numbers:
    """Sums of every `length` numbers, four times as fast as by `reduceat` if they are few.

    In the same order, the first number last, so that sums do not depend on the way.
    """
    rows = column.reshape(-1, length).T
    total: Numbers = rows[1] + rows[2] if length > 2 else rows[1].copy()
    for row in rows[3:]:
        total += row
    total += rows[0]
    return total


@dataclass(frozen=True, slots=True)
class KeyGrid:
    """Bins of time: a key stands for `[key - ahead, key - ahead + step)`.

    Attributes:
        step: length of a bin; 1: every time is its own key.
        phase: one of the keys.
        ahead: how far a bin begins before its key.
    """

    step: int
    phase: int
    ahead: int

    def keys(self, times: I64) -> I64:
        """(rows,) int64, the key of each time."""
        if self.step == 1:
            return times
        return (times - self.phase + self.ahead) // self.step * self.step + self.phase

    def segments(self, times: I64) -> Segments:
        """The segments of (rows,) ascending times, at least one."""
        if self.step == 1:
            return Segments.of(times)
        first, last = self.keys(times[[0, -1]]).tolist()
        bins = (last - first) // self.step + 1
        if bins * _ROWS_PER_EDGE > len(times):
            return Segments.of(self.keys(times))
        keys = first + self.step * np.arange(bins)
        starts = np.searchsorted(times, keys - self.ahead)
        filled = np.diff(starts, append=len(times)) > 0
        return Segments(keys[filled], starts[filled], len(times))


EVERY_TIME = KeyGrid(1, 0, 0)


@dataclass(frozen=True, slots=True)
class Bins:
    """Sums of one entity per bin; keys ascending, each once.

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

    def unpacked(self) -> KeyedRows:
        """The same with keys unpacked."""
        return KeyedRows(self.key.times(), self.rows, self.sums, self.counts)


@dataclass(frozen=True, slots=True)
class KeyedRows:
    """Rows or bins of one entity in ascending order of keys, which may repeat.

    Attributes:
        key: (keys,) int64.
        rows: (keys,) int64, input rows behind each; `None`: one each.
        sums: of each channel (keys,) float64, NaN where there is no reading.
        counts: of each channel (keys,) int32, readings behind each sum; `None`: where it is finite, as many as rows.
    """

    key: I64
    rows: I64 | None
    sums: list[F64]
    counts: list[I32] | None

    def part(self, first: int, end: int) -> KeyedRows:
        """A half-open range of the keys."""
        return self._each(lambda values: values[first:end])

    def ordered(self) -> KeyedRows:
        """In ascending order of keys; rows of the same key stay in their order."""
        if (self.key[1:] >= self.key[:-1]).all():
            return self
        order = np.argsort(self.key, kind="stable")
        return self._each(lambda values: values[order])

    def then(self, other: KeyedRows) -> KeyedRows:
        """Both, one behind the other; the caller answers for the order of keys."""
        rows = counts = None
        if self.rows is not None or other.rows is not None:
            rows = np.concatenate([self._row_counts(), other._row_counts()])
        if self.counts is not None or other.counts is not None:
            counts = _paired(self._reading_counts(), other._reading_counts())
        return KeyedRows(np.concatenate([self.key, other.key]), rows, _paired(self.sums, other.sums), counts)

    def summed(self) -> Bins:
        """The bins: rows of the same key added up."""
        return self.summed_by(Segments.of(self.key))

    def summed_by(self, segments: Segments) -> Bins:
        """The bins: each segment added up."""
        if segments.starts is None:
            return Bins(TimeBlock.of(segments.key), self.rows, self.sums, self.counts)
        added = segments.adder()
        rows = segments.lengths() if self.rows is None else added(self.rows)
        totals = [added(column) for column in self.sums]
        counts: list[I32] | None = None
        if self.counts is not None or any(np.isnan(total).any() for total in totals):
            counts = [added(self._known(position)) for position in range(len(totals))]
            totals = [added(np.nan_to_num(column, nan=0.0)) for column in self.sums]
            for total, count in zip(totals, counts, strict=True):
                total[count == 0] = np.nan
            if all(((count == rows) | (count == 0)).all() for count in counts):
                counts = None
        return Bins(TimeBlock.of(segments.key), rows, totals, counts)

    def _each(self, change: Callable[[Any], Any]) -> KeyedRows:
        return KeyedRows(
            change(self.key),
            None if self.rows is None else change(self.rows),
            [change(total) for total in self.sums],
            None if self.counts is None else [change(count) for count in self.counts],
        )

    def _row_counts(self) -> I64:
        return np.ones(len(self.key), dtype=np.int64) if self.rows is None else self.rows

    def _reading_counts(self) -> list[I32]:
        return [self._known(position) for position in range(len(self.sums))]

    def _known(self, position: int) -> I32:
        """(keys,) int32, readings behind the sums of a channel."""
        if self.counts is not None:
            return self.counts[position]
        known = np.isfinite(self.sums[position])
        return known.astype(np.int32) if self.rows is None else np.where(known, self.rows, 0).astype(np.int32)


def _paired(first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
    """Arrays of one list, each with that of another behind it."""
    return [np.concatenate(pair) for pair in zip(first, second, strict=True)]


def joined(blocks: Sequence[Bins]) -> Bins:
    """Blocks of bins of one entity as one block; they ascend and do not overlap."""
    rows = None
    if any(block.rows is not None for block in blocks):
        rows = np.concatenate([block.row_counts() for block in blocks])
    counts = None
    if any(block.counts is not None for block in blocks):
        counts = _together([block.reading_counts() for block in blocks])
    key = np.concatenate([block.key.times() for block in blocks])
    return Bins(TimeBlock.of(key), rows, _together([block.sums for block in blocks]), counts)


def _together(pieces: Sequence[Sequence[Any]]) -> list[Any]:
    """Arrays of one list, each with those of the others behind it."""
    return [np.concatenate(parts) for parts in zip(*pieces, strict=True)]
