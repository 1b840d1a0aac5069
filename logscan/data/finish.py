"""From sums to series: the step, the grids, the channels."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from logscan.data.channels import found_channels, of_group, union
from logscan.data.collect import Collector, event_phase
from logscan.data.columns import Plan
from logscan.data.grid import Cells, event_step, far_rows, grid_phase, merged
from logscan.data.intervals import common_step
from logscan.data.longform import SEPARATOR
from logscan.data.status import Status, stopped_steps
from logscan.errors import InputError, UsageError
from logscan.records import I64, Bool, LogKind, Series, TimeGrid, TimeKind

_MOST_CELLS = 500_000_000
_SECOND_NS = 1_000_000_000
_UNITS_NS = {
    name: unit_ns
    for names, unit_ns in (
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s sec second seconds", _SECOND_NS),
        ("min minute minutes", 60 * _SECOND_NS),
        ("h hour hours", 3600 * _SECOND_NS),
        ("d day days", 86_400 * _SECOND_NS),
        ("w week weeks", 7 * 86_400 * _SECOND_NS),
    )
    for name in names.split()
}


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


@dataclass(frozen=True, slots=True)
class Finished:
    """Everything collected, as series."""

    step: int
    series: tuple[Series, ...]  # in order of entity name
    far: int  # rows dropped because their time lies too far from all others
    duplicates: int  # rows that share entity, sensor and time with another one
    categories: tuple[str, ...]  # of events, counted apart
    negatives: tuple[str, ...]  # columns whose negative numbers are a channel
    silent: tuple[str, ...]  # columns of numbers that hold none
    notes: tuple[str, ...]


def finished_series(collector: Collector, plan: Plan, place: str) -> Finished:
    """Series of everything collected.

    Raises:
        InputError: the grid would be too long or too large, or no channel holds a number.
    """
    collector.finish()
    sums, times = collector.sums(), collector.times()
    events = plan.kind is LogKind.EVENTS
    step, notes = collector.step, list[str]()
    if step is None and events:
        step = event_step(_by_entity(sums, collector.entities), plan.time.kind)
    elif step is None:
        step, notes = common_step(sums, plan.time.kind, collector.entities)
    used = _used_channels(sums, plan, place)
    channels = found_channels(collector, plan, used, sums, place)
    stops = collector.stops() if plan.status is not None else None
    series: list[Series] = []
    far = duplicates = sizes = 0
    for entity, codes in channels.groups.items():
        mine = union([of_group(sums, code) for code in codes])
        if len(mine.key) == 0:
            continue
        exact = [of_group(times, code) for code in codes]
        moments = union(exact).key
        mine, grid, dropped = _placed(mine, moments, step, plan, place)
        far += dropped
        sizes += grid.steps * len(channels.names)
        if sizes > _MOST_CELLS:
            fact = f"{len(channels.groups)} series of up to {grid.steps:,} steps do not fit into memory"
            raise InputError(place, fact, "pass a longer step with --every, or fewer columns with --channels")
        for one in [union(exact)] if events else exact:
            inside = _inside(one.key, grid, events=events)
            duplicates += int(one.rows[inside].sum() - inside.sum())
        values = channels.values(entity, grid)
        row_times = None if events else moments[_inside(moments, grid, events=events)]
        aside = None if stops is None else _stopped(union([of_group(stops, code) for code in codes]), grid)
        series.append(Series(entity, channels.names, grid, values, row_times, aside))
    if plan.status is not None:
        notes += _stop_notes(series, plan.status)
    return Finished(
        step=step,
        series=tuple(series),
        far=far,
        duplicates=duplicates,
        categories=channels.categories,
        negatives=channels.negatives,
        silent=tuple(name for place, name in enumerate(plan.numeric) if place not in used),
        notes=(*notes, *channels.notes),
    )


def _by_entity(sums: Cells, names: list[str]) -> Cells:
    """Sums of groups as those of their entities."""
    entities = [name.rpartition(SEPARATOR)[0] if SEPARATOR in name else name for name in names]
    codes = np.unique(np.array(entities, dtype=object), return_inverse=True)[1].astype(np.int32)
    if len(np.unique(codes)) == len(names):
        return sums
    return merged([Cells(codes[sums.entity], sums.key, sums.rows, sums.sums.copy(), sums.counts)])


def _inside(times: I64, grid: TimeGrid, *, events: bool) -> Bool:
    """(times,) bool: which of them lie on the grid."""
    index = (times - grid.start) // grid.step if events else grid.index(times)
    inside: Bool = (index >= 0) & (index < grid.steps)
    return inside


def _stopped(stops: Cells, grid: TimeGrid) -> Bool:
    index = grid.index(stops.key)
    inside = (index >= 0) & (index < grid.steps)
    return stopped_steps(index[inside], stops.means()[inside, 0], grid.steps)


def _stop_notes(series: list[Series], status: Status) -> list[str]:
    steps = sum(one.grid.steps for one in series)
    stopped = sum(int(one.set_aside.sum()) for one in series if one.set_aside is not None)
    told = "" if status.running else f"; pass --ignore {status.column} to judge them"
    fact = f"{stopped:,} of {steps:,} steps are set aside, neither judged nor learned from"
    return [f"'{status.column}' tells when the machine stands: {fact}{told}."]


def _used_channels(sums: Cells, plan: Plan, place: str) -> list[int]:
    """Positions of the numeric columns that hold at least one number."""
    seen = np.isfinite(sums.sums).any(axis=0) if sums.counts is None else (sums.counts > 0).any(axis=0)
    used = [int(position) for position in np.flatnonzero(seen)]
    if not used and plan.kind is LogKind.SAMPLES:
        listed = ", ".join(f"'{name}'" for name in plan.numeric[:4])
        raise InputError(
            place,
            f"no numeric channel ({listed} hold no number)",
            "a log needs at least one column of numbers, or --kind events to count its rows",
        )
    return used


def _placed(mine: Cells, times: I64, step: int, plan: Plan, place: str) -> tuple[Cells, TimeGrid, int]:
    """The cells of one entity that lie on its grid, the grid, and the rows that do not."""
    events = plan.kind is LogKind.EVENTS
    kept = far_rows(mine.key // step, mine.rows)
    if kept == "too long":
        span = (int(mine.key[-1]) - int(mine.key[0])) // step + 1
        fact = f"{int(mine.rows.sum()):,} rows would make a grid of {span:,} steps"
        raise InputError(
            place, fact, "pass a longer step with --every, or correct the times that are far off"
        )
    first, end = kept
    dropped = int(mine.rows.sum() - mine.rows[first:end].sum())
    counts = None if mine.counts is None else mine.counts[first:end]
    mine = Cells(
        mine.entity[first:end], mine.key[first:end], mine.rows[first:end], mine.sums[first:end], counts
    )
    low, high = int(mine.key[0]), int(mine.key[-1])
    if events:
        phase = event_phase(mine.key, step, plan.time.timezone)
        start = (low - phase) // step * step + phase
        steps = (high - start) // step + 1
    else:
        near = times[(times >= low - step) & (times <= high + step)]
        phase = grid_phase(near, step)
        start = (low - phase + step // 2) // step * step + phase
        steps = (high - start + step // 2) // step + 1
    return mine, TimeGrid(plan.time.kind, start, step, steps, plan.time.timezone), dropped
