"""The step (sampling interval) and phase of the regular grid, and the rows too far away to lie on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import ceil, gcd
from typing import Literal

import numpy as np
import pandas as pd

from logscan.errors import UsageError
from logscan.notes import Note, note
from logscan.read.plan.long_format import SEPARATOR
from logscan.records import I64, TimeKind
from logscan.time_units import (
    DAY_NS,
    HOUR_NS,
    MICROSECOND_NS,
    MILLISECOND_NS,
    MINUTE_NS,
    MONTH_NS,
    SECOND_NS,
    WEEK_NS,
)
from logscan.times import TimeBlock, Times

EVENT_STEPS_NS = tuple(minutes * MINUTE_NS for minutes in (1, 5, 10, 15, 30, 60, 120, 360, 1440))
# Steps of a monthly grid are mean months. Calendar months begin up to this much later or earlier, from 1970 on.
_MONTH_LATE_NS = 152_550 * SECOND_NS
_MONTH_EARLY_NS = 226_908 * SECOND_NS
_EVENT_ROWS_PER_STEP = 10
_TOO_FEW = 64  # intervals: a model needs as many
_DISTANCES = 1 << 22  # from which the usual one is found; of a longer log, evenly spread blocks
_FEWEST_READINGS = 64  # of an entity that has a say: with fewer there is nothing to model
_MOST_TIMES = 100  # coarser than the usual interval; beyond, an entity is passed over and named
_NICE_NS = tuple(
    count * unit
    for unit, counts in (
        (MILLISECOND_NS, (1, 2, 4, 5, 8, 10, 20, 25, 40, 50, 100, 125, 200, 250, 500)),
        (SECOND_NS, (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
        (MINUTE_NS, (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
        (HOUR_NS, (1, 2, 3, 4, 6, 8, 12, 24, 168)),
    )
    for count in counts
)
_UNITS_NS = {
    name: unit_ns
    for names, unit_ns in (
        ("ns", 1),
        ("us", MICROSECOND_NS),
        ("ms", MILLISECOND_NS),
        ("s sec second seconds", SECOND_NS),
        ("min minute minutes", MINUTE_NS),
        ("h hour hours", HOUR_NS),
        ("d day days", DAY_NS),
        ("w week weeks", WEEK_NS),
        ("month months", MONTH_NS),
    )
    for name in names.split()
}


def sample_step(series: Sequence[Times], kind: TimeKind) -> int:
    """The usual distance of neighbouring readings within an entity.

    The most frequent distance where it is common (gaps and duplicates do not move it), else the
    median (jitter), snapped to a round duration within 3 %.

    Args:
        series: the times of every entity.
        kind: what they are.

    Returns:
        Step in ns or integer units; 1 (timestamps: one second) where there are no two distinct times.
    """
    distance = _distances(series)
    if len(distance) == 0:
        return SECOND_NS if kind is TimeKind.TIMESTAMP else 1
    if kind is TimeKind.TIMESTAMP and np.median(distance) > 27 * DAY_NS:
        months = _months_apart(series)
        if months:
            return months * MONTH_NS
    values, counts = np.unique(distance, return_counts=True)
    most = int(np.argmax(counts))
    if counts[most] >= 0.3 * len(distance):
        return int(values[most])
    middle = max(int(np.median(distance)), 1)
    if kind is TimeKind.TIMESTAMP:
        nearest = min(_NICE_NS, key=lambda nice: abs(nice - middle))
        if abs(nearest - middle) <= 0.03 * nearest:
            return nearest
    return middle


def common_step(series: Mapping[str, Times], kind: TimeKind) -> tuple[int, list[Note]]:
    """The grid step of a log, and notes where its entities (or sensors) are read at different intervals.

    A slow sensor leaves a fine grid mostly empty, a fast one is only averaged on a coarse grid: the longest
    interval counts, unless it is more than 100 times the usual one.

    Args:
        series: name of a group of rows -> its times.
        kind: what they are.
    """
    usual = sample_step(list(series.values()), kind)
    if len(series) < 2:
        return usual, []
    own = {
        name: sample_step([times], kind) for name, times in series.items() if len(times) >= _FEWEST_READINGS
    }
    if not own:
        return usual, []
    near = [step for step in own.values() if step <= _MOST_TIMES * usual]
    step = max([usual, *near])
    notes = []
    faster = [name for name, mine in own.items() if 2 * mine <= step]
    slower = [name for name, mine in own.items() if mine >= 2 * step]
    if faster:
        notes.append(
            note("sampling-intervals-differ", step=step_words(step, kind), names=_shown_names(faster))
        )
    if slower:
        notes.append(note("sampling-interval-long", names=_shown_names(slower)))
    return step, notes


def _shown_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of groups of rows, entity and sensor with a blank between them."""
    return tuple(sorted(name.replace(SEPARATOR, " ").strip() for name in names))


def _months_apart(series: Sequence[Times]) -> int:
    """The usual number of months between neighbouring readings; 0 where they do not come by the calendar.

    By the calendar: nearly all on the same day of the month, or nearly all on its last.
    """
    times = [np.asarray(one).view("datetime64[ns]").astype("datetime64[D]") for one in series if len(one)]
    months = [one.astype("datetime64[M]") for one in times]
    days = np.concatenate([(one - month).astype(np.int64) for one, month in zip(times, months, strict=True)])
    ends = np.concatenate(
        [(month + 1 - one).astype(np.int64) for one, month in zip(times, months, strict=True)]
    )
    if max(np.bincount(one).max() for one in (days, ends)) < 0.9 * len(days):
        return 0
    apart = np.concatenate([np.diff(month.astype(np.int64)) for month in months])
    values, counts = np.unique(apart, return_counts=True)
    return int(values[np.argmax(counts)])


def _distances(series: Sequence[Times]) -> I64:
    """Distances of neighbouring times; of very many, those within evenly spread blocks."""
    blocks = [block for times in series for block in times.blocks]
    total = sum(block.count for block in blocks)
    if total <= _DISTANCES:
        parts = [np.diff(np.asarray(times)) for times in series]
    else:
        every = -(-total // _DISTANCES)
        parts = [np.diff(block.times()) for block in blocks[::every]]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def event_step(series: Iterable[tuple[I64, I64]], kind: TimeKind) -> int:
    """The shortest round interval that holds ten rows on average (all entities, each over its own span).

    Where that leaves fewer than 64 intervals, the longest that leaves 128 and holds a row on average. None is finer
    than the times are: of dates without a clock it is a day.

    Args:
        series: of every entity, its keys, ascending, and the rows behind each, (keys,) int64 each.
        kind: what the keys are.
    """
    span = inner_rows = longest = finest = 0
    for key, rows in series:
        upto = np.cumsum(rows)
        total = int(upto[-1])
        # A wrong date far away must not stretch the span: a thousandth of the rows is cut off at both ends.
        cut = max(total // 1000, 1) if total >= 20 else 0
        low, high = np.searchsorted(upto, [cut, total - cut - 1], side="right")
        inner = int(key[min(high, len(key) - 1)]) - int(key[low])
        span, longest = span + inner, max(longest, inner)
        finest = gcd(finest, int(np.gcd.reduce(np.diff(key)))) if len(key) > 1 else finest
        inner_rows += total - 2 * cut
    per_row = max(span, 1) / max(inner_rows, 1)
    if kind is TimeKind.TIMESTAMP:
        steps: tuple[int, ...] = EVENT_STEPS_NS
    else:
        steps = tuple(count * 10**power for power in range(12) for count in (1, 2, 5))
    steps = tuple(step for step in steps if step >= finest) or steps[-1:]
    chosen = next((step for step in steps if step >= _EVENT_ROWS_PER_STEP * per_row), steps[-1])
    if longest < _TOO_FEW * chosen:
        fine = (step for step in reversed(steps) if per_row <= step < chosen)
        chosen = next((step for step in fine if longest >= 2 * _TOO_FEW * step), chosen)
    return chosen


def grid_phase(times: Times, step: int) -> int:
    """Where the grid's steps lie, 0 <= phase < step: on the readings if most agree, else on round times."""
    if len(times) == 0 or step <= 1:
        return 0
    if step % MONTH_NS == 0:
        return _month_phase(times, step)
    # A phase that half of all readings have, half of the readings of some block have too; then it is the middle one.
    candidates = {phase for block in times.blocks for phase in _common_phases(block, step)}
    agree = {
        phase: sum(int((chunk % step == phase).sum()) for chunk in times.chunks())
        for phase in sorted(candidates)
    }
    best = max(agree, key=lambda phase: agree[phase], default=0)
    return best if agree and agree[best] >= 0.5 * len(times) else 0


def event_phase(time: int, step: int, timezone: str | None) -> int:
    """Where intervals begin, 0 <= phase < step: on round local times, by the clock at the given time."""
    if timezone is None:
        return 0
    offset = pd.Timestamp(time, unit="ns").tz_localize("UTC").tz_convert(timezone).utcoffset()
    return -int(offset.total_seconds() if offset else 0) * SECOND_NS % step


def _month_phase(times: Times, step: int) -> int:
    """Where steps of average months lie: always as far from the calendar, within the month they stand for.

    Readings of the first half of a month come up to 4.4 days before their step, those of its second half as much
    after it.
    """
    whole = np.asarray(times).view("datetime64[ns]")
    months = whole.astype("datetime64[M]")
    begun = (whole - months.astype("datetime64[ns]")).astype(np.int64)
    left = ((months + 1).astype("datetime64[ns]") - whole).astype(np.int64)
    per_step = step // MONTH_NS
    month = int(np.bincount(months.astype(np.int64) % per_step).argmax())
    if 2 * int((begun <= left).sum()) >= len(whole):
        return (month * MONTH_NS + _MONTH_LATE_NS + int(np.median(begun))) % step
    return ((month + 1) * MONTH_NS - _MONTH_EARLY_NS - int(np.median(left))) % step


def _common_phases(block: TimeBlock, step: int) -> list[int]:
    """The phases that at least half of the times of a block have."""
    if block.beyond is None and block.count > 1:
        period = step // gcd(block.distance, step)
        if period == 1:
            return [block.first % step]
        if period > 2 and block.count >= 4 * period:  # all phases are met about equally often
            return []
    phases = block.times() % step
    middle = (len(phases) - 1) // 2
    ordered = np.partition(phases, [middle, len(phases) // 2])
    found = {int(ordered[middle]), int(ordered[len(phases) // 2])}
    return [phase for phase in found if 2 * int((phases == phase).sum()) >= len(phases)]


def longer_step(step: int, ratio: float, kind: TimeKind) -> int:
    """The shortest round step that is at least `ratio` times as long; where it can be, a multiple of the step."""
    least = step * ratio
    if kind is TimeKind.TIMESTAMP:
        nice = [one for one in _NICE_NS if one >= least]
        return next((one for one in nice if one % step == 0), next(iter(nice), step * ceil(ratio)))
    power = int(10 ** (len(str(ceil(ratio))) - 1))
    return step * next(count * power for count in (1, 2, 5, 10) if count * power >= ratio)


def step_from(every: str, kind: TimeKind) -> int:
    """The grid step of `--every` in ns (timestamps) or integer units; raises UsageError."""
    text = every.strip()
    remedy = (
        "use 10s, 1min, 1h or 1d" if kind is TimeKind.TIMESTAMP else "use a whole number of steps such as 10"
    )
    if kind is not TimeKind.TIMESTAMP:
        if re.fullmatch(r"[1-9]\d{0,17}", text):
            return int(text)
        raise UsageError(
            "--every", f"'{every}' is not a whole number, but time is counted in integers", remedy
        )
    match = re.fullmatch(r"(\d+(?:\.\d+)?)?\s*([a-z]+)", text.casefold())
    if match is None or match[2] not in _UNITS_NS:
        raise UsageError("--every", f"'{every}' is not a duration", remedy)
    step = round(float(match[1] or 1) * _UNITS_NS[match[2]])
    if not 0 < step < 2**62:
        raise UsageError("--every", f"'{every}' is not a duration that can be used", remedy)
    return step


def step_words(step: int, kind: TimeKind) -> str:
    """A step as `--every` takes it: `10s`, `1min`, `500ms`, `1month`, or an integer."""
    if kind is not TimeKind.TIMESTAMP:
        return str(step)
    units = (
        ("month", MONTH_NS),
        ("d", DAY_NS),
        ("h", HOUR_NS),
        ("min", MINUTE_NS),
        ("s", SECOND_NS),
        ("ms", MILLISECOND_NS),
        ("us", MICROSECOND_NS),
    )
    unit, size = next(((unit, size) for unit, size in units if step % size == 0), ("ns", 1))
    return f"{step // size}{unit}"


def far_rows(key: I64, rows: I64, total: int | None = None) -> tuple[int, int] | Literal["too long"]:
    """Which pairs of one entity lie on a grid of reasonable length.

    Args:
        key: (pairs,) ascending steps of one entity's grid; of a long one, the `end_pairs` at both ends are enough.
        rows: (pairs,) input rows behind them.
        total: input rows behind all pairs of the entity; `None`: all pairs are given.

    Returns:
        The half-open range of pairs to keep; `too long` where more than 0.1 % of the rows (or one
        row of at least 20) would have to go.
    """
    total = int(rows.sum()) if total is None else total
    allowed = _most_far(total)
    limit = max(50 * total, 1_000_000)
    first, last, dropped = 0, len(key) - 1, 0

    def lonely() -> bool:
        """Whether an end pair lies further out than ten times what is left."""
        span = int(key[last - 1] - key[first]) if right else int(key[last] - key[first + 1])
        gap = int(key[last] - key[last - 1]) if right else int(key[first + 1] - key[first])
        return gap > max(10 * span, 50 * total, 100_000)

    while last > first:
        right = key[last] - key[last - 1] >= key[first + 1] - key[first]
        end = last if right else first
        fits = dropped + int(rows[end]) <= allowed
        if key[last] - key[first] >= limit:
            if not fits:
                return "too long"
        elif not (fits and lonely()):
            break
        dropped += int(rows[end])
        first, last = (first, last - 1) if right else (first + 1, last)
    return first, last + 1


def end_pairs(total: int) -> int:
    """How many pairs at each end of an entity `far_rows` looks at."""
    return _most_far(total) + 2


def _most_far(total: int) -> int:
    """How many rows may be too far away."""
    return max(total // 1000, 1 if total >= 20 else 0)
