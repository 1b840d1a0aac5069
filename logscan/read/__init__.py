"""Reading: from files to one regular series per entity, with an account of every row.

Belongs here: `read_log`, the stations in the order of the flow, and what passes rows from one to the next.
Does not: grades of channels (`quality`), known failures (`labels`), scoring (`model`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from logscan.config import InputConfig
from logscan.labels.intervals import Label
from logscan.memory import give_back_memory
from logscan.nearest_name import require_columns
from logscan.read.collecting import collect, require_same_columns
from logscan.read.files.inputs import Source, resolved_sources
from logscan.read.formats import TABLE_SUFFIXES, opened_table, without_empty
from logscan.read.formats.table import TableReader
from logscan.read.grid.collector import Collector
from logscan.read.grid.series import finished_series
from logscan.read.grid.set_aside import with_calendar
from logscan.read.grid.step import step_from
from logscan.read.machines import refuse_machines_in_files, with_file_entities
from logscan.read.plan.columns import NO_ENTITY, Plan
from logscan.read.plan.identifiers import machine_keys
from logscan.read.plan.settings import ColumnSettings, SplitSettings, TimeSettings
from logscan.read.plant_calendar import plant_intervals
from logscan.read.sampling import sampled_plan
from logscan.read.summary import summarised
from logscan.records import Log, LogKind


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
        config: what the user set; the rest is detected on the first rows.
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
    stream = stdin if stdin is not None else sys.stdin.buffer
    sources = with_file_entities(resolved_sources(inputs, TABLE_SUFFIXES), config.entity)
    sources = without_empty(sources, config.model_dump())
    return _read(sources, config, stream, progress, keep)


def _read(
    sources: tuple[Source, ...],
    config: InputConfig,
    stream: BinaryIO,
    progress: Callable[[int], None] | None,
    keep: tuple[str, ...],
) -> Log:
    """The log of files or members of archives that are found already."""
    given = config.model_dump()
    with closing(opened_table(sources[0], given, stream)) as first:
        if len(sources) == 1:
            require_columns("--ignore", config.ignore, first.names)
        decimal = _decimal(first, config)
        plan, sample, taken = sampled_plan(
            first,
            _time_settings(config, decimal),
            _column_settings(config, decimal, keep),
            machine_keys([source.partitions for source in sources]),
        )
        step = step_from(config.every, plan.time.kind) if config.every else None
        collector = Collector(plan, step, sample)
        del sample
        told = collect(collector, first, taken, sources, decimal=decimal, progress=progress)
    for source in sources[1:]:
        with closing(opened_table(source, given, stream)) as table:
            require_same_columns(table, plan, first)
            mark = _decimal(table, config)
            told += collect(collector, table, [], sources, decimal=mark, progress=progress)
    found = finished_series(collector, first.source.name)
    if config.entity != (NO_ENTITY,):

        def alone(source: Source) -> Log:
            """One file, or one member of an archive, as a log of its own."""
            return _read((source,), config, stream, None, keep)

        refuse_machines_in_files(sources, plan, found.duplicates, collector.rows_used, alone)
    series, marked = with_calendar(
        found.series,
        plan.kind,
        holidays=config.holidays,
        calendar=config.calendar,
        intervals=_intervals(config, plan),
    )
    log = summarised(collector, found, series, first, sources, marked=marked, told=told)
    give_back_memory()
    return log


def _decimal(table: TableReader, config: InputConfig) -> str:
    """The decimal mark of a file."""
    return config.decimal or table.found.decimal or "."


def _time_settings(config: InputConfig, decimal: str) -> TimeSettings:
    """What was set about the time."""
    return TimeSettings(
        time=config.time,
        entity=config.entity,
        reserved=frozenset({*config.entity, *config.channels, *config.ignore}),
        kind=LogKind(config.kind) if config.kind is not None else None,
        timezone=config.timezone,
        date_order=config.date_order,
        decimal=decimal,
    )


def _column_settings(config: InputConfig, decimal: str, keep: tuple[str, ...]) -> ColumnSettings:
    """What was set about the other columns."""
    return ColumnSettings(
        entity=config.entity,
        channels=config.channels,
        ignore=config.ignore,
        keep=keep,
        timed=config.time is not None,
        kind=LogKind(config.kind) if config.kind is not None else None,
        decimal=decimal,
        missing=config.missing,
        aggregate=config.aggregate,
        by_value=SplitSettings(config.sensor, config.value, config.split, config.categories, config.top),
        negatives=config.negatives,
        repeats=config.repeats,
        status=config.status,
        running=config.running,
    )


def _intervals(config: InputConfig, plan: Plan) -> tuple[Label, ...]:
    """The intervals of the plant's own calendar, if there is one."""
    if config.calendar is None:
        return ()
    return plant_intervals(Path(config.calendar), plan.time.kind, plan.time.timezone)
