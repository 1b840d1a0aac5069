"""Duplicate imports: stretches of an order log in which every row is there k times, found by row hashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logscan.quality.findings import runs
from logscan.read.values.numbers import as_text, is_text
from logscan.records import I64, Bool

U64 = npt.NDArray[np.uint64]

# pandas hashes Python objects; making these took five times as long as reading a file of order lines.
_PIECE_BYTES = 1 << 18
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_MIX = np.uint64(0xD6E8FEB86659FD93)
_NULL = np.uint64(0x2545F4914F6CDD1D)
# That many different rows in a row, each an even number of times, do not happen by chance: 2^-40.
_RUN = 40
# Copies nearer to one another were written together, by the order system; further off, the export came twice.
_APART = 40


@dataclass(frozen=True, slots=True)
class Repeated:
    """What of a log was there before."""

    surplus: Bool  # (rows,) copies of a stretch that comes again further on
    copies: int  # rows that repeat a row, and are none of these


def repeated_rows(rows: U64, times: I64) -> Repeated:
    """Which rows are copies of an import that came twice (or k times).

    Different rows in order of time; a run of at least 40 of them in which every one is there a multiple of k times
    is an import that came k times, if its copies lie at least 40 rows apart. Copies that lie beside one another stay:
    whoever wrote an order twice at once is worth an alarm.

    Args:
        rows: (rows,) hashes of whole rows, time and all, in the order they were read.
        times: (rows,) their times.
    """
    surplus = np.zeros(len(rows), dtype=np.bool_)
    ranked = np.sort(rows)
    copies = int((ranked[1:] == ranked[:-1]).sum())
    if copies < _RUN:
        return Repeated(surplus, copies)
    order = np.lexsort((rows, times))  # stable: copies stay in the order they were read
    new = np.r_[True, (rows[order][1:] != rows[order][:-1]) | (times[order][1:] != times[order][:-1])]
    first = np.flatnonzero(new)
    number = np.diff(np.r_[first, len(rows)])
    apart = order[first + number - 1] - order[first]  # from the first copy to the last
    kept, moments = number.copy(), times[order][first]
    for times_over in (2, 3, 5):
        while True:
            whole = kept % times_over == 0
            starts, lengths = runs(whole)
            found = False
            for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
                span = slice(start, start + length)
                if length >= _RUN and np.median(apart[span]) >= _APART:
                    # The stretch may begin and end within a moment, among rows that did not come again.
                    low = np.searchsorted(moments, moments[max(start - 1, 0)], side="left")
                    high = np.searchsorted(moments, moments[min(span.stop, len(kept) - 1)], side="right")
                    near = np.arange(low, high)
                    inside = (near >= start) & (near < span.stop)
                    mine = near[whole[low:high] & (inside | (apart[low:high] >= _APART))]
                    kept[mine] //= times_over
                    whole[mine] = False
                    found = True
            if not found:
                break
    rank = np.arange(len(rows)) - np.repeat(first, number)
    surplus[order] = rank >= np.repeat(kept, number)
    return Repeated(surplus, int((kept - 1).sum()))


def all_copies(rows: U64, times: I64) -> Bool:
    """(rows,) bool: every row that repeats an earlier one; arguments as in `repeated_rows`."""
    order = np.lexsort((rows, times))
    same = np.r_[False, (rows[order][1:] == rows[order][:-1]) & (times[order][1:] == times[order][:-1])]
    copies = np.zeros(len(rows), dtype=np.bool_)
    copies[order] = same
    return copies


def row_hashes(batch: Any) -> U64:
    """(rows,) uint64: equal for rows whose cells are equal; columns without text or numbers are left out."""
    found = np.zeros(batch.num_rows, dtype=np.uint64)
    for column in batch.columns:
        if not (pa.types.is_nested(column.type) or pa.types.is_binary(column.type)):
            found = (found ^ (found >> np.uint64(29))) * _MIX + cell_hashes(column)
    return found


def cell_hashes(column: Any) -> U64:
    """(rows,) uint64 of a plain Arrow column: equal for equal cells, 0 for an empty text."""
    kind = column.type
    if pa.types.is_floating(kind):
        cells = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
        return (cells + 0.0).view(np.uint64)  # -0.0 is 0.0
    if pa.types.is_signed_integer(kind) or pa.types.is_timestamp(kind):
        whole = column.cast(pa.int64(), safe=False)
        cells = np.asarray(whole.fill_null(0).to_numpy(zero_copy_only=False), dtype=np.int64)
        missing = np.asarray(pc.is_null(whole).to_numpy(zero_copy_only=False), dtype=np.bool_)
        return np.where(missing, _NULL, cells.view(np.uint64))
    text = column if is_text(kind) else as_text(column)
    return text_hashes(text.fill_null("") if text.null_count else text)


def text_hashes(column: Any) -> U64:
    """(rows,) uint64 of a string column without nulls: the polynomial of its bytes, modulo 2^64.

    With prefix sums of `byte_i * base^i` every cell is one difference, shifted back by the inverse of the base.
    """
    if len(column) == 0:
        return np.zeros(0, dtype=np.uint64)
    every = np.frombuffer(column.buffers()[1], dtype=np.int32)
    offsets = every[column.offset : column.offset + len(column) + 1].astype(np.int64)
    buffer = column.buffers()[2]
    data = np.frombuffer(buffer, dtype=np.uint8) if buffer is not None else np.zeros(0, dtype=np.uint8)
    found: U64 = np.empty(len(column), dtype=np.uint64)
    row = 0
    while row < len(column):
        end = int(np.searchsorted(offsets, offsets[row] + _PIECE_BYTES, side="right")) - 1
        end = min(max(end, row + 1), len(column))
        found[row:end] = _piece(data, offsets[row : end + 1])
        row = end
    return found


def _piece(data: npt.NDArray[np.uint8], offsets: I64) -> U64:
    first = offsets - offsets[0]
    length = int(first[-1])
    powers, inverses = _powers(max(_PIECE_BYTES, 1 << (length - 1).bit_length() if length else 1))
    sums = np.zeros(length + 1, dtype=np.uint64)
    # One more than the byte, so that a NUL counts.
    weighed = (data[offsets[0] : offsets[-1]].astype(np.uint64) + np.uint64(1)) * powers[:length]
    np.cumsum(weighed, out=sums[1:])
    found: U64 = (sums[first[1:]] - sums[first[:-1]]) * inverses[first[:-1]]
    return found


@cache
def _powers(count: int) -> tuple[U64, U64]:
    """Powers of the base and of its inverse, modulo 2^64, (count + 1,) each."""
    powers = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        factors = np.full(count + 1, np.uint64(base), dtype=np.uint64)
        factors[0] = 1
        powers.append(np.multiply.accumulate(factors))
    return powers[0], powers[1]
