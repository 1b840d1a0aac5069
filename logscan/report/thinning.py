"""Thinning of many rows for charts: equal spans, extremes of each. Pure."""

from __future__ import annotations

import numpy as np

from logscan.core.intervals import merged, true_intervals
from logscan.records import F32, F64, I32, I64

_PIECE_ROWS = 1 << 16  # rows worked on at a time: what is in between takes eight bytes a row


def span_numbers(times: I64, first: int, length: int, spans: int) -> I32:
    """Which of `spans` equal spans of the `length` from `first` on each time lies in.

    Args:
        times: (rows,) int64, ns or integers, not before `first`; any later than the last span count to it.
        first: where the first span starts.
        length: of all spans together.
        spans: how many there are.

    Returns:
        (rows,) int32.
    """
    numbers = np.empty(len(times), dtype=np.int32)
    for begin in range(0, len(times), _PIECE_ROWS):
        piece = slice(begin, begin + _PIECE_ROWS)
        # Float division: time differences in ns times the number of spans would overflow int64.
        share = (times[piece] - first).astype(np.float64) / max(float(length), 1.0)
        numbers[piece] = np.minimum((share * spans).astype(np.int64), spans - 1)
    return numbers


def thinned(times: I64, values: F32 | F64, buckets: int) -> I64:
    """Row numbers that keep the lowest and highest value of each of `buckets` equal spans of time.

    `times` (rows,) ascending; `values` (rows,), NaN where there is none. A span without any value keeps
    one row, so that a line drawn through the result breaks there. Ascending, at most `2 * buckets` rows.
    """
    rows = len(times)
    if rows <= 2 * buckets:
        return np.arange(rows, dtype=np.int64)
    numbers = span_numbers(times, int(times[0]), int(times[-1] - times[0]), buckets)
    starts = run_starts(numbers)
    kept: list[int] = []
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), rows], strict=True):
        span = values[start:end]
        known = np.isfinite(span)
        if not known.any():
            kept.append(start)
            continue
        kept.append(start + int(np.argmin(np.where(known, span, np.inf))))
        kept.append(end - 1 - int(np.argmax(np.where(known, span, -np.inf)[::-1])))
    return np.unique(np.array(kept, dtype=np.int64))


def holes(times: I64, wider: int) -> I64:
    """Where the log itself has holes: (holes, 2) int64, start and end of each.

    Args:
        times: (rows,) int64, ascending.
        wider: a hole is wider than this, and than three usual distances between rows.
    """
    if len(times) < 3:
        return np.empty((0, 2), dtype=np.int64)
    gaps = np.diff(times)
    usual = int(np.median(gaps))
    before = np.flatnonzero(gaps > max(3 * usual, wider))
    return np.column_stack((times[before] + usual, times[before + 1]))


def silent_spans(times: I64, values: F32 | F64, step: int, shortest: int, between: I64) -> I64:
    """The stretches of time without a value, holes of the log among them: (spans, 2) int64, start and end.

    Args:
        times: (rows,) int64, ascending.
        values: (rows,), NaN where there is none.
        step: how long the last row lasts.
        shortest: shorter stretches are left out.
        between: (holes, 2) int64, as from `holes`.
    """
    known = np.isfinite(values)
    silent = true_intervals(~known)
    # A hole behind a row without a value lies in that row's stretch already.
    between = between[known[np.searchsorted(times, between[:, 0], side="right") - 1]]
    ends = np.where(
        silent[:, 1] < len(times), times[np.minimum(silent[:, 1], len(times) - 1)], times[-1] + step
    )
    found = np.concatenate((np.column_stack((times[silent[:, 0]], ends)), between))
    found = merged(found[np.argsort(found[:, 0], kind="stable")], 0)
    return found[found[:, 1] - found[:, 0] >= shortest]


def run_starts(numbers: I32) -> I64:
    """Where each run of equal numbers starts; `numbers` (rows,), none of them negative."""
    return np.flatnonzero(np.diff(numbers, prepend=np.int32(-1)))
