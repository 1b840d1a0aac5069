"""From sums to series: the step, the grids, the channels."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from logscan.errors import InputError, UsageError
from logscan.read.grid.cells import Cells
from logscan.read.grid.channels import found_channels, union
from logscan.read.grid.collector import Collector, event_phase
from logscan.read.grid.intervals import common_step
from logscan.read.grid.step import (
    end_pairs,
    event_step,
    far_rows,
    grid_phase,
    longer_step,
    step_words,
)
from logscan.read.grid.sums import EntitySums
from logscan.read.plan.columns import Plan
from logscan.read.plan.status import Status, stopped_on
from logscan.records import I64, LogKind, Series, TimeGrid, TimeKind
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
from logscan.times import Times

MOST_CELLS = 10_000_000  # steps times channels: what fits beside a model and its work into 1 GB
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
    sums, exact = collector.sums(), collector.times()
    events = plan.kind is LogKind.EVENTS
    used = _used_channels(sums, plan, place)
    channels = found_channels(collector, plan, used, place)
    step, notes = collector.step, list[str]()
    # Where all rows of an entity are one group, which is the usual case, a union is that group itself.
    whole = {entity: union(sums, codes) for entity, codes in channels.groups.items()}
    moments = {entity: union(exact, codes) for entity, codes in channels.groups.items()}
    if step is None and events:
        step = event_step(((np.asarray(one.times()), _rows(one)) for one in whole.values()), plan.time.kind)
    elif step is None:
        times = {collector.entities[code]: one.times() for code, one in sums.items()}
        step, notes = common_step(times, plan.time.kind)
    placed = {
        entity: _placed(one, moments[entity].times(), step, plan, place) for entity, one in whole.items()
    }
    del whole
    cells = sum(grid.steps for grid, *_ in placed.values()) * len(channels.names)
    if cells > MOST_CELLS:
        raise TooLargeError(place, step, cells, plan)
    stops = collector.stops() if plan.status is not None else None
    series: list[Series] = []
    duplicates = 0
    for entity, (grid, low, high, _) in placed.items():
        first_time = grid.start if events else grid.first_time(0)
        span = (first_time, first_time + grid.steps * step)
        row_times = moments[entity].times().within(*span)
        apart = [moments[entity]] if events else [exact[code] for code in channels.groups[entity]]
        duplicates += sum(_repeated(one, one.times().within(*span)) for one in apart)
        aside = None
        if stops is not None:
            aside = stopped_on(grid, [stops[code] for code in channels.groups[entity] if code in stops])
        values = channels.values(entity, sums, low, high, grid)
        series.append(Series(entity, channels.names, grid, values, None if events else row_times, aside))
    if plan.status is not None:
        notes += _stop_notes(series, plan.status)
    return Finished(
        step=step,
        series=tuple(series),
        far=sum(far for *_, far in placed.values()),
        duplicates=duplicates,
        categories=channels.categories,
        negatives=tuple(channels.negatives),
        silent=tuple(name for number, name in enumerate(plan.numeric) if number not in used),
        notes=(*notes, *channels.notes),
    )


def _stop_notes(series: list[Series], status: Status) -> list[str]:
    steps = sum(one.grid.steps for one in series)
    stopped = sum(int(one.set_aside.sum()) for one in series if one.set_aside is not None)
    told = "" if status.running else f"; pass --ignore {status.column} to judge them"
    fact = f"{stopped:,} of {steps:,} steps are set aside, neither judged nor learned from"
    return [f"'{status.column}' tells when the machine stands: {fact}{told}."]


class TooLargeError(InputError):
    """A log has more cells (steps times channels) at a step than fit into memory."""

    def __init__(self, place: str, step: int, cells: int, plan: Plan) -> None:
        kind = plan.time.kind
        longer = step_words(longer_step(step, max(cells / MOST_CELLS, 1.001), kind), kind)
        super().__init__(
            place,
            f"at a step of {step_words(step, kind)} it has more than {MOST_CELLS:,} steps times channels, "
            "which do not fit into memory",
            f"pass --every {longer} or longer, or fewer columns with --channels",
        )
        self.cells = cells


def _rows(one: EntitySums) -> I64:
    """(keys,) int64, input rows behind each key."""
    return np.concatenate([block.row_counts() for block in one.blocks])


def _repeated(times: EntitySums, within: Times) -> int:
    """How many rows share their time with an earlier one, of those within a span of times."""
    if len(within) == 0:
        return 0
    low, high = within.blocks[0].first, within.blocks[-1].last
    repeated = 0
    for block in times.blocks:
        if block.rows is not None and block.key.first <= high and block.key.last >= low:
            first, end = np.searchsorted(block.key.times(), [low, high + 1])
            repeated += int((block.rows[first:end] - 1).sum())
    return repeated


def _used_channels(sums: dict[int, EntitySums], plan: Plan, place: str) -> list[int]:
    """Positions of the numeric columns that hold at least one number."""
    seen = np.zeros(len(plan.numeric), dtype=np.bool_)
    for one in sums.values():
        for block in one.blocks:
            for position in np.flatnonzero(~seen):
                seen[position] = np.isfinite(block.sums[position]).any()
    used = [int(position) for position in np.flatnonzero(seen)]
    if not used and plan.kind is LogKind.SAMPLES:
        listed = ", ".join(f"'{name}'" for name in plan.numeric[:4])
        raise InputError(
            place,
            f"no numeric channel ({listed} hold no number)",
            "a log needs at least one column of numbers, or --kind events to count its rows",
        )
    return used


def _placed(
    mine: EntitySums, times: Times, step: int, plan: Plan, place: str
) -> tuple[TimeGrid, int, int, int]:
    """The grid of one entity, the first and the last key that lie on it, and the number of rows that do not."""
    events = plan.kind is LogKind.EVENTS
    total = mine.rows()
    key, rows = _ends(mine, end_pairs(total))
    kept = far_rows(key // step, rows, total)
    if kept == "too long":
        span = (int(key[-1]) - int(key[0])) // step + 1
        fact = f"{total:,} rows would make a grid of {span:,} steps"
        raise InputError(
            place, fact, "pass a longer step with --every, or correct the times that are far off"
        )
    first, end = kept
    dropped = int(rows[:first].sum() + rows[end:].sum())
    low, high = int(key[first]), int(key[end - 1])
    if events:
        phase = event_phase(low, step, plan.time.timezone)
        start = (low - phase) // step * step + phase
        steps = (high - start) // step + 1
    else:
        phase = grid_phase(times.within(low - step, high + step + 1), step)
        start = (low - phase + step // 2) // step * step + phase
        steps = (high - start + step // 2) // step + 1
    return TimeGrid(plan.time.kind, start, step, steps, plan.time.timezone), low, high, dropped


def _ends(mine: EntitySums, pairs: int) -> tuple[I64, I64]:
    """The first and the last `pairs` keys of an entity, and the rows behind each; all where they are fewer."""
    blocks = mine.blocks
    if sum(block.key.count for block in blocks) <= 4 * pairs:
        return np.asarray(mine.times()), _rows(mine)
    head, tail = _leading(blocks, pairs), _leading(blocks[::-1], pairs)[::-1]
    parts = [(block.key.times()[:count], block.row_counts()[:count]) for block, count in head]
    parts += [(block.key.times()[-count:], block.row_counts()[-count:]) for block, count in tail]
    return np.concatenate([key for key, _ in parts]), np.concatenate([rows for _, rows in parts])


def _leading(blocks: list[Cells], pairs: int) -> list[tuple[Cells, int]]:
    """The blocks that hold the first `pairs` keys, and how many of them are still wanted at each."""
    taken = []
    for block in blocks:
        if pairs <= 0:
            break
        taken.append((block, pairs))
        pairs -= block.key.count
    return taken
