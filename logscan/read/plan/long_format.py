"""Long format and categories: columns whose values become channels.

A log in long format has one reading per row: a column of sensor names beside one of values. Events can be counted
per category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import UsageError
from logscan.nearest_name import require_columns
from logscan.notes import Note, note
from logscan.read.plan.settings import ColumnSettings, SplitSettings
from logscan.read.plan.time_plan import TimePlan
from logscan.read.values.numbers import is_number, is_text, numbers
from logscan.read.values.vocabulary import (
    BESIDE_READING_NAME,
    NUMBERED_SENSOR_NAME,
    SENSOR_NAME,
    VALUE_NAME,
    bare_name,
)
from logscan.records import LogKind, TimeKind

SEPARATOR = "\x1f"  # between entity and value in the key of a group; no text file holds it
REST = "(other)"
NOTHING = "(empty)"  # the category of rows without one
MOST_CHANNELS = 500
MOST_GROUPS = 100_000

_HEAD = 1000
_ALTERNATING = 0.3  # of the rows are of another kind than the one before
_COMPARED = 9  # kinds
_APART = 3.0  # interquartile ranges between the readings of two kinds


@dataclass(frozen=True, slots=True)
class Split:
    """The column whose values become channels."""

    column: str
    value: str | None  # the column of readings in long format; None: categories of events
    wanted: tuple[str, ...]  # these values; empty: all sensors, or the most frequent categories
    top: int  # how many categories where none are named

    @property
    def long(self) -> bool:
        """Whether every row is one reading of one sensor."""
        return self.value is not None


def found_long(table: Any, time: TimePlan, settings: ColumnSettings) -> tuple[Split | None, list[Note]]:
    """How a log in long format is taken apart, if it is one, and the sentences that say so.

    By evidence: one text column that is called sensor, tag ... and one column of numbers that is called value,
    beside the time and whatever tells machines apart; several sensors, each many times.

    Args:
        table: Arrow table with plain columns.
        time: the time column.
        settings: what the user set.

    Raises:
        UsageError: one of the two columns is named without the other and cannot be found, or is not there.
    """
    asked = settings.by_value
    names = table.column_names
    free = [name for name in names if name not in {*time.columns, *settings.entity, *settings.ignore}]
    if asked.sensor is None and asked.value is None:
        if settings.kind is LogKind.EVENTS or asked.split is not None or time.kind is TimeKind.ROW:
            return None, []
        decimal = settings.decimal
        sensor = _only(
            name for name in free if SENSOR_NAME.fullmatch(bare_name(name)) and _varies(table[name])
        )
        value = _only(
            name
            for name in free
            if VALUE_NAME.fullmatch(bare_name(name)) and _holds_numbers(table, name, decimal)
        )
        if sensor is None or value is None or not _is_long(table, sensor, value, free, decimal):
            return None, []
        return Split(sensor, value, settings.channels, asked.top), [
            note("long-format", sensor=sensor, value=value)
        ]
    require_columns("--sensor", [asked.sensor] if asked.sensor else [], names)
    require_columns("--value", [asked.value] if asked.value else [], names)
    sensor = asked.sensor or _only(name for name in free if SENSOR_NAME.fullmatch(bare_name(name)))
    value = asked.value or _only(name for name in free if VALUE_NAME.fullmatch(bare_name(name)))
    if sensor is None or value is None:
        option, other = ("--value", "--sensor") if sensor is None else ("--sensor", "--value")
        raise UsageError(
            option, "long format has a column of names and one of values", f"name it with {other}"
        )
    if sensor == value or asked.split is not None:
        raise UsageError("--sensor", "contradicts --value or --split", "name two columns, and no --split")
    return Split(sensor, value, settings.channels, asked.top), []


def _only(names: Any) -> str | None:
    """The one name there is, None if there are none or several."""
    found = list(names)
    return found[0] if len(found) == 1 else None


def _holds_numbers(table: Any, name: str, decimal: str) -> bool:
    column = table[name].slice(0, _HEAD).combine_chunks()
    return (is_text(column.type) or is_number(column.type)) and _is_numeric(column, decimal)


def _varies(column: Any) -> bool:
    return bool(pc.count_distinct(column).as_py() > 1)


def _is_long(table: Any, sensor: str, value: str, free: Sequence[str], decimal: str) -> bool:
    """Whether readings of several sensors stand below one another, and nothing else is measured."""
    if not is_text(table[sensor].type):
        return False
    head = table.slice(0, _HEAD)
    names = head[sensor].combine_chunks()
    if _is_numeric(names, decimal) and not (
        NUMBERED_SENSOR_NAME.fullmatch(bare_name(sensor)) and _are_few(names)
    ):
        return False
    for name in free:
        column = head[name].combine_chunks()
        if name == sensor or not (is_text(column.type) or is_number(column.type)):
            continue
        numeric = _is_numeric(column, decimal)
        if name == value and not numeric:
            return False
        if (
            name != value
            and numeric
            and not (BESIDE_READING_NAME.fullmatch(bare_name(name)) or _is_fixed(column, names))
        ):
            return False
    column = table[sensor].combine_chunks().drop_null()
    distinct = int(pc.count_distinct(column).as_py())
    return 2 <= distinct <= len(column) / 10


def _is_numeric(column: Any, decimal: str) -> bool:
    head = column.drop_null()
    return len(head) > 0 and numbers(head, decimal).failures < 0.5 * len(head)


def _are_few(names: Any) -> bool:
    """Whether numbers are whole and come back, as those of channels do and readings do not."""
    cells = numbers(names, ".").cells
    return bool((cells % 1 == 0).all()) and len(np.unique(cells)) <= 0.1 * len(cells)


def _is_fixed(column: Any, names: Any) -> bool:
    """Whether every sensor has one number of its own in a column, as coordinates have."""
    pairs = pa.table({"sensor": names, "x": column.cast(pa.string())}).group_by(["sensor", "x"]).aggregate([])
    return bool(pairs.num_rows <= pc.count_distinct(names).as_py())


def mixed_hint(table: Any, time: TimePlan, settings: ColumnSettings) -> list[Note]:
    """A note where one column of numbers holds readings of several things in turn, as a column of words tells.

    Args:
        table: Arrow table with plain columns.
        time: the time column.
        settings: what the user set.
    """
    if settings.entity or settings.channels or settings.ignore or time.kind is TimeKind.ROW:
        return []
    free = [name for name in table.column_names if name not in time.columns]
    numeric = [
        name
        for name in free
        if _holds_numbers(table, name, settings.decimal)
        and not BESIDE_READING_NAME.fullmatch(bare_name(name))
    ]
    if len(numeric) != 1:
        return []
    values = numbers(table[numeric[0]].combine_chunks(), settings.decimal).cells
    for name in free:
        if name in numeric or not is_text(table[name].type):
            continue
        encoded = table[name].combine_chunks().fill_null("").dictionary_encode()
        codes = encoded.indices.to_numpy()
        kinds = len(encoded.dictionary)
        if 2 <= kinds <= len(codes) / 10 and (np.diff(codes) != 0).mean() >= _ALTERNATING:
            groups = [values[(codes == code) & np.isfinite(values)] for code in range(min(kinds, _COMPARED))]
            quarters = [np.quantile(group, (0.25, 0.5, 0.75)) for group in groups if len(group)]
            spread = max(float(three[2] - three[0]) for three in quarters)
            if np.ptp([three[1] for three in quarters]) > _APART * spread:
                return [
                    note(
                        "long-format-possible",
                        sensor=name,
                        value=numeric[0],
                        sensor_option=quote(name),
                        value_option=quote(numeric[0]),
                    )
                ]
    return []


def found_split(table: Any, asked: SplitSettings, kind: LogKind) -> Split | None:
    """The categories of events that are counted apart; raises UsageError where that cannot be."""
    if asked.split is None:
        if asked.categories:
            fact, remedy = "given without a column", "name the column of the categories with --split"
            raise UsageError("categories", fact, remedy)
        return None
    require_columns("--split", [asked.split], table.column_names)
    if kind is LogKind.SAMPLES:
        fact = "only events can be counted by category, and this log was read as samples"
        raise UsageError("--split", fact, "pass --kind events, or --entity to read one series each")
    return Split(asked.split, None, asked.categories, asked.top)


def kept_categories(rows_of: dict[str, int], split: Split) -> tuple[str, ...]:
    """The categories that are counted apart: the wanted ones, or the most frequent, ties by name."""
    if split.wanted:
        return split.wanted
    ranked = sorted(rows_of, key=lambda name: (-rows_of[name], name))
    return tuple(ranked[: split.top])
