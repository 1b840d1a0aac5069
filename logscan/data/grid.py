"""Rows on one regular time grid per entity: growable sums, and the step by evidence. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from logscan.records import F64, I64, TimeKind

I32 = npt.NDArray[np.int32]

MINUTE_NS = 60_000_000_000
EVENT_STEPS_NS = tuple(minutes * MINUTE_NS for minutes in (1, 5, 10, 15, 30, 60, 120, 360, 1440))
_EVENT_ROWS_PER_STEP = 10
_BUFFER_CELLS = 16_000_000
_BUFFER_ROWS = 2_000_000
_NICE_NS = tuple(
    count * unit
    for unit, counts in (
        (1_000_000, (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125, 200, 250, 500)),
        (1_000_000_000, (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
        (MINUTE_NS, (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
        (60 * MINUTE_NS, (1, 2, 3, 4, 6, 8, 12, 24, 168)),
    )
    for count in counts
)


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums per (entity, key), sorted, each pair once."""

    entity: I32  # (pairs,)
    key: I64  # (pairs,)
    rows: I64  # (pairs,) input rows behind each pair
    sums: F64  # (pairs, width); with `counts` None the readings themselves, NaN where missing
    counts: I32 | None  # (pairs, width) finite readings; None: one row per pair

    def means(self) -> F64:
        """(pairs, width) mean of the finite readings, NaN where there were none."""
        if self.counts is None:
            return self.sums
        with np.errstate(invalid="ignore"):
            return np.where(self.counts > 0, self.sums / np.maximum(self.counts, 1), np.nan)

    def totals(self) -> F64:
        """(pairs, width) sum of the finite readings, 0 where there were none."""
        return np.nan_to_num(self.sums, nan=0.0) if self.counts is None else self.sums


class Accumulator:
    """Grows by rows in any order; memory grows with the distinct (entity, key) pairs, not with the rows."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._parts: list[Cells] = []
        self._pending_rows = 0
        self._merged_rows = 0

    def add(self, entity: I32, key: I64, values: F64) -> None:
        """Add rows.

        Args:
            entity: (rows,) entity codes.
            key: (rows,) times or grid cells.
            values: (rows, width), NaN where missing.
        """
        if len(key) == 0:
            return
        self._parts.append(Cells(entity, key, np.ones(len(key), dtype=np.int64), values, None))
        self._pending_rows += len(key)
        limit = min(_BUFFER_ROWS, _BUFFER_CELLS // max(self._width, 1))
        if self._pending_rows > max(limit, self._merged_rows):
            self._merge()

    def cells(self) -> Cells:
        """Everything added so far."""
        self._merge()
        if not self._parts:
            empty = np.empty(0, dtype=np.int64)
            return Cells(empty.astype(np.int32), empty, empty, np.empty((0, self._width)), None)
        return self._parts[0]

    def _merge(self) -> None:
        if self._pending_rows:
            parts, self._parts = self._parts, []
            whole = merged(parts)
            self._parts = [whole]
            self._merged_rows, self._pending_rows = len(whole.key), 0


def merged(parts: list[Cells]) -> Cells:
    """Parts as one, sorted, pairs summed."""
    entity = np.concatenate([part.entity for part in parts])
    key = np.concatenate([part.key for part in parts])
    rows = np.concatenate([part.rows for part in parts])
    sums = np.concatenate([part.sums for part in parts])
    single = all(part.counts is None for part in parts)
    same = entity[1:] == entity[:-1]
    ascending = (entity[1:] > entity[:-1]) | (same & (key[1:] >= key[:-1]))
    order = None if ascending.all() else np.lexsort((key, entity))
    if order is not None:
        entity, key, rows, sums = entity[order], key[order], rows[order], sums[order]
    new = np.ones(len(key), dtype=np.bool_)
    new[1:] = (entity[1:] != entity[:-1]) | (key[1:] != key[:-1])
    if single and new.all():
        return Cells(entity, key, rows, sums, None)
    counts = np.concatenate(
        [np.isfinite(part.sums).astype(np.int32) if part.counts is None else part.counts for part in parts]
    )
    if order is not None:
        counts = counts[order]
    starts = np.flatnonzero(new)
    np.nan_to_num(sums, copy=False, nan=0.0)
    return Cells(
        entity[starts],
        key[starts],
        np.add.reduceat(rows, starts),
        np.add.reduceat(sums, starts, axis=0),
        np.add.reduceat(counts, starts, axis=0),
    )


def sample_step(cells: Cells, kind: TimeKind) -> int:
    """The usual distance of neighbouring readings within an entity.

    The most frequent distance where it is common (gaps and duplicates do not move it), else the
    median (jitter), snapped to a round duration within 3 %.

    Args:
        cells: with exact times as keys.
        kind: what the keys are.

    Returns:
        Step in ns or integer units; 1 where there are no two distinct times.
    """
    distance = np.diff(cells.key)[cells.entity[1:] == cells.entity[:-1]]
    if len(distance) == 0:
        return 1_000_000_000 if kind is TimeKind.TIMESTAMP else 1
    values, counts = np.unique(distance, return_counts=True)
    most = int(np.argmax(counts))
    if counts[most] >= 0.3 * len(distance):
        return int(values[most])
    middle = max(int(np.median(distance)), 1)
    if kind is TimeKind.TIMESTAMP:
        nearest = min(_NICE_NS, key=lambda nice: abs(nice - middle))
        if abs(nearest - middle) <= 0.03 * nearest:
            return nearest
    return middle


def event_step(cells: Cells, kind: TimeKind) -> int:
    """The shortest round interval that holds ten rows on average (all entities, each over its own span)."""
    bounds = np.r_[np.flatnonzero(np.r_[True, cells.entity[1:] != cells.entity[:-1]]), len(cells.key)]
    span = inner_rows = 0
    for first, end in pairwise(bounds.tolist()):
        upto = np.cumsum(cells.rows[first:end])
        total = int(upto[-1])
        # A wrong date far away must not stretch the span: a thousandth of the rows is cut off at both ends.
        cut = max(total // 1000, 1) if total >= 20 else 0
        low, high = np.searchsorted(upto, [cut, total - cut - 1], side="right")
        span += int(cells.key[first + min(high, end - first - 1)] - cells.key[first + low])
        inner_rows += total - 2 * cut
    per_row = max(span, 1) / max(inner_rows, 1)
    if kind is TimeKind.TIMESTAMP:
        steps: tuple[int, ...] = EVENT_STEPS_NS
    else:
        steps = tuple(count * 10**power for power in range(12) for count in (1, 2, 5))
    return next((step for step in steps if step >= _EVENT_ROWS_PER_STEP * per_row), steps[-1])


def grid_phase(times: I64, step: int) -> int:
    """Where the grid's steps lie, 0 <= phase < step: on the readings if most agree, else on round times."""
    if len(times) == 0 or step <= 1:
        return 0
    phases, counts = np.unique(times % step, return_counts=True)
    return int(phases[np.argmax(counts)]) if counts.max() >= 0.5 * len(times) else 0


def far_rows(key: I64, rows: I64) -> tuple[int, int] | Literal["too long"]:
    """Which pairs of one entity lie on a grid of reasonable length.

    Args:
        key: (pairs,) ascending cells of one entity's grid.
        rows: (pairs,) input rows behind them.

    Returns:
        The half-open range of pairs to keep; `too long` where more than 0.1 % of the rows (or one
        row of at least 20) would have to go.
    """
    total = int(rows.sum())
    allowed = max(total // 1000, 1 if total >= 20 else 0)
    limit = max(50 * total, 1_000_000)
    first, last, dropped = 0, len(key) - 1, 0

    def lonely() -> bool:
        """Whether an end pair lies further out than ten times what is left."""
        span = int(key[last - 1] - key[first]) if right else int(key[last] - key[first + 1])
        gap = int(key[last] - key[last - 1]) if right else int(key[first + 1] - key[first])
        return gap > max(10 * span, 50 * total, 100_000)

    while last > first:
        right = key[last] - key[last - 1] >= key[first + 1] - key[first]
        end = last if right else first
        fits = dropped + int(rows[end]) <= allowed
        if key[last] - key[first] >= limit:
            if not fits:
                return "too long"
        elif not (fits and lonely()):
            break
        dropped += int(rows[end])
        first, last = (first, last - 1) if right else (first + 1, last)
    return first, last + 1
