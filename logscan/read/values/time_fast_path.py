"""Fast parsing of times that are all written alike, by the positions of their digits.

A pattern is matched with one cell only. It tells which bytes are the digits of which number; all other bytes are fixed.
Cells of the same length with the same fixed bytes, and digits where that one has digits, match in the same way, because
the patterns look at digits as such and not at their values. The few ways in which the cells of a column are written
are tried one by one. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from logscan.records import I64, Bool

U8 = npt.NDArray[np.uint8]

_NUMBERS = frozenset({"y", "m", "d", "hour", "lone_hour", "minute", "second_of", "fraction"})
_MOST_LAYOUTS = 24
_FEW_ROWS = 256  # of which a pattern makes less work
_ZERO = ord("0")


@dataclass(frozen=True, slots=True)
class Layout:
    """How cells are written that look like one of them.

    Attributes:
        fixed: (width,) uint8, the bytes of that cell.
        numbers: name of a number -> half-open range of its bytes, which are digits and vary.
        words: name of a word -> its text, which is fixed.
    """

    fixed: U8
    numbers: Mapping[str, tuple[int, int]]
    words: Mapping[str, str]

    @staticmethod
    def of(cell: str, pattern: str) -> Layout | None:
        """The layout of a cell; None where the pattern does not match it."""
        match = re.match(pattern, cell, re.ASCII)
        if match is None:
            return None
        numbers, words = {}, {}
        for name, text in match.groupdict().items():
            if text and name in _NUMBERS and text.isascii() and text.isdigit():
                first = len(cell[: match.start(name)].encode())
                numbers[name] = (first, first + len(text))
            elif text:
                words[name] = text
        return Layout(np.frombuffer(cell.encode(), dtype=np.uint8), numbers, words)

    def read(self, cells: U8) -> tuple[dict[str, I64], Bool]:
        """The numbers of cells, and which cells are written like this; the numbers of others mean nothing.

        Args:
            cells: (width, rows) uint8.
        """
        alike = np.ones(cells.shape[1], dtype=np.bool_)
        varies = {place for first, end in self.numbers.values() for place in range(first, end)}
        for place, byte in enumerate(self.fixed):
            if place not in varies:
                alike &= cells[place] == byte
        found = {}
        for name, (first, end) in self.numbers.items():
            value: I64 = np.zeros(cells.shape[1], dtype=np.int64)
            for place in range(first, end):
                digit = cells[place] - np.uint8(_ZERO)  # wraps around below the zero
                alike &= digit <= 9
                value *= 10
                value += digit
            found[name] = value
        return found, alike


def read_by_layout(
    column: Any, times_of: Callable[[str], Callable[[U8], tuple[I64, Bool]] | None]
) -> tuple[I64, Bool]:
    """Times of a text column as far as its cells are written in a few ways, and which rows these are.

    Args:
        column: (rows,) plain Arrow text.
        times_of: gives what reads cells, (width, rows) bytes, that are written like a text, and tells which ones are;
            None where that text has to be left to its pattern.

    Returns:
        (rows,) int64, 0 where not read, and (rows,) bool. Null cells are not read.
    """
    times = np.zeros(len(column), dtype=np.int64)
    done = np.zeros(len(column), dtype=np.bool_)
    if len(column) < _FEW_ROWS:
        return times, done
    data, begin, length = _bytes_of(column)
    left = np.arange(len(column))
    for _ in range(_MOST_LAYOUTS):
        first = next((row for row in left[:1].tolist() if length[row]), None)
        if first is None:
            break
        reader = times_of(column[first].as_py())
        if reader is None:
            break
        width = int(length[first])
        alike = length[left] == width
        rows = left if alike.all() else left[alike]
        found, read = reader(_cells(data, begin[rows], width))
        if read.all():
            times[rows], done[rows] = found, True
        else:
            times[rows[read]], done[rows[read]] = found[read], True
        left = left[~done[left]]
        if not len(left):
            break
    return times, done


def _bytes_of(column: Any) -> tuple[U8, I64, I64]:
    """The bytes of all cells, and of each where it begins and how many it has; none where it is null."""
    _, offsets, data = column.buffers()
    place = np.frombuffer(offsets, dtype=np.int32)[column.offset : column.offset + len(column) + 1]
    begin = place[:-1].astype(np.int64)
    length = place[1:] - begin
    if column.null_count:
        length = np.where(column.is_valid().to_numpy(zero_copy_only=False), length, 0)
    return np.frombuffer(data or b"", dtype=np.uint8), begin, length


def _cells(data: U8, begin: I64, width: int) -> U8:
    """(width, rows) uint8, cells of one width."""
    end = int(begin[-1]) + width
    if end - int(begin[0]) == width * len(begin) and (np.diff(begin) == width).all():
        return np.ascontiguousarray(data[int(begin[0]) : end].reshape(-1, width).T)
    return np.stack([data[begin + place] for place in range(width)])
