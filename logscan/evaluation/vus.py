"""Volume under the surface: range-aware ROC and precision-recall areas, averaged over buffer widths.

Source: Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series
Anomaly Detection", PVLDB 15(11), 2022, sections 4 and 5; figures equal to those of the TSB-AD package
(Liu and Paparrizos, NeurIPS 2024), its optimised version with 250 thresholds.

For a buffer of `w` steps, rows up to `w // 2` steps beside an event get the soft label `sqrt(1 - d / w)` at
distance `d`. A threshold predicts the rows at or above it. With `P` the labelled rows, `Z` the soft labels
of predicted rows, `H` the predicted labelled rows and `m` of `M` buffered events touched:

    P' = P + Z / 2        recall = min((H + Z) / P', 1) * m / M
    precision = (H + Z) / predicted        fall-out = (predicted - H - Z) / (rows - P')

Nothing there depends on the rows in between, so the scores are sorted once, every row is given the first
threshold that predicts it, and a width costs one histogram of its soft labels: O(n log n + widths * buffer).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len

from logscan.core.intervals import merged, true_intervals
from logscan.records import F32, F64, I64, Bool

_THRESHOLDS = 250  # of the published definition
_ACF_ROWS = 20_000  # period_length: rows looked at, lags tried, first lag that may be a period
_ACF_LAGS = 400
_ACF_BASE = 3
_NO_PERIOD = 125


@dataclass(frozen=True, slots=True)
class Volumes:
    """The two volumes, 0..1; NaN where undefined."""

    pr: float  # NaN when no row is labelled
    roc: float  # NaN when no row or every row is labelled


def volumes(labels: Bool, scores: F32 | F64, *, window: int) -> Volumes:
    """VUS-PR and VUS-ROC over all buffer widths from 0 to `window`.

    Args:
        labels: (n,) bool, true where anomalous.
        scores: (n,) float32 or float64, higher is more anomalous; no NaN (infinities are scores like any other).
        window: widest buffer in steps, >= 0; usually `period_length` of the first channel.

    Returns:
        the volumes; `pr` equals TSB-AD's `generate_curve(..., version="opt", thre=250)` to rounding.
    """
    events = true_intervals(labels)
    if len(events) == 0:
        return Volumes(float("nan"), float("nan"))
    ranking, predicted = _thresholds(scores)
    hits = _cumulative(ranking[labels])
    rows = _beside(labels, events, window // 2)
    near, next_near = _two_nearest(rows, events)
    row_ranking = ranking[rows]
    pr_total = roc_total = 0.0
    for width in range(window + 1):
        if width % 2 == 0:  # the buffered events change with width // 2 only
            touched = _touched(events, ranking, width // 2)
        soft = _soft_labels(near, next_near, width)
        found = _cumulative(row_ranking, soft)
        true_rows = hits + found
        positives = hits[-1] + found / 2
        recall = np.minimum(true_rows / positives, 1.0) * touched
        pr_total += float(np.dot(np.diff(recall, prepend=0.0), true_rows / predicted))
        with np.errstate(invalid="ignore", divide="ignore"):  # every row labelled: no fall-out
            fall_out = (predicted - true_rows) / (len(scores) - positives)
        curve = np.concatenate(([0.0], recall, [1.0]))
        base = np.concatenate(([0.0], fall_out, [1.0]))
        roc_total += float(np.dot(np.diff(base), (curve[1:] + curve[:-1]) / 2))
    return Volumes(pr_total / (window + 1), roc_total / (window + 1))


def _thresholds(scores: F32 | F64) -> tuple[I64, I64]:
    """The first of the 250 thresholds that predicts each row, and the rows each threshold predicts."""
    places = np.linspace(0, len(scores) - 1, _THRESHOLDS).astype(np.int64)
    ascending = np.sort(scores)
    levels = ascending[::-1][places]  # descending
    predicted = len(scores) - np.searchsorted(ascending, levels, side="left")
    ranking = np.searchsorted(levels[::-1], scores, side="right").astype(np.int64, copy=False)
    np.subtract(_THRESHOLDS, ranking, out=ranking)
    return ranking, predicted.astype(np.int64)


def _cumulative(ranking: I64, weights: F64 | None = None) -> F64:
    """The weight of the rows predicted at each threshold, (250,) float64."""
    return np.cumsum(np.bincount(ranking, weights, minlength=_THRESHOLDS)[:_THRESHOLDS]).astype(np.float64)


def _beside(labels: Bool, events: I64, reach: int) -> I64:
    """The quiet rows up to `reach` steps beside an event: of a long log only these are worked on."""
    near = np.zeros(len(labels), dtype=np.bool_)
    for start, end in events.tolist():
        near[max(start - reach, 0) : end + reach] = True
    return np.flatnonzero(near & ~labels)


def _two_nearest(rows: I64, events: I64) -> tuple[I64, I64]:
    """Distances in steps from quiet rows to their two nearest event edges, ascending."""
    far = np.iinfo(np.int64).max // 2
    # Two sentinels on each side stand for edges that do not exist.
    last_rows = np.concatenate(([-far, -far], events[:, 1] - 1))
    first_rows = np.concatenate((events[:, 0], [far, far]))
    left = np.searchsorted(last_rows, rows, side="left")
    right = np.searchsorted(first_rows, rows, side="right")
    distances = np.stack(
        (
            rows - last_rows[left - 1],
            rows - last_rows[left - 2],
            first_rows[right] - rows,
            first_rows[right + 1] - rows,
        )
    )
    distances.partition(1, axis=0)
    return distances[0], distances[1]


def _soft_labels(near: I64, next_near: I64, width: int) -> F64:
    """Soft labels of rows at these distances from their two nearest event edges.

    The definition adds up the labels of every event whose buffer reaches the row, at most 1. A single one
    is never below sqrt(1/2), so two of them are 1, whatever the distances.
    """
    if width < 2:
        return np.zeros(len(near))
    half = width // 2
    soft = np.sqrt(1 - np.minimum(near, half) / width)
    return np.where(next_near <= half, 1.0, np.where(near <= half, soft, 0.0))


def _touched(events: I64, ranking: I64, half: int) -> F64:
    """The share of buffered events with a predicted row, for each threshold, (250,) float64."""
    # The definition joins buffers that share a row (last row + half >= next first row - half), and, at any
    # width, keeps events apart that do not.
    joined = merged(events, max(2 * half - 1, 0))
    bounds = np.clip(joined + np.array([-half, half]), 0, len(ranking))
    first = np.minimum.reduceat(np.append(ranking, _THRESHOLDS), bounds.ravel())[::2]
    return _cumulative(first) / len(joined)


def period_length(series: F64) -> int:
    """The length of the series' main period in steps: the buffer of the VUS measures.

    The highest local maximum of the autocorrelation at lags 4 to 399 of the first 20,000 rows; 125 where
    there is none, or where it lies below lag 6 or above 303. Equal to TSB-AD's `find_length_rank(x, rank=1)`.

    Args:
        series: (n,) float64; any NaN makes the autocorrelation undefined and the answer 125.

    Returns:
        the period in steps, 6..303.
    """
    head = series[:_ACF_ROWS]
    if len(head) == 0 or not np.isfinite(head).all():
        return _NO_PERIOD
    centred = head - head.mean()
    spectrum = np.fft.fft(centred, n=next_fast_len(2 * len(head) + 1, real=True))
    lags = min(_ACF_LAGS + 1, len(head))
    covariance = np.fft.ifft(spectrum * np.conjugate(spectrum)).real[:lags]
    if covariance[0] <= 0:
        return _NO_PERIOD
    correlation = covariance[_ACF_BASE:] / covariance[0]
    peaks = np.flatnonzero(_is_peak(correlation)) + 1
    if len(peaks) == 0:
        return _NO_PERIOD
    best = int(peaks[np.argsort(correlation[peaks])[-1]])
    return _NO_PERIOD if best < 3 or best > 300 else best + _ACF_BASE


def _is_peak(values: F64) -> Bool:
    """Which inner values are greater than both neighbours."""
    return (values[1:-1] > values[:-2]) & (values[1:-1] > values[2:])
