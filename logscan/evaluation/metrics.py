"""How well scores and alarms meet labels: areas, event figures, false alarms, delay. Pure numpy.

Scores are higher where more anomalous. A NaN score (not judged) counts as the lowest score of all: a row
that was not judged was not found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from logscan.core.intervals import overlapping, true_intervals
from logscan.evaluation.vus import period_length, volumes
from logscan.records import F32, F64, I8, Bool

__all__ = [
    "Evaluation",
    "auc_pr",
    "auc_roc",
    "best_f1",
    "evaluation",
    "period_length",
    "vus_pr",
    "vus_roc",
]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one series; NaN where a figure is undefined (no label, no alarm, no time unit)."""

    rows: int
    anomalous_rows: int
    events: int
    alarm_events: int
    window: int  # widest VUS buffer, steps
    vus_pr: float
    vus_roc: float
    auc_pr: float
    auc_roc: float
    best_f1: float
    event_recall: float  # labelled events with an alarm inside / labelled events
    event_precision: float  # alarm events that meet a label / alarm events
    false_alarms: int  # alarm events that meet no label
    false_alarms_per_day: float  # over the whole length of the log
    detection_delay_steps: float  # median over detected events


def evaluation(
    labels: I8 | Bool, scores: F32 | F64, alarms: Bool | None, *, window: int, steps_per_day: float | None
) -> Evaluation:
    """Every figure of one series.

    Args:
        labels: (n,) int8 or bool, non-zero where anomalous.
        scores: (n,) float32 or float64, higher is more anomalous; NaN counts as the lowest.
        alarms: (n,) bool, true where an alarm stands; touching steps are one alarm event. `None` when
            there is no threshold yet: the alarm figures are then those of a log without alarms.
        window: widest buffer of the VUS measures, steps, >= 0; see `period_length`.
        steps_per_day: steps of the grid in a day; `None` for integer time (no alarms per day).

    Returns:
        the figures. An alarm that starts before an event and reaches into it detects it with delay 0.
    """
    flags = np.asarray(labels) != 0
    filled = _filled(scores)
    volume = volumes(flags, filled, window=window)
    raised = np.zeros(len(flags), dtype=np.bool_) if alarms is None else alarms
    events, raised_events = true_intervals(flags), true_intervals(raised)
    delays = _delays(raised, events)
    detected = delays[np.isfinite(delays)]
    false_alarms = int((~overlapping(raised_events, events)).sum())
    return Evaluation(
        rows=len(flags),
        anomalous_rows=int(flags.sum()),
        events=len(events),
        alarm_events=len(raised_events),
        window=window,
        vus_pr=volume.pr,
        vus_roc=volume.roc,
        auc_pr=auc_pr(flags, filled),
        auc_roc=auc_roc(flags, filled),
        best_f1=best_f1(flags, filled),
        event_recall=_share(len(detected), len(events)),
        event_precision=_share(len(raised_events) - false_alarms, len(raised_events)),
        false_alarms=false_alarms,
        false_alarms_per_day=_share(false_alarms * (steps_per_day or np.nan), len(flags)),
        detection_delay_steps=float(np.median(detected)) if len(detected) else float("nan"),
    )


def vus_pr(labels: I8 | Bool, scores: F32 | F64, *, window: int) -> float:
    """Volume under the precision-recall surface; NaN when no row is labelled (see `logscan.evaluation.vus`)."""
    return volumes(np.asarray(labels) != 0, _filled(scores), window=window).pr


def vus_roc(labels: I8 | Bool, scores: F32 | F64, *, window: int) -> float:
    """Volume under the ROC surface; NaN when no row or every row is labelled (see `logscan.evaluation.vus`)."""
    return volumes(np.asarray(labels) != 0, _filled(scores), window=window).roc


def auc_pr(labels: I8 | Bool, scores: F32 | F64) -> float:
    """Average precision: the sum of precision times the gain in recall over all distinct scores.

    Args:
        labels: (n,) int8 or bool, non-zero where anomalous.
        scores: (n,) float32 or float64; NaN counts as the lowest.

    Returns:
        0..1; NaN when no row is labelled.
    """
    true_rows, predicted = _counts(labels, scores)
    if len(true_rows) == 0 or true_rows[-1] == 0:
        return float("nan")
    return float(np.dot(np.diff(true_rows, prepend=0.0) / true_rows[-1], true_rows / predicted))


def auc_roc(labels: I8 | Bool, scores: F32 | F64) -> float:
    """The chance that an anomalous row scores above a normal one, ties counting half (Mann-Whitney).

    Arguments as in `auc_pr`; NaN when no row or every row is labelled.
    """
    flags = np.asarray(labels) != 0
    positives = int(flags.sum())
    negatives = len(flags) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    filled = _filled(scores)
    ascending, anomalous = np.sort(filled), filled[flags]
    ranks = np.searchsorted(ascending, anomalous, "left") + np.searchsorted(ascending, anomalous, "right")
    rank_sum = float((ranks + 1).sum()) / 2
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def best_f1(labels: I8 | Bool, scores: F32 | F64) -> float:
    """The highest F1 of rows over all thresholds, chosen with the labels in hand: an upper bound.

    Arguments as in `auc_pr`; NaN when no row is labelled.
    """
    true_rows, predicted = _counts(labels, scores)
    if len(true_rows) == 0 or true_rows[-1] == 0:
        return float("nan")
    return float(np.max(2 * true_rows / (predicted + true_rows[-1])))


def _filled(scores: F32 | F64) -> F32 | F64:
    """The scores with NaN made the lowest of all."""
    return np.where(np.isnan(scores), -np.inf, scores)


def _counts(labels: I8 | Bool, scores: F32 | F64) -> tuple[F64, F64]:
    """True and predicted rows at every distinct score of an anomalous row, highest first.

    At any other score there are as many true rows as at the next higher one of these, among more predicted rows:
    it neither gains recall nor is it ever the best.
    """
    filled = _filled(scores)
    levels, rows = np.unique(filled[np.asarray(labels) != 0], return_counts=True)
    predicted = len(filled) - np.searchsorted(np.sort(filled), levels[::-1], side="left")
    return np.cumsum(rows[::-1], dtype=np.float64), predicted.astype(np.float64)


def _delays(alarms: Bool, events: npt.NDArray[np.int64]) -> F64:
    """Steps from each event's start to its first alarm inside it, NaN where there is none."""
    raised = np.append(np.flatnonzero(alarms), len(alarms))  # the end stands for: never
    first = raised[np.searchsorted(raised, events[:, 0], side="left")]
    return np.where(first < events[:, 1], first - events[:, 0], np.nan)


def _share(part: float, whole: float) -> float:
    """The part of the whole; NaN when there is no whole."""
    return part / whole if whole else float("nan")
