"""Events: intervals of steps above the threshold, merged across short gaps, short ones dropped. Pure.

Everything here is half-open intervals `[start, end)` of steps.
"""

from __future__ import annotations

import numpy as np

from logscan.core.intervals import merged, true_intervals
from logscan.records import F32


def alarm_events(
    score: F32, threshold: float, *, merge_gap_steps: int, min_event_steps: int
) -> list[tuple[int, int, int]]:
    """The events of one series: runs of steps above the threshold, merged, the short ones dropped.

    An event's start and its peak so far depend on no later step: appending steps may extend the last event
    or add new ones, but moves no start and removes no event. (An event still too short to be kept may
    appear when it grows; its start is then still its first step above the threshold.)

    Args:
        score: (steps,) float32, higher is more anomalous; NaN where not judged. A NaN step is never above
            the threshold: it opens no event, and inside an event it counts as a step of the gap.
        threshold: a step is an alarm when its score is strictly greater; +inf raises nothing.
        merge_gap_steps: alarms with at most this many quiet steps between them are one event.
        min_event_steps: events that span fewer steps, gaps included, are dropped.

    Returns:
        (start, end, peak) of each event in steps, half-open, ascending; `peak` is the first step of the
        highest score.
    """
    alarm = score > threshold  # false for NaN
    events = []
    for start, end in merged(true_intervals(alarm), merge_gap_steps).tolist():
        if end - start >= min_event_steps:
            events.append((start, end, start + int(np.nanargmax(score[start:end]))))
    return events


def causal_alarm_events(
    score: F32, threshold: float, *, merge_gap_steps: int, min_event_steps: int
) -> list[tuple[int, int, int]]:
    """The events as an alarm that is switched step by step sees them: no step is ever judged afterwards.

    An event opens at the first step above the threshold by which its excursion has lasted `min_event_steps`,
    and closes after `merge_gap_steps` steps without another one. Whether a step is inside an event therefore
    depends on no later step.

    Arguments as in `alarm_events`.

    Returns:
        (start, end, peak) of each event in steps, half-open, ascending.
    """
    alarm = score > threshold
    events = []
    for begin, last in merged(true_intervals(alarm), merge_gap_steps).tolist():
        opening = begin + max(min_event_steps, 1) - 1
        late = np.flatnonzero(alarm[opening:last])
        if len(late):
            start = opening + int(late[0])
            end = min(last + merge_gap_steps, len(score))
            events.append((start, end, start + int(np.nanargmax(score[start:last]))))
    return events


def merge_gap_steps(configured: int | None, shortest_window_steps: int) -> int:
    """Events closer than this are one: as configured, else the shortest window (one disturbance, one event)."""
    return shortest_window_steps if configured is None else configured


def min_event_steps(configured: int | None, shortest_window_steps: int) -> int:
    """Shorter events are dropped: as configured, else half the shortest window.

    A single wrong step moves every window that holds it, so what crosses the threshold for less than half a
    window is the edge of something, not a thing.
    """
    return max(1, shortest_window_steps // 2) if configured is None else configured
