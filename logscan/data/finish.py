"""From sums to series: the step, the grids, the channels."""

from __future__ import annotations

import re

import numpy as np

from logscan.data.collect import Collector, event_phase
from logscan.data.columns import COUNT, Plan
from logscan.data.grid import Cells, event_step, far_rows, grid_phase, sample_step
from logscan.errors import InputError, UsageError
from logscan.records import F64, I64, LogKind, Series, TimeGrid, TimeKind

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


def finished_series(collector: Collector, plan: Plan, place: str) -> tuple[int, tuple[Series, ...], int, int]:
    """Series of everything collected.

    Returns:
        The grid step, the series in order of entity name, the rows dropped because their time lies too far
        from all others, and the rows that share entity and time with another one.

    Raises:
        InputError: the grid would be too long or too large, or no channel holds a number.
    """
    sums, times = collector.sums(), collector.times()
    events = plan.kind is LogKind.EVENTS
    step = collector.step
    if step is None:
        find = event_step if events else sample_step
        step = find(sums, plan.time.kind)
    used = _used_channels(sums, plan, place)
    names = _channel_names(plan, used)
    series: list[Series] = []
    far = duplicates = 0
    sizes = 0
    for code in sorted(range(len(collector.entities)), key=lambda code: collector.entities[code]):
        mine, exact = _of_entity(sums, code), _of_entity(times, code)
        if len(mine.key) == 0:
            continue
        mine, grid, dropped = _placed(mine, exact.key, step, plan, place)
        far += dropped
        sizes += grid.steps * len(names)
        if sizes > _MOST_CELLS:
            fact = f"{len(collector.entities)} series of up to {grid.steps:,} steps do not fit into memory"
            raise InputError(place, fact, "pass a longer step with --every, or fewer columns with --channels")
        index = (exact.key - grid.start) // step if events else grid.index(exact.key)
        inside = (index >= 0) & (index < grid.steps)
        duplicates += int(exact.rows[inside].sum() - inside.sum())
        values = _event_values(mine, grid, plan, used) if events else _sample_values(mine, grid, used)
        row_times = None if events else exact.key[inside]
        series.append(Series(collector.entities[code], names, grid, values, row_times))
    return step, tuple(series), far, duplicates


def _of_entity(cells: Cells, code: int) -> Cells:
    first, end = np.searchsorted(cells.entity, [code, code + 1])
    part = slice(int(first), int(end))
    counts = None if cells.counts is None else cells.counts[part]
    return Cells(cells.entity[part], cells.key[part], cells.rows[part], cells.sums[part], counts)


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


def _channel_names(plan: Plan, used: list[int]) -> tuple[str, ...]:
    names = [plan.numeric[position] for position in used]
    if plan.kind is LogKind.SAMPLES:
        return tuple(names)
    sums = tuple(f"{name} (sum)" if name == COUNT else name for name in names)
    return (COUNT, *sums) if plan.counted else sums


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


def _sample_values(mine: Cells, grid: TimeGrid, used: list[int]) -> F64:
    """(steps, channels) mean of the finite readings in every step, NaN where there are none."""
    index = grid.index(mine.key)
    values = np.full((grid.steps, len(used)), np.nan)
    starts = np.flatnonzero(np.r_[True, index[1:] != index[:-1]])
    if len(starts) == len(index):
        values[index] = mine.means()[:, used]
        return values
    sums = np.add.reduceat(mine.totals()[:, used], starts, axis=0)
    counts = mine.counts if mine.counts is not None else np.isfinite(mine.sums).astype(np.int32)
    counts = np.add.reduceat(counts[:, used], starts, axis=0)
    values[index[starts]] = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return values


def _event_values(mine: Cells, grid: TimeGrid, plan: Plan, used: list[int]) -> F64:
    """(steps, channels) rows and sums per step, 0 where nothing happened."""
    index = (mine.key - grid.start) // grid.step
    starts = np.flatnonzero(np.r_[True, index[1:] != index[:-1]])
    parts = [np.add.reduceat(mine.totals()[:, used], starts, axis=0)]
    if plan.counted:
        parts.insert(0, np.add.reduceat(mine.rows, starts)[:, None].astype(np.float64))
    values = np.zeros((grid.steps, sum(part.shape[1] for part in parts)))
    values[index[starts]] = np.concatenate(parts, axis=1)
    return values
