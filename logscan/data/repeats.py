"""Imports that came twice: stretches of an order log in which every row is there k times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from logscan.data.cast import as_text
from logscan.data.shapes import runs
from logscan.records import I64, Bool

U64 = npt.NDArray[np.uint64]

# That many different rows in a row, each an even number of times, do not happen by chance: 2^-40.
_RUN = 40
# Copies nearer to one another were written together, by the order system; further off, the export came twice.
_APART = 40
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Repeated:
    """What of a log was there before."""

    surplus: Bool  # (rows,) copies of a stretch that comes again further on
    copies: int  # rows that repeat a row, and are none of these


def row_hashes(batch: Any) -> U64:
    """(rows,) uint64: equal for rows whose cells are all the same text."""
    found = np.zeros(batch.num_rows, dtype=np.uint64)
    for column in batch.columns:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            continue  # no cell of text
        encoded = as_text(column).dictionary_encode()
        words = np.asarray(encoded.dictionary.to_pylist(), dtype=object)
        cells = np.append(pd.util.hash_array(words, categorize=False), np.uint64(1)).astype(np.uint64)
        codes = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
        found = (found ^ (found >> np.uint64(29))) * _MIX + cells[codes]
    return found


def repeated_rows(rows: U64, times: I64) -> Repeated:
    """Which rows are copies of an import that came twice (or k times).

    Different rows in order of time; a run of at least 40 of them in which every one is there a multiple of k times
    is an import that came k times, if its copies lie at least 40 rows apart. Copies that lie beside one another stay:
    whoever wrote an order twice at once is worth an alarm.

    Args:
        rows: (rows,) hashes, in the order they were read.
        times: (rows,) their times.
    """
    surplus = np.zeros(len(rows), dtype=np.bool_)
    if len(rows) == 0:
        return Repeated(surplus, 0)
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
