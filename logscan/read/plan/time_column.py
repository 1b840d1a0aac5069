"""Which column is the time, and in which format it is written, detected on a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import InputError, UsageError
from logscan.nearest_name import require_columns
from logscan.read.plan.settings import TimeSettings
from logscan.read.plan.time_joined import cells_of, with_clock, with_fraction, with_minutes
from logscan.read.plan.time_parts import given_parts, parts_plan, unnamed_time
from logscan.read.plan.time_plan import TimePlan, grid_zone, typed_times
from logscan.read.values.numbers import is_number, is_text, numbers
from logscan.read.values.time_formats import TimeForm
from logscan.read.values.time_parser import (
    INVALID,
    form_share,
    numeric_order_shares,
    other_forms,
    text_times,
)
from logscan.read.values.vocabulary import (
    DATE_NAME,
    FRACTIONS,
    RECEIPT_WORD,
    STEP_NAME,
    YEAR,
    name_score,
    said_order,
)
from logscan.records import F64, LogKind, TimeKind
from logscan.time_units import DAY_NS, DAY_SECONDS, HOUR_SECONDS, MICROSECOND_NS, MILLISECOND_NS, SECOND_NS

ROW = "row"
_MOST_MISSING = 0.1  # of the cells of a time, where another column has them all
# Excel counts days; beside whole days these are the distances at which people log, in seconds.
_EXCEL_1970 = 25_569
_EXCEL_DAYS = (20_000, 80_000)  # 1954 to 2119
_USUAL_SECONDS = (
    1, 2, 5, 6, 10, 12, 15, 20, 30, 60, 120, 300, 360, 600, 900, 1200, 1800, HOUR_SECONDS, 7200, DAY_SECONDS,
)  # fmt: skip
_EPOCH_UNITS = {"s": SECOND_NS, "ms": MILLISECOND_NS, "us": MICROSECOND_NS, "ns": 1}


class AmbiguousDatesError(InputError):
    """Day and month cannot be told apart on what was seen so far."""


def found_time(table: Any, settings: TimeSettings, place: str) -> TimePlan:
    """The time column of a sample.

    Args:
        table: Arrow table with plain columns.
        settings: what the user set.
        place: file name, for messages.

    Raises:
        UsageError: the named column is not there.
        InputError: the named column does not parse.
        AmbiguousDatesError: day and month cannot be told apart.
    """
    if (
        settings.time is not None
        and settings.time.casefold() == ROW
        and settings.time not in table.column_names
    ):
        return _row_plan()
    if settings.time is not None:
        plan = _named(table, settings, place)
    else:
        free = [name for name in table.column_names if name not in settings.reserved]
        plan = _automatic(table, free, settings, place)
        plan = with_minutes(table, plan, [name for name in free if name not in plan.columns])
        plan = with_fraction(table, plan, [name for name in free if name not in plan.columns])
    return plan


def _row_plan() -> TimePlan:
    return TimePlan(TimeKind.ROW, (), None, None, localise=False)


def _named(table: Any, settings: TimeSettings, place: str) -> TimePlan:
    """The plan of the column, or the columns joined by `+`, that the user named."""
    assert settings.time is not None
    names = [settings.time]
    if settings.time not in table.column_names and "+" in settings.time:
        names = [part.strip() for part in settings.time.split("+")]
    require_columns("--time", names, table.column_names)
    if len(names) > 1:
        whole = replace(settings, time=" + ".join(names[:-1]))
        if any(pattern.fullmatch(names[-1].strip()) for _, pattern in FRACTIONS):
            return with_fraction(table, _named(table, whole, place), names[-1:])
    parts = given_parts(table, names, settings) if len(names) > 1 else None
    if parts is not None:
        return parts
    if len(names) in {3, 4} and not YEAR[1].fullmatch(names[0]):
        joined = _row_plan()
        try:
            hours = _named(table, replace(settings, time=" + ".join(names[:2])), place)
            joined = with_minutes(table, hours, names[2:])
        except AmbiguousDatesError:
            raise
        except InputError:  # no date and hour: said below
            pass
        if joined.columns == tuple(names):
            return joined
    if len(names) > 2:
        fact = f"'{settings.time}' are no columns of year, month, day and what follows"
        raise UsageError("--time", fact, "name one column, a date and a time, or year+month+day+hour")
    column = cells_of(table, names[0])
    plan = _date_plan(table, names[0], settings, place, least=0.0) or _number_plan(
        table, names[0], settings, named=True
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
    return with_clock(table, plan, clocks, named=len(names) == 2)


def _automatic(table: Any, free: Sequence[str], settings: TimeSettings, place: str) -> TimePlan:
    """The most likely time among the free columns: dates before epochs before steps, better names first."""
    ranked = sorted(free, key=lambda name: _rank(table, name))
    postponed: AmbiguousDatesError | None = None
    for name in ranked:
        least = 0.5 if name_score(name) == 2 else 0.9
        try:
            plan = _date_plan(table, name, settings, place, least=least)
        except AmbiguousDatesError as error:
            postponed = postponed or error
            continue
        if plan is not None:
            return with_clock(table, plan, [other for other in free if other != name], named=False)
    if postponed is not None:
        raise postponed
    parts = parts_plan(table, free, settings)
    if parts is not None:
        return parts
    for name in ranked:
        plan = _number_plan(table, name, settings, named=False)
        if plan is not None:
            return with_clock(table, plan, [other for other in free if other != name], named=False)
    _refuse_unread_time(table, ranked, settings, place)
    return unnamed_time(table, free, settings) or _row_plan()


def _rank(table: Any, name: str) -> tuple[int, bool, bool]:
    """Better times have a name that says so, a cell in nearly every row, and no name of a receipt."""
    missing = table[name].null_count
    if is_text(table[name].type):
        blank = pc.equal(pc.utf8_trim_whitespace(table[name]), pa.scalar(""))
        missing += pc.sum(blank).as_py() or 0
    return -name_score(name), missing > _MOST_MISSING * table.num_rows, RECEIPT_WORD.search(name) is not None


def _refuse_unread_time(table: Any, ranked: Sequence[str], settings: TimeSettings, place: str) -> None:
    """Raise InputError where a column is called a time and holds texts with digits that no form reads."""
    for name in ranked:
        if name_score(name) < 2:
            return
        cells = cells_of(table, name).drop_null()
        if not (is_text(cells.type) or is_number(cells.type)) or len(cells) == 0:
            continue
        found = numbers(cells, settings.decimal)
        shown = pc.cast(cells, pa.string())
        digits = pc.match_substring_regex(shown, r"\d").true_count
        # Numbers may be readings, unless their column is called a date.
        strange = 2 * found.failures > len(cells) or DATE_NAME.search(name)
        if strange and 2 * digits > len(cells):
            fact = f"'{name}' looks like the time but does not parse: '{found.example or shown[0]}'"
            remedy = "name another column with --time, or pass --time row to use the row number"
            raise InputError(place, fact, remedy)


def _date_plan(table: Any, name: str, settings: TimeSettings, place: str, *, least: float) -> TimePlan | None:
    """The plan of a column of dates, None if less than the share `least` of it is one (0: it was named)."""
    column = cells_of(table, name)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        stored = getattr(column.type, "tz", None)
        timezone, localise = grid_zone(settings.timezone, aware=stored is not None, stored=stored)
        clocked = bool((typed_times(column.drop_null()) % DAY_NS != 0).any())
        form = TimeForm("year first", stored is not None, clocked)
        return TimePlan(TimeKind.TIMESTAMP, (name,), str(column.type), timezone, localise, form)
    if not is_text(column.type) or column.null_count == len(column):
        return None
    head = column.drop_null()[:100]
    if least and not (form_share(head, "year first")[0] or _has_form(head)):
        return None
    found = _text_form(table, name, settings, place, least=least)
    if found is None:
        return None
    timezone, localise = grid_zone(settings.timezone, aware=found.aware)
    return TimePlan(TimeKind.TIMESTAMP, (name,), found.label(head[0].as_py()), timezone, localise, found)


def _has_form(column: Any) -> bool:
    return any(share for share, _ in (other_forms(column) | numeric_order_shares(column)).values())


def _text_form(table: Any, name: str, settings: TimeSettings, place: str, *, least: float) -> TimeForm | None:
    """The form that reads most cells of a text column, if it reads at least the share `least`."""
    column = cells_of(table, name)
    share, form = form_share(column, "year first")
    if share == 1:  # no other form can read more, and each costs time
        return form
    hinted = least == 0 or name_score(name) > 0  # without a hint eight digits are a number, S1-2-3 a code
    shares = {
        order: found
        for order, found in other_forms(column).items()
        if (hinted or not found[1].format.needs_name)
        and (not found[1].format.must_run or _is_run(column, found[1]))
    }
    share, form = max(shares.values(), key=lambda found: found[0], default=(share, form))
    numeric = numeric_order_shares(column)
    best = max(found[0] for found in numeric.values())
    if share >= max(best, least) and share > 0:
        return form
    if best == 0 or best < least:
        return None
    if settings.date_order is not None:
        share, form = numeric[settings.date_order]
        return form if share > 0 else None
    candidates = {order: found[1] for order, found in numeric.items() if found[0] == best}
    if len(candidates) > 1:
        said = said_order(name)
        chosen = said if said in candidates else None
        chosen = chosen or _compact_order(column, candidates, clock_beside=_has_clock(table, name))
        if chosen is None:
            example = column.drop_null()[0].as_py()
            raise AmbiguousDatesError(
                place,
                f"day and month of '{name}' cannot be told apart: '{example}'",
                " or ".join(f"--date-order {order}" for order in sorted(candidates)).join(("pass ", "")),
            )
        return candidates[chosen]
    return next(iter(candidates.values()))


def _is_run(column: Any, form: TimeForm) -> bool:
    """Whether the times of a column go one way."""
    times = text_times(column, form)
    moved = np.diff(times[times != INVALID])
    return bool((moved >= 0).all() or (moved <= 0).all())


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
    return len(with_clock(table, plan, others, named=False).columns) == 2


def _number_plan(table: Any, name: str, settings: TimeSettings, *, named: bool) -> TimePlan | None:
    """The plan of a column of epochs, compact dates or integer steps, or None."""
    if not named and name_score(name) == 0 and not STEP_NAME.fullmatch(name.strip()):
        return None
    column = cells_of(table, name)
    if not (is_number(column.type) or is_text(column.type)) or pa.types.is_boolean(column.type):
        return None
    if is_number(column.type) and pa.types.is_integer(column.type):
        text = column.cast(pa.string())
        share, form = max(
            (form_share(text, order) for order in ("compact", "short", "yyyymm")), key=lambda found: found[0]
        )
        if share >= 0.99:
            timezone, localise = grid_zone(settings.timezone, aware=False)
            return TimePlan(TimeKind.TIMESTAMP, (name,), form.label(), timezone, localise, form)
    decimal = settings.decimal
    values = numbers(column, decimal)
    finite = values.cells[np.isfinite(values.cells)]
    if len(finite) == 0 or len(finite) < 0.9 * max(values.present, 1):
        return None
    timezone, localise = grid_zone(settings.timezone, aware=True)
    plan = TimePlan(TimeKind.TIMESTAMP, (name,), None, timezone, localise, decimal=decimal)
    middle = float(np.median(np.abs(finite)))
    for unit, unit_ns in _EPOCH_UNITS.items():
        if 3e8 <= middle * unit_ns / SECOND_NS <= 5e9:
            return replace(plan, label=f"epoch {unit}", unit_ns=unit_ns)
    if _is_excel(name, finite):
        timezone, localise = grid_zone(settings.timezone, aware=False)
        whole_days = bool((finite % 1 == 0).all())
        form = TimeForm("year first", aware=False, clocked=not whole_days)
        return replace(
            plan,
            label="Excel days",
            timezone=timezone,
            localise=localise,
            form=form,
            unit_ns=DAY_NS,
            origin=_EXCEL_1970,
            grain_ns=_excel_grain(finite),
        )
    whole = bool((finite % 1 == 0).all())
    if whole and (named or _is_step(table, name, settings)):
        return TimePlan(TimeKind.INTEGER, (name,), "integer", None, localise=False)
    return None


def _is_excel(name: str, days: F64) -> bool:
    """Whether numbers are days as Excel counts them: by their name, or by distances at which people log."""
    if not (days.min() >= _EXCEL_DAYS[0] and days.max() <= _EXCEL_DAYS[1]):
        return False
    if DATE_NAME.search(name):
        return True
    distance = np.diff(np.unique(days)) * DAY_SECONDS
    if len(distance) == 0 or (days % 1 == 0).all():
        return False
    usual = float(np.median(distance))
    return any(abs(usual - seconds) <= 0.01 * seconds + 0.01 for seconds in _USUAL_SECONDS)


def _excel_grain(days: F64) -> int:
    """To what days with a fraction are rounded, in ns: to seconds unless readings come faster.

    Five decimals of a day are 0.9 s, and programs that write Excel's days round them there.
    """
    distance = np.diff(np.unique(days)) * DAY_SECONDS
    return SECOND_NS if len(distance) == 0 or float(np.median(distance)) >= 2 else MILLISECOND_NS


def _is_step(table: Any, name: str, settings: TimeSettings) -> bool:
    """Whether whole numbers count steps: the name says so, and (samples) no two rows share one."""
    if not STEP_NAME.fullmatch(name.strip()):
        return False
    if settings.kind is LogKind.EVENTS:
        return True
    keys = [*settings.entity, name] if set(settings.entity) <= set(table.column_names) else [name]
    return bool(table.group_by(keys).aggregate([]).num_rows >= 0.99 * table.num_rows)
