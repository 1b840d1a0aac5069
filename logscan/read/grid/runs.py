"""Rows in ascending order of time, as runs that share a key. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from logscan.records import I64

_ROWS_PER_EDGE = (
    16  # from so many rows in a cell on, looking for its edges is quicker than a key for every row
)
Numbers = npt.NDArray[Any]
_FEW_ROWS = 8  # numpy adds up to seven numbers to a first one from left to right


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows whose keys ascend.

    Attributes:
        key: (runs,) int64 ascending, each once.
        starts: (runs,) int64, the first row of each; `None`: every row is a run.
        rows: how many rows there are, at least one.
    """

    key: I64
    starts: I64 | None
    rows: int

    @staticmethod
    def of(keys: I64) -> Runs:
        """The runs of (rows,) ascending keys, which may repeat."""
        new = keys[1:] != keys[:-1]
        if new.all():
            return Runs(keys, None, len(keys))
        starts = np.flatnonzero(np.concatenate([[True], new]))
        return Runs(keys[starts], starts, len(keys))

    def lengths(self) -> I64:
        """(runs,) int64, the rows of each."""
        if self.starts is None:
            return np.ones(self.rows, dtype=np.int64)
        return np.diff(self.starts, append=self.rows)

    def adder(self) -> Callable[[Numbers], Numbers]:
        """What adds up (rows,) numbers over each run, to (runs,)."""
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

    def start(self, run: int) -> int:
        """The first row of a run; the end of the rows for the run behind the last."""
        if run == len(self.key):
            return self.rows
        return run if self.starts is None else int(self.starts[run])

    def part(self, first: int, end: int) -> Runs:
        """A half-open range of the runs, not empty; rows are counted from its own first one."""
        begin = self.start(first)
        starts = None if self.starts is None else self.starts[first:end] - begin
        return Runs(self.key[first:end], starts, self.start(end) - begin)


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
    """Cells of time: a key stands for `[key - ahead, key - ahead + step)`.

    Attributes:
        step: length of a cell; 1: every time is its own key.
        phase: one of the keys.
        ahead: how far a cell begins before its key.
    """

    step: int
    phase: int
    ahead: int

    def keys(self, times: I64) -> I64:
        """(rows,) int64, the key of each time."""
        if self.step == 1:
            return times
        return (times - self.phase + self.ahead) // self.step * self.step + self.phase

    def runs(self, times: I64) -> Runs:
        """The runs of (rows,) ascending times, at least one."""
        if self.step == 1:
            return Runs.of(times)
        first, last = self.keys(times[[0, -1]]).tolist()
        cells = (last - first) // self.step + 1
        if cells * _ROWS_PER_EDGE > len(times):
            return Runs.of(self.keys(times))
        keys = first + self.step * np.arange(cells)
        starts = np.searchsorted(times, keys - self.ahead)
        filled = np.diff(starts, append=len(times)) > 0
        return Runs(keys[filled], starts[filled], len(times))


EVERY_TIME = KeyGrid(1, 0, 0)
