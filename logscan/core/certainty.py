"""Significance of a fall of residuals: Student's t test over blocks. Pure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.stats import ttest_1samp

from logscan.records import F32, I64

_CHANCE = 0.05  # that there is no gain, from which on there is none for certain
_FEWEST_BLOCKS, _MOST_BLOCKS = 4, 16
_FLOOR = 1e-6  # squared channel units: what is rebuilt perfectly gains nothing by being rebuilt better


def log_residual(residuals: F32) -> float:
    """Mean over channels of the log mean residual: a 1 % smaller residual anywhere counts 0.01 of a channel.

    Args:
        residuals: (tokens, channels) float32, squared channel units.
    """
    return float(np.log(np.maximum(residuals.mean(axis=0, dtype=np.float64), _FLOOR)).mean())


def is_certain_gain(before: F32, after: F32, times: I64, window_steps: int) -> bool:
    """Whether the residuals of a stretch of tokens are lower than before by more than chance.

    Windows that overlap say the same thing many times, so the gain in `log_residual` is taken over blocks of at
    least a window's length, and its mean must be above zero by Student's t test at 5 %, one-sided. With fewer
    than four blocks nothing is certain.
    Source: Student, "The probable error of a mean", Biometrika 1908; blocks as in Kuensch, "The jackknife and the
    bootstrap for general stationary observations", Annals of Statistics 1989.

    Args:
        before: (tokens, channels) float32, squared channel units.
        after: the same of the same tokens.
        times: (tokens,) int64 first steps of the tokens' windows, ascending.
        window_steps: length of the windows.
    """
    if len(times) == 0:
        return False
    span = int(times[-1] - times[0]) + window_steps
    blocks = min(_MOST_BLOCKS, span // window_steps, len(times))
    if blocks < _FEWEST_BLOCKS:
        return False
    edges = np.linspace(0, len(times), blocks + 1).astype(np.int64)
    gains = [
        log_residual(before[first:end]) - log_residual(after[first:end]) for first, end in pairwise(edges)
    ]
    if np.ptp(gains) == 0:  # no spread, no test: a gain everywhere is a gain
        return gains[0] > 0
    return bool(ttest_1samp(gains, 0.0, alternative="greater").pvalue < _CHANCE)
