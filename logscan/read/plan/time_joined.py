"""A date column joined with a clock, an hour, a period of the day or milliseconds in other columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from logscan.read.plan.time_plan import TimePlan, digit_clock
from logscan.read.values.numbers import is_number, is_text, numbers
from logscan.read.values.time_formats import TimeForm
from logscan.read.values.time_parser import INVALID, form_share
from logscan.read.values.vocabulary import (
    CLOCK_NAME,
    CLOCK_WORD,
    CLOCKS,
    DURATION,
    FRACTIONS,
    HOUR,
    PERIOD_NAME,
    SERIAL,
    THING_WORD,
    name_score,
)
from logscan.records import TimeKind
from logscan.time_units import HOUR_NS, MILLISECOND_NS, MINUTE_NS, SECOND_NS

_CLOCK_LABELS = {2: "hour", 4: "hhmm", 6: "hhmmss"}
_PERIODS = (24, 48, 96, 144, 288)
_ENOUGH = 30  # rows that show a line
_SAMPLE_CELLS = 20_000


def cells_of(table: Any, name: str) -> Any:
    """Cells of a column spread over the whole sample."""
    column = table[name].combine_chunks()
    stride = max(len(column) // _SAMPLE_CELLS, 1)
    return column if stride == 1 else column.take(pa.array(np.arange(0, len(column), stride)))


def with_clock(table: Any, plan: TimePlan, others: Sequence[str], *, named: bool) -> TimePlan:
    """The plan joined with a clock or hour column, where its dates carry no time of day."""
    if plan.form is None or plan.form.clocked or plan.form.aware or plan.form.monthly:
        return plan
    date = plan.columns[0]
    position = table.column_names.index(date)
    near = sorted(others, key=lambda name: abs(table.column_names.index(name) - position))
    for name in near:
        column = cells_of(table, name)
        if is_text(column.type) and column.null_count < len(column):
            share, form = form_share(column, "time of day")
            if share >= 0.9 and not named and _is_reading(table, date, name):
                continue
            if share >= 0.9 or (named and share > 0):
                return _joined(plan, name, form, "hh:mm:ss")
            if _are_hours(column):
                return _joined(plan, name, TimeForm("hour range", aware=False, clocked=True), "hour")
        elif pa.types.is_time(column.type):
            return _joined(plan, name, TimeForm("time of day", aware=False, clocked=True), "hh:mm:ss")
    for name in near:
        if PERIOD_NAME.fullmatch(name.strip()) and _repeats(table, date):
            periods, first = _periods(cells_of(table, name))
            if periods:
                label = f"1/{periods} day"
                return replace(_joined(plan, name, None, label), periods=periods, first_period=first)
    for name in near:
        if named or CLOCK_NAME.fullmatch(name.strip()):
            digits = clock_digits(cells_of(table, name))
            if digits == 2 and not (named or HOUR.fullmatch(name.strip())):
                continue
            if DURATION.fullmatch(name.strip()) and not named and not _repeats(table, date):
                continue
            if digits:
                return replace(_joined(plan, name, None, _CLOCK_LABELS[digits]), clock_digits=digits)
    for name in near if _repeats(table, date) else ():
        if named or (not THING_WORD.search(name) and _counts_every_day(table, date, name)):
            periods, first = _periods(cells_of(table, name))
            if periods == 24 and not named:
                return _joined(plan, name, None, _CLOCK_LABELS[2])
            if periods:
                label = f"1/{periods} day"
                return replace(_joined(plan, name, None, label), periods=periods, first_period=first)
    return plan


def with_fraction(table: Any, plan: TimePlan, others: Sequence[str]) -> TimePlan:
    """The plan joined with a column of milliseconds or microseconds, where its times are whole seconds."""
    if plan.kind is not TimeKind.TIMESTAMP:
        return plan
    for unit, pattern in FRACTIONS:
        for name in others:
            column = cells_of(table, name)
            if not (pattern.fullmatch(name.strip()) and (is_text(column.type) or is_number(column.type))):
                continue
            found = numbers(column, plan.decimal)
            parts = found.cells[np.isfinite(found.cells)]
            times = plan.times([cells_of(table, column) for column in plan.columns])
            fits = len(parts) > 0 and parts.min() >= 0 and SECOND_NS > parts.max() * unit > 0
            if fits and not found.failures and (times[times != INVALID] % SECOND_NS == 0).all():
                label = f"{plan.label} + {'ms' if unit == MILLISECOND_NS else 'us'}"
                return replace(plan, columns=(*plan.columns, name), label=label, fraction_ns=unit)
    return plan


def is_time_again(table: Any, name: str, time: TimePlan, decimal: str) -> bool:
    """Whether a column that is called a time counts on with the time, as Excel's days beside a date do.

    Args:
        table: Arrow table with plain columns.
        name: of a column of numbers.
        time: the time of its rows.
        decimal: the decimal mark of text cells.
    """
    if time.kind is not TimeKind.TIMESTAMP or not (name_score(name) or SERIAL.search(name)):
        return False
    values = numbers(cells_of(table, name), decimal).cells
    times = time.times([cells_of(table, column) for column in time.columns])
    known = np.isfinite(values) & (times != INVALID)
    values, seconds = values[known], (times[known] - times[known].min(initial=INVALID + 1)) / SECOND_NS
    if len(values) < _ENOUGH or np.ptp(values) == 0 or np.ptp(seconds) == 0:
        return False
    slope, begin = np.polyfit(seconds, values, 1)
    return bool(np.abs(slope * seconds + begin - values).max() <= 1e-4 * np.ptp(values) and slope > 0)


def with_minutes(table: Any, plan: TimePlan, others: Sequence[str]) -> TimePlan:
    """The plan of a date and an hour joined with columns of minutes and perhaps seconds."""
    if len(plan.columns) != 2 or plan.roles or plan.fraction_ns or plan.periods:
        return plan
    times = plan.times([cells_of(table, name) for name in plan.columns])
    if (times[times != INVALID] % HOUR_NS != 0).any():
        return plan
    joined = plan
    for unit, (role, pattern) in zip((MINUTE_NS, SECOND_NS), CLOCKS[1:], strict=True):
        name = next(
            (one for one in others if pattern.fullmatch(one.strip()) and one not in joined.columns), None
        )
        if name is None:
            break
        label = f"{joined.label} + {role}"
        found = replace(joined, columns=(*joined.columns, name), label=label, more_ns=(*joined.more_ns, unit))
        times = found.times([cells_of(table, column) for column in found.columns])
        if float((times != INVALID).mean()) < 0.9:
            break
        joined = found
    return joined


def _repeats(table: Any, date: str) -> bool:
    """Whether most dates stand in several rows."""
    return bool(2 * pc.count_distinct(table[date]).as_py() <= table.num_rows)


def _is_reading(table: Any, date: str, name: str) -> bool:
    """Whether a column of clocks tells when of the day something was: each date is one row, and it stands apart."""
    positions = [table.column_names.index(one) for one in (date, name)]
    called = CLOCK_WORD.search(name)
    return not (called or abs(positions[0] - positions[1]) == 1 or _repeats(table, date))


def _are_hours(column: Any) -> bool:
    """Whether texts are hours of the day written with the next one, such as `00 - 01`."""
    found = pc.extract_regex(
        pc.unique(column.drop_null()), r"^\s*(?P<begin>\d{1,2})\s*[-–~]\s*(?P<end>\d{1,2})\s*$"
    )
    if found.null_count or len(found) < 2:
        return False
    begin, end = (found.field(part).cast(pa.int64()).to_numpy() for part in (0, 1))
    return bool(((end - begin) % 24 == 1).all() and begin.max() <= 24)


def _counts_every_day(table: Any, date: str, name: str) -> bool:
    """Whether a column counts the same whole numbers from 0 or 1 on under nearly every date: no reading does."""
    column = table[name].combine_chunks()
    if not (is_text(column.type) or is_number(column.type)):
        return False
    dates = table[date].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy()
    frame = pd.DataFrame({"date": dates, "x": numbers(column, ".").cells})
    frame = frame[frame["x"].notna() & (frame["date"] >= 0)]  # a line of totals has no date
    days = frame.groupby("date", sort=False)["x"].agg(["min", "max", "nunique"])
    days = days.iloc[1:-1] if len(days) > 2 else days  # the first and the last may be parts
    usual = days["max"] - days["min"] + 1
    full = (days["nunique"] == usual.median()) & (usual == usual.median()) & days["min"].isin((0, 1))
    whole = len(frame) >= 0.9 * len(dates) and bool((frame["x"] % 1 == 0).all())
    return whole and bool(full.mean() >= 0.8)


def _periods(column: Any) -> tuple[int, int]:
    """Into how many periods numbers cut the day, and the number of the first; (0, 0) where they do not."""
    if not (is_text(column.type) or is_number(column.type)):
        return 0, 0
    found = numbers(column, ".")
    finite = np.unique(found.cells[np.isfinite(found.cells)])
    if found.failures or len(finite) == 0 or (finite % 1 != 0).any() or finite[0] not in (0, 1):
        return 0, 0
    first, last = int(finite[0]), int(finite[-1])
    for periods in _PERIODS:
        count = last - first + 1
        # All are there, and perhaps those of an hour more.
        if periods <= count <= periods + periods // 24 and len(finite) == count:
            return periods, first
    return 0, 0


def _joined(plan: TimePlan, name: str, clock: TimeForm | None, label: str) -> TimePlan:
    return replace(plan, columns=(*plan.columns, name), label=f"{plan.label} + {label}", clock=clock)


def clock_digits(column: Any) -> int:
    """How many digits numbers use that are hours (2), hours and minutes (4) or also seconds (6); 0: they are none."""
    if not (is_text(column.type) or is_number(column.type)):
        return 0
    values = numbers(column, ".").cells
    finite = values[np.isfinite(values)]
    for digits, most in ((2, 24), (4, 2_400), (6, 240_000)):
        if len(finite) and finite.max() <= most:
            return digits if (digit_clock(finite, digits) != INVALID).all() else 0
    return 0
