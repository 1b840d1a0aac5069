"""Which channels a log has, and their values on a grid: columns, sensors in long format, categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from logscan.errors import InputError, UsageError
from logscan.nearest_name import did_you_mean
from logscan.notes import Note, note
from logscan.read.grid.aggregate import Happened, readings
from logscan.read.grid.event_rows import EventExtras
from logscan.read.grid.sums import EntitySums, without_sums
from logscan.read.plan.columns import COUNT, Plan
from logscan.read.plan.long_format import MOST_CHANNELS, REST, SEPARATOR, Split, kept_categories
from logscan.records import F64, I64, LogKind, TimeGrid

_NEGATIVE = "{} (negative)"


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels of all entities of a log."""

    names: tuple[str, ...]
    groups: dict[str, list[int]]  # entity, in order of name -> its groups of rows
    plan: Plan
    used: list[int]  # positions of the columns that hold numbers
    of_value: dict[tuple[str, str], int]  # entity and value of the split column -> group
    values_kept: tuple[str, ...]  # sensors or categories, in the order of the channels
    categories: tuple[str, ...]
    negatives: dict[str, int]  # columns whose negative numbers are a channel -> how many there are
    extras: EventExtras | None
    notes: tuple[Note, ...]

    def values(self, entity: str, sums: dict[int, EntitySums], low: int, high: int, grid: TimeGrid) -> F64:
        """(steps, channels) of one entity on its grid.

        Args:
            entity: whose.
            sums: of all groups of rows; those of the entity are let go of on the way.
            low: first key that lies on the grid.
            high: last key that does.
            grid: of the entity.
        """
        if self.plan.kind is LogKind.SAMPLES:
            blocks = [self._readings(sums, entity, value, low, high, grid) for value in self.values_kept]
            return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
        codes = self.groups[entity]
        slots = [codes]
        if self.plan.split is not None:
            apart = [self.of_value.get((entity, value)) for value in self.categories]
            slots += [[] if code is None else [code] for code in apart]
            slots.append([code for code in codes if code not in apart])
        return self._happened(sums, slots, low, high, grid)

    def _readings(
        self, sums: dict[int, EntitySums], entity: str, value: str, low: int, high: int, grid: TimeGrid
    ) -> F64:
        """Readings of one group, NaN where an entity has no such sensor."""
        names = [self.plan.numeric[position] for position in self.used]
        asked = self.plan.aggregation
        ways = [asked.of(value if self.plan.split is not None else name)[0] for name in names]
        code = self.of_value.get((entity, value))
        if code is None or code not in sums:
            return np.full((grid.steps, len(ways)), np.nan)
        return readings(sums[code], low, high, grid, list(zip(self.used, ways, strict=True)))

    def _happened(
        self, sums: dict[int, EntitySums], slots: list[list[int]], low: int, high: int, grid: TimeGrid
    ) -> F64:
        """Counts and sums of all groups of rows, then those of each category."""
        assert self.extras is not None
        ways = [self.plan.aggregation.of(self.plan.numeric[position]) for position in self.used]
        counted = self.plan.counted or self.plan.split is not None
        negated = [self.plan.numeric.index(name) for name in self.negatives]
        below = self.extras.negatives()
        each: dict[int, tuple[Happened, Happened]] = {}
        for code in slots[0]:
            each[code] = happened, negative = (
                Happened.nothing(grid.steps, len(self.used)),
                Happened.nothing(grid.steps, len(negated)),
            )
            if code in sums:
                happened.add(sums[code], low, high, grid, self.used)
            if negated and code in below:
                negative.add(below[code], low, high, grid, negated)
        columns: list[F64] = []
        for codes in slots:
            happened = total(each[code][0] for code in codes) or Happened.nothing(grid.steps, len(self.used))
            negative = total(each[code][1] for code in codes) or Happened.nothing(grid.steps, len(negated))
            columns += happened.channels(ways, counted=counted)
            distinct = range(len(self.plan.distinct))
            columns += [_distinct(self.extras, position, codes, grid) for position in distinct]
            columns += negative.channels([("sum",)] * len(negated), counted=False)
        return np.stack(columns, axis=1)


def found_channels(
    sums: Mapping[int, EntitySums],
    entities: Sequence[str],
    extras: EventExtras | None,
    plan: Plan,
    used: list[int],
    place: str,
) -> Channels:
    """The channels of everything collected.

    Args:
        sums: of all groups of rows, by code.
        entities: of each code, the entity and the value of the split column as one key.
        extras: of events, what is kept beside their sums.
        plan: of the log.
        used: positions of the numeric columns that hold a number.
        place: file name, for messages.

    Raises:
        InputError: more channels than can be modelled.
        UsageError: a sensor that is asked for is not there.
    """
    parts = {code: _parted(entities[code], plan.split) for code in sums}
    groups: dict[str, list[int]] = {}
    for code in sorted(parts, key=lambda code: parts[code]):
        groups.setdefault(parts[code][0], []).append(code)
    rows_of: dict[str, int] = {}
    kept: tuple[str, ...] = ("",)
    if plan.split is not None:
        for code, (_, value) in parts.items():
            rows_of[value] = rows_of.get(value, 0) + sums[code].rows()
        kept = _sensors(rows_of, plan.split) if plan.split.long else kept_categories(rows_of, plan.split)
    negatives = {} if extras is None else extras.negative_rows()
    notes = tuple(
        note("negatives-counted", column=name, rows=rows, channel=_NEGATIVE.format(name))
        for name, rows in negatives.items()
        if plan.negatives is None
    )
    names = _names(plan, used, kept, tuple(negatives))
    if len(names) > MOST_CHANNELS:
        fact = f"{len(names):,} channels are more than the {MOST_CHANNELS:,} that one model can hold"
        raise InputError(
            place, fact, "choose some with --channels, or read parts of the plant as logs of their own"
        )
    return Channels(
        names=names,
        groups=groups,
        plan=plan,
        used=used,
        of_value={part: code for code, part in parts.items()},
        values_kept=kept,
        categories=kept if plan.split is not None and not plan.split.long else (),
        negatives=negatives,
        extras=extras,
        notes=notes,
    )


def union(sums: Mapping[int, EntitySums], codes: Sequence[int]) -> EntitySums:
    """The keys of several groups as those of one, and the rows behind them; one group is given back as it is."""
    if len(codes) == 1:
        return sums[codes[0]]
    whole = EntitySums()
    for code in codes:
        for block in without_sums(sums[code]).blocks:
            whole.add(block)
    return whole


def total(parts: Iterable[Happened]) -> Happened | None:
    """Several groups of rows as one; None where there are none."""
    whole: Happened | None = None
    for part in parts:
        whole = (
            part
            if whole is None
            else Happened(whole.rows + part.rows, whole.sums + part.sums, whole.numbers + part.numbers)
        )
    return whole


def _distinct(extras: EventExtras, position: int, codes: Sequence[int], grid: TimeGrid) -> F64:
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
