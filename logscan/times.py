"""Packed times: long runs of ascending times in little memory. No I/O.

A log of ten years has more row times than fit beside its values, but they follow a beat: a block of them is its
first time, the usual distance, and what each distance has beyond it in the smallest integers that hold it. A
regular block needs no more than a few numbers, one jittered by milliseconds a byte or two per time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, overload

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

BLOCK_TIMES = 1 << 16
_UNSIGNED = (np.uint8, np.uint16, np.uint32, np.uint64)


@dataclass(frozen=True, slots=True)
class TimeBlock:
    """Strictly ascending times, packed.

    Attributes:
        first: the first time.
        last: the last time.
        count: how many there are, at least one.
        distance: the shortest distance of two neighbours.
        unit: the greatest common divisor of what the distances have beyond it; 0 where all are alike.
        beyond: (count - 1,) unsigned, how many units that is; `None` where all are alike.
    """

    first: int
    last: int
    count: int
    distance: int
    unit: int
    beyond: npt.NDArray[Any] | None

    @staticmethod
    def of(times: I64) -> TimeBlock:
        """The block of (count,) strictly ascending times."""
        first, last = int(times[0]), int(times[-1])
        if len(times) == 1:
            return TimeBlock(first, last, 1, 0, 0, None)
        distances = np.diff(
            times.view(np.uint64)
        )  # unsigned: two times may lie further apart than an int64 holds
        least = int(distances.min())
        distances -= least
        most = int(distances.max())
        if most == 0:
            return TimeBlock(first, last, len(times), least, 0, None)
        unit = int(np.gcd.reduce(distances))
        kind = next(kind for kind in _UNSIGNED if most // unit <= np.iinfo(kind).max)
        beyond = (distances // unit if unit > 1 else distances).astype(kind)
        return TimeBlock(first, last, len(times), least, unit, beyond)

    def times(self) -> I64:
        """(count,) int64, ascending."""
        times = np.empty(self.count, dtype=np.uint64)
        times[:1].view(np.int64)[0] = self.first
        times[1:] = self.distance
        if self.beyond is not None:
            times[1:] += self.beyond * np.uint64(self.unit)
        return np.cumsum(times, out=times).view(np.int64)


class Times:
    """Ascending times, each once, in packed blocks; reads like an array and unpacks only what is asked for."""

    def __init__(self, blocks: Iterable[TimeBlock]) -> None:
        self.blocks = tuple(blocks)
        self._ends = list(accumulate(block.count for block in self.blocks))

    @staticmethod
    def of(times: I64) -> Times:
        """The times of a strictly ascending array."""
        times = np.asarray(times, dtype=np.int64)
        return Times(
            TimeBlock.of(times[begin : begin + BLOCK_TIMES]) for begin in range(0, len(times), BLOCK_TIMES)
        )

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> npt.NDArray[Any]:
        if copy is False:
            raise ValueError("packed times cannot be seen as an array without a copy")
        return self._values().astype(dtype or np.int64, copy=False)

    @overload
    def __getitem__(self, place: int) -> int: ...
    @overload
    def __getitem__(self, place: slice) -> I64: ...
    def __getitem__(self, place: int | slice) -> int | I64:
        if isinstance(place, slice):
            return self._values()[place]
        position = range(len(self))[place]
        number = bisect_right(self._ends, position)
        block = self.blocks[number]
        return int(block.times()[position - self._ends[number] + block.count])

    def __iter__(self) -> Iterator[int]:
        for chunk in self.chunks():
            yield from chunk.tolist()

    def chunks(self) -> Iterator[I64]:
        """The times in pieces of (at most some ten thousand,) int64."""
        for block in self.blocks:
            yield block.times()

    def within(self, low: int, high: int) -> Times:
        """The times of the half-open span `[low, high)`."""
        kept = []
        for block in self.blocks:
            if block.last < low or block.first >= high:
                continue
            if block.first >= low and block.last < high:
                kept.append(block)
                continue
            times = block.times()
            first, end = np.searchsorted(times, [low, high])
            if end > first:
                kept.append(TimeBlock.of(times[first:end]))
        return Times(kept)

    def _values(self) -> I64:
        return np.concatenate([np.empty(0, dtype=np.int64), *self.chunks()])
