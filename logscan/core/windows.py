"""Sliding windows of a series, and from windows back to steps. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from logscan.records import F32, I64, Bool


def window_starts(steps: int, window_steps: int, stride_steps: int) -> I64:
    """First steps of the windows: every multiple of the stride, and the last window that fits.

    Args:
        steps: length of the series.
        window_steps: length of a window.
        stride_steps: distance between windows.

    Returns:
        (windows,) int64, ascending; empty if no window fits.
    """
    if steps < window_steps:
        return np.empty(0, dtype=np.int64)
    starts = np.arange(0, steps - window_steps + 1, stride_steps, dtype=np.int64)
    last = steps - window_steps
    return starts if starts[-1] == last else np.append(starts, last)


def windows(values: F32, starts: I64, window_steps: int) -> F32:
    """The windows that begin at `starts`, (windows, window_steps, channels) float32, a copy.

    Args:
        values: (steps, channels) float32.
        starts: (windows,) int64.
        window_steps: length of a window.
    """
    view = np.lib.stride_tricks.sliding_window_view(values, window_steps, axis=0)
    return np.ascontiguousarray(view[starts].transpose(0, 2, 1))


def untouched(starts: I64, window_steps: int, excluded: Bool) -> Bool:
    """(windows,) bool: which windows hold none of the excluded steps.

    Args:
        starts: (windows,) int64.
        window_steps: length of a window.
        excluded: (steps,) bool.
    """
    before = np.zeros(len(excluded) + 1, dtype=np.int64)
    np.cumsum(excluded, out=before[1:])
    clear: Bool = before[starts + window_steps] == before[starts]
    return clear


class OverlapMean:
    """Running mean over overlapping windows: add windows in any order, then read one value per step.

    A step covered by no window is NaN.
    """

    def __init__(self, steps: int, width: int) -> None:
        self._sum: F32 = np.zeros((steps, width), dtype=np.float32)
        self._count: npt.NDArray[np.int32] = np.zeros(steps, dtype=np.int32)

    def add(self, starts: I64, values: F32) -> None:
        """Add windows.

        Args:
            starts: (windows,) int64, strictly ascending (so that no step is hit twice by one offset).
            values: (windows, window_steps, width) float32, finite.
        """
        for offset in range(values.shape[1]):
            steps = starts + offset
            self._sum[steps] += values[:, offset]
            self._count[steps] += 1

    def mean(self) -> F32:
        """(steps, width) float32, NaN where no window came; in the memory of the sum, which ends with it."""
        came = self._count > 0
        self._sum[~came] = np.nan
        return np.divide(
            self._sum, self._count[:, None], out=self._sum, where=came[:, None], casting="same_kind"
        )
