"""Contributions of channels, reduced while rows are read. Pure.

A scores file holds one number per row and channel; a report draws `HEAT_SPANS` spans of time per entity and names
the channels at the peaks of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from logscan.records import F32, I32, I64
from logscan.report.content import ScoreTable, event_rows
from logscan.report.thinning import run_starts, span_numbers

HEAT_SPANS = 300
MAX_ENTITIES = 60  # more are not drawn


def most_noticeable(tables: Sequence[ScoreTable]) -> list[ScoreTable]:
    """The entities that are drawn, those with severe events first."""
    with_rows = (table for table in tables if len(table.times))
    return sorted(with_rows, key=lambda table: (-notability(table), table.entity))[:MAX_ENTITIES]


def notability(table: ScoreTable) -> float:
    """The highest score as a multiple of the threshold; -1 where nothing was judged."""
    if not table.judged.any():
        return -1.0
    peak = float(np.nanmax(table.score))
    return peak / table.threshold if table.threshold > 0 else peak


def with_parts(
    tables: Sequence[ScoreTable],
    file_rows: Sequence[I64 | slice],
    entity: I32,
    time: I64,
    contributions: Iterable[F32],
    *,
    heat: bool = True,
) -> tuple[ScoreTable, ...]:
    """The tables with what their channels contributed.

    Args:
        tables: of all entities.
        file_rows: of each table, the rows of the file that it holds, in its order.
        entity: (rows of the file,) int32, the place in `tables` of each.
        time: (rows of the file,) int64.
        contributions: (rows, channels) float32 for rows of the file that follow one another, all of them in the
            end; NaN where not judged.
        heat: also reduce them to the spans of time that are drawn.
    """
    channels = max((len(table.channels) for table in tables), default=0)
    heats = [
        np.full((spans, channels), -np.inf, dtype=np.float32) for spans in _span_counts(tables, heat=heat)
    ]
    peaks, owners = _peaks(tables, file_rows)
    at_peaks: list[dict[int, F32]] = [{} for _ in tables]
    begin = 0
    for parts in contributions:
        end = begin + len(parts)
        for place in range(*np.searchsorted(peaks, [begin, end]).tolist()):
            table, event = owners[place]
            at_peaks[table][event] = parts[peaks[place] - begin].copy()
        if heat:
            _raise_heat(heats, tables, entity[begin:end], time[begin:end], parts)
        begin = end
    return tuple(
        replace(table, heat=highest, at_peaks=at)
        for table, highest, at in zip(tables, heats, at_peaks, strict=True)
    )


def _span_counts(tables: Sequence[ScoreTable], *, heat: bool) -> list[int]:
    drawn = {table.entity for table in most_noticeable(tables)} if heat else set()
    return [min(HEAT_SPANS, len(table.times)) if table.entity in drawn else 0 for table in tables]


def _peaks(
    tables: Sequence[ScoreTable], file_rows: Sequence[I64 | slice]
) -> tuple[I64, list[tuple[int, int]]]:
    """The rows of the file at which events peak, ascending, and whose they are: table and event."""
    found = []
    for place, (table, rows) in enumerate(zip(tables, file_rows, strict=True)):
        for event in event_rows(table):
            row = rows.start + event.peak if isinstance(rows, slice) else rows[event.peak]
            found.append((int(row), (place, event.event)))
    found.sort()
    return np.array([row for row, _ in found], dtype=np.int64), [owner for _, owner in found]


def _raise_heat(
    heats: Sequence[F32], tables: Sequence[ScoreTable], entity: I32, time: I64, parts: F32
) -> None:
    """Raise the highest contributions to those of some rows of the file."""
    starts = run_starts(entity)
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(entity)], strict=True):
        place = int(entity[start])
        highest, times = heats[place], tables[place].times
        if not len(highest):
            continue
        first, last = int(times[0]), int(times[-1])
        spans = span_numbers(time[start:end], first, last - first, len(highest))
        runs = run_starts(spans)
        rows = parts[start:end]
        np.maximum.at(
            highest, spans[runs], np.maximum.reduceat(np.where(np.isnan(rows), -np.inf, rows), runs, axis=0)
        )
