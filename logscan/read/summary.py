"""The account of a log: its schema, and how many rows were used or dropped and why."""

from __future__ import annotations

from collections.abc import Sequence

from logscan.messages import by_harm
from logscan.notes import Note, note
from logscan.read.files.inputs import Source
from logscan.read.formats import Table
from logscan.read.grid.collector import Collector
from logscan.read.grid.series import Finished
from logscan.read.plan.columns import Plan
from logscan.records import InputSchema, Log, ReadCounts, Series, Shaping, TimeKind


def summarised(
    collector: Collector,
    found: Finished,
    series: Sequence[Series],
    first: Table,
    sources: Sequence[Source],
    *,
    decimal: str,
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
        decimal: decimal mark of the first file.
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
    schema = _schema(plan, found, series, first, sources, decimal, ignored)
    return Log(schema, tuple(series), counts, by_harm(notes))


def _schema(
    plan: Plan,
    found: Finished,
    series: Sequence[Series],
    first: Table,
    sources: Sequence[Source],
    decimal: str,
    ignored: dict[str, Note],
) -> InputSchema:
    """What was understood of the input."""
    dialect = first.dialect
    return InputSchema(
        files=tuple(source.name for source in sources),
        format=first.format,
        encoding=first.encoding,
        delimiter=dialect.delimiter if dialect else None,
        decimal=decimal if dialect else None,
        header_line=dialect.header_line if dialect else None,
        header_end=dialect.header_end if dialect else None,
        data_line=dialect.skipped_lines + 1 if dialect else None,
        quote=dialect.quote if dialect else None,
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


def _dialect_notes(first: Table, plan: Plan) -> list[Note]:
    """What a user should know about how the file was taken apart."""
    notes = []
    if first.dialect is not None and first.dialect.header_line is None:
        notes.append(note("no-header"))
    if plan.time.kind is TimeKind.ROW:
        notes.append(note("no-time"))
    return notes
