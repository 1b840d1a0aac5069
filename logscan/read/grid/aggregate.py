"""From sums to channels: the values of every step, aggregated as the plan says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logscan.read.grid.bins import Bins
from logscan.read.grid.sums import EntitySums, on_steps, rows_of, within
from logscan.records import F64, I64, TimeGrid


def readings(mine: EntitySums, low: int, high: int, grid: TimeGrid, used: Sequence[tuple[int, str]]) -> F64:
    """(steps, channels) readings on the grid, each channel in its own way; NaN where there are none.

    Readings that share a time are one reading, their mean: a file that is imported twice changes nothing. What is
    aggregated over a step are these readings (by `mean`, all rows). The bins are let go of on the way.

    Args:
        mine: of one group of rows; exact times where a way is not `mean`.
        low: first key that lies on the grid.
        high: last key that does.
        grid: of the entity.
        used: position in the sums and way, one of `READING_WAYS`, of every channel.
    """
    values = np.full((grid.steps, len(used)), np.nan)
    if all(way == "mean" for _, way in used):
        for bins in on_steps(mine, low, high, grid, events=False):
            rows = rows_of(bins)
            for channel, (position, _) in enumerate(used):
                values[rows, channel] = bins.means(position)
        return values
    blocks = [part for block in mine.taken() for part in within(block, low, high)]
    if not blocks:
        return values
    key = np.concatenate([block.key for block in blocks])
    index = grid.index(key)
    starts = np.flatnonzero(np.r_[True, index[1:] != index[:-1]])
    summed = [block.summed() for block in blocks]
    for channel, (position, way) in enumerate(used):
        means = np.concatenate([one.means(position) for one in summed])
        weights = None
        if way == "mean":
            weights = np.concatenate([_reading_counts(one, position) for one in summed])
        values[index[starts], channel] = _way(means, starts, way, weights)
    return values


def _reading_counts(bins: Bins, position: int) -> I64:
    """(keys,) readings behind each bin of a channel."""
    if bins.counts is not None:
        return bins.counts[position].astype(np.int64)
    return np.where(np.isfinite(bins.sums[position]), bins.row_counts(), 0)


def _way(column: F64, starts: I64, way: str, weights: I64 | None) -> F64:
    """(groups,) one value of each group of readings, NaN where it has none; a mean is weighed by rows."""
    known = np.isfinite(column)
    if way == "count":
        return np.add.reduceat(known, starts, dtype=np.float64)
    if way == "mean":
        assert weights is not None
        total = np.add.reduceat(np.where(known, column, 0.0) * weights, starts)
        number = np.add.reduceat(weights, starts)
        return np.where(number > 0, total / np.maximum(number, 1), np.nan)
    if way == "sum":
        found = np.add.reduceat(np.where(known, column, 0.0), starts)
    elif way == "min":
        found = np.minimum.reduceat(np.where(known, column, np.inf), starts)
    elif way == "max":
        found = np.maximum.reduceat(np.where(known, column, -np.inf), starts)
    else:
        rows = np.arange(len(column))
        if way == "last":
            row = np.maximum.reduceat(np.where(known, rows, -1), starts)
        else:
            row = np.minimum.reduceat(np.where(known, rows, len(column)), starts)
        found = column[np.clip(row, 0, len(column) - 1)]
    return np.where(np.logical_or.reduceat(known, starts), found, np.nan)


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened in every step: rows, and per column sums and numbers."""

    rows: F64  # (steps,)
    sums: F64  # (steps, columns), 0 where nothing happened
    numbers: F64  # (steps, columns)

    @staticmethod
    def nothing(steps: int, columns: int) -> Happened:
        """An empty log."""
        return Happened(np.zeros(steps), np.zeros((steps, columns)), np.zeros((steps, columns)))

    def add(self, mine: EntitySums, low: int, high: int, grid: TimeGrid, used: Sequence[int]) -> None:
        """Add a group of rows; its bins are let go of. Arguments as in `readings`."""
        for bins in on_steps(mine, low, high, grid, events=True):
            rows = rows_of(bins)
            self.rows[rows] += bins.row_counts()
            for channel, position in enumerate(used):
                self.sums[rows, channel] += np.nan_to_num(bins.sums[position], nan=0.0)
                self.numbers[rows, channel] += _reading_counts(bins, position)

    def channels(self, ways: Sequence[Sequence[str]], *, counted: bool) -> list[F64]:
        """The channels, (steps,) each: rows if they are counted, then the ways of every column but `distinct`."""
        found = [self.rows] if counted else []
        for channel, mine in enumerate(ways):
            total, number = self.sums[:, channel], self.numbers[:, channel]
            mean = np.where(number > 0, total / np.maximum(number, 1), np.nan)  # of nothing: missing, not 0
            made = {"sum": total, "mean": mean, "count": number}
            found += [made[way] for way in mine if way != "distinct"]
        return found
