"""Contaminated training steps: unlike all the others, probably unlabelled failures. Pure."""

from __future__ import annotations

import numpy as np

from logscan.records import F64, Bool

_FAR = 20.0  # robust standard deviations above the median; 12 costs rare but normal windows (docs/log.md)
_MOST = 0.02  # of the steps: what is more frequent than that is how the log is
_LEAST_SPREAD = 1e-3  # of the score


def unlike_the_rest(score: F64) -> Bool:
    """(steps,) bool: the few steps whose score is far beyond that of the rest.

    Far is more than 20 times the median absolute deviation (in units of a normal's standard deviation) above
    the median. Where that is more than 2 % of the judged steps, it is the worst 2 %.

    Args:
        score: (steps,) float64 scores of training steps, each token's own neighbourhood left out of its history,
            so that only what never came again is high; NaN where not judged.
    """
    judged = score[np.isfinite(score)]
    if not len(judged):
        return np.zeros(len(score), dtype=np.bool_)
    median = float(np.median(judged))
    spread = 1.4826 * float(np.median(np.abs(judged - median)))
    limit = max(median + _FAR * max(spread, _LEAST_SPREAD), float(np.quantile(judged, 1 - _MOST)))
    return np.asarray(np.nan_to_num(score, nan=-np.inf) > limit, dtype=np.bool_)
