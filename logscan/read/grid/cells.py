"""Sums of rows that share a key: as they come, and added up. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from logscan.read.grid.runs import Runs
from logscan.records import F64, I64
from logscan.times import TimeBlock

I32 = npt.NDArray[np.int32]


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
        return Keyed(self.key.times(), self.rows, self.sums, self.counts)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Rows or cells of one entity in ascending order of keys, which may repeat.

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
        if self.counts is not None or other.counts is not None:
            counts = _paired(self._reading_counts(), other._reading_counts())
        return Keyed(np.concatenate([self.key, other.key]), rows, _paired(self.sums, other.sums), counts)

    def summed(self) -> Cells:
        """What has the same key added up."""
        return self.added_up(Runs.of(self.key))

    def added_up(self, runs: Runs) -> Cells:
        """The runs of keys added up."""
        if runs.starts is None:
            return Cells(TimeBlock.of(runs.key), self.rows, self.sums, self.counts)
        added = runs.adder()
        rows = runs.lengths() if self.rows is None else added(self.rows)
        totals = [added(column) for column in self.sums]
        counts: list[I32] | None = None
        if self.counts is not None or any(np.isnan(total).any() for total in totals):
            counts = [added(self._known(position)) for position in range(len(totals))]
            totals = [added(np.nan_to_num(column, nan=0.0)) for column in self.sums]
            for total, count in zip(totals, counts, strict=True):
                total[count == 0] = np.nan
            if all(((count == rows) | (count == 0)).all() for count in counts):
                counts = None
        return Cells(TimeBlock.of(runs.key), rows, totals, counts)

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
