"""From sums to one regular series per entity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logscan.errors import InputError
from logscan.messages import text
from logscan.notes import Note, note
from logscan.read.grid.bins import Bins
from logscan.read.grid.channels import found_channels, union
from logscan.read.grid.collector import Collector
from logscan.read.grid.memory_limit import TooLargeError, finished_ratio, require_fit
from logscan.read.grid.set_aside import stopped_on
from logscan.read.grid.step import (
    common_step,
    end_pairs,
    event_phase,
    event_step,
    far_rows,
    grid_phase,
)
from logscan.read.grid.sums import EntitySums
from logscan.read.plan.columns import Plan
from logscan.read.plan.status import Status
from logscan.records import I64, LogKind, Series, TimeGrid
from logscan.times import Times


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
    notes: tuple[Note, ...]


def finished_series(collector: Collector, place: str) -> Finished:
    """Series of everything collected, at a longer step where those of its own do not fit into memory.

    Args:
        collector: with all rows.
        place: file name, for messages.

    Raises:
        InputError: no row could be used, the grid would be too long or too large, or no channel holds a number.
    """
    if collector.rows_used == 0:
        reasons = ", ".join(f"{count} {text(reason)}" for reason, count in collector.dropped.items())
        raise InputError(
            place, f"no row could be used ({reasons or 'there are none'})", "check --time and --delimiter"
        )
    while True:
        try:
            found = _finished(collector, collector.plan, place)
            break
        except TooLargeError as error:
            if not collector.can_coarsen:
                raise
            collector.coarsen(finished_ratio(error.values))
    collector.retract(note("time-too-far"), found.far)
    return found


def _finished(collector: Collector, plan: Plan, place: str) -> Finished:
    """Series at the step of the collector, or the one found; raises as `finished_series`."""
    collector.finish()
    sums, exact = collector.sums(), collector.times()
    events = plan.kind is LogKind.EVENTS
    used = _used_channels(sums, plan, place)
    channels = found_channels(sums, collector.entities, collector.events, plan, used, place)
    # Where all rows of an entity are one group, which is the usual case, a union is that group itself.
    whole = {entity: union(sums, codes) for entity, codes in channels.groups.items()}
    moments = {entity: union(exact, codes) for entity, codes in channels.groups.items()}
    step, notes = _found_step(collector, sums, whole)
    placed = {
        entity: _entity_grid(one, moments[entity].times(), step, plan, place) for entity, one in whole.items()
    }
    del whole
    steps = sum(grid.steps for grid, *_ in placed.values())
    require_fit(steps * len(channels.names), place, step, plan.time.kind)
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
        notes.append(_stop_note(series, plan.status))
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


def _found_step(
    collector: Collector, sums: dict[int, EntitySums], whole: dict[str, EntitySums]
) -> tuple[int, list[Note]]:
    """The step of the grid, and sentences where readings come at different intervals."""
    kind = collector.plan.time.kind
    if collector.step is not None:
        return collector.step, []
    if collector.plan.kind is LogKind.EVENTS:
        return event_step(((np.asarray(one.times()), _rows(one)) for one in whole.values()), kind), []
    return common_step({collector.entities[code]: one.times() for code, one in sums.items()}, kind)


def _stop_note(series: list[Series], status: Status) -> Note:
    steps = sum(one.grid.steps for one in series)
    stopped = sum(int(one.set_aside.sum()) for one in series if one.set_aside is not None)
    if status.running:
        return note("set-aside-status", column=status.column, steps=stopped, of=steps)
    return note("set-aside-status-found", column=status.column, steps=stopped, of=steps)


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


def _entity_grid(
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


def _leading(blocks: list[Bins], pairs: int) -> list[tuple[Bins, int]]:
    """The blocks that hold the first `pairs` keys, and how many of them are still wanted at each."""
    taken = []
    for block in blocks:
        if pairs <= 0:
            break
        taken.append((block, pairs))
        pairs -= block.key.count
    return taken
