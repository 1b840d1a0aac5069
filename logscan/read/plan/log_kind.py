"""Samples or events: the kind of a log, detected on a sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from shlex import quote
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.notes import Note, note
from logscan.read.plan.identifiers import is_coordinate, is_identifier
from logscan.read.plan.settings import ColumnSettings
from logscan.read.plan.time_plan import TimePlan
from logscan.read.values.numbers import is_number, is_text, numbers
from logscan.read.values.time_parser import INVALID
from logscan.read.values.vocabulary import (
    EVENT_WORD,
)
from logscan.records import I64, LogKind, TimeKind

_SHARED = 0.05  # of the rows share their time with another one
_REGULAR = 0.3  # of the distances are alike: readings have a beat
_SPREAD = 2.5  # upper quartile of the distances by the lower one: what happens by chance has 4.8, jitter little over 1
_AVERAGED = 0.3  # of the rows: worth a word
_FEW_VALUES = 50
_HEAD = 1000

Chance = Literal["times", "rows"]


def found_kind(table: Any, time: TimePlan, settings: ColumnSettings) -> tuple[LogKind, list[Note]]:
    """The kind of the log and the sentences that say why.

    Args:
        table: Arrow table with plain columns.
        time: the time column.
        settings: what the user set.
    """
    if settings.kind is not None:
        return settings.kind, []
    if settings.by_value.split is not None and time.kind is not TimeKind.ROW:
        return LogKind.EVENTS, []  # only events have categories
    if time.kind is TimeKind.ROW:
        return LogKind.SAMPLES, []
    times = time.times([table[name].combine_chunks() for name in time.columns])
    valid = times != INVALID
    if valid.sum() < 2:
        return LogKind.SAMPLES, []
    codes = _codes(table, settings.entity)[valid]
    order = np.lexsort((times[valid], codes))
    inside = np.diff(codes[order]) == 0
    distance = np.diff(times[valid][order])[inside]
    equal = float((distance == 0).mean()) if len(distance) else 0.0
    texts = _text_columns(table, time, settings)
    irregular, chance = _is_irregular(distance)
    if texts and equal >= _SHARED and irregular:
        return LogKind.EVENTS, [note("events-shared-times", share=equal, column=texts[0])]
    if chance is not None and _tells_events(table, time, settings, texts):
        return LogKind.EVENTS, [_events_note(chance, texts)]
    return LogKind.SAMPLES, _averaged(table, times, valid, texts, equal, settings)


def _events_note(chance: Chance, texts: Sequence[str]) -> Note:
    """Why a log is read as events."""
    if chance == "times":
        return note("events-irregular-text", column=texts[0]) if texts else note("events-irregular-names")
    return note("events-varying-text", column=texts[0]) if texts else note("events-varying-names")


def _is_irregular(distance: I64) -> tuple[bool, Chance | None]:
    """Whether times have no beat at all, and what comes as by chance: the times or the rows per time.

    Args:
        distance: (rows - 1,) of neighbouring rows in order of time.
    """
    positive = distance[distance > 0]
    if len(positive) == 0:
        return False, None
    regular = np.unique(positive, return_counts=True)[1].max() / len(positive)
    low, high = np.quantile(positive, (0.25, 0.75))
    if regular < _REGULAR and high >= _SPREAD * low:
        return True, "times"
    # Dates without a clock: a day follows the other, but the rows of a day vary.
    per_time = np.diff(np.flatnonzero(np.r_[True, distance > 0, True]))
    usual = np.unique(per_time, return_counts=True)[1].max() / len(per_time)
    varies = len(per_time) < 0.9 * len(distance) and usual < 0.5
    return bool(regular < 0.5), "rows" if varies else None


def _tells_events(table: Any, time: TimePlan, settings: ColumnSettings, texts: Sequence[str]) -> bool:
    """Whether columns name things that happen: nothing is measured, or names say so and most columns name things."""
    names = [
        name for name in table.column_names if name not in {*time.columns, *settings.entity, *settings.ignore}
    ]
    measured = naming = 0
    for name in names:
        column = table[name].combine_chunks()
        if name in texts or not (is_text(column.type) or is_number(column.type)):
            continue
        cells = numbers(column, settings.decimal).cells
        values = cells[np.isfinite(cells)]
        whole = len(values) > 0 and bool((values % 1 == 0).all())
        if (whole and is_identifier(name, values)) or is_coordinate(name):
            naming += 1
        elif len(values) and not (whole and _is_few(values)) and (np.diff(values) < 0).any():
            measured += 1
    if not texts and not naming:
        return False
    spoken = any(
        EVENT_WORD.search(re.sub(r"[_:.]|(?<=[a-z])(?=[A-Z])", " ", name)) for name in table.column_names
    )
    return (measured == 0 and bool(texts)) or (spoken and len(texts) + naming >= measured)


def _is_few(values: Any) -> bool:
    """Whether whole numbers are few different ones, as codes are."""
    return len(np.unique(values)) <= min(_FEW_VALUES, 0.1 * len(values) + 1)


def _text_columns(table: Any, time: TimePlan, settings: ColumnSettings) -> list[str]:
    """Columns of words, neither time nor entity nor left out."""
    found = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if (
            name in time.columns
            or name in settings.entity
            or name in settings.ignore
            or not is_text(column.type)
        ):
            continue
        head = column.drop_null()[:_HEAD]
        result = numbers(head, settings.decimal)
        if len(head) and result.failures > 0.5 * len(head) and pc.count_distinct(head).as_py() >= 2:
            found.append(name)
    return found


def _codes(table: Any, names: Sequence[str]) -> I64:
    """(rows,) int64: a number per combination of the values of some columns."""
    codes = np.zeros(table.num_rows, dtype=np.int64)
    for name in names:
        encoded = table[name].combine_chunks().dictionary_encode()
        missing = len(encoded.dictionary)
        codes = codes * (missing + 1) + encoded.indices.fill_null(missing).to_numpy()
    return codes


def _averaged(
    table: Any, times: I64, valid: Any, texts: Sequence[str], equal: float, settings: ColumnSettings
) -> list[Note]:
    """A note where many rows share their time: they become one, and a column may tell them apart."""
    if equal < _SHARED:
        return []
    telling = _telling_apart(table, times, valid, texts, settings)
    if telling:
        options = " ".join(f"--entity {quote(name)}" for name in telling)
        count = len(telling)
        return [note("rows-averaged-told-apart", share=equal, columns=telling, count=count, options=options)]
    return [] if equal < _AVERAGED else [note("rows-averaged", share=equal)]


def _telling_apart(
    table: Any, times: I64, valid: Any, texts: Sequence[str], settings: ColumnSettings
) -> tuple[str, ...]:
    """A column, or two, whose few values tell rows of the same time apart; nothing where there are none."""
    # Rows that are there twice are told apart by nothing.
    rows = table.filter(pa.array(valid)).group_by(table.column_names).aggregate([]).num_rows
    moments, moment = np.unique(times[valid], return_inverse=True)
    if len(moments) > 0.99 * rows:
        return ()
    coded = {}
    for name in (*texts, *_codes_of_things(table, texts, settings)):
        if table[name].null_count:
            continue  # rows without an entity would be lost
        codes = _codes(table, [name])[valid]
        if 1 < len(np.unique(codes)) <= 0.2 * rows:
            coded[name] = codes
    for names in (*((name,) for name in coded), *combinations(list(coded)[:6], 2)):
        keys = moment
        for name in names:
            keys = keys * (coded[name].max() + 1) + coded[name]
        if len(np.unique(keys)) > 0.99 * rows:
            return names
    return ()


def _codes_of_things(table: Any, texts: Sequence[str], settings: ColumnSettings) -> list[str]:
    """Columns of whole numbers that may name machines or stores."""
    found = []
    for name in table.column_names:
        column = table[name].combine_chunks()
        if (
            name in texts
            or name in settings.entity
            or not (is_text(column.type) or pa.types.is_integer(column.type))
        ):
            continue
        cells = numbers(column[:_HEAD], ".").cells
        values = cells[np.isfinite(cells)]
        if len(values) == len(cells) and bool((values % 1 == 0).all()) and _is_few(values):
            found.append(name)
    return found
