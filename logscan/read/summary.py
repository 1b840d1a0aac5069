"""The account of a log: its schema, and how many rows were used or dropped and why."""

from __future__ import annotations

from collections.abc import Sequence

from logscan.messages import by_harm
from logscan.notes import Note, note
from logscan.read.files.inputs import Source
from logscan.read.formats.table import TableReader
from logscan.read.grid.collector import Collector
from logscan.read.grid.series import Finished
from logscan.read.plan.columns import Plan
from logscan.records import InputSchema, Log, ReadCounts, Series, Shaping, TimeKind


def summarised(
    collector: Collector,
    found: Finished,
    series: Sequence[Series],
    first: TableReader,
    sources: Sequence[Source],
    *,
    marked: Sequence[Note],
    told: Sequence[Note],
) -> Log:
    """The log with its schema, its counts and its notes.

    Args:
        collector: with all rows.
        found: what was made of them.
        series: of `found`, with the days of the calendars set aside.
        first: the first file.
        sources: all files.
        marked: notes on the calendars.
        told: notes of the files.
    """
    plan = collector.plan
    ignored = plan.ignored | dict.fromkeys(found.silent, note("holds-no-number-anywhere"))
    counts = ReadCounts(
        rows_read=collector.rows_read,
        rows_used=collector.rows_used,
        dropped=dict(sorted(collector.dropped.items(), key=lambda found: found[0].key)),
        duplicates=found.duplicates,
        out_of_order=collector.out_of_order,
        not_numeric={name: failure for name, failure in collector.failures.items() if name not in ignored},
    )
    notes = (*plan.notes, *collector.notes(), *found.notes, *marked, *_dialect_notes(first, plan), *told)
    schema = _schema(plan, found, series, first, sources, ignored)
    return Log(schema, tuple(series), counts, by_harm(notes))


def _schema(
    plan: Plan,
    found: Finished,
    series: Sequence[Series],
    first: TableReader,
    sources: Sequence[Source],
    ignored: dict[str, Note],
) -> InputSchema:
    """What was understood of the input."""
    file = first.found
    return InputSchema(
        files=tuple(source.name for source in sources),
        format=file.format,
        encoding=file.encoding,
        delimiter=file.delimiter,
        decimal=file.decimal,
        header_line=file.header_line,
        header_end=file.header_end,
        data_line=file.data_line,
        quote=file.quote,
        kind=plan.kind,
        time_column=plan.time.name,
        time_kind=plan.time.kind,
        time_format=plan.time.label,
        timezone=plan.time.timezone,
        entity_columns=plan.entity,
        channels=series[0].channels,
        ignored=ignored,
        step=found.step,
        shaping=_shaping(plan, found),
    )


def _shaping(plan: Plan, found: Finished) -> Shaping:
    """How rows became channels where that is more than one channel per column."""
    split, status = plan.split, plan.status
    return Shaping(
        sensor=split.column if split is not None and split.long else None,
        value=split.value if split is not None else None,
        split=split.column if split is not None and not split.long else None,
        categories=found.categories,
        negatives=found.negatives,
        status=status.column if status is not None else None,
        running=status.running if status is not None else (),
    )


def _dialect_notes(first: TableReader, plan: Plan) -> list[Note]:
    """What a user should know about how the file was taken apart."""
    notes = []
    if first.found.data_line is not None and first.found.header_line is None:
        notes.append(note("no-header"))
    if plan.time.kind is TimeKind.ROW:
        notes.append(note("no-time"))
    return notes
