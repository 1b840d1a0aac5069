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
from logscan.read.values.quality_column import QualityColumn, found_quality_columns
from logscan.read.values.time_parser import INVALID
from logscan.read.values.units import have_units
from logscan.read.values.vocabulary import (
    CLASS_NAME,
    ELAPSED_NAME,
    FRACTIONS,
    INDEX_NAME,
    LABEL_NAME,
    QUALITY_FLAG_NAME,
    STATUS_CODE_NAME,
    THING_WORD,
)
from logscan.records import LogKind, TimeKind
from logscan.time_units import SECOND_NS

NO_ENTITY = "none"  # of --entity: rows of one time are averaged, whatever tells them apart
COUNT = "count"  # the channel of rows per step in a log of events

_CELLS = 20_000
_HEAD = 1000
_COUNTING = 0.95  # of the rows follow on the one before
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
    quality: tuple[QualityColumn, ...] = ()  # columns that tell which readings are good
    distinct: tuple[str, ...] = ()  # columns whose different values are counted (events)
    negatives: tuple[str, ...] | None = None  # columns whose negative numbers are counted; None: by evidence
    repeats: Literal["count", "drop"] | None = None
    missing: tuple[float, ...] = ()  # sentinel values: numbers that stand for no reading

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are read."""
        split = (self.split.column,) if self.split is not None else ()
        status = (self.status.column,) if self.status is not None else ()
        quality = (one.column for one in self.quality)
        found = (*self.time.columns, *self.entity, *self.numeric, *split, *status, *quality, *self.distinct)
        return tuple(dict.fromkeys(found))


def found_plan(
    table: Any,
    time: TimePlan,
    settings: ColumnSettings,
    *,
    folders: Sequence[str],
    machines: Sequence[str],
    place: str,
) -> Plan:
    """Roles of all columns of a sample.

    Args:
        table: Arrow table with plain columns, in file order.
        time: the time column.
        settings: what the user set.
        folders: columns that the names of folders add; their numbers are no readings.
        machines: of these, the ones that name machines: several values, and no parts of a time.
        place: file name, for messages.

    Raises:
        UsageError: a named column is not there, or the options contradict each other.
        InputError: no numeric channel.
    """
    names = table.column_names
    settings, sought = _entity_settings(settings, names)
    notes: list[Note] = []
    if sought and machines:
        settings = replace(settings, entity=tuple(machines))
        notes.append(note("entity-folders", columns=tuple(machines)))
    require_columns("--entity", settings.entity, names)
    folders = [name for name in folders if name not in {*settings.channels, *settings.entity}]
    settings = replace(settings, keep=(*settings.keep, *folders))
    split, told = found_long(table, time, settings)
    notes += told
    kind, told = found_kind(table, time, settings) if split is None else (LogKind.SAMPLES, [])
    if sought and not settings.entity and kind is LogKind.SAMPLES:
        settings, told = _with_found_entity(table, settings, told)
    notes += told
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
    _refuse_times_per_channel(table, time, settings, place)
    numeric, ignored = _sorted_columns(table, time, settings, kind, split, status, place)
    quality: tuple[QualityColumn, ...] = ()
    if kind is LogKind.SAMPLES:
        free = [
            name
            for name in (*ignored, *numeric)
            if name not in {*settings.ignore, *settings.channels, *settings.keep}
        ]
        quality = found_quality_columns(table, free, numeric)
        obeyed = {one.column for one in quality}
        numeric = [name for name in numeric if name not in obeyed]
        ignored |= {name: note("quality-obeyed") for name in obeyed}
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
        quality=quality,
        distinct=distinct,
        negatives=settings.negatives,
        repeats=settings.repeats,
        missing=_sentinels(settings),
    )


def _entity_settings(settings: ColumnSettings, names: Sequence[str]) -> tuple[ColumnSettings, bool]:
    """The settings without `--entity none`, and whether the entity is to be detected."""
    if settings.entity == (NO_ENTITY,) and NO_ENTITY not in names:
        return replace(settings, entity=()), False
    return settings, not settings.entity


def _with_found_entity(
    table: Any, settings: ColumnSettings, told: list[Note]
) -> tuple[ColumnSettings, list[Note]]:
    """The settings with the columns that tell rows of one time apart as the entity, and notes that say so."""
    apart = next((one for one in told if one.key == "rows-averaged-told-apart"), None)
    if apart is None or not all(_may_name(table, name) for name in apart["columns"]):
        return settings, told
    found = note("entity-found", columns=apart["columns"], share=apart["share"])
    return replace(settings, entity=apart["columns"]), [found if one is apart else one for one in told]


def _may_name(table: Any, name: str) -> bool:
    """Whether the cells of a column name things: words, or numbers under the name of a thing."""
    return is_text_column(table[name]) or THING_WORD.search(name) is not None or named_identifier(name)


def is_text_column(column: Any) -> bool:
    """Whether most cells of a column are no numbers."""
    head = column.combine_chunks().drop_null()[:_HEAD]
    return is_text(head.type) and 2 * numbers(head, ".").failures > len(head)


def _refuse_times_per_channel(table: Any, time: TimePlan, settings: ColumnSettings, place: str) -> None:
    """Refuse a table in which every channel has a time column of its own, and the times differ.

    Raises:
        InputError: see above.
    """
    if len(time.columns) != 1 or time.kind is not TimeKind.TIMESTAMP or settings.channels:
        return
    own = time.times([table[time.columns[0]].combine_chunks()])
    again = re.compile(rf"{re.escape(time.columns[0])} \(\d+\)")
    for name in table.column_names:
        if again.fullmatch(name) and name not in settings.ignore and is_text(table[name].type):
            others = replace(time, columns=(name,)).times([table[name].combine_chunks()])
            known = others != INVALID
            words = pc.utf8_trim_whitespace(table[name])
            filled = pc.sum(pc.not_equal(words, pa.scalar(""))).as_py() or 0
            if 2 * known.sum() > filled and (others[known] != own[known]).any():
                fact = f"'{time.columns[0]}' and '{name}' hold different times: each channel has its own"
                remedy = f"pass --ignore '{name}' and --channels for those of the first time; read the others alone"
                raise InputError(place, fact, remedy)


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


def _counts_on(values: Any) -> bool:
    """Whether numbers go up by the same step from row to row, but for a few places where they begin again."""
    apart = np.diff(values)
    steps, counts = np.unique(apart, return_counts=True)
    most = int(np.argmax(counts))
    return bool(steps[most] > 0 and counts[most] >= _COUNTING * len(apart))


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
    named_index = INDEX_NAME.fullmatch(name.strip()) or re.fullmatch(r"column 1", name)
    complete = found.present == len(found.cells)
    if whole and named_index and complete and len(values) > 1 and _counts_on(values):
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
