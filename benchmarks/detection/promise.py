"""Whether the promise of false alarms was kept, on the clean rows after the training part. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logscan.alarms.promise import false_alarms_per_step, parse_false_alarms
from logscan.core.intervals import overlapping, true_intervals
from logscan.records import F64, Bool

FACTOR = 3  # by which the count of false events may exceed the promise
DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Promise:
    """What was promised for one series, and what came.

    Attributes:
        false_events: alarm events after the training part that touch no labelled event.
        clean_steps: rows after the training part that were judged and are not labelled.
        clean_days: the same in days; NaN for integer time.
        false_alarms_per_day: false events per clean day; NaN for integer time and without clean rows.
        promised_events: false events promised for so many clean steps.
        promise_kept: see `promise`.
        clean_training: no row of the training part is labelled, so the promise can be expected to hold.
    """

    false_events: int
    clean_steps: int
    clean_days: float
    false_alarms_per_day: float
    promised_events: float
    promise_kept: bool
    clean_training: bool


def promise(
    labels: Bool, scores: F64, alarms: Bool, *, train_rows: int, false_alarms: str, step_seconds: float | None
) -> Promise:
    """What came of a promise of false alarms.

    The promise is kept when the false events number at most `max(1, 3 * promised)`, where `promised` is the
    promised rate times the clean steps: a rate up to three times the promise is forgiven, and so is a single false
    event, however short the series (a log of a day promises 0.14 events a week, and no count but 0 or 1 is near it).
    On short series the rule is therefore lenient; sum `false_events` and `promised_events` over many of them.

    Args:
        labels: (rows,) bool, true where anomalous.
        scores: (rows,) float64, NaN where not judged.
        alarms: (rows,) bool; touching rows are one event.
        train_rows: rows of the training part, which is left out; an event that reaches out of it counts.
        false_alarms: the promise, such as `1/week`; 1 per 10,000 steps for integer time, as in the threshold.
        step_seconds: time from row to row; `None` for integer time.
    """
    labels, scores, alarms, trained = (
        labels[train_rows:],
        scores[train_rows:],
        alarms[train_rows:],
        labels[:train_rows],
    )
    false_events = int((~overlapping(true_intervals(alarms), true_intervals(labels))).sum())
    clean_steps = int((np.isfinite(scores) & ~labels).sum())
    clean_days = float("nan") if step_seconds is None else clean_steps * step_seconds / DAY_SECONDS
    promised = false_alarms_per_step(parse_false_alarms(false_alarms), step_seconds) * clean_steps
    return Promise(
        false_events=false_events,
        clean_steps=clean_steps,
        clean_days=clean_days,
        false_alarms_per_day=false_events / clean_days if clean_days else float("nan"),
        promised_events=promised,
        promise_kept=false_events <= max(1, FACTOR * promised),
        clean_training=not trained.any(),
    )
