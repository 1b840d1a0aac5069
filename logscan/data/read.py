"""The input side: files in, one regular series per entity out, and an account of every row."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from logscan.config import InputConfig
from logscan.data.batches import Table, opened_table
from logscan.data.calendar import with_calendar
from logscan.data.collect import Collector
from logscan.data.columns import Plan, found_plan
from logscan.data.finish import finished_series, step_from
from logscan.data.sources import Source, resolved_sources
from logscan.data.suggest import did_you_mean, require_columns
from logscan.data.timeplan import AmbiguousDatesError, found_time
from logscan.errors import InputError
from logscan.records import InputSchema, Log, ReadCounts, Shaping, TimeKind

SAMPLE_ROWS = 50_000
_LONGEST_SAMPLE_BYTES = 64 << 20


def read_log(
    inputs: Sequence[str | Path],
    config: InputConfig,
    *,
    stdin: BinaryIO | None = None,
    progress: Callable[[int], None] | None = None,
    keep: tuple[str, ...] = (),
) -> Log:
    """Read files as one log, put it on its grids and count where every row went.

    Args:
        inputs: files, globs, folders, or `-` for CSV on the standard input; their rows are one log.
        config: what the user said; the rest is found by evidence on the first rows.
        stdin: binary stream read for `-`; default the process's.
        progress: told the number of rows read so far after every batch.
        keep: columns that must not become channels, such as a label column.

    Returns:
        The log: per entity, in order of name, values (steps, channels) float64 with NaN where nothing
        was observed (events: 0), and the counts.

    Raises:
        InputError: missing, empty, binary, header only, no numeric channel, time that does not parse.
        UsageError: an option that names nothing or contradicts another.
    """
    sources = resolved_sources(inputs)
    stream = stdin if stdin is not None else sys.stdin.buffer
    with closing(opened_table(sources[0], config, stream)) as first:
        if len(sources) == 1:
            require_columns("--ignore", config.ignore, first.names)
        plan, sample = _planned(first, config, keep)
        collector = Collector(plan, step_from(config.every, plan.time.kind) if config.every else None)
        _collect(collector, first, config, progress, sample)
    for source in sources[1:]:
        with closing(opened_table(source, config, stream)) as table:
            _require_same_columns(table, plan, first)
            _collect(collector, table, config, progress, [])
    return _finished(collector, plan, first, sources, config)


def _collect(
    collector: Collector,
    table: Table,
    config: InputConfig,
    progress: Callable[[int], None] | None,
    sample: list[Any],
) -> None:
    """Add all rows of one file, those already taken as a sample first."""
    decimal = _decimal(table, config)
    while sample:
        collector.add(sample.pop(0), decimal, progress)
    for batch in table.rows:
        collector.add(batch, decimal, progress)
    if table.ragged_rows:
        collector.drop(f"another number of cells than the header ({len(table.names)})", table.ragged_rows)


def _decimal(table: Table, config: InputConfig) -> str:
    if config.decimal is not None:
        return config.decimal
    return table.dialect.decimal if table.dialect else "."


def _planned(table: Table, config: InputConfig, keep: tuple[str, ...]) -> tuple[Plan, list[Any]]:
    """The plan by the first rows, and these rows; more are taken while day and month cannot be told apart."""
    batches: list[Any] = []
    wanted = SAMPLE_ROWS
    while True:
        exhausted = _grow(batches, table.rows, wanted)
        if not batches:
            raise InputError(
                table.source.name,
                "there is a header line but no rows of data",
                "pass a file with rows of data",
            )
        sample = pa.Table.from_batches(batches)
        try:
            time = found_time(sample, config, table.source.name)
            break
        except AmbiguousDatesError:
            if exhausted or sample.nbytes > _LONGEST_SAMPLE_BYTES:
                raise
            wanted *= 4
    return found_plan(
        sample, time, config, keep=keep, decimal=_decimal(table, config), place=table.source.name
    ), batches


def _grow(batches: list[Any], rows: Iterator[Any], wanted: int) -> bool:
    """Take batches until there are `wanted` rows; true when there are no more."""
    have = sum(batch.num_rows for batch in batches)
    while have < wanted:
        batch = next(rows, None)
        if batch is None:
            return True
        if batch.num_rows:
            batches.append(batch)
            have += batch.num_rows
    return False


def _require_same_columns(table: Table, plan: Plan, first: Table) -> None:
    """Every file of one log has the columns that are read."""
    for name in plan.columns:
        if name not in table.names:
            remedy = did_you_mean(name, table.names) or "read files with other columns as logs of their own"
            raise InputError(table.source.name, f"column '{name}' of {first.source.name} is missing", remedy)


def _finished(
    collector: Collector,
    plan: Plan,
    first: Table,
    sources: tuple[Source, ...],
    config: InputConfig,
) -> Log:
    """The log from everything collected."""
    place = first.source.name
    if collector.rows_used == 0:
        reasons = ", ".join(f"{count} {reason}" for reason, count in collector.dropped.items())
        raise InputError(
            place, f"no row could be used ({reasons or 'there are none'})", "check --time and --delimiter"
        )
    found = finished_series(collector, plan, place)
    collector.retract("time too far from all others", found.far)
    series, marked = with_calendar(found.series, config, plan.kind)
    channels = series[0].channels
    ignored = dict(plan.ignored)
    ignored |= dict.fromkeys(found.silent, "holds no number in any row")
    dialect = first.dialect
    schema = InputSchema(
        files=tuple(source.name for source in sources),
        format=first.format,
        encoding=first.encoding,
        delimiter=dialect.delimiter if dialect else None,
        decimal=_decimal(first, config) if dialect else None,
        header_line=dialect.header_line if dialect else None,
        kind=plan.kind,
        time_column=plan.time.name,
        time_kind=plan.time.kind,
        time_format=plan.time.label,
        timezone=plan.time.timezone,
        entity_columns=plan.entity,
        channels=channels,
        ignored=ignored,
        step=found.step,
        shaping=Shaping(
            sensor=plan.split.column if plan.split is not None and plan.split.long else None,
            value=plan.split.value if plan.split is not None else None,
            split=plan.split.column if plan.split is not None and not plan.split.long else None,
            categories=found.categories,
            negatives=found.negatives,
            status=plan.status.column if plan.status is not None else None,
            running=plan.status.running if plan.status is not None else (),
        ),
    )
    counts = ReadCounts(
        rows_read=collector.rows_read,
        rows_used=collector.rows_used,
        dropped=dict(sorted(collector.dropped.items())),
        duplicates=found.duplicates,
        out_of_order=collector.out_of_order,
        not_numeric={
            name: failure
            for name, failure in collector.failures.items()
            if name in plan.numeric and name not in ignored
        },
    )
    return Log(
        schema,
        tuple(series),
        counts,
        (*plan.notes, *collector.notes(), *found.notes, *marked, *_dialect_notes(first, plan)),
    )


def _dialect_notes(first: Table, plan: Plan) -> list[str]:
    """What a user should know about how the file was taken apart."""
    notes = []
    if first.dialect is not None and first.dialect.header_line is None:
        notes.append("There is no header line; columns are called 'column 1', 'column 2' ...")
    if plan.time.kind is TimeKind.ROW:
        notes.append("No time column was found or wanted; the row number is the step.")
    return notes
