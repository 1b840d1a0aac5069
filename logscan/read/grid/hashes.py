"""Cells and rows as 64-bit numbers, whole columns at a time, straight from Arrow's buffers.

pandas hashes Python objects; making these took five times as long as reading a file of order lines.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from logscan.read.values.numbers import as_text, is_text
from logscan.records import I64

U64 = npt.NDArray[np.uint64]

_PIECE_BYTES = 1 << 18
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_MIX = np.uint64(0xD6E8FEB86659FD93)
_NULL = np.uint64(0x2545F4914F6CDD1D)


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
