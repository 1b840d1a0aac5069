"""Calibration: residuals of all heads and channels in one unit, and their fusion into one score per step. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from logscan.records import F32, F64, I64

QUANTILE = 0.99  # of the training residuals: one unit is "as far off as normal ever gets"
_FLOOR = 1e-3  # squared channel units: a head that rebuilds perfectly must not make rounding an anomaly
_BLOCK_STEPS = 1 << 16  # worked on at a time
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
    level = np.empty(residuals.shape, dtype=np.float32)
    for begin in range(0, len(residuals), _BLOCK_STEPS):
        block = slice(begin, begin + _BLOCK_STEPS)
        level[block] = np.log1p(residuals[block] / unit)
    return level


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
    return _whole(overlap_mean_blocks(tokens, starts, window_steps, steps), steps, tokens.shape[1])


def overlap_mean_blocks(tokens: F32, starts: I64, window_steps: int, steps: int) -> Iterator[F32]:
    """`overlap_mean_steps` in pieces that follow one another, for the sake of memory."""
    # A window adds one constant to a run of steps, so the sum over windows is the running sum of +v at its
    # start and -v at its end: O(tokens + steps) whatever the window's length. The running sum goes on from block to
    # block as if there were none.
    channels = tokens.shape[1]
    so_far, covering = np.zeros(channels), np.zeros(channels, dtype=np.int64)
    for begin in range(0, steps, _BLOCK_STEPS):
        end = min(begin + _BLOCK_STEPS, steps)
        total = np.zeros((end - begin, channels))
        count = np.zeros((end - begin, channels), dtype=np.int64)
        opened = slice(*np.searchsorted(starts, [begin, end]))
        closed = slice(*np.searchsorted(starts, [begin - window_steps, end - window_steps]))
        finite = np.isfinite(tokens[opened])
        total[starts[opened] - begin] += np.where(finite, tokens[opened], 0.0)
        count[starts[opened] - begin] += finite
        finite = np.isfinite(tokens[closed])
        total[starts[closed] + window_steps - begin] -= np.where(finite, tokens[closed], 0.0)
        count[starts[closed] + window_steps - begin] -= finite
        total[0] += so_far
        count[0] += covering
        np.cumsum(total, axis=0, out=total)
        np.cumsum(count, axis=0, out=count)
        so_far, covering = total[-1].copy(), count[-1].copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            yield np.where(count > 0, np.maximum(total, 0.0) / count, np.nan).astype(np.float32)


def end_aligned_steps(tokens: F32, starts: I64, window_steps: int, steps: int) -> F32:
    """Token values back on steps, causal alignment: each step takes the last window that had ended by then.

    Arguments and result as in `overlap_mean_steps`; steps before the first window's end are NaN. No step
    depends on later windows.
    """
    return _whole(end_aligned_blocks(tokens, starts, window_steps, steps), steps, tokens.shape[1])


def end_aligned_blocks(tokens: F32, starts: I64, window_steps: int, steps: int) -> Iterator[F32]:
    """`end_aligned_steps` in pieces that follow one another, for the sake of memory."""
    for begin in range(0, steps, _BLOCK_STEPS):
        end = min(begin + _BLOCK_STEPS, steps)
        last = np.searchsorted(starts, np.arange(begin, end) - window_steps + 1, side="right") - 1
        aligned = np.full((end - begin, tokens.shape[1]), np.nan, dtype=np.float32)
        aligned[last >= 0] = tokens[last[last >= 0]]
        yield aligned


def _whole(blocks: Iterable[F32], steps: int, channels: int) -> F32:
    """(steps, channels) float32 of pieces that follow one another."""
    return np.concatenate([np.empty((0, channels), dtype=np.float32), *blocks])[:steps]


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
        self.add_blocks(
            head_steps[begin : begin + _BLOCK_STEPS] for begin in range(0, len(head_steps), _BLOCK_STEPS)
        )

    def add_blocks(self, head_steps: Iterable[F32]) -> None:
        """`add` of pieces that follow one another."""
        begin = 0
        for block in head_steps:
            self._add(begin, block)
            begin += len(block)

    def _add(self, begin: int, head_steps: F32) -> None:
        """Add one head on some steps, the first of which is `begin`."""
        steps = slice(begin, begin + len(head_steps))
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
        self._sum[steps] += (share * damped).astype(np.float32)
        self._heads[steps] += judged > 0

    def contributions(self) -> F32:
        """(steps, channels) float32: each channel's part of the score; NaN where no head could judge."""
        judged = self._heads[:, None] > 0
        mean = np.full_like(self._sum, np.nan)
        return np.divide(self._sum, self._heads[:, None], out=mean, where=judged)

    def into_contributions(self) -> F32:
        """`contributions` in the memory of the fusion, which ends with it."""
        judged = self._heads > 0
        self._sum[~judged] = np.nan
        return np.divide(self._sum, self._heads[:, None], out=self._sum, where=judged[:, None])
