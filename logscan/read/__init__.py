"""The input side: files in, one regular series per entity out, and an account of every row."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.memory import give_back_memory
from logscan.nearest_name import did_you_mean, require_columns
from logscan.read.files.inputs import Source, resolved_sources
from logscan.read.formats import Table, opened_table, without_empty
from logscan.read.grid.collector import Collector
from logscan.read.grid.series import MOST_CELLS, TooLargeError, finished_series, step_from
from logscan.read.grid.set_aside import with_calendar
from logscan.read.plan.columns import Plan, found_plan
from logscan.read.plan.time_column import AmbiguousDatesError, found_time
from logscan.records import InputSchema, Log, ReadCounts, Shaping, TimeKind
from logscan.time_units import MINUTE_NS

SAMPLE_ROWS = 50_000
_LONGEST_SAMPLE_BYTES = 64 << 20
_ROOM = 1.25  # files are read ahead, and what is read so far may be sparser than what comes
_WAITING = 2  # batches that are being added or wait for it
_EARLY = 1 / 16  # of the cells that are kept: when it is first asked whether all that comes will fit
_FAR = 2  # times too long: certain enough then
_TIMES_MORE = 32  # to be expected where nothing tells how much is still to come

_Positioned = tuple[Any, int | None]  # a batch, and how far its file was read for it, in bytes


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
    sources = without_empty(resolved_sources(inputs), config)
    stream = stdin if stdin is not None else sys.stdin.buffer
    with closing(opened_table(sources[0], config, stream)) as first:
        if len(sources) == 1:
            require_columns("--ignore", config.ignore, first.names)
        plan, sample, taken = _planned(first, config, keep)
        step = step_from(config.every, plan.time.kind) if config.every else None
        collector = Collector(plan, step, sample)
        del sample
        first.want(plan, _decimal(first, config))
        told: list[str] = []
        _collect(collector, first, config, progress, taken, sources, told)
    for source in sources[1:]:
        with closing(opened_table(source, config, stream)) as table:
            _require_same_columns(table, plan, first)
            table.want(plan, _decimal(table, config))
            _collect(collector, table, config, progress, [], sources, told)
    log = _finished(collector, plan, first, sources, config, told)
    give_back_memory()
    return log


def _collect(
    collector: Collector,
    table: Table,
    config: InputConfig,
    progress: Callable[[int], None] | None,
    taken: list[_Positioned],
    sources: Sequence[Source],
    told: list[str],
) -> None:
    """Add all rows of one file, those already taken for the sample first, and its notes to `told`.

    Batches are added on a thread of their own while the next are read, so that two cores are used. Reading stays
    on the caller's thread: a signal reaches it even where it waits for the standard input.
    """
    decimal = _decimal(table, config)

    def add(batch: Any, position: int | None) -> None:
        before = collector.cells
        collector.add(batch, decimal, progress)
        if collector.cells > MOST_CELLS:
            _held_in(collector, table.source.name, _share_read(table, sources, position))
        elif collector.can_coarsen and before <= _EARLY * MOST_CELLS < collector.cells:
            # What will be far too long is not kept at its own step first.
            share = _share_read(table, sources, position)
            if share is not None and collector.cells / share > _FAR * MOST_CELLS:
                _held_in(collector, table.source.name, share)

    with ThreadPoolExecutor(1) as worker:
        adding: deque[Future[None]] = deque()
        for batch, position in chain(_emptied(taken), _positioned(table)):
            if len(adding) == _WAITING:
                adding.popleft().result()
            adding.append(worker.submit(add, batch, position))
        for one in adding:
            one.result()
    for reason, rows in table.dropped().items():
        collector.drop(reason, rows)
    told += table.notes()


def _held_in(collector: Collector, place: str, share: float | None) -> None:
    """Make what was collected fit into memory, with room for what is still to come, or refuse it."""
    if not collector.can_coarsen:
        step = collector.step or (MINUTE_NS if collector.plan.time.kind is TimeKind.TIMESTAMP else 1)
        raise TooLargeError(place, step, collector.cells, collector.plan)
    expected = collector.cells / share if share else _TIMES_MORE * collector.cells
    collector.coarsen(max(_ROOM * expected / MOST_CELLS, 2))
    give_back_memory()


def _share_read(table: Table, sources: Sequence[Source], position: int | None) -> float | None:
    """How much of all files has been read, 0 to 1, by the bytes of one of them; None where that cannot be told."""
    if position is None:
        return None
    with suppress(OSError, ValueError):
        sizes = [source.path.stat().st_size if source.path else 0 for source in sources]
        done = sum(sizes[: list(sources).index(table.source)]) + position
        return done / sum(sizes) if all(sizes) and 0 < done <= sum(sizes) else None
    return None


def _positioned(table: Table) -> Iterator[_Positioned]:
    """The batches that are still to come, each with how far the file was read for it."""
    for batch in table.rows:
        yield batch, table.position


def _emptied(batches: list[_Positioned]) -> Iterator[_Positioned]:
    """The batches, let go of one by one."""
    while batches:
        yield batches.pop(0)


def _decimal(table: Table, config: InputConfig) -> str:
    if config.decimal is not None:
        return config.decimal
    return table.dialect.decimal if table.dialect else "."


def _planned(table: Table, config: InputConfig, keep: tuple[str, ...]) -> tuple[Plan, Any, list[_Positioned]]:
    """The plan, the first rows that tell it, and all batches taken for them.

    More rows are taken while day and month cannot be told apart.
    """
    config = config.model_copy(update={"decimal": _decimal(table, config)})
    batches: list[_Positioned] = []
    wanted = SAMPLE_ROWS
    while True:
        exhausted = _grow(batches, table, wanted)
        if not batches:
            raise InputError(
                table.source.name,
                "there is a header line but no rows of data",
                "pass a file with rows of data",
            )
        # A fixed number of rows, so that the plan does not depend on how the file comes in batches.
        sample = pa.Table.from_batches([batch for batch, _ in batches]).slice(0, wanted)
        try:
            time = found_time(sample, config, table.source.name)
            break
        except AmbiguousDatesError:
            if exhausted or sample.nbytes > _LONGEST_SAMPLE_BYTES:
                raise
            wanted *= 4
    # The names of folders say which part this is; a number in them is no reading.
    folders = [name for name in table.folders if name not in {*config.channels, *config.entity}]
    plan = found_plan(
        sample,
        time,
        config,
        keep=(*keep, *folders),
        decimal=_decimal(table, config),
        place=table.source.name,
    )
    reasons = {name: "is a partition, named by its folder" for name in folders if name in plan.ignored}
    return replace(plan, ignored={**plan.ignored, **reasons}), sample, batches


def _grow(batches: list[_Positioned], table: Table, wanted: int) -> bool:
    """Take batches until there are `wanted` rows; true when there are no more."""
    have = sum(batch.num_rows for batch, _ in batches)
    while have < wanted:
        batch = next(table.rows, None)
        if batch is None:
            return True
        if batch.num_rows:
            batches.append((batch, table.position))
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
    told: list[str],
) -> Log:
    """The log from everything collected."""
    place = first.source.name
    if collector.rows_used == 0:
        reasons = ", ".join(f"{count} {reason}" for reason, count in collector.dropped.items())
        raise InputError(
            place, f"no row could be used ({reasons or 'there are none'})", "check --time and --delimiter"
        )
    while True:
        try:
            found = finished_series(collector, plan, place)
            break
        except TooLargeError as error:
            if not collector.can_coarsen:
                raise
            collector.coarsen(max(error.cells / MOST_CELLS, 2))
    collector.retract("time too far from all others", found.far)
    series, marked = with_calendar(found.series, config, plan.kind)
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
        not_numeric={name: failure for name, failure in collector.failures.items() if name not in ignored},
    )
    notes = (*plan.notes, *collector.notes(), *found.notes, *marked, *_dialect_notes(first, plan), *told)
    return Log(schema, tuple(series), counts, notes)


def _dialect_notes(first: Table, plan: Plan) -> list[str]:
    """What a user should know about how the file was taken apart."""
    notes = []
    if first.dialect is not None and first.dialect.header_line is None:
        notes.append("There is no header line; columns are called 'column 1', 'column 2' ...")
    if plan.time.kind is TimeKind.ROW:
        notes.append("No time column was found or wanted; the row number is the step.")
    return notes
