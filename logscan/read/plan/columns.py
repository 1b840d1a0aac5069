"""The role of every column (channel, entity, status, ignored and why), detected on a sample: the plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import InputError, UsageError
from logscan.messages import text
from logscan.nearest_name import require_columns
from logscan.notes import Note, note
from logscan.read.plan.aggregation import Aggregation, aggregation
from logscan.read.plan.identifiers import is_coordinate, is_identifier, named_identifier
from logscan.read.plan.log_kind import found_kind
from logscan.read.plan.long_format import Split, found_long, found_split, mixed_hint
from logscan.read.plan.settings import ColumnSettings
from logscan.read.plan.status import Status, found_status
from logscan.read.plan.time_joined import is_time_again
from logscan.read.plan.time_plan import TimePlan
from logscan.read.values.numbers import Numbers, is_number, is_text, numbers
from logscan.read.values.units import have_units
from logscan.read.values.vocabulary import (
    CLASS_NAME,
    ELAPSED_NAME,
    FRACTIONS,
    INDEX_NAME,
    LABEL_NAME,
    QUALITY_FLAG_NAME,
    STATUS_CODE_NAME,
)
from logscan.records import LogKind, TimeKind
from logscan.time_units import SECOND_NS

COUNT = "count"  # the channel of rows per step in a log of events

_CELLS = 20_000
_FEW_CODES = 20  # different values of a column of codes


@dataclass(frozen=True, slots=True)
class Plan:
    """What every column is for."""

    time: TimePlan
    kind: LogKind
    entity: tuple[str, ...]
    numeric: tuple[str, ...]  # columns read as numbers
    ignored: dict[str, Note]  # column -> why it is not read
    notes: tuple[Note, ...]
    counted: bool  # rows per step are a channel (events)
    aggregation: Aggregation
    split: Split | None = None
    status: Status | None = None
    distinct: tuple[str, ...] = ()  # columns whose different values are counted (events)
    negatives: tuple[str, ...] | None = None  # columns whose negative numbers are counted; None: by evidence
    repeats: Literal["count", "drop"] | None = None
    missing: tuple[float, ...] = ()  # sentinel values: numbers that stand for no reading

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        split = (self.split.column,) if self.split is not None else ()
        status = (self.status.column,) if self.status is not None else ()
        found = (*self.time.columns, *self.entity, *self.numeric, *split, *status, *self.distinct)
        return tuple(dict.fromkeys(found))


def found_plan(
    table: Any, time: TimePlan, settings: ColumnSettings, *, folders: Sequence[str], place: str
) -> Plan:
    """Roles of all columns of a sample.

    Args:
        table: Arrow table with plain columns, in file order.
        time: the time column.
        settings: what the user set.
        folders: columns that the names of folders add; their numbers are no readings.
        place: file name, for messages.

    Raises:
        UsageError: a named column is not there, or the options contradict each other.
        InputError: no numeric channel.
    """
    names = table.column_names
    require_columns("--entity", settings.entity, names)
    folders = [name for name in folders if name not in {*settings.channels, *settings.entity}]
    settings = replace(settings, keep=(*settings.keep, *folders))
    split, notes = found_long(table, time, settings)
    kind, told = found_kind(table, time, settings) if split is None else (LogKind.SAMPLES, [])
    notes = [*notes, *told]
    if split is None and not notes and kind is LogKind.SAMPLES:
        notes = mixed_hint(table, time, settings)
    split = split or found_split(table, settings.by_value, kind)
    if split is not None and split.value is not None:
        # What is measured is one column; the channels a user names are its sensors.
        settings = replace(settings, channels=(split.value,))
    _require_channels(settings, kind, names)
    if kind is LogKind.EVENTS and time.kind is TimeKind.ROW:
        raise UsageError("--kind", "events need a time column and none was found", "name it with --time")
    status = _status(table, time, settings, kind, split)
    numeric, ignored = _sorted_columns(table, time, settings, kind, split, status, place)
    long = split is not None and split.long
    asked = aggregation(settings.aggregate, kind, () if long else names)
    distinct = asked.distinct()
    require_columns("negatives", settings.negatives or (), names)
    # The names of folders say which part of a log this is.
    ignored |= {name: note("partition") for name in folders if name in ignored}
    return Plan(
        time=time,
        kind=kind,
        entity=settings.entity,
        numeric=tuple(numeric),
        ignored={name: why for name, why in ignored.items() if name not in distinct},
        notes=tuple(notes),
        counted=kind is LogKind.EVENTS and (not settings.channels or COUNT in settings.channels),
        aggregation=asked,
        split=split,
        status=status,
        distinct=distinct,
        negatives=settings.negatives,
        repeats=settings.repeats,
        missing=_sentinels(settings),
    )


def _require_channels(settings: ColumnSettings, kind: LogKind, names: Sequence[str]) -> None:
    """Raise UsageError where a channel that was set is not there; of events, `count` always is."""
    wanted = [
        name
        for name in settings.channels
        if not (kind is LogKind.EVENTS and name == COUNT and name not in names)
    ]
    require_columns("--channels", wanted, [*names, COUNT] if kind is LogKind.EVENTS else names)


def _sorted_columns(
    table: Any,
    time: TimePlan,
    settings: ColumnSettings,
    kind: LogKind,
    split: Split | None,
    status: Status | None,
    place: str,
) -> tuple[list[str], dict[str, Note]]:
    """The columns that are read as numbers, and the others with the reason; raises InputError where none is."""
    ignored: dict[str, Note] = {}
    numeric: list[str] = []
    for name in table.column_names:
        if name in time.columns or name in settings.entity or (split is not None and name == split.column):
            continue
        if status is not None and name == status.column and not status.measured:
            ignored[name] = note("status")
            continue
        reason = _reason(table, name, time, settings, kind)
        if reason is None:
            numeric.append(name)
        elif name in settings.channels and name not in settings.keep:
            raise InputError(
                place, f"channel '{name}' {text(reason)}", "choose numeric columns with --channels"
            )
        else:
            ignored[name] = reason
    if settings.channels:
        numeric = [name for name in settings.channels if name in numeric]
    if not numeric and kind is LogKind.SAMPLES:
        raise _no_channel(place, ignored, time, alone=len(table.column_names) == 1)
    return numeric, ignored


def _sentinels(settings: ColumnSettings) -> tuple[float, ...]:
    """The sentinel values; raises UsageError where one is no number."""
    found = []
    for code in settings.missing:
        cell = float(numbers(pa.array([code]), settings.decimal).cells[0])
        if not np.isfinite(cell):
            raise UsageError(f"--missing {code}", "not a number", "words are read as missing anyway")
        found.append(cell)
    return tuple(found)


def _status(
    table: Any, time: TimePlan, settings: ColumnSettings, kind: LogKind, split: Split | None
) -> Status | None:
    """The status column of readings; events have none."""
    if kind is LogKind.EVENTS:
        if settings.status is not None:
            fact = "only readings have a status, and this log was read as events"
            raise UsageError("--status", fact, "pass --kind samples, or leave it out")
        return None
    taken = {*time.columns, *settings.entity, *settings.ignore, *settings.channels}
    taken |= {split.column} if split is not None else set()
    free = [name for name in table.column_names if name not in taken]
    return found_status(table, free, settings.status, settings.running)


def _no_channel(place: str, ignored: dict[str, Note], time: TimePlan, *, alone: bool) -> InputError:
    if alone:
        what = text(next(iter(ignored.values()), note("holds-no-numbers")))
        fact = f"this is text, not a table: no delimiter splits its lines, and the one column there is {what}"
        return InputError(place, fact, "turn it into CSV with a time column and one column per number")
    listed = ", ".join(f"'{name}' {text(reason)}" for name, reason in list(ignored.items())[:4])
    more = ", ..." if len(ignored) > 4 else ""
    fact = f"no numeric channel ({listed}{more})" if listed else "no numeric channel"
    if any(reason.key == "holds-units" for reason in ignored.values()):
        remedy = "pass --units to take the units off"
    elif time.kind is TimeKind.ROW:
        remedy = "if it is text, turn it into CSV with a time column and one column per number"
    else:
        remedy = "a log needs at least one column of numbers, or --kind events to count its rows"
    return InputError(place, fact, remedy)


def _reason(table: Any, name: str, time: TimePlan, settings: ColumnSettings, kind: LogKind) -> Note | None:
    """Why a column is not a channel; None if it is one."""
    column = table[name].combine_chunks()
    reason = _own_reason(name, column, settings, kind)
    if reason is not None or name in settings.channels:
        return reason
    if is_time_again(table, name, time, settings.decimal):
        return note("time-again")
    if time.kind is TimeKind.ROW and not settings.timed:
        return _elapsed_reason(name, column, settings.decimal)
    return None


def _own_reason(name: str, column: Any, settings: ColumnSettings, kind: LogKind) -> Note | None:
    """Why a column by itself is not a channel."""
    if name in settings.keep:
        return note("kept-aside")
    if name in settings.ignore:
        return note("ignored-as-asked")
    if settings.channels and name not in settings.channels:
        return note("not-chosen")
    if not (is_text(column.type) or is_number(column.type) or pa.types.is_null(column.type)):
        return note("holds-type", type=str(column.type))
    stride = max(len(column) // _CELLS, 1)
    cells = column if stride == 1 else column.take(pa.array(np.arange(0, len(column), stride)))
    found = numbers(cells, settings.decimal)
    good = found.present - found.failures
    if found.present and good < 0.5 * found.present:
        if is_text(cells.type) and have_units(cells):
            return note("holds-units", example=found.example)
        return note("holds-text", example=found.example) if found.example else note("holds-no-numbers")
    if name in settings.channels:
        return None
    if found.present == 0 and re.fullmatch(r"column \d+", name):
        return note("neither-name-nor-values")
    if found.present == 0 and LABEL_NAME.fullmatch(name.strip()):
        return note("label-empty")
    if is_text(cells.type) and kind is LogKind.SAMPLES and (code := _zero_padded(cells)) is not None:
        return note("code", example=code)
    values = found.cells[np.isfinite(found.cells)]
    return _special_reason(name, values, found, kind)


def _zero_padded(cells: Any) -> str | None:
    """A cell of a column of codes such as 00000012, all of one length; None where it is no such column."""
    present = cells.drop_null()
    padded = pc.match_substring_regex(present, r"^\s*0\d+\s*$")
    lengths = pc.unique(pc.utf8_length(pc.utf8_trim_whitespace(present)))
    if len(present) == 0 or 2 * padded.true_count <= len(present) or len(lengths) > 1:
        return None
    return str(present[0].as_py()).strip()


def _elapsed_reason(name: str, column: Any, decimal: str) -> Note | None:
    """Why a column that is called time and only grows is no channel; None if it is not like that."""
    values = numbers(column, decimal).cells
    if (
        ELAPSED_NAME.fullmatch(name.strip())
        and len(values) > 1
        and bool((np.diff(np.sort(values)) > 0).all())
    ):
        return note("elapsed-time")
    return None


def _is_fraction(name: str, values: Any) -> bool:
    """Whether whole numbers are the milliseconds or microseconds of a time."""
    unit = next((unit for unit, pattern in FRACTIONS if pattern.fullmatch(name.strip())), None)
    return unit is not None and values.min() >= 0 and values.max() * unit < SECOND_NS


def _special_reason(name: str, values: Any, found: Numbers, kind: LogKind) -> Note | None:
    """Why a column of numbers is an index, a label or an identifier; None if it is none of these."""
    if len(values) == 0:
        return None
    if LABEL_NAME.fullmatch(name.strip()) and np.isin(values, (0, 1)).all():
        return note("label")
    whole = bool((values % 1 == 0).all())
    if whole and QUALITY_FLAG_NAME.fullmatch(name.strip()) and len(np.unique(values)) <= 20:
        return note("quality-flag")
    if whole and (INDEX_NAME.fullmatch(name.strip()) or re.fullmatch(r"column 1", name)) and len(values) > 1:
        ordered = np.sort(values)
        if (
            len(np.unique(np.diff(ordered))) == 1
            and ordered[1] > ordered[0]
            and found.present == len(found.cells)
        ):
            return note("row-index")
    distinct = len(np.unique(values))
    if kind is LogKind.SAMPLES and whole and distinct <= _FEW_CODES:
        if STATUS_CODE_NAME.fullmatch(name.strip()):
            return note("status-code")
        if CLASS_NAME.fullmatch(name.strip()) and (values == 0).any():
            return note("label")
        if distinct == 1 and len(values) > 1 and named_identifier(name):
            return note("identifier-constant")
    if kind is LogKind.SAMPLES and whole and _is_fraction(name, values):
        return note("time-part")
    if kind is LogKind.EVENTS and whole and is_identifier(name, values):
        return note("identifier")
    if kind is LogKind.EVENTS and is_coordinate(name):
        return note("coordinate")
    return None
