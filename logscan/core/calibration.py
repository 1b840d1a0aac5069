"""One unit for all heads and channels, and their fusion into one score per step. Pure numpy."""

from __future__ import annotations

import numpy as np

from logscan.records import F32, F64, I64

QUANTILE = 0.99  # of the training residuals: one unit is "as far off as normal ever gets"
_FLOOR = 1e-3  # squared channel units: a head that rebuilds perfectly must not make rounding an anomaly
TOP_SHARE = 0.3  # of the channels: one bad sensor in fifty shows, fifty noisy ones do not add up


def calibration(training_residuals: F32) -> F64:
    """The unit of every channel of one head: the 99 % quantile of its training residuals.

    Args:
        training_residuals: (tokens, channels) float32, squared channel units, NaN where not judged; taken
            with each token's own neighbourhood left out of its history.

    Returns:
        (channels,) float64 > 0; a channel never judged gets 1.
    """
    unit = np.ones(training_residuals.shape[1])
    judged = np.isfinite(training_residuals).any(axis=0)
    if judged.any():
        unit[judged] = np.nanquantile(training_residuals[:, judged].astype(np.float64), QUANTILE, axis=0)
    return np.maximum(unit, _FLOOR)


def calibrated(residuals: F32, unit: F64) -> F32:
    """`log1p(residual / unit)`: 0.69 at the edge of normal, growing slowly beyond; NaN stays NaN.

    Args:
        residuals: (tokens, channels) float32.
        unit: (channels,) float64, from `calibration`.
    """
    return np.log1p(residuals / unit).astype(np.float32)


def overlap_mean_steps(tokens: F32, starts: I64, window_steps: int, steps: int) -> F32:
    """Token values back on steps, batch alignment: the mean over all windows that cover a step.

    Args:
        tokens: (tokens, channels) float32, NaN where not judged.
        starts: (tokens,) int64, strictly ascending.
        window_steps: length of a window.
        steps: length of the series.

    Returns:
        (steps, channels) float32, NaN where no judged window covers the step.
    """
    # A window adds one constant to a run of steps, so the sum over windows is the running sum of +v at its
    # start and -v at its end: O(tokens + steps) whatever the window's length.
    finite = np.isfinite(tokens)
    value = np.where(finite, tokens, 0.0).astype(np.float64)
    total = np.zeros((steps + 1, tokens.shape[1]))
    count = np.zeros((steps + 1, tokens.shape[1]), dtype=np.int32)
    total[starts] += value
    total[starts + window_steps] -= value
    count[starts] += finite
    count[starts + window_steps] -= finite
    covered = np.cumsum(count, axis=0)[:-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(covered > 0, np.maximum(np.cumsum(total, axis=0)[:-1], 0.0) / covered, np.nan)
    return mean.astype(np.float32)


def end_aligned_steps(tokens: F32, starts: I64, window_steps: int, steps: int) -> F32:
    """Token values back on steps, causal alignment: each step takes the last window that had ended by then.

    Arguments and result as in `overlap_mean_steps`; steps before the first window's end are NaN. No step
    depends on later windows.
    """
    last = np.searchsorted(starts + window_steps - 1, np.arange(steps), side="right") - 1
    if len(tokens) == 0:
        return np.full((steps, tokens.shape[1]), np.nan, dtype=np.float32)
    return np.where((last >= 0)[:, None], tokens[np.maximum(last, 0)], np.float32(np.nan))


class Fusion:
    """Mean over heads of `log1p` of the mean over each head's top 30 % of channels; keeps who contributed what.

    The second logarithm is between a mean and a median: one head that shouts does not outvote eleven that
    see nothing (docs/log.md has the alternatives, with figures).
    """

    def __init__(self, steps: int, channels: int) -> None:
        self._sum: F32 = np.zeros((steps, channels), dtype=np.float32)
        self._heads: F32 = np.zeros(steps, dtype=np.float32)

    def add(self, head_steps: F32) -> None:
        """Add one head.

        Args:
            head_steps: (steps, channels) float32 calibrated, NaN where the head could not judge.
        """
        finite = np.isfinite(head_steps)
        judged = finite.sum(axis=1)
        kept = np.maximum(1, np.ceil(TOP_SHARE * judged)).astype(np.int64)
        if head_steps.shape[1] == 1:
            share = np.where(finite, head_steps, 0)
        else:
            order = np.argsort(np.where(finite, -head_steps, np.inf), axis=1, kind="stable")
            rank = np.empty_like(order)
            np.put_along_axis(rank, order, np.arange(head_steps.shape[1])[None, :], axis=1)
            share = np.where((rank < kept[:, None]) & finite, head_steps, 0) / kept[:, None]
        head_score = share.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            damped = np.where(head_score > 0, np.log1p(head_score) / head_score, 1.0)
        self._sum += (share * damped).astype(np.float32)
        self._heads += judged > 0

    def contributions(self) -> F32:
        """(steps, channels) float32: each channel's part of the score; NaN where no head could judge."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self._heads[:, None] > 0, self._sum / self._heads[:, None], np.float32(np.nan))
