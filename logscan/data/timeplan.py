"""Which column is the time, and how its cells become int64 times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.config import InputConfig
from logscan.data.cast import is_number, is_text, numbers
from logscan.data.suggest import require_columns
from logscan.data.timestamps import (
    DAY_NS,
    INVALID,
    SECOND_NS,
    TimeForm,
    checked_timezone,
    form_share,
    numeric_order_shares,
    other_forms,
    text_times,
)
from logscan.errors import InputError
from logscan.records import I64, TimeKind

ROW = "row"
_STRONG = re.compile(
    r"(date|time|stamp|timestamp|date[_ ]?time|time[_ ]?stamp|ts|t|step|tick|cycle|sample|seq|epoch|unixtime|"
    r"(計測|測定|取得|記録|発生|受注|注文)?(日時|時刻|日付|年月日|日)|タイムスタンプ)(\s*[\[(].*)?",
    re.IGNORECASE,
)
_WEAK = re.compile(r"date|time|stamp|日時|時刻|日付|年月日", re.IGNORECASE)
_HOUR = re.compile(r"(hour|hr|hours|hour of day|時|時間帯|時刻)", re.IGNORECASE)
_STEP_NAME = re.compile(
    r"(t|ts|time|step|steps|tick|ticks|cycle|cycles|sample|seq|timestamp|time[_ ]?step)", re.IGNORECASE
)
_EPOCH_UNITS = {"s": SECOND_NS, "ms": 1_000_000, "us": 1_000, "ns": 1}
_SAMPLE_CELLS = 20_000


class AmbiguousDatesError(InputError):
    """Day and month cannot be told apart on what was seen so far."""


@dataclass(frozen=True, slots=True)
class TimePlan:
    """How the time of a row is read."""

    kind: TimeKind
    columns: tuple[str, ...]  # none, one, or a date and a clock column
    label: str | None  # the form, as shown
    timezone: str | None  # of the grid
    localise: bool  # times are wall clock of `timezone`
    form: TimeForm | None = None
    clock: TimeForm | None = None  # form of the clock column; None: whole hours
    unit_ns: int = 0  # of epoch times; 0: not an epoch

    @property
    def name(self) -> str | None:
        """The columns as one name."""
        return " + ".join(self.columns) or None

    def times(self, columns: Sequence[Any]) -> I64:
        """Times of plain Arrow columns, (rows,) int64, INVALID where a cell fails; not yet localised."""
        first = self._column_times(columns[0])
        if len(columns) == 1:
            return first
        if self.clock is not None and is_text(columns[1].type):
            clock = text_times(columns[1], self.clock)
        elif pa.types.is_time(columns[1].type):
            clock = columns[1].cast(pa.time64("ns")).cast(pa.int64()).fill_null(INVALID).to_numpy()
        else:
            hours = numbers(columns[1], ".").cells
            fits = (hours >= 0) & (hours <= 24) & (hours % 1 == 0)
            clock = np.where(fits, np.where(fits, hours, 0).astype(np.int64) * 3600 * SECOND_NS, INVALID)
        return np.where(
            (first == INVALID) | (clock == INVALID), INVALID, first + np.where(clock == INVALID, 0, clock)
        )

    def _column_times(self, column: Any) -> I64:
        if pa.types.is_temporal(column.type):
            return _typed_times(column)
        if self.form is not None:
            text = column if is_text(column.type) else column.cast(pa.string())
            return text_times(text, self.form)
        return _scaled(column, self.unit_ns) if self.unit_ns else whole_numbers(column)


def _typed_times(column: Any) -> I64:
    """Arrow timestamps and dates as nanoseconds; INVALID where missing or beyond the range."""
    micros = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False)
    limit = np.iinfo(np.int64).max // 1000
    values = micros.cast(pa.int64()).fill_null(INVALID).to_numpy()
    fits = np.abs(np.where(values == INVALID, limit + 1, values)) <= limit
    if getattr(column.type, "unit", "") == "ns":
        return np.asarray(column.cast(pa.int64()).fill_null(INVALID).to_numpy(), dtype=np.int64)
    return np.where(fits, np.where(fits, values, 0) * 1000, INVALID)


def whole_numbers(column: Any) -> I64:
    """A column as whole numbers, INVALID where a cell is none; exact beyond 2^53, unlike by float."""
    if pa.types.is_integer(column.type):
        return np.asarray(column.cast(pa.int64(), safe=False).fill_null(INVALID).to_numpy(), dtype=np.int64)
    if is_text(column.type):
        try:
            return np.asarray(column.cast(pa.int64()).fill_null(INVALID).to_numpy(), dtype=np.int64)
        except pa.ArrowInvalid:
            exact = pc.match_substring_regex(column, r"^[+-]?\d{1,18}$").fill_null(False)
            whole = pc.if_else(exact, column, None).cast(pa.int64()).fill_null(INVALID).to_numpy()
            return np.where(whole == INVALID, _whole(numbers(column, ".").cells), whole)
    return _whole(numbers(column, ".").cells)


def _whole(values: Any) -> I64:
    fits = (values % 1 == 0) & (np.abs(values) < 2.0**62)
    return np.where(fits, np.where(fits, values, 0).astype(np.int64), INVALID)


def _scaled(column: Any, unit_ns: int) -> I64:
    """Epoch texts or floats; whole ones exactly, others to the microsecond, finer is noise of the float."""
    whole = whole_numbers(column)
    exact = (
        np.abs(np.where(whole == INVALID, np.iinfo(np.int64).max, whole)) <= np.iinfo(np.int64).max // unit_ns
    )
    times = np.where(exact, np.where(exact, whole, 0) * unit_ns, INVALID)
    if exact.all():
        return times
    values = np.where(exact, np.nan, numbers(column, ".").cells)
    fits = np.abs(values) * unit_ns < 2.0**62
    micros = np.round(np.where(fits, values, 0) * (unit_ns / 1000)).astype(np.int64)
    return np.where(fits, micros * 1000, times)


def found_time(table: Any, config: InputConfig, place: str) -> TimePlan:
    """The time column of a sample.

    Args:
        table: Arrow table with plain columns.
        config: what the user said.
        place: file name, for messages.

    Raises:
        UsageError: the named column is not there.
        InputError: the named column does not parse.
        AmbiguousDatesError: day and month cannot be told apart.
    """
    if config.time is not None and config.time.casefold() == ROW and config.time not in table.column_names:
        return _row_plan()
    if config.time is not None:
        plan = _named(table, config, place)
    else:
        free = [
            name
            for name in table.column_names
            if name not in {*config.entity, *config.channels, *config.ignore}
        ]
        plan = _automatic(table, free, config, place)
    return plan


def _row_plan() -> TimePlan:
    return TimePlan(TimeKind.ROW, (), None, None, localise=False)


def _named(table: Any, config: InputConfig, place: str) -> TimePlan:
    """The plan of the column, or the two columns joined by `+`, that the user named."""
    assert config.time is not None
    names = [config.time]
    if config.time not in table.column_names and "+" in config.time:
        names = [part.strip() for part in config.time.split("+")][:2]
    require_columns("--time", names, table.column_names)
    column = _cells(table, names[0])
    plan = _date_plan(table, names[0], config, place, least=0.0) or _number_plan(
        table, names[0], config, named=True
    )
    if plan is None:
        example = next((str(cell) for cell in column.drop_null().to_pylist()), "")
        fact = f"time column '{names[0]}' does not parse" + (
            f": '{example[:40]}'" if example else ": it is empty"
        )
        raise InputError(
            place, fact, "name another column with --time, or pass --time row to use the row number"
        )
    clocks = [names[1]] if len(names) == 2 else [name for name in table.column_names if name != names[0]]
    return _with_clock(table, plan, clocks, named=len(names) == 2)


def _automatic(table: Any, free: Sequence[str], config: InputConfig, place: str) -> TimePlan:
    """The most likely time among the free columns: dates before epochs before steps, better names first."""
    ranked = sorted(free, key=lambda name: -_name_score(name))
    postponed: AmbiguousDatesError | None = None
    for name in ranked:
        least = 0.5 if _name_score(name) == 2 else 0.9
        try:
            plan = _date_plan(table, name, config, place, least=least)
        except AmbiguousDatesError as error:
            postponed = postponed or error
            continue
        if plan is not None:
            return _with_clock(table, plan, [other for other in free if other != name], named=False)
    if postponed is not None:
        raise postponed
    for name in ranked:
        plan = _number_plan(table, name, config, named=False)
        if plan is not None:
            return _with_clock(table, plan, [other for other in free if other != name], named=False)
    return _row_plan()


def _name_score(name: str) -> int:
    return 2 if _STRONG.fullmatch(name.strip()) else 1 if _WEAK.search(name) else 0


def _cells(table: Any, name: str) -> Any:
    """Cells of a column spread over the whole sample."""
    column = table[name].combine_chunks()
    stride = max(len(column) // _SAMPLE_CELLS, 1)
    return column if stride == 1 else column.take(pa.array(np.arange(0, len(column), stride)))


def _zone(config: InputConfig, *, aware: bool, stored: str | None = None) -> tuple[str | None, bool]:
    """Time zone of the grid, and whether wall clock has to be localised to it."""
    given = checked_timezone(config.timezone) if config.timezone else None
    if aware:
        return given or stored or "UTC", False
    return given, given is not None


def _date_plan(table: Any, name: str, config: InputConfig, place: str, *, least: float) -> TimePlan | None:
    """The plan of a column of dates, None if less than the share `least` of it is one (0: it was named)."""
    column = _cells(table, name)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        stored = getattr(column.type, "tz", None)
        timezone, localise = _zone(config, aware=stored is not None, stored=stored)
        clocked = bool((_typed_times(column.drop_null()) % DAY_NS != 0).any())
        form = TimeForm("year first", stored is not None, clocked)
        return TimePlan(TimeKind.TIMESTAMP, (name,), str(column.type), timezone, localise, form)
    if not is_text(column.type) or column.null_count == len(column):
        return None
    head = column.drop_null()[:100]
    if least and not any(share for share, _ in (other_forms(head) | numeric_order_shares(head)).values()):
        return None
    found = _text_form(table, name, config, place, least=least)
    if found is None:
        return None
    timezone, localise = _zone(config, aware=found.aware)
    return TimePlan(TimeKind.TIMESTAMP, (name,), found.label(), timezone, localise, found)


def _text_form(table: Any, name: str, config: InputConfig, place: str, *, least: float) -> TimeForm | None:
    """The form that reads most cells of a text column, if it reads at least the share `least`."""
    column = _cells(table, name)
    compact = least == 0 or _name_score(name) > 0  # without a hint eight digits are a number
    shares = {order: found for order, found in other_forms(column).items() if compact or order != "compact"}
    share, form = max(shares.values(), key=lambda found: found[0])
    numeric = numeric_order_shares(column)
    best = max(found[0] for found in numeric.values())
    if share >= max(best, least) and share > 0:
        return form
    if best == 0 or best < least:
        return None
    if config.date_order is not None:
        share, form = numeric[config.date_order]
        return form if share > 0 else None
    candidates = {order: found[1] for order, found in numeric.items() if found[0] == best}
    if len(candidates) > 1:
        chosen = _compact_order(column, candidates, clock_beside=_has_clock(table, name))
        if chosen is None:
            example = column.drop_null()[0].as_py()
            raise AmbiguousDatesError(
                place,
                f"day and month of '{name}' cannot be told apart: '{example}'",
                " or ".join(f"--date-order {order}" for order in sorted(candidates)).join(("pass ", "")),
            )
        return candidates[chosen]
    return next(iter(candidates.values()))


def _compact_order(column: Any, candidates: dict[Any, TimeForm], *, clock_beside: bool) -> Any:
    """The order under which times of day run through neighbouring days; None without that evidence."""
    spans = {}
    for order, form in candidates.items():
        times = text_times(column, form)
        times = times[times != INVALID]
        if not clock_beside and len(np.unique(times % DAY_NS)) < 2:
            return None  # dates alone: days of a month and months of a year look the same
        spans[order] = int((times // DAY_NS).max() - (times // DAY_NS).min())
    first, second = sorted(spans, key=lambda order: spans[order])[:2]
    return first if spans[first] >= 1 and spans[second] > 3 * spans[first] else None


def _has_clock(table: Any, date: str) -> bool:
    """Whether another column tells the time of day."""
    plan = TimePlan(TimeKind.TIMESTAMP, (date,), "", None, localise=False, form=TimeForm("dmy", False, False))
    others = [name for name in table.column_names if name != date]
    return len(_with_clock(table, plan, others, named=False).columns) == 2


def _number_plan(table: Any, name: str, config: InputConfig, *, named: bool) -> TimePlan | None:
    """The plan of a column of epochs, compact dates or integer steps, or None."""
    if not named and _name_score(name) == 0:
        return None
    column = _cells(table, name)
    if not (is_number(column.type) or is_text(column.type)) or pa.types.is_boolean(column.type):
        return None
    if is_number(column.type) and pa.types.is_integer(column.type):
        share, form = form_share(column.cast(pa.string()), "compact")
        if share >= 0.99:
            timezone, localise = _zone(config, aware=False)
            return TimePlan(TimeKind.TIMESTAMP, (name,), form.label(), timezone, localise, form)
    values = numbers(column, config.decimal or ".")
    finite = values.cells[np.isfinite(values.cells)]
    if len(finite) == 0 or len(finite) < 0.9 * max(values.present, 1):
        return None
    middle = float(np.median(np.abs(finite)))
    for unit, unit_ns in _EPOCH_UNITS.items():
        if 3e8 <= middle * unit_ns / SECOND_NS <= 5e9:
            timezone, _ = _zone(config, aware=True)
            return TimePlan(
                TimeKind.TIMESTAMP, (name,), f"epoch {unit}", timezone, localise=False, unit_ns=unit_ns
            )
    whole = bool((finite % 1 == 0).all())
    if whole and (named or _is_step(table, name, config)):
        return TimePlan(TimeKind.INTEGER, (name,), "integer", None, localise=False)
    return None


def _is_step(table: Any, name: str, config: InputConfig) -> bool:
    """Whether whole numbers count steps: the name says so, and (samples) no two rows share one."""
    if not _STEP_NAME.fullmatch(name.strip()):
        return False
    if config.kind == "events":
        return True
    keys = [*config.entity, name] if set(config.entity) <= set(table.column_names) else [name]
    return bool(table.group_by(keys).aggregate([]).num_rows >= 0.99 * table.num_rows)


def _with_clock(table: Any, plan: TimePlan, others: Sequence[str], *, named: bool) -> TimePlan:
    """The plan joined with a clock or hour column, where its dates carry no time of day."""
    if plan.form is None or plan.form.clocked or plan.form.aware:
        return plan
    date = plan.columns[0]
    place = table.column_names.index(date)
    near = sorted(others, key=lambda name: abs(table.column_names.index(name) - place))
    for name in near:
        column = _cells(table, name)
        if is_text(column.type) and column.null_count < len(column):
            share, form = form_share(column, "time of day")
            if share >= 0.9 or (named and share > 0):
                return _joined(plan, name, form, "hh:mm:ss")
        elif pa.types.is_time(column.type):
            return _joined(plan, name, TimeForm("time of day", aware=False, clocked=True), "hh:mm:ss")
    for name in near:
        if (named or _HOUR.fullmatch(name.strip())) and _is_hour(_cells(table, name)):
            return _joined(plan, name, None, "hour")
    return plan


def _joined(plan: TimePlan, name: str, clock: TimeForm | None, label: str) -> TimePlan:
    return TimePlan(
        plan.kind,
        (*plan.columns, name),
        f"{plan.label} + {label}",
        plan.timezone,
        plan.localise,
        plan.form,
        clock,
    )


def _is_hour(column: Any) -> bool:
    values = numbers(column, ".")
    finite = values.cells[np.isfinite(values.cells)]
    return bool(len(finite) and (finite % 1 == 0).all() and finite.min() >= 0 and finite.max() <= 24)
