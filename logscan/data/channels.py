"""Which channels a log has, and their values on a grid: columns, sensors of a log in long format, categories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from logscan.data.aggregate import event_values, sample_values
from logscan.data.collect import Collector
from logscan.data.columns import COUNT, Plan
from logscan.data.extras import EventExtras
from logscan.data.grid import Cells, merged
from logscan.data.longform import MOST_CHANNELS, REST, SEPARATOR, Split, kept_categories
from logscan.data.suggest import did_you_mean
from logscan.errors import InputError, UsageError
from logscan.records import F64, I64, LogKind, TimeGrid

_NEGATIVE = "{} (negative)"


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of all entities of a log."""

    names: tuple[str, ...]
    groups: dict[str, list[int]]  # entity, in order of name -> its groups of rows
    plan: Plan
    sums: Cells
    used: list[int]  # positions of the columns that hold numbers
    of_value: dict[tuple[str, str], int]  # entity and value of the split column -> group
    values_kept: tuple[str, ...]  # sensors or categories, in the order of the channels
    categories: tuple[str, ...]
    negatives: tuple[str, ...]
    extras: EventExtras | None
    notes: tuple[str, ...]

    def values(self, entity: str, grid: TimeGrid) -> F64:
        """(steps, channels) of one entity on its grid."""
        if self.plan.kind is LogKind.SAMPLES:
            blocks = [self._readings(entity, value, grid) for value in self.values_kept]
            return np.concatenate(blocks, axis=1)
        codes = self.groups[entity]
        blocks = [self._happened(codes, grid)]
        if self.plan.split is not None:
            apart = [self.of_value.get((entity, value)) for value in self.categories]
            blocks += [self._happened([] if code is None else [code], grid) for code in apart]
            blocks.append(self._happened([code for code in codes if code not in apart], grid))
        return np.concatenate(blocks, axis=1)

    def _readings(self, entity: str, value: str, grid: TimeGrid) -> F64:
        """Readings of one group, NaN where an entity has no such sensor."""
        names = [self.plan.numeric[position] for position in self.used]
        asked = self.plan.aggregation
        ways = [asked.of(value if self.plan.split is not None else name)[0] for name in names]
        code = self.of_value.get((entity, value))
        if code is None:
            return np.full((grid.steps, len(ways)), np.nan)
        cells = _on_grid(of_group(self.sums, code), grid, events=False)
        return sample_values(_columns(cells, self.used), grid, ways)

    def _happened(self, codes: Sequence[int], grid: TimeGrid) -> F64:
        """Counts and sums of some groups of rows."""
        cells = _on_grid(union([of_group(self.sums, code) for code in codes]), grid, events=True)
        if not len(cells.key):
            cells = Cells(*(cells.entity, cells.key, cells.rows), np.empty((0, len(self.plan.numeric))), None)
        ways = [self.plan.aggregation.of(self.plan.numeric[position]) for position in self.used]
        counted = self.plan.counted or self.plan.split is not None
        found = [event_values(_columns(cells, self.used), grid, ways, counted=counted)]
        assert self.extras is not None
        columns = range(len(self.plan.distinct))
        found += [_distinct(self.extras, position, codes, grid)[:, None] for position in columns]
        if self.negatives:
            mine = _on_grid(
                union([of_group(self.extras.negatives(), code) for code in codes]), grid, events=True
            )
            places = [self.plan.numeric.index(name) for name in self.negatives]
            if len(mine.key):
                found.append(
                    event_values(_columns(mine, places), grid, [("sum",)] * len(places), counted=False)
                )
            else:
                found.append(np.zeros((grid.steps, len(places))))
        return np.concatenate(found, axis=1)


def found_channels(collector: Collector, plan: Plan, used: list[int], sums: Cells, place: str) -> Channels:
    """The channels of everything collected.

    Args:
        collector: finished.
        plan: of the log.
        used: positions of the numeric columns that hold a number.
        sums: of the collector.
        place: file name, for messages.

    Raises:
        InputError: more channels than can be modelled.
        UsageError: a sensor that is asked for is not there.
    """
    parts = [_parted(name, plan.split) for name in collector.entities]
    groups: dict[str, list[int]] = {}
    for code in sorted(range(len(parts)), key=lambda code: parts[code]):
        groups.setdefault(parts[code][0], []).append(code)
    of_value = {part: code for code, part in enumerate(parts)}
    rows_of: dict[str, int] = {}
    per_group = np.bincount(sums.entity, weights=sums.rows, minlength=len(parts))
    for (_, value), rows in zip(parts, per_group.tolist(), strict=True):
        rows_of[value] = rows_of.get(value, 0) + int(rows)
    kept: tuple[str, ...] = ("",)
    if plan.split is not None:
        kept = _sensors(rows_of, plan.split) if plan.split.long else kept_categories(rows_of, plan.split)
    notes: tuple[str, ...] = ()
    negatives: tuple[str, ...] = ()
    if collector.events is not None:
        cells = collector.events.negatives()
        negatives = collector.events.negative_columns(cells)
        if plan.negatives is None:
            rows = cells.totals().sum(axis=0)
            notes = tuple(
                f"'{name}' is negative in {int(rows[plan.numeric.index(name)]):,} rows (returns, cancellations): "
                f"its sum is net, and such rows are counted as channel '{_NEGATIVE.format(name)}'."
                for name in negatives
            )
    names = _names(plan, used, kept, negatives)
    if len(names) > MOST_CHANNELS:
        fact = f"{len(names):,} channels are more than the {MOST_CHANNELS:,} that one model can hold"
        raise InputError(
            place, fact, "choose some with --channels, or read parts of the plant as logs of their own"
        )
    return Channels(
        names=names,
        groups=groups,
        plan=plan,
        sums=sums,
        used=used,
        of_value=of_value,
        values_kept=kept,
        categories=kept if plan.split is not None and not plan.split.long else (),
        negatives=negatives,
        extras=collector.events,
        notes=notes,
    )


def of_group(cells: Cells, code: int) -> Cells:
    """The cells of one group of rows."""
    first, end = np.searchsorted(cells.entity, [code, code + 1])
    part = slice(int(first), int(end))
    counts = None if cells.counts is None else cells.counts[part]
    return Cells(cells.entity[part], cells.key[part], cells.rows[part], cells.sums[part], counts)


def union(parts: Sequence[Cells]) -> Cells:
    """Cells of several groups as those of one."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Cells(empty.astype(np.int32), empty, empty, np.empty((0, 0)), None)
    return merged(
        [Cells(np.zeros_like(one.entity), one.key, one.rows, one.sums.copy(), one.counts) for one in parts]
    )


def _on_grid(cells: Cells, grid: TimeGrid, *, events: bool) -> Cells:
    """The cells that lie on the grid; those of rows that were dropped as too far away do not."""
    index = (cells.key - grid.start) // grid.step if events else grid.index(cells.key)
    first, end = np.searchsorted(index, [0, grid.steps])
    part = slice(int(first), int(end))
    counts = None if cells.counts is None else cells.counts[part]
    return Cells(cells.entity[part], cells.key[part], cells.rows[part], cells.sums[part], counts)


def _columns(cells: Cells, positions: list[int]) -> Cells:
    if positions == list(range(cells.sums.shape[1])):
        return cells
    counts = None if cells.counts is None else cells.counts[:, positions]
    return Cells(cells.entity, cells.key, cells.rows, cells.sums[:, positions], counts)


def _distinct(extras: EventExtras, position: int, codes: Iterable[int], grid: TimeGrid) -> F64:
    """(steps,) different values of some groups in every step."""
    group, key, cell = extras.distinct(position)
    mine = np.isin(group, list(codes))
    step: I64 = (key[mine] - grid.start) // grid.step
    cell = cell[mine]
    inside = (step >= 0) & (step < grid.steps)
    order = np.lexsort((cell[inside], step[inside]))
    step, cell = step[inside][order], cell[inside][order]
    new = np.r_[True, (step[1:] != step[:-1]) | (cell[1:] != cell[:-1])][: len(step)]
    return np.bincount(step[new], minlength=grid.steps).astype(np.float64)


def _parted(name: str, split: Split | None) -> tuple[str, str]:
    """Entity and value of the split column behind the key of a group."""
    if split is None:
        return name, ""
    entity, _, value = name.rpartition(SEPARATOR)
    return entity, value


def _sensors(rows_of: dict[str, int], split: Split) -> tuple[str, ...]:
    for name in split.wanted:
        if name not in rows_of:
            fact = f"no sensor '{name}' in column '{split.column}'"
            raise UsageError("--channels", fact, did_you_mean(name, sorted(rows_of)) or "look at the column")
    return split.wanted or tuple(sorted(rows_of))


def _names(plan: Plan, used: list[int], kept: tuple[str, ...], negatives: tuple[str, ...]) -> tuple[str, ...]:
    columns = [plan.numeric[position] for position in used]
    if plan.kind is LogKind.SAMPLES:
        return kept if plan.split is not None else tuple(columns)
    own = [COUNT] if plan.counted or plan.split is not None else []
    own += [
        name if way == "sum" and name != COUNT else f"{name} ({way})"
        for name in columns
        for way in plan.aggregation.of(name)
        if way != "distinct"
    ]
    own += [f"{name} (distinct)" for name in plan.distinct]
    own += [_NEGATIVE.format(name) for name in negatives]
    if plan.split is None:
        return tuple(own)
    return (*own, *(f"{name}: {value}" for value in (*kept, REST) for name in own))
