"""One row per reading or per category: columns whose values become channels.

A log in long format has a column of sensor names beside one of values; events can be counted per category.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from logscan.config import InputConfig
from logscan.data.cast import is_number, is_text, numbers
from logscan.data.suggest import require_columns
from logscan.data.timeplan import TimePlan
from logscan.errors import UsageError
from logscan.records import LogKind, TimeKind

SEPARATOR = "\x1f"  # between entity and value in the key of a group; no text file holds it
REST = "(other)"
NOTHING = "(empty)"  # the category of rows without one
MOST_CHANNELS = 500
MOST_GROUPS = 100_000

_SENSOR = re.compile(
    r"(sensor|tag|signal|point|channel|variable|parameter|metric|measurement|measure|attribute|item)"
    r"([_ ]?(id|name|no))?|(センサー?|タグ|信号|計測点|測定点|測項|测点|測點|項目|项目|항목|点)(名|番号|ID)?|変数",
    re.IGNORECASE,
)
_VALUE = re.compile(r"value|val|reading|data|(計測|測定)?値|データ", re.IGNORECASE)


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


def found_long(table: Any, time: TimePlan, config: InputConfig) -> tuple[Split | None, list[str]]:
    """How a log in long format is taken apart, if it is one, and the sentences that say so.

    By evidence: one text column that is called sensor, tag ... and one column of numbers that is called value,
    beside the time and whatever tells machines apart; several sensors, each many times.

    Args:
        table: Arrow table with plain columns.
        time: the time column.
        config: what the user said.

    Raises:
        UsageError: one of the two columns is named without the other and cannot be found, or is not there.
    """
    names = table.column_names
    free = [name for name in names if name not in {*time.columns, *config.entity, *config.ignore}]
    if config.sensor is None and config.value is None:
        if config.kind == LogKind.EVENTS.value or config.split is not None or time.kind is TimeKind.ROW:
            return None, []
        sensor = _only(name for name in free if _SENSOR.fullmatch(name.strip()))
        value = _only(name for name in free if _VALUE.fullmatch(name.strip()))
        if sensor is None or value is None or not _is_long(table, sensor, value, free):
            return None, []
        note = (
            f"Long format: '{sensor}' names the channel of a row and '{value}' holds its reading; "
            f"use --ignore {sensor} to read it otherwise."
        )
        return Split(sensor, value, config.channels, config.top), [note]
    require_columns("--sensor", [config.sensor] if config.sensor else [], names)
    require_columns("--value", [config.value] if config.value else [], names)
    sensor = config.sensor or _only(name for name in free if _SENSOR.fullmatch(name.strip()))
    value = config.value or _only(name for name in free if _VALUE.fullmatch(name.strip()))
    if sensor is None or value is None:
        option, other = ("--value", "--sensor") if sensor is None else ("--sensor", "--value")
        raise UsageError(
            option, "long format has a column of names and one of values", f"name it with {other}"
        )
    if sensor == value or config.split is not None:
        raise UsageError("--sensor", "contradicts --value or --split", "name two columns, and no --split")
    return Split(sensor, value, config.channels, config.top), []


def _only(names: Any) -> str | None:
    """The one name there is, None if there are none or several."""
    found = list(names)
    return found[0] if len(found) == 1 else None


def _is_long(table: Any, sensor: str, value: str, free: Sequence[str]) -> bool:
    """Whether readings of several sensors stand below one another, and nothing else is measured."""
    if not is_text(table[sensor].type):
        return False
    for name in free:
        column = table[name].combine_chunks()
        if not (is_text(column.type) or is_number(column.type)):
            continue
        head = column.drop_null()[:1000]
        found = numbers(head, ".")
        numeric = len(head) > 0 and found.failures < 0.5 * len(head)
        if numeric != (name == value) and (name == value or numeric):
            return False
    column = table[sensor].combine_chunks().drop_null()
    distinct = int(pc.count_distinct(column).as_py())
    return 2 <= distinct <= len(column) / 10


def found_split(table: Any, config: InputConfig, kind: LogKind) -> Split | None:
    """The categories of events that are counted apart; raises UsageError where that cannot be."""
    if config.split is None:
        if config.categories:
            fact, remedy = "given without a column", "name the column of the categories with --split"
            raise UsageError("categories", fact, remedy)
        return None
    require_columns("--split", [config.split], table.column_names)
    if kind is LogKind.SAMPLES:
        fact = "only events can be counted by category, and this log was read as samples"
        raise UsageError("--split", fact, "pass --kind events, or --entity to read one series each")
    return Split(config.split, None, config.categories, config.top)


def kept_categories(rows_of: dict[str, int], split: Split) -> tuple[str, ...]:
    """The categories that are counted apart: the wanted ones, or the most frequent, ties by name."""
    if split.wanted:
        return split.wanted
    ranked = sorted(rows_of, key=lambda name: (-rows_of[name], name))
    return tuple(ranked[: split.top])
