"""Parsing of times: text columns to int64 nanoseconds, under one format per column."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.read.values.time_cleanup import is_usual, usual
from logscan.read.values.time_fast_path import U8, Layout, read_by_layout
from logscan.read.values.time_formats import BY_NAME as FORMATS_BY_NAME
from logscan.read.values.time_formats import CLOCKLIKE, NUMBER_ORDERS, UNMISTAKABLE, TimeForm
from logscan.read.values.vocabulary import month_number
from logscan.records import I64, Bool
from logscan.time_units import DAY_NS, HOUR_SECONDS, MINUTE_NS, MINUTE_SECONDS, SECOND_NS

INVALID = np.iinfo(np.int64).min

_SPREAD = 200
_ERA_YEARS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
_ERA_LETTERS = dict(zip("RHSTM", _ERA_YEARS, strict=True))
_NAMED_ZONES = {"JST": 540, "CET": 60, "MEZ": 60, "CEST": 120, "MESZ": 120}  # minutes east


def text_times(column: Any, form: TimeForm) -> I64:
    """A plain Arrow text column as nanoseconds since 1970 (UTC if aware), INVALID where a cell fails.

    Args:
        column: (rows,) text.
        form: how to read it; `time of day` gives nanoseconds since midnight.
    """
    # To convert a column that does not convert takes ten times as long as one that does: one cell is tried first.
    if form.order == "year first" and _iso_times(column.slice(0, 1), form) is not None:
        iso = _iso_times(column, form)
        if iso is not None:
            return iso
    times, read = read_by_layout(column, lambda cell: _reader(cell, form))
    rest = column.is_valid().to_numpy(zero_copy_only=False) & ~read
    if rest.any():
        times[rest] = _pattern_times(column if rest.all() else column.filter(pa.array(rest)), form)
    times[~(rest | read)] = INVALID
    return times


def _iso_times(column: Any, form: TimeForm) -> I64 | None:
    """Times of texts by ISO 8601; None where one is none."""
    try:
        kind = pa.timestamp("ns", tz="UTC" if form.aware else None)
        return np.asarray(column.cast(kind).cast(pa.int64()).fill_null(INVALID).to_numpy(), dtype=np.int64)
    except pa.ArrowInvalid:
        return None


def _pattern_times(column: Any, form: TimeForm) -> I64:
    """`text_times` by the pattern of the form, texts that repeat once; no cell is null."""
    encoded = column.dictionary_encode()
    if len(encoded.dictionary) < 0.5 * len(column):
        distinct = _matched_times(encoded.dictionary, form)
        return np.asarray(distinct[encoded.indices.to_numpy()], dtype=np.int64)
    return _matched_times(column, form)


def _reader(cell: str, form: TimeForm) -> Callable[[U8], tuple[I64, Bool]] | None:
    """What reads cells that are written like a text; None where only the pattern can."""
    dated = form.format.reads != "clock"
    if not is_usual(re.sub(r"[0-9]", "0", cell)) or not (dated or re.search(CLOCKLIKE, cell, re.ASCII)):
        return None
    layout = Layout.of(cell, form.format.pattern)
    if layout is None:
        return None
    words = {name: pa.array([text]) for name, text in layout.words.items()}
    if not set(words) <= {"mon", "era", "half", "meridiem", "zone"} or (
        dated and ("zone" in words) != form.aware
    ):
        return None
    if dated and not ({"y", "d"} <= set(layout.numbers) and ("m" in layout.numbers) != ("mon" in words)):
        return None
    half = layout.words.get("half", "") + layout.words.get("meridiem", "")
    late = (half[:1] in {"P", "p"} or half == "午後") if half else None
    era = int(_era_starts(words["era"])[0]) if "era" in words else form.format.year_zero
    month = int(_month_numbers(words["mon"])[0]) if "mon" in words else 0
    offset = int(_offset_ns(words["zone"])[0]) if dated and form.aware else 0

    def times(cells: U8) -> tuple[I64, Bool]:
        number, alike = layout.read(cells)
        none = np.zeros(cells.shape[1], dtype=np.int64)
        hour = number.get("hour", none) + number.get("lone_hour", none)
        clock, valid = _clock(hour, number.get("minute", none), number.get("second_of", none), late)
        if "fraction" in number:
            first, end = layout.numbers["fraction"]
            clock = clock + number["fraction"] * 10 ** (9 - (end - first))
        if not dated:
            return np.where(valid, clock, INVALID), alike
        if form.format.years is not None:  # the pattern looks at digits of the year
            first, end = form.format.years
            alike &= (number["y"] >= first) & (number["y"] < end)
        days, known = _days(number["y"] + era, number.get("m", none + month), number["d"])
        return np.where(valid & known, days * DAY_NS + clock - offset, INVALID), alike

    return times


def _matched_times(column: Any, form: TimeForm) -> I64:
    """`text_times` by the pattern of the form."""
    column = column if form.order == "hour range" else usual(column)
    match = pc.extract_regex(column, form.format.pattern)
    valid: Bool = match.is_valid().to_numpy(zero_copy_only=False).copy()
    fields = {field.name: match.field(position) for position, field in enumerate(match.type)}

    def number(name: str, default: int = 0) -> I64:
        if name not in fields:
            return np.full(len(column), default, dtype=np.int64)
        text = fields[name]
        filled = pc.if_else(pc.equal(text, pa.scalar("")), str(default), text)
        if name == "y":
            filled = pc.if_else(pc.equal(filled, pa.scalar("元")), "1", filled)
        return np.asarray(filled.cast(pa.int64()).fill_null(default).to_numpy(), dtype=np.int64)

    clock = _clock_ns(fields, number, valid)
    has_zone = ~_blank(fields.get("zone"), len(column))
    if form.order == "time of day":
        clocklike = pc.match_substring_regex(column, CLOCKLIKE).fill_null(False)
        valid &= clocklike.to_numpy(zero_copy_only=False)
    if form.format.reads == "clock":
        return np.where(valid, clock, INVALID)
    valid &= has_zone == form.aware
    year = number("y") + form.format.year_zero
    if "era" in fields:
        year = year + _era_starts(fields["era"])
    month = _month_numbers(fields["mon"]) if "mon" in fields else number("m", 1)
    if "q" in fields:
        month = 3 * number("q") - 2
    if "week" in fields:
        days, dated = _week_days(year, number("week"), number("weekday", 1))
    else:
        days, dated = _days(year, month, number("d", 1))
    valid &= dated
    times = np.where(valid, days * DAY_NS + clock, INVALID)
    if form.aware:
        times = np.where(valid, times - _offset_ns(fields["zone"]), INVALID)
    return times


def _days(year: I64, month: I64, day: I64) -> tuple[I64, Bool]:
    """Days since 1970, and which dates there are; years of two digits are those from 1970 to 2069."""
    key = (year * 16 + month) * 128 + day
    new = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))  # dates come in runs
    run = np.repeat(np.arange(len(new)), np.diff(new, append=len(key)))
    year, month, day = year[new], month[new], day[new]
    year = np.where(year < 100, np.where(year < 70, 2000, 1900) + year, year)
    valid = (year >= 1678) & (year <= 2261) & (month >= 1) & (month <= 12) & (day >= 1)
    months = np.where(valid, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    begin = months.astype("datetime64[D]").astype(np.int64)
    valid &= begin + day <= (months + 1).astype("datetime64[D]").astype(np.int64)
    return np.where(valid, begin + day - 1, 0)[run], valid[run]


def _week_days(year: I64, week: I64, weekday: I64) -> tuple[I64, Bool]:
    """Days since 1970 of days in weeks by ISO 8601, and which of them there are; 4 January lies in week 1."""
    ones, fours = np.ones_like(year), np.full_like(year, 4)
    fourth, valid = _days(year, ones, fours)
    monday = fourth - (fourth + 3) % 7  # 1 January 1970 was a Thursday
    following = monday + 7 * (week - 1)
    # Week 53 is there in years whose 4 January of the next year does not lie in it.
    next_fourth, _ = _days(year + 1, ones, fours)
    valid &= (week >= 1) & (following < next_fourth - (next_fourth + 3) % 7)
    return following + weekday - 1, valid


def _clock(hour: I64, minute: I64, second: I64, late: bool | None) -> tuple[I64, Bool]:
    """Nanoseconds since midnight, and which clocks there are; 24:00 is the end of the day.

    Args:
        hour: (rows,), as are the others.
        minute: 0 to 59.
        second: 0 to 60.
        late: whether hours, 0 to 12, are of the afternoon; None: hours are of the whole day.
    """
    valid = (minute < 60) & (second <= 60)
    if late is not None:
        valid &= hour <= 12
        hour = np.where(hour == 12, 0, hour) + (12 if late else 0)
    valid &= (hour < 24) | ((hour == 24) & (minute == 0) & (second == 0))
    return (hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second) * SECOND_NS, valid


def _clock_ns(fields: dict[str, Any], number: Any, valid: Bool) -> I64:
    """Nanoseconds since midnight; marks impossible clocks in `valid`. 24:00 is the end of the day."""
    hour, minute, second = number("hour") + number("lone_hour"), number("minute"), number("second_of")
    if "meridiem" in fields:
        late, early = _starts(fields["meridiem"], "P", "p"), _starts(fields["meridiem"], "A", "a")
        late |= _starts(fields["half"], "午後", "P", "p")
        early |= _starts(fields["half"], "午前", "A", "a")
        valid &= ~(early | late) | (hour <= 12)
        hour = np.where(late & (hour < 12), hour + 12, np.where(early & (hour == 12), 0, hour))
    valid &= (minute < 60) & (second <= 60)
    valid &= (hour < 24) | ((hour == 24) & (minute == 0) & (second == 0))
    fraction = 0
    if "fraction" in fields:
        padded = pc.utf8_rpad(fields["fraction"], 9, "0")
        fraction = padded.cast(pa.int64()).fill_null(0).to_numpy()
    return np.asarray(
        (hour * HOUR_SECONDS + minute * MINUTE_SECONDS + second) * SECOND_NS + fraction, dtype=np.int64
    )


def _blank(column: Any, rows: int) -> Bool:
    """Whether an optional part of the pattern is absent."""
    if column is None:
        return np.ones(rows, dtype=np.bool_)
    return np.asarray(
        pc.equal(column, pa.scalar("")).fill_null(True).to_numpy(zero_copy_only=False), dtype=np.bool_
    )


def _starts(column: Any, *starts: str) -> Bool:
    """Whether texts begin with one of some words."""
    found = np.zeros(len(column), dtype=np.bool_)
    for start in starts:
        found |= pc.starts_with(column, start).fill_null(False).to_numpy(zero_copy_only=False)
    return found


def _era_starts(column: Any) -> I64:
    """The year before the first of each era."""
    encoded = column.fill_null("").dictionary_encode()
    names = [_ERA_LETTERS.get(name.upper(), name) for name in encoded.dictionary.to_pylist()]
    table = [_ERA_YEARS.get(name, 0) for name in names]
    return np.asarray(np.array([*table, 0], dtype=np.int64)[encoded.indices.to_numpy()], dtype=np.int64)


def _month_numbers(column: Any) -> I64:
    """Month numbers of month names in several languages, 0 where unknown."""
    encoded = column.fill_null("").dictionary_encode()
    table = [month_number(name) for name in encoded.dictionary.to_pylist()]
    return np.asarray(np.array([*table, 0], dtype=np.int64)[encoded.indices.to_numpy()], dtype=np.int64)


def _offset_ns(column: Any) -> I64:
    """Nanoseconds of offsets such as `+09:00`, `-0330`, `+09`, `Z` or `JST`."""
    encoded = column.fill_null("").dictionary_encode()
    table = []
    for zone in encoded.dictionary.to_pylist():
        if zone in _NAMED_ZONES:
            table.append(_NAMED_ZONES[zone])
            continue
        digits = zone[1:].replace(":", "") if zone[:1] in {"+", "-"} and zone[:1] else "0"
        ahead = int(digits[:2]) * 60 + int(digits[2:] or 0)
        table.append(-ahead if zone[:1] == "-" else ahead)
    minutes = np.array([*table, 0], dtype=np.int64)[encoded.indices.to_numpy()]
    return np.asarray(minutes * MINUTE_NS, dtype=np.int64)


def _are_iso(column: Any) -> bool:
    """Whether all texts are dates, or dates with a clock, by ISO 8601 and without an offset."""
    try:
        column.cast(pa.timestamp("ns"))
    except pa.ArrowInvalid:
        return False
    return True


def form_share(column: Any, order: str) -> tuple[float, TimeForm]:
    """The share of the non-null texts that one date order reads, with the form that does.

    Args:
        column: (rows,) text, a sample.
        order: name of the format to try.
    """
    present = column.drop_null()
    if order == "year first" and len(present) and _are_iso(present):
        clocked = 2 * pc.greater(pc.utf8_length(present), pa.scalar(len("2024-01-31"))).true_count > len(
            present
        )
        return 1.0, TimeForm(order, aware=False, clocked=clocked)
    present = usual(present)
    match = pc.extract_regex(present, FORMATS_BY_NAME[order].pattern)
    matched = match.filter(match.is_valid())
    names = [field.name for field in match.type]
    rows = len(matched)
    aware = (
        "zone" in names
        and rows > 0
        and 2 * int((~_blank(matched.field(names.index("zone")), rows)).sum()) > rows
    )
    hours = [matched.field(names.index(name)) for name in ("hour", "lone_hour") if name in names]
    clocked = rows > 0 and 2 * sum(int((~_blank(field, rows)).sum()) for field in hours) > rows
    form = TimeForm(order, aware, clocked)
    if rows == 0:
        return 0.0, form
    return float((text_times(present, form) != INVALID).mean()), form


def numeric_order_shares(column: Any) -> dict[str, tuple[float, TimeForm]]:
    """`form_share` of every order of dates made of three short numbers."""
    return {order: form_share(column, order) for order in NUMBER_ORDERS}


def other_forms(column: Any) -> dict[str, tuple[float, TimeForm]]:
    """`form_share` of every form that cannot be taken for another; of those only that read some of the cells."""
    # Cells spread over the column tell at little cost which forms read none, or next to none.
    present = column.drop_null()
    if len(present) == 0:
        return {}
    spread = present.take(pa.array(np.unique(np.linspace(0, len(present) - 1, _SPREAD).astype(np.int64))))
    likely = [order for order in UNMISTAKABLE if form_share(spread, order)[0] > 0]
    return {order: form_share(column, order) for order in likely or UNMISTAKABLE[:1]}
