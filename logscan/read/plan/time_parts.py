"""Times in several columns: year, month, day, hour ... or the day of the year, detected on a sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from logscan.read.plan.settings import TimeSettings
from logscan.read.plan.time_joined import cells_of, clock_digits
from logscan.read.plan.time_plan import TimePlan, grid_zone
from logscan.read.values.numbers import is_number, is_text, numbers
from logscan.read.values.time_parser import INVALID, form_share, text_times
from logscan.read.values.vocabulary import CLOCKS, DAYS, MONTH, QUARTER, YEAR
from logscan.records import I64, TimeKind
from logscan.time_units import DAY_NS, MILLISECOND_NS, SECOND_NS

_CLOCK = re.compile(
    r"(utc|local)?[ _]?(time|hhmm(ss)?|hrmn|clock|uhrzeit)|[A-Z]{1,3}ST|utc|gmt|時刻", re.IGNORECASE
)
_DIGITS = {4: "hhmm", 6: "hhmmss"}
_BESIDE = re.compile(
    r"^[#\s]+|\s*[\[(（].*$|\s+(format )?in .*$"
)  # around a name: signs of comments, units, remarks
_GIVEN = (
    ("year", "month", "day", "hour", "minute", "second"),
    ("year", "month", "day", "hhmm"),
    ("year", "day of year", "hour", "minute", "second"),
    ("year", "day of year", "hhmm"),
)
_UNNAMED = re.compile(r"column \d+")
_FEWEST_MONTHS = 24
_FEWEST_DATES = 10
_THINGS = 8  # columns of text that may tell things of the same month apart
_CENTURY = (978_307_200, 4_102_444_800)  # 2001 to 2100, in seconds
_LOOKED_AT = 8  # columns from the left, where there are no names


def parts_plan(table: Any, names: Sequence[str], settings: TimeSettings) -> TimePlan | None:
    """The plan of columns whose names are those of parts of a time; None where there are too few.

    Args:
        table: Arrow table with plain columns.
        names: those that are free.
        settings: what the user set.
    """
    found: dict[str, str] = {}

    def take(role: str, pattern: re.Pattern[str]) -> bool:
        free = (name for name in names if name not in found.values())
        name = next((name for name in free if pattern.fullmatch(_BESIDE.sub("", name.strip()))), None)
        if name is not None:
            found[role] = name
        return name is not None

    if not take(*YEAR):
        return None
    if (not take(*MONTH) or not take(*DAYS[0])) and not take(*DAYS[1]) and "month" not in found:
        take(*QUARTER)
    if "day of year" in found:
        found.pop("month", None)
    dated = "day" in found or "day of year" in found
    if len(found) < 2 or not (dated or _are_months(table, list(found.values()), settings)):
        return None
    if dated and not all(take(*clock) for clock in CLOCKS) and "hour" not in found:
        _take_clock(table, [name for name in names if name not in found.values()], found)
    return _checked(table, found, settings)


def _take_clock(table: Any, free: Sequence[str], found: dict[str, str]) -> None:
    """Add a clock in one column, as text or as a number of four or six digits."""
    for name in free:
        if not _CLOCK.fullmatch(_BESIDE.sub("", name.strip())):
            continue
        column = cells_of(table, name)
        if is_text(column.type) and form_share(column, "time of day")[0] >= 0.9:
            found["clock"] = name
            return
        digits = clock_digits(column)
        if digits in _DIGITS:
            found[_DIGITS[digits]] = name
            return


def given_parts(table: Any, names: Sequence[str], settings: TimeSettings) -> TimePlan | None:
    """The plan of parts that the user named: by their names, else in the order year, month, day, hour, minute, second.

    None where they are a date and a clock, or none of this.
    """
    named = parts_plan(table, names, settings)
    if named is not None and len(named.columns) == len(names):
        return named
    plans = []
    for roles in _GIVEN:
        if len(names) <= len(roles):
            plan = _checked(table, dict(zip(roles, names, strict=False)), settings)
            plans += [plan] if plan is not None else []
    return max(plans, key=lambda plan: _distinct(table, plan), default=None)


def unnamed_time(table: Any, names: Sequence[str], settings: TimeSettings) -> TimePlan | None:
    """The time of a table without names: seconds since 1970, dates of eight digits, or parts of dates; else None.

    Only where all of it fits and the rows are in order of time.
    """
    free = [name for name in names[:_LOOKED_AT] if _UNNAMED.fullmatch(name)]
    if not free or len(free) < min(len(names), _LOOKED_AT):
        return None
    return (
        _unnamed_epoch(table, free[0], settings)
        or _unnamed_date(table, free, settings)
        or _unnamed_parts(table, free, settings)
    )


def _unnamed_epoch(table: Any, name: str, settings: TimeSettings) -> TimePlan | None:
    """Seconds or milliseconds since 1970, of this century, in the first column."""
    column = cells_of(table, name)
    if not (is_number(column.type) or is_text(column.type)):
        return None
    cells = numbers(column, settings.decimal).cells
    timezone, localise = grid_zone(settings.timezone, aware=True)
    for unit, unit_ns in (("s", SECOND_NS), ("ms", MILLISECOND_NS)):
        seconds = cells * (unit_ns / SECOND_NS)
        if ((seconds > _CENTURY[0]) & (seconds < _CENTURY[1])).all() and _rises(seconds):
            return TimePlan(
                TimeKind.TIMESTAMP, (name,), f"epoch {unit}", timezone, localise, unit_ns=unit_ns,
                decimal=settings.decimal,
            )  # fmt: skip
    return None


def _unnamed_date(table: Any, free: Sequence[str], settings: TimeSettings) -> TimePlan | None:
    """Dates of eight digits, and the clock of four digits beside them."""
    for position, name in enumerate(free):
        column = cells_of(table, name)
        text = column if is_text(column.type) else column.cast(pa.string())
        share, form = form_share(text, "compact")
        times = text_times(text, form)
        if share < 1 or form.clocked or len(times) < _FEWEST_DATES or not (np.diff(times) >= 0).all():
            continue
        timezone, localise = grid_zone(settings.timezone, aware=False)
        plan = TimePlan(TimeKind.TIMESTAMP, (name,), form.label(), timezone, localise, form)
        if _rises(times):
            return plan
        for beside in free[position + 1 : position + 2]:
            joined = replace(plan, columns=(name, beside), label=f"{plan.label} + hhmm", clock_digits=4)
            clocked = joined.times([column, cells_of(table, beside)])
            if clock_digits(cells_of(table, beside)) == 4 and (clocked != INVALID).all() and _rises(clocked):
                return joined
    return None


def _rises(values: Any) -> bool:
    """Whether values never fall, and hardly ever stay."""
    moved = np.diff(values)
    return len(moved) > 0 and bool((moved >= 0).all()) and float((moved > 0).mean()) >= 0.9


def _unnamed_parts(table: Any, free: Sequence[str], settings: TimeSettings) -> TimePlan | None:
    """The plan of columns without names that are year, month, day (or day of the year), hour and what follows.

    Only where all of it fits: at least two days, clocks that use the whole of their range, rows in order of time.
    """
    plans = []
    for begin in range(len(free) - 1):
        for roles in _GIVEN:
            plan: TimePlan | None = None
            for count in range(2, min(len(roles), len(free) - begin) + 1):
                longer = _checked(
                    table, dict(zip(roles[:count], free[begin:], strict=False)), settings, strict=True
                )
                if count > (3 if "month" in roles else 2) and longer is None:
                    break  # what follows is no clock
                plan = longer or plan
            plans += [plan] if plan is not None else []
    return max(plans, key=lambda plan: (_distinct(table, plan), -len(plan.columns)), default=None)


def _checked(
    table: Any, found: dict[str, str], settings: TimeSettings, *, strict: bool = False
) -> TimePlan | None:
    """The plan of parts, if they are a time in nearly every row."""
    timezone, localise = grid_zone(settings.timezone, aware=False)
    label = " + ".join(found)
    columns = tuple(found.values())
    plan = TimePlan(
        TimeKind.TIMESTAMP,
        columns,
        label,
        timezone,
        localise,
        roles=tuple(found),
        decimal=settings.decimal,
    )
    cells = [cells_of(table, name) for name in columns]
    if not all(is_number(one.type) or is_text(one.type) for one in cells):
        return None
    times = plan.times(cells)
    if float((times != INVALID).mean()) < 0.9:
        return None
    return plan if not strict or _fits(times, found, dict(zip(found, cells, strict=True))) else None


def _fits(times: I64, found: dict[str, str], cells: dict[str, Any]) -> bool:
    """Whether unnamed columns look like the parts they would be."""
    valid = times[times != INVALID]
    year = numbers(cells["year"], ".").cells
    if len(valid) < 0.99 * len(times) or np.nanmin(year) < 1700 or np.nanmax(year) > 2100:
        return False
    if (np.diff(valid) >= 0).mean() < 0.99 or len(np.unique(valid // DAY_NS)) < 2:
        return False
    for role, most in (("hour", 18), ("minute", 30), ("second", 30), ("hhmm", 1800)):
        if role in found and not np.nanmax(numbers(cells[role], ".").cells) >= most:
            return False
    last = next(reversed(found))
    apart = len(np.unique(valid)) >= 0.9 * len(valid)
    if last == "month":  # alone with the year: month after month
        return apart and len(valid) >= _FEWEST_MONTHS and bool((np.diff(valid) <= 31 * DAY_NS).mean() >= 0.9)
    return last in {"day", "day of year"} or apart


def _distinct(table: Any, plan: TimePlan) -> int:
    return len(np.unique(plan.times([cells_of(table, name) for name in plan.columns])))


def _are_months(table: Any, names: Sequence[str], settings: TimeSettings) -> bool:
    """Whether years and months name another month in nearly every row, perhaps of one thing each."""
    free = [name for name in table.column_names if name not in names and is_text(table[name].type)]
    for beside in ([*settings.entity], *([name] for name in free[:_THINGS])):
        if set(beside) <= set(table.column_names):
            pairs = table.group_by([*names, *beside]).aggregate([]).num_rows
            months = table.group_by(list(names)).aggregate([]).num_rows
            if pairs >= 0.9 * table.num_rows and months >= min(_FEWEST_MONTHS, 0.9 * table.num_rows):
                return True
    return False
