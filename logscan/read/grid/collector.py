"""Record batches into growing sums: entity, time and numbers of every row, and a count of dropped rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import InputError
from logscan.notes import Note, note
from logscan.read.grid.bins import EVERY_TIME, KeyGrid
from logscan.read.grid.event_rows import REPEATED, EventExtras, Extras
from logscan.read.grid.set_aside import around_changes
from logscan.read.grid.step import event_phase, grid_phase, longer_step, sample_step, step_words
from logscan.read.grid.sums import Accumulator, EntitySums, regrouped, without_sums
from logscan.read.plan.columns import Plan
from logscan.read.plan.long_format import MOST_GROUPS, NOTHING, SEPARATOR, Split
from logscan.read.values.numbers import as_text, is_text, merged_failure, numbers
from logscan.read.values.time_parser import INVALID
from logscan.read.values.time_zones import localised
from logscan.records import F64, I64, Bool, CastFailure, LogKind, TimeKind
from logscan.time_units import MINUTE_NS
from logscan.times import Times

_RECORDER_MARK = r"^\$\w+\$$"
_NO_TIME = note("time-unreadable")
_NO_ENTITY = note("entity-empty")
_MANY_STATES = 1 << 21  # readings of a status that are held before all but its changes are forgotten
_NO_GROUP = note("sensor-empty")


class Collector:
    """Takes batches of rows and keeps sums per entity and time."""

    def __init__(self, plan: Plan, step: int | None, sample: Any) -> None:
        self.plan = plan
        self.rows_read = 0
        self.rows_used = 0
        self.out_of_order = 0
        self.dropped: Counter[Note] = Counter()
        self.failures: dict[str, CastFailure] = {}
        self._marked: Counter[str] = Counter()
        self.entities: list[str] = []
        self.step = step  # as given, or as long as memory wants it; None: found at the end
        self.own_step: int | None = None  # of the log, where a longer one is taken for memory's sake
        self._codes: dict[str, int] = {}
        self._last: I64 = np.empty(0, dtype=np.int64)  # per entity: its last time, for the order of rows
        self._rows_of: I64 = np.empty(0, dtype=np.int64)  # per entity: its rows, the time where there is none
        self._repeated = self._missing = self._coded = 0
        self._bad: Counter[str] = Counter()  # quality column -> rows that it marks
        self._sums = Accumulator(len(plan.numeric))
        # Keys are exact times unless a step was given or events are counted; then the times are kept apart.
        # Ways other than the mean are taken over readings, so their times are kept.
        ways = {plan.aggregation.usual, *(way for found in plan.aggregation.named.values() for way in found)}
        self._only_means = ways == {"mean"}
        self._exact = plan.kind is LogKind.SAMPLES and (step is None or not self._only_means)
        self._times = Accumulator(0)
        self._status = Accumulator(1)
        self._most_states = _MANY_STATES
        self._events = EventExtras(plan) if plan.kind is LogKind.EVENTS else None
        self._grid = EVERY_TIME if self._exact else _sums_grid(plan, step, sample)

    def add(self, batch: Any, decimal: str, progress: Callable[[int], None] | None = None) -> None:
        """Add one record batch.

        Args:
            batch: with at least the columns of the plan.
            decimal: decimal mark of its text cells.
            progress: told the rows read so far.
        """
        self.rows_read += batch.num_rows
        batch, codes, times = self._located(batch)
        if batch.num_rows:
            self.rows_used += batch.num_rows
            ascending = self._count_order(codes, times)
            values = self._numbers(batch, decimal)
            if self.plan.status is not None:
                stops = self.plan.status.stopped(batch.column(self.plan.status.column))
                self._status.add(codes.astype(np.int32), times, [stops])
                if self._status.held > self._most_states:
                    self._thin_states()
            if self._events is None and ascending:
                self._absorb_ascending(int(codes[0]), times, values)
            elif self._events is None:
                self._absorb(codes, times, values)
            else:
                for held in self._events.taken(batch, codes, times, values):
                    self._absorb(*held)
        if progress is not None:
            progress(self.rows_read)

    def _absorb(self, codes: I64, times: I64, values: Sequence[F64], extras: Extras | None = None) -> None:
        """Add placed rows to the sums."""
        entity, keys = codes.astype(np.int32), self._grid.keys(times)
        self._sums.add(entity, keys, values)
        if not self._exact:
            self._times.add(entity, times, ())
        if self._events is not None and extras is not None:
            self._events.add(entity, keys, values, extras)

    def _absorb_ascending(self, code: int, times: I64, values: Sequence[F64]) -> None:
        """Add rows of one entity in order of time to the sums, the usual case."""
        self._sums.add_ascending(code, times, self._grid, values)
        if not self._exact:
            self._times.add_ascending(code, times, EVERY_TIME, ())

    def _thin_states(self) -> None:
        """Forget states between changes; where there are many changes, later."""
        thin = {code: around_changes(one) for code, one in self._status.entities().items()}
        self._status = Accumulator(1, thin)
        self._most_states = 2 * self._status.held + _MANY_STATES

    def finish(self) -> None:
        """Take in what was held back; rows of an import that came twice are dropped and counted."""
        if self._events is None:
            return
        held, dropped = self._events.released()
        for rows in held:
            self._absorb(*rows)
        self.retract(REPEATED, dropped)

    @property
    def events(self) -> EventExtras | None:
        """What is kept of events beside sums."""
        return self._events

    def stops(self) -> dict[int, EntitySums]:
        """Rows in a stop per entity code and exact time."""
        return self._status.entities()

    @property
    def held(self) -> int:
        """Values held; a log of samples without a given step can be told to hold fewer."""
        return self._sums.held

    @property
    def can_coarsen(self) -> bool:
        """Whether the step is logscan's to choose."""
        samples = self.plan.kind is LogKind.SAMPLES and self._only_means
        return samples and (self._exact or self.own_step is not None)

    def coarsen(self, ratio: float) -> None:
        """Go on with a step at least `ratio` times as long as the log's own, or as the one taken so far."""
        sums = self._sums.entities()
        kind = self.plan.time.kind
        if self.step is None:
            self.own_step = self.step = sample_step([one.times() for one in sums.values()], kind)
            self._times = Accumulator(0, {code: without_sums(one) for code, one in sums.items()})
            self._exact = False
        self.step = step = longer_step(self.step, ratio, kind)
        self._grid = KeyGrid(step, grid_phase(next(iter(sums.values())).times(), step), step // 2)
        coarse = {code: regrouped(one, self._grid.keys) for code, one in sums.items()}
        self._sums = Accumulator(len(self.plan.numeric), coarse)

    def drop(self, reason: Note, rows: int) -> None:
        """Count rows that never became a record."""
        self.rows_read += rows
        self.dropped[reason] += rows

    def retract(self, reason: Note, rows: int) -> None:
        """Count rows as dropped that were used before."""
        if rows:
            self.rows_used -= rows
            self.dropped[reason] += rows

    def sums(self) -> dict[int, EntitySums]:
        """Sums per entity code and key; the key is a time."""
        return self._sums.entities()

    def times(self) -> dict[int, EntitySums]:
        """Rows per entity code and exact time; where no step is given the same object as the sums."""
        return self._sums.entities() if self._exact else self._times.entities()

    def notes(self) -> list[Note]:
        """Notes on clock changes, repeated rows, codes for no reading and on the step."""
        notes = [] if self._events is None else self._events.notes()
        if self.plan.missing:
            notes.append(note("sentinel-values-missing", cells=self._coded, codes=self.plan.missing))
        marked = {name: count for name, count in self._marked.items() if count}
        if marked:
            notes.append(note("quality-flags-removed", cells=sum(marked.values()), columns=tuple(marked)))
        notes += [note("quality-bad", column=name, rows=rows) for name, rows in self._bad.items() if rows]
        if self.own_step is not None and self.step is not None:
            own, taken = (step_words(step, self.plan.time.kind) for step in (self.own_step, self.step))
            notes.append(note("step-coarsened", own=own, taken=taken))
        if self._repeated:
            notes.append(note("hour-repeated", rows=self._repeated))
        if self._missing:
            notes.append(note("hour-missing", rows=self._missing))
        return notes

    def _located(self, batch: Any) -> tuple[Any, I64, I64]:
        """The rows with an entity and a time, with both."""
        codes = self._entity_codes(batch)
        valid = codes >= 0 if self.plan.entity or self.plan.split is not None else None
        if valid is not None:
            self._drop_unless(valid, _NO_ENTITY if self.plan.split is None else _NO_GROUP)
        if self.plan.time.kind is TimeKind.ROW:
            times = self._row_numbers(codes)
        else:
            times = self.plan.time.times([batch.column(name) for name in self.plan.time.columns])
            placed = times != INVALID
            self._drop_unless(placed if valid is None else placed | ~valid, _NO_TIME)
            valid = placed if valid is None else placed & valid
        if valid is not None and not valid.all():
            batch, codes, times = batch.filter(pa.array(valid)), codes[valid], times[valid]
        if self.plan.time.localise and len(times):
            assert self.plan.time.timezone is not None
            times, repeated, missing = localised(times, self.plan.time.timezone)
            self._repeated += repeated
            self._missing += missing
        return batch, codes, times

    def _drop_unless(self, valid: Bool, reason: Note) -> None:
        rows = len(valid) - int(np.count_nonzero(valid))
        if rows:
            self.dropped[reason] += rows

    def _entity_codes(self, batch: Any) -> I64:
        """The code of every row's entity, -1 where a part of its name is empty."""
        if self.entities == [""] and not self.plan.entity and self.plan.split is None:
            return np.zeros(batch.num_rows, dtype=np.int64)
        if not self.plan.entity:
            joined = None
        else:
            parts = [pc.utf8_trim_whitespace(as_text(batch.column(name))) for name in self.plan.entity]
            joined = pc.binary_join_element_wise(*parts, " / ") if len(parts) > 1 else parts[0]
            empty = pc.equal(joined, pa.scalar("")) if len(parts) == 1 else _any_empty(parts)
            joined = pc.if_else(empty, None, joined)
        if self.plan.split is not None:
            joined = _with_value(joined, batch.column(self.plan.split.column), self.plan.split)
        if joined is None:
            names, local = [""], np.zeros(batch.num_rows, dtype=np.int64)
        else:
            encoded = joined.dictionary_encode()
            names = encoded.dictionary.to_pylist()
            local = encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy()
        for name in names:
            if name not in self._codes:
                self._codes[name] = len(self.entities)
                self.entities.append(name)
        if len(self.entities) > MOST_GROUPS and self.plan.split is not None:
            fact = f"'{self.plan.split.column}' has more than {MOST_GROUPS:,} different values"
            raise InputError("input", fact, "name a column with fewer")
        new = len(self.entities) - len(self._last)
        self._last = np.append(self._last, np.full(new, INVALID))
        self._rows_of = np.append(self._rows_of, np.zeros(new, dtype=np.int64))
        table = np.array([*(self._codes[name] for name in names), -1], dtype=np.int64)
        return np.asarray(table[local], dtype=np.int64)

    def _row_numbers(self, codes: I64) -> I64:
        """The running number of every row within its entity."""
        numbers_ = np.zeros(len(codes), dtype=np.int64)
        for code in np.unique(codes[codes >= 0]):
            mine = np.flatnonzero(codes == code)
            numbers_[mine] = self._rows_of[code] + np.arange(len(mine))
            self._rows_of[code] += len(mine)
        return numbers_

    def _count_order(self, codes: I64, times: I64) -> bool:
        """Count rows earlier than the row of the same entity before them; whether all are of one and in order."""
        if len(self.entities) == 1:
            backward = int(np.count_nonzero(times[1:] < times[:-1]))
            self.out_of_order += int(times[0] < self._last[0]) + backward
            self._last[0] = times[-1]
            return backward == 0
        order = np.argsort(codes, kind="stable")
        codes, times = codes[order], times[order]
        first = np.r_[True, codes[1:] != codes[:-1]]
        before = np.where(first, self._last[codes], np.r_[INVALID, times[:-1]])
        self.out_of_order += int((times < before).sum())
        last = np.r_[first[1:], True]
        self._last[codes[last]] = times[last]
        return False

    def _numbers(self, batch: Any, decimal: str) -> list[F64]:
        """Of each numeric column of the plan (rows,) float64."""
        columns = []
        bad = {one: one.bad(batch.column(one.column)) for one in self.plan.quality}
        for one, rows in bad.items():
            self._bad[one.column] += int(rows.sum())
        for name in self.plan.numeric:
            column = batch.column(name)
            found = numbers(column, decimal if is_text(column.type) else ".")
            cells = found.cells
            for one, rows in bad.items():
                if one.speaks_of(name) and rows.any():
                    cells = np.where(rows, np.nan, cells)
            if self.plan.missing:
                coded = np.isin(cells, self.plan.missing)
                cells = np.where(coded, np.nan, cells)
                self._coded += int(coded.sum())
            columns.append(cells)
            self._marked[name] += found.marked
            merged = merged_failure(self.failures.get(name), found)
            if merged is not None:
                self.failures[name] = merged
        return columns


def _sums_grid(plan: Plan, step: int | None, sample: Any) -> KeyGrid:
    """The bins that rows are summed in, known by their begin or (samples) their middle, by a sample.

    Args:
        plan: of the log.
        step: as given, else `None`.
        sample: Arrow table of the first rows.
    """
    if step is None:
        if plan.time.kind is not TimeKind.TIMESTAMP:
            return EVERY_TIME
        step = MINUTE_NS  # every round interval is a multiple of it
    ahead = step // 2 if plan.kind is LogKind.SAMPLES else 0
    if plan.time.kind is TimeKind.ROW:
        return KeyGrid(step, 0, ahead)
    times = plan.time.times([sample[name].combine_chunks() for name in plan.time.columns])
    times = times[times != INVALID]
    if plan.time.localise and len(times):
        assert plan.time.timezone is not None
        times, _, _ = localised(times, plan.time.timezone)
    if len(times) == 0:
        return KeyGrid(step, 0, ahead)
    if plan.kind is LogKind.SAMPLES:
        return KeyGrid(step, grid_phase(Times.of(np.unique(times)), step), ahead)
    return KeyGrid(step, event_phase(int(times.min()), step, plan.time.timezone), ahead)


def _with_value(entity: Any, column: Any, split: Split) -> Any:
    """The keys of groups: entity and the value that becomes a channel; null where a row has none."""
    value = pc.replace_substring(pc.utf8_trim_whitespace(as_text(column)), SEPARATOR, " ")
    value = pc.if_else(pc.equal(value, pa.scalar("")), None, value)
    if split.long:  # marks of a recorder, such as $RT_OFF$, are no sensor
        value = pc.if_else(pc.match_substring_regex(value, _RECORDER_MARK), None, value)
    if not split.long:
        value = pc.fill_null(value, NOTHING)
    if entity is None:
        return pc.binary_join_element_wise("", value, SEPARATOR)
    return pc.binary_join_element_wise(entity, value, SEPARATOR)


def _any_empty(parts: list[Any]) -> Any:
    empty = pc.equal(parts[0], pa.scalar(""))
    for part in parts[1:]:
        empty = pc.or_(empty, pc.equal(part, pa.scalar("")))
    return empty
