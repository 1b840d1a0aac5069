"""All rows of all files go into the collector: two threads, bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any

from logscan.errors import InputError
from logscan.memory import give_back_memory
from logscan.nearest_name import did_you_mean
from logscan.notes import Note
from logscan.read.files.inputs import Source
from logscan.read.formats.table import TableReader
from logscan.read.grid.collector import Collector
from logscan.read.grid.memory_limit import TooLargeError, coarser_ratio, held_step, outgrown
from logscan.read.plan.columns import Plan
from logscan.read.plan.columns_to_read import columns_to_read
from logscan.read.sampling import Positioned

_WAITING = 2  # batches that are being added or wait for it


def collect(
    collector: Collector,
    table: TableReader,
    taken: list[Positioned],
    sources: Sequence[Source],
    *,
    decimal: str,
    progress: Callable[[int], None] | None,
) -> list[Note]:
    """Add all rows of one file and return its notes.

    Batches are added on a thread of their own while the next are read, so that two cores are used. Reading stays
    on the caller's thread: a signal reaches it even where it waits for the standard input.

    Args:
        collector: takes the rows.
        table: the file.
        taken: its batches that were read for the sample; they are let go of on the way.
        sources: all files of the log.
        decimal: decimal mark of text cells.
        progress: told the number of rows read so far after every batch.

    Raises:
        TooLargeError: the log does not fit into memory at the step that was set.
    """
    columns = columns_to_read(collector.plan, decimal)
    if columns is not None:
        table.read_only(columns)

    def add(batch: Any, position: int | None) -> None:
        before = collector.held
        collector.add(batch, decimal, progress)
        share = partial(_share_read, table, sources, position)
        if outgrown(before, collector.held, share, can_coarsen=collector.can_coarsen):
            _coarsen(collector, table.source.name, share())

    with ThreadPoolExecutor(1) as worker:
        adding: deque[Future[None]] = deque()
        for batch, position in chain(_emptied(taken), _positioned(table)):
            if len(adding) == _WAITING:
                adding.popleft().result()
            adding.append(worker.submit(add, batch, position))
        for one in adding:
            one.result()
    for reason, rows in table.dropped.items():
        collector.drop(reason, rows)
    return [*table.source.notes, *(one.at(table.source.name) for one in table.notes())]


def require_same_columns(table: TableReader, plan: Plan, first: TableReader) -> None:
    """Every file of one log has the columns that are read; raises InputError."""
    for name in plan.columns:
        if name not in table.names:
            remedy = did_you_mean(name, table.names) or "read files with other columns as logs of their own"
            raise InputError(table.source.name, f"column '{name}' of {first.source.name} is missing", remedy)


def _coarsen(collector: Collector, place: str, share: float | None) -> None:
    """Make what was collected fit into memory, with room for what is still to come, or refuse it."""
    if not collector.can_coarsen:
        kind = collector.plan.time.kind
        raise TooLargeError(place, held_step(collector.step, kind), collector.held, kind)
    collector.coarsen(coarser_ratio(collector.held, share))
    give_back_memory()


def _share_read(table: TableReader, sources: Sequence[Source], position: int | None) -> float | None:
    """How much of all files has been read, 0 to 1, by the bytes of one of them; None where that cannot be told."""
    if position is None:
        return None
    with suppress(OSError, ValueError):
        sizes = [source.path.stat().st_size if source.path else 0 for source in sources]
        done = sum(sizes[: list(sources).index(table.source)]) + position
        return done / sum(sizes) if all(sizes) and 0 < done <= sum(sizes) else None
    return None


def _positioned(table: TableReader) -> Iterator[Positioned]:
    """The batches that are still to come, each with how far the file was read for it."""
    for batch in table.batches():
        yield batch, table.position


def _emptied(batches: list[Positioned]) -> Iterator[Positioned]:
    """The batches, let go of one by one."""
    while batches:
        yield batches.pop(0)
