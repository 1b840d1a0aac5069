"""The threshold of an alarm, by peaks over threshold on calibration scores; its aim and its floor. Pure.

Peaks over threshold. Exceedances of a high level come in clusters, one cluster is one event, and the peaks of
clusters follow a generalised Pareto law whatever the scores are (Pickands, Annals of Statistics 3, 1975;
Davison and Smith, JRSS B 52, 1990). The promise is about scores not seen yet, so the threshold is taken from
the *predictive* law: the Pareto law averaged over the parameters that the few observed peaks leave possible.
A point fit would break the promise on average, because errors towards a short tail cost far more false
alarms than errors towards a long one save.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from logscan.core.intervals import merged, true_intervals
from logscan.records import F64

Method = Literal["generalised-pareto", "exponential", "empirical", "constant", "none"]

_TAIL_SHARES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)  # of the scores, above the tail start
_WANTED_PEAKS = 50
_FEWEST_PARETO_PEAKS = 10  # below, the shape cannot be told from noise: exponential tail
_ENOUGH_PROMISED = 10  # events promised within the calibration part: counted, not extrapolated
_SURPRISE = 0.01  # a calibration count less likely than this under the promise disproves the fitted tail
_BODY_SHARE = 0.25  # of the scores, whose mean excess stands in for the peaks that are missing ...
_BODY_PEAKS = 10  # ... with the weight of this many
_CONSTANT_MARGIN = float(np.log(2))  # log1p of a residual equal to its own unit (see core.calibration)
_SHAPES = np.linspace(-0.5, 0.5, 40)  # an even number: none is zero, where the formula has its gap
_SHAPE_SPREAD = 0.2  # of the normal prior of the shape around 0, the exponential tail
_SCALE_POINTS = 81
# The score of residuals at a tenth of their own unit: below it nothing is an alarm, however regular the training.
LEAST_THRESHOLD = 0.09


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and the tail it came from."""

    value: float  # a step is an alarm when its score is strictly greater; +inf: never
    tail_start: float  # level over which peaks were collected; NaN for method "none"
    shape: float  # of the generalised Pareto law, posterior mean; 0 for "exponential"; NaN where not fitted
    scale: float  # of that law, in units of the score; NaN where not fitted
    exceedances: int  # peaks: clusters of scores above the tail start
    method: Method


def pot_threshold(scores: F64, *, false_alarms_per_step: float, merge_gap_steps: int) -> Threshold:
    """The threshold that scores like these exceed, in new data, at the promised rate of events.

    How, with `n` judged steps and `expected = false_alarms_per_step * n`:

    * peaks are collected over the highest level (99.95 % to 90 % quantile) that leaves 50 of them, or twice
      the expected number if that is more, or over the level with the most peaks;
    * at least 10 expected: the level that this many peaks exceeded ("empirical"); where there are fewer
      peaks than that, the tail start: a promise looser than the tail is kept with fewer alarms;
    * at least 10 peaks: the predictive generalised Pareto law, shape in [-0.5, 0.5] ("generalised-pareto");
    * fewer: the predictive exponential law, its scale from the peaks and, with the weight of ten peaks, from
      the upper quarter of all scores ("exponential");
    * a threshold that more calibration peaks exceed than a Poisson count of mean `expected` reaches in 1 %
      of cases is raised until they do not ("empirical"): one anomaly in the calibration part is tolerated,
      a burst that keeps coming back is not;
    * no spread at all: log 2 above the constant, one unit of calibrated residual ("constant");
    * nothing judged: +inf, no alarm ever ("none").

    Args:
        scores: (n,) float64 calibration scores in time order, NaN where not judged.
        false_alarms_per_step: promised events per step, > 0.
        merge_gap_steps: alarms with at most this many quiet steps between them are one event.

    Returns:
        the threshold; the same scores always give the same one.
    """
    finite = np.isfinite(scores)
    scores, judged = np.where(finite, scores, np.nan), scores[finite]
    if len(judged) == 0:
        return Threshold(float("inf"), float("nan"), float("nan"), float("nan"), 0, "none")
    expected = false_alarms_per_step * len(judged)
    start, peaks = _tail(scores, judged, merge_gap_steps, max(_WANTED_PEAKS, 2 * expected))
    if len(peaks) == 0:
        value = float(judged.max()) + _CONSTANT_MARGIN
        return Threshold(value, start, float("nan"), float("nan"), 0, "constant")
    if expected >= min(_ENOUGH_PROMISED, len(peaks)):
        level = _exceeded_by(peaks, start, int(expected))
        return Threshold(level, start, float("nan"), float("nan"), len(peaks), "empirical")
    excesses = peaks - start
    share = expected / len(peaks)
    method: Method
    if len(peaks) >= _FEWEST_PARETO_PEAKS:
        excess, shape, scale = _pareto_excess(excesses, share)
        method = "generalised-pareto"
    else:
        body_start = np.quantile(judged, 1 - _BODY_SHARE, method="lower")
        body_scale = float((judged[judged > body_start] - body_start).mean())
        excess, shape, scale = _exponential_excess(excesses, body_scale, share)
        method = "exponential"
    floor = _exceeded_by(peaks, start, int(scipy.stats.poisson.isf(_SURPRISE, expected)))
    if floor > start + excess:
        return Threshold(floor, start, shape, scale, len(peaks), "empirical")
    return Threshold(start + excess, start, shape, scale, len(peaks), method)


def _tail(scores: F64, judged: F64, merge_gap_steps: int, wanted: float) -> tuple[float, F64]:
    """The tail start and its peaks, ascending: the highest level with enough peaks, or the richest."""
    best_start, best = float(judged.max()), np.empty(0)
    levels = [1 - share for share in _TAIL_SHARES]
    # A score, not a point between two: else a peak could exceed the start by a rounding error.
    for start in np.quantile(judged, levels, method="lower").tolist():
        clusters = merged(true_intervals(scores > start), merge_gap_steps)
        if len(clusters) > len(best):
            best_start = start
            best = np.sort([np.nanmax(scores[begin:end]) for begin, end in clusters.tolist()])
        if len(best) >= wanted:
            break
    return best_start, best


def _exceeded_by(peaks: F64, start: float, count: int) -> float:
    """The lowest level that at most `count` peaks exceed, not below the tail start."""
    return float(peaks[-1 - count]) if count < len(peaks) else start


def _exponential_excess(excesses: F64, body_scale: float, share: float) -> tuple[float, float, float]:
    """The excess that a new exponential excess passes with chance `share`; shape 0 and scale.

    With `K` excesses of mean `m`, a new one exceeds `x` with chance `(1 + x / (K m))^-K`, averaged over the
    samples that could have been drawn (a ratio of independent Gamma variables). So few peaks would ask for
    an absurd threshold, so the body of the scores speaks too, with the weight of ten peaks.
    """
    count = len(excesses) + _BODY_PEAKS
    scale = (float(excesses.sum()) + _BODY_PEAKS * body_scale) / count
    return scale * count * (share ** (-1 / count) - 1), 0.0, scale


def _pareto_excess(excesses: F64, share: float) -> tuple[float, float, float]:
    """The excess that a new generalised Pareto excess passes with chance `share`; mean shape and scale.

    The posterior of shape and scale is summed on a grid: prior normal in the shape (around the exponential
    tail), flat in the logarithm of the scale.
    """
    count, mean = len(excesses), float(excesses.mean())
    reach = min(3.0, 10.0 / np.sqrt(count))  # of the logarithm of the scale, beyond ten standard errors
    log_scales = np.log(mean * (1 - _SHAPES))[:, None] + np.linspace(-reach, reach, _SCALE_POINTS)[None, :]
    scales = np.exp(log_scales)
    log_posterior = np.empty_like(scales)
    for row, shape in enumerate(_SHAPES):
        inner = 1 + shape * excesses[:, None] / scales[row]
        with np.errstate(invalid="ignore", divide="ignore"):
            log_terms = np.where(inner > 0, np.log(inner), 0.0)
        # Outside its support (a negative shape has an end) the density is zero.
        log_density = -(1 + 1 / shape) * log_terms.sum(axis=0)
        possible = (inner > 0).all(axis=0)
        log_posterior[row] = np.where(possible, log_density - count * log_scales[row], -np.inf)
        log_posterior[row] -= 0.5 * (shape / _SHAPE_SPREAD) ** 2
    weights = np.exp(log_posterior - scipy.special.logsumexp(log_posterior))

    def log_excess_chance(log_excess: float) -> float:
        inner = np.maximum(1 + _SHAPES[:, None] * np.exp(log_excess) / scales, 0)
        with np.errstate(divide="ignore"):
            chance = np.where(inner > 0, inner ** (-1 / _SHAPES[:, None]), 0)
        return float(np.log(np.sum(weights * chance)) - np.log(share))

    low, high = np.log(mean * 1e-9), np.log(mean) + 1
    while log_excess_chance(high) > 0:
        high += 1
    excess = float(np.exp(scipy.optimize.brentq(log_excess_chance, low, high, xtol=1e-12)))
    return excess, float(np.sum(weights * _SHAPES[:, None])), float(np.sum(weights * scales))
