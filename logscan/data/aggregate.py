"""How several values of one step become one: what can be asked for, and the sums behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logscan.data.grid import Cells
from logscan.data.suggest import require_columns
from logscan.errors import UsageError
from logscan.records import F64, I64, LogKind, TimeGrid

SAMPLES = ("mean", "last", "first", "min", "max", "sum", "count")
EVENTS = ("sum", "mean", "count", "distinct")


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What is asked for: how the columns become channels."""

    usual: str  # of columns that are not named
    named: dict[str, tuple[str, ...]]  # column -> its ways, in the order given

    def of(self, column: str) -> tuple[str, ...]:
        """The ways of one column; more than one gives as many channels."""
        return self.named.get(column, (self.usual,))

    def distinct(self) -> tuple[str, ...]:
        """The columns whose different values are counted."""
        return tuple(name for name, ways in self.named.items() if "distinct" in ways)


def aggregation(asked: Sequence[str], kind: LogKind, columns: Sequence[str]) -> Aggregation:
    """The aggregation of `--aggregate HOW` and `--aggregate COLUMN=HOW`.

    Args:
        asked: as given, each once or several times.
        kind: of the log; readings and events know different ways.
        columns: of the input, or the channels of a log in long format.

    Raises:
        UsageError: no such way for this kind of log, or no such column.
    """
    ways = SAMPLES if kind is LogKind.SAMPLES else EVENTS
    usual = ways[0]
    named: dict[str, list[str]] = {}
    for text in asked:
        column, equals, how = text.rpartition("=")
        how, column = how.strip().casefold(), column.strip()
        if how not in ways:
            raise UsageError(
                f"--aggregate {text}",
                f"'{how}' is no way to aggregate {kind.value}",
                f"use {', '.join(ways)}",
            )
        if not equals:
            if how == "distinct":
                fact = "'distinct' needs a column"
                raise UsageError(f"--aggregate {text}", fact, "write it like --aggregate customer=distinct")
            usual = how
            continue
        if columns:
            require_columns("--aggregate", [column], columns)
        if kind is LogKind.SAMPLES and column in named:
            fact = f"'{column}' is given twice"
            raise UsageError(f"--aggregate {text}", fact, "a reading is aggregated in one way")
        named.setdefault(column, []).append(how)
    return Aggregation(usual, {name: tuple(dict.fromkeys(found)) for name, found in named.items()})


def sample_values(cells: Cells, grid: TimeGrid, ways: Sequence[str]) -> F64:
    """(steps, channels) readings on the grid, NaN where there are none.

    Readings that share a time are one reading, their mean: a file that is imported twice changes nothing. What is
    aggregated over a step are these readings.

    Args:
        cells: of one channel group, ascending by time; exact times where a way is not `mean`.
        grid: that holds all of them.
        ways: (channels,) one of `SAMPLES` each.
    """
    index = grid.index(cells.key)
    values = np.full((grid.steps, len(ways)), np.nan)
    if len(index) == 0:
        return values
    starts = np.flatnonzero(np.r_[True, index[1:] != index[:-1]])
    simple = all(way not in ("sum", "count", "mean") for way in ways) or all(way == "mean" for way in ways)
    if len(starts) == len(index) and simple:
        values[index] = cells.means()
        return values
    means = cells.means()
    for position, way in enumerate(ways):
        found = _mean(cells, position, starts) if way == "mean" else _way(means[:, position], starts, way)
        values[index[starts], position] = found
    return values


def _mean(cells: Cells, position: int, starts: I64) -> F64:
    """(groups,) mean of all finite readings of each group, those that share a time each for itself."""
    sums = np.add.reduceat(cells.totals()[:, position], starts)
    if cells.counts is None:
        counts = np.add.reduceat(np.isfinite(cells.sums[:, position]).astype(np.int64), starts)
    else:
        counts = np.add.reduceat(cells.counts[:, position].astype(np.int64), starts)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _way(column: F64, starts: I64, way: str) -> F64:
    """(groups,) one value of each group of readings, NaN where it has none."""
    known = np.isfinite(column)
    counts = np.add.reduceat(known.astype(np.int64), starts)
    if way == "count":
        return counts.astype(np.float64)
    if way == "sum":
        found = np.add.reduceat(np.where(known, column, 0.0), starts)
    elif way == "min":
        found = np.minimum.reduceat(np.where(known, column, np.inf), starts)
    elif way == "max":
        found = np.maximum.reduceat(np.where(known, column, -np.inf), starts)
    else:
        rows = np.arange(len(column))
        if way == "last":
            place = np.maximum.reduceat(np.where(known, rows, -1), starts)
        else:
            place = np.minimum.reduceat(np.where(known, rows, len(column)), starts)
        found = column[np.clip(place, 0, len(column) - 1)]
    return np.where(counts > 0, found, np.nan)


def event_values(cells: Cells, grid: TimeGrid, ways: Sequence[Sequence[str]], *, counted: bool) -> F64:
    """(steps, channels) what happened in every step: 0 where nothing did, NaN for a mean of nothing.

    Args:
        cells: of one group of rows, ascending by time.
        grid: that holds all of them.
        ways: (columns,) those of `EVENTS` that are asked for each; `distinct` is left out here.
        counted: whether the number of rows comes first.
    """
    index = (cells.key - grid.start) // grid.step
    starts = np.flatnonzero(np.r_[True, index[1:] != index[:-1]]) if len(index) else index
    width = counted + sum(way != "distinct" for found in ways for way in found)
    values = np.zeros((grid.steps, width))
    place = 0
    if counted:
        if len(index):
            values[index[starts], 0] = np.add.reduceat(cells.rows, starts)
        place = 1
    totals = cells.totals()
    counts = np.isfinite(cells.sums).astype(np.int64) if cells.counts is None else cells.counts
    for position, found in enumerate(ways):
        for way in found:
            if way == "distinct":
                continue
            if way == "mean":
                values[:, place] = np.nan
            if len(index):
                total = np.add.reduceat(totals[:, position], starts)
                number = np.add.reduceat(counts[:, position].astype(np.int64), starts)
                mean = np.where(number > 0, total / np.maximum(number, 1), np.nan)
                values[index[starts], place] = {"sum": total, "mean": mean, "count": number}[way]
            place += 1
    return values
