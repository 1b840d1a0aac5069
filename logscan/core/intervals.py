"""Half-open intervals `[start, end)` of steps: found in flags, merged, compared. Pure numpy."""

from __future__ import annotations

import numpy as np

from logscan.records import I64, Bool


def true_intervals(flags: Bool) -> I64:
    """The intervals of true steps.

    Args:
        flags: (steps,) bool.

    Returns:
        (intervals, 2) int64, start and end of each, ascending; touching steps are one interval.
    """
    padded = np.concatenate(([False], flags.astype(np.bool_), [False]))
    return np.flatnonzero(padded[1:] != padded[:-1]).reshape(-1, 2)


def merged(intervals: I64, gap_steps: int) -> I64:
    """The intervals with gaps of up to `gap_steps` steps closed.

    Args:
        intervals: (intervals, 2) int64, ascending and disjoint.
        gap_steps: the longest gap that is closed, in steps; 0 closes only intervals that touch.

    Returns:
        (groups, 2) int64, ascending.
    """
    if len(intervals) == 0:
        return intervals
    first = np.concatenate(([True], intervals[1:, 0] - intervals[:-1, 1] > gap_steps))
    last = np.concatenate((first[1:], [True]))
    return np.column_stack((intervals[first, 0], intervals[last, 1]))


def overlapping(intervals: I64, others: I64) -> Bool:
    """Which of the intervals share at least one step with any of the others.

    Args:
        intervals: (n, 2) int64.
        others: (m, 2) int64, ascending and disjoint.

    Returns:
        (n,) bool.
    """
    begun = np.searchsorted(others[:, 0], intervals[:, 1], side="left")  # others that start before the end
    ended = np.searchsorted(others[:, 1], intervals[:, 0], side="right")  # others that end by the start
    return begun > ended
