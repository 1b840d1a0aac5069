"""The promise (`--false-alarms 1/week`): how many false events a user accepts, as a rate per step. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from logscan.errors import UsageError
from logscan.notes import Note, note
from logscan.time_units import DAY_SECONDS, HOUR_SECONDS, WEEK_SECONDS

# A promise is a limit, not a mean: aimed at in full it would be broken every other week.
AIM = 0.5
_UNIT_SECONDS = {
    "hour": float(HOUR_SECONDS),
    "day": float(DAY_SECONDS),
    "week": float(WEEK_SECONDS),
    "month": 30.4375 * DAY_SECONDS,
}
_PATTERN = re.compile(r"(?P<count>\d+(?:\.\d+)?|\.\d+)/(?:(?P<unit>[a-z]+)|rows:(?P<rows>\d+))")
_FALLBACK_RATE = 1e-4  # per step, for a promise in time on a log without clock time


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """A promise: `count` false events per unit of time, or per number of steps."""

    count: float
    unit_seconds: float | None  # None when the promise is in rows
    unit_steps: int | None  # None when the promise is in time

    def note(self, step_seconds: float | None) -> Note | None:
        """A note for the user where the promise cannot be kept as given; None where it can."""
        if self.unit_steps is None and step_seconds is None:
            return note("promise-without-clock")
        return None


def parse_false_alarms(text: str) -> FalseAlarms:
    """The promise in `text`: `1/week`, `2/day`, `0.5/month`, `3/hour` or `1/rows:10000`.

    Raises:
        UsageError: the text has another form, or promises none at all.
    """
    match = _PATTERN.fullmatch(text.strip().lower())
    unit = match["unit"] if match else None
    rows = match["rows"] if match else None
    if (
        match is None
        or (unit is not None and unit not in _UNIT_SECONDS)
        or (rows is not None and not int(rows))
    ):
        raise UsageError(
            "--false-alarms",
            f"'{text}' is not COUNT/UNIT",
            "write it like 1/week (hour, day, week, month) or 1/rows:10000",
        )
    count = float(match["count"])
    if count <= 0:
        raise UsageError(
            "--false-alarms",
            f"'{text}' promises no false alarm at all",
            "give a small number, such as 0.1/month",
        )
    if rows is not None:
        return FalseAlarms(count=count, unit_seconds=None, unit_steps=int(rows))
    return FalseAlarms(count=count, unit_seconds=_UNIT_SECONDS[str(unit)], unit_steps=None)


def false_alarms_per_step(promise: FalseAlarms, step_seconds: float | None) -> float:
    """False events per step of the grid.

    Args:
        promise: from `parse_false_alarms`.
        step_seconds: length of a grid step in seconds; `None` for integer time. A promise in time is then
            1 per 10,000 steps, whatever its count (`FalseAlarms.note` tells the user so).

    Returns:
        the expected number of false events per step, > 0; may exceed 1 on a coarse grid.
    """
    if promise.unit_steps is not None:
        return promise.count / promise.unit_steps
    if step_seconds is None or promise.unit_seconds is None:
        return _FALLBACK_RATE
    return promise.count * step_seconds / promise.unit_seconds
