"""Imports that came twice: stretches of an order log in which every row is there k times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logscan.quality.findings import runs
from logscan.read.grid.hashes import U64
from logscan.records import I64, Bool

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
