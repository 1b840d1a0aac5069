"""How the cells of the time columns become int64 times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.read.values.numbers import is_text, numbers
from logscan.read.values.time_formats import TimeForm
from logscan.read.values.time_parser import INVALID, text_times
from logscan.read.values.time_zones import checked_timezone
from logscan.records import F64, I64, TimeKind
from logscan.time_units import (
    DAY_NS,
    DAY_SECONDS,
    HOUR_SECONDS,
    MILLISECOND_NS,
    MINUTE_NS,
    MINUTE_SECONDS,
    SECOND_NS,
)

_PART_WORD = r"^\s*(\d+)\s*[年月日時分秒时点년월일시분초]\s*$"


@dataclass(frozen=True, slots=True)
class TimePlan:
    """How the time of a row is read."""

    kind: TimeKind
    columns: tuple[str, ...]  # none, one, or a date and a clock column
    label: str | None  # the form, as shown
    timezone: str | None  # of the grid
    localise: bool  # times are wall clock of `timezone`
    form: TimeForm | None = None
    clock: TimeForm | None = None  # form of the clock column; None: numbers
    clock_digits: int = 2  # of such numbers: 2 are hours, 4 hours and minutes, 6 also seconds
    periods: int = 0  # into which the day is cut, where such numbers count them; 0: they do not
    first_period: int = 1
    more_ns: tuple[int, ...] = ()  # of columns behind date and hour that count minutes and perhaps seconds
    fraction_ns: int = 0  # of a last column of milliseconds or microseconds; 0: there is none
    unit_ns: int = 0  # of epoch times and Excel's days; 0: neither
    origin: int = 0  # of these numbers, what 1970-01-01 is
    grain_ns: int = 1000  # to which fractions of these numbers are rounded
    roles: tuple[
        str, ...
    ] = ()  # of columns that are parts of a time: year, day of year, hour, hhmm, clock ...
    decimal: str = "."  # decimal mark of numbers in text

    @property
    def name(self) -> str | None:
        """The columns as one name."""
        return " + ".join(self.columns) or None

    def times(self, columns: Sequence[Any]) -> I64:
        """Times of plain Arrow columns, (rows,) int64, INVALID where a cell fails; not yet localised."""
        if self.fraction_ns:
            whole = replace(self, fraction_ns=0).times(columns[:-1])
            part = numbers(columns[-1], self.decimal).cells * self.fraction_ns
            valid = (whole != INVALID) & (part >= 0) & (part < SECOND_NS)
            return np.where(valid, whole + np.where(valid, part, 0).astype(np.int64), INVALID)
        if self.more_ns:
            hours = replace(self, more_ns=()).times(columns[: -len(self.more_ns)])
            parts = [self._part(column) for column in columns[-len(self.more_ns) :]]
            beyond = sum(part * unit for part, unit in zip(parts, self.more_ns, strict=True))
            valid = (hours != INVALID) & np.all([(part >= 0) & (part < 60) for part in parts], axis=0)
            return np.where(valid, hours + np.where(valid, beyond, 0).astype(np.int64), INVALID)
        if self.roles:
            return part_times(self.roles, columns, self._part)
        first = self._column_times(columns[0])
        if len(columns) == 1:
            return first
        if self.clock is not None and is_text(columns[1].type):
            clock = text_times(columns[1], self.clock)
        elif pa.types.is_time(columns[1].type):
            clock = columns[1].cast(pa.time64("ns")).cast(pa.int64()).fill_null(INVALID).to_numpy()
        elif self.periods:
            clock = period_clock(numbers(columns[1], self.decimal).cells, self.periods, self.first_period)
        else:
            clock = digit_clock(numbers(columns[1], self.decimal).cells, self.clock_digits)
        return np.where(
            (first == INVALID) | (clock == INVALID), INVALID, first + np.where(clock == INVALID, 0, clock)
        )

    def _part(self, column: Any) -> F64:
        """Numbers of a part of the time, without its word as in `3時`."""
        if is_text(column.type):
            column = pc.replace_substring_regex(column, _PART_WORD, r"\1")
        return numbers(column, self.decimal).cells

    def _column_times(self, column: Any) -> I64:
        if pa.types.is_temporal(column.type):
            return typed_times(column)
        if self.form is not None and self.unit_ns == 0:
            text = column if is_text(column.type) else column.cast(pa.string())
            return text_times(text, self.form)
        if self.unit_ns == 0:
            return whole_numbers(column)
        return _scaled(column, self.unit_ns, self.origin, self.grain_ns, self.decimal)


def digit_clock(values: F64, digits: int) -> I64:
    """Nanoseconds since midnight of numbers such as 9 (2 digits), 930 (4) or 93015 (6), INVALID where there is none.

    Args:
        values: (rows,) float64, NaN where missing.
        digits: 2, 4 or 6.
    """
    whole = _counted(values)
    second = whole % 100 if digits == 6 else np.zeros_like(whole)
    minutes = whole // 100 if digits == 6 else whole
    minute = minutes % 100 if digits >= 4 else np.zeros_like(whole)
    hour = minutes // 100 if digits >= 4 else minutes
    fits = (
        (whole >= 0)
        & (second < 60)
        & (minute < 60)
        & (hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second <= DAY_SECONDS)
    )
    return np.where(fits, (hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second) * SECOND_NS, INVALID)


def period_clock(values: F64, periods: int, first: int) -> I64:
    """Nanoseconds since midnight at which numbered periods of the day begin, INVALID where there is none.

    A day of 25 hours has more of them; they run into the next day.

    Args:
        values: (rows,) float64, NaN where missing.
        periods: in a day of 24 hours.
        first: number of the period that begins at midnight.
    """
    number = _counted(values - first)
    fits = (number >= 0) & (number < periods + max(periods // 24, 1))
    return np.where(fits, number * (DAY_NS // periods), INVALID)


def _counted(values: F64) -> I64:
    """Whole numbers of up to six digits; -1 where a number is none."""
    fits = (values % 1 == 0) & (np.abs(values) < 1e6)
    return np.where(fits, values, -1).astype(np.int64)


def part_times(roles: Sequence[str], columns: Sequence[Any], part: Callable[[Any], F64]) -> I64:
    """Times of columns of parts, INVALID where one is no such part.

    Args:
        roles: what the columns are: year, month and day (else its first) or day of year, then hour, minute and second,
            or a clock as text or as a number of four or six digits. 24 hours are the end of the day, as are 24 hours
            counted from 1 to 24.
        columns: plain Arrow columns.
        part: a column as numbers, NaN where it holds none.
    """
    cells = {role: part(column) for role, column in zip(roles, columns, strict=True) if role != "clock"}
    zero = np.zeros(len(columns[0]))
    year, month, day = cells["year"], cells.get("month", zero + 1), cells.get("day", zero + 1)
    if "quarter" in cells:
        month = np.where((cells["quarter"] >= 1) & (cells["quarter"] <= 4), 3 * cells["quarter"] - 2, np.nan)
    hour, minute, second = (cells.get(role, zero) for role in ("hour", "minute", "second"))
    with np.errstate(invalid="ignore"):
        valid = (year % 1 == 0) & (month % 1 == 0) & (day % 1 == 0) & (hour % 1 == 0) & (minute % 1 == 0)
        valid &= (year >= 1678) & (year <= 2261) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 366)
        valid &= (hour >= 0) & (hour <= 24) & (minute >= 0) & (minute < 60) & (second >= 0) & (second < 61)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype(np.int64).astype("datetime64[M]")
    first = months.astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[D]").astype(np.int64) - first
    if "day of year" in cells:
        day = cells["day of year"]
        length = (months + 12).astype("datetime64[D]").astype(np.int64) - first
        with np.errstate(invalid="ignore"):
            valid &= (day % 1 == 0) & (day >= 1) & (day <= 366)
    days = np.where(valid, day, 1).astype(np.int64)
    valid &= days <= length
    minutes = np.where(valid, hour * 60 + minute, 0).astype(np.int64)
    millis = np.round(np.where(valid, second, 0) * 1000).astype(np.int64)
    clock = minutes * MINUTE_NS + millis * MILLISECOND_NS
    for role, digits in (("hhmm", 4), ("hhmmss", 6)):
        if role in cells:
            clock = digit_clock(cells[role], digits)
    if "clock" in roles:
        clock = text_times(
            columns[list(roles).index("clock")], TimeForm("time of day", aware=False, clocked=True)
        )
    valid &= clock != INVALID
    return np.where(valid, (first + days - 1) * DAY_NS + np.where(valid, clock, 0), INVALID)


def typed_times(column: Any) -> I64:
    """Arrow timestamps and dates as nanoseconds; INVALID where missing or beyond the range."""
    if getattr(column.type, "unit", "") == "ns":
        return _int64(column)
    try:
        return _int64(column.cast(pa.timestamp("ns", tz=getattr(column.type, "tz", None))))
    except pa.ArrowInvalid:  # some are beyond the range
        pass
    micros = column.cast(pa.timestamp("us", tz=getattr(column.type, "tz", None)), safe=False)
    limit = np.iinfo(np.int64).max // 1000
    values = micros.cast(pa.int64()).fill_null(INVALID).to_numpy()
    fits = np.abs(np.where(values == INVALID, limit + 1, values)) <= limit
    return np.where(fits, np.where(fits, values, 0) * 1000, INVALID)


def _int64(column: Any) -> I64:
    """Whole numbers or nanoseconds of Arrow, INVALID where missing."""
    whole = column.cast(pa.int64())
    if whole.null_count:
        whole = whole.fill_null(INVALID)
    return np.asarray(whole.to_numpy(), dtype=np.int64)


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


def _scaled(column: Any, unit_ns: int, origin: int, grain: int, decimal: str) -> I64:
    """Epoch texts or floats; whole ones exactly, others rounded to `grain` ns, finer is noise of the number."""
    whole = whole_numbers(column) if decimal == "." else _whole(numbers(column, decimal).cells)
    whole = np.where(whole == INVALID, INVALID, whole - origin)
    exact = (
        np.abs(np.where(whole == INVALID, np.iinfo(np.int64).max, whole)) <= np.iinfo(np.int64).max // unit_ns
    )
    times = np.where(exact, np.where(exact, whole, 0) * unit_ns, INVALID)
    if exact.all():
        return times
    values = np.where(exact, np.nan, numbers(column, decimal).cells - origin)
    fits = np.abs(values) * unit_ns < 2.0**62
    rounded = np.round(np.where(fits, values, 0) * (unit_ns / grain)).astype(np.int64)
    return np.where(fits, rounded * grain, times)


def grid_zone(timezone: str | None, *, aware: bool, stored: str | None = None) -> tuple[str | None, bool]:
    """Time zone of the grid, and whether wall clock has to be localised to it."""
    given = checked_timezone(timezone) if timezone else None
    if aware:
        return given or stored or "UTC", False
    return given, given is not None
