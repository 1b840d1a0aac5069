"""The events file: one row per event, the same columns whatever the events hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.records import Event, TimeGrid, TimeKind
from logscan.results.atomic import atomic_path
from logscan.results.formats import EVENTS, ResultFormat, format_of
from logscan.results.spreadsheets import safe_text
from logscan.time_text import time_column, time_text_column
from logscan.time_units import SECOND_NS

_TOP_CHANNELS = 3


def write_events(path: Path, events: Sequence[Event], grid: TimeGrid) -> None:
    """Write one row per event, atomically.

    Args:
        path: ends in one of the suffixes of `EVENTS`.
        events: of all entities.
        grid: a grid of the log, for what its times mean.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
    """
    form = format_of(path, EVENTS)
    table = _events_table(events, grid, form)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        form.write(file, [table], {})


def _events_table(events: Sequence[Event], grid: TimeGrid, form: ResultFormat) -> pa.Table:
    """One row per event; the columns are the same whatever the events hold."""
    as_column = time_column if form.has_types else time_text_column
    text = safe_text if form.for_spreadsheets else str

    def times(values: Sequence[int | None]) -> Any:
        filled = np.array([0 if value is None else value for value in values], dtype=np.int64)
        column = as_column(filled, grid.kind, grid.timezone)
        return pc.if_else(pa.array([value is not None for value in values], pa.bool_()), column, None)

    similar = [event.similar[0] if event.similar else None for event in events]
    length = np.array([event.end_time - event.start_time for event in events], dtype=np.int64)
    clock = grid.kind is TimeKind.TIMESTAMP
    columns: dict[str, Any] = {
        "event": pa.array([event.id for event in events], pa.int64()),
        "entity": pa.array([text(event.entity) for event in events], pa.string()),
        "start": times([event.start_time for event in events]),
        "end": times([event.end_time for event in events]),
        "duration_seconds" if clock else "duration_steps": pa.array(length / SECOND_NS if clock else length),
        "severity": pa.array([event.severity for event in events], pa.float64()),
        "peak_time": times([grid.start + event.peak_step * grid.step for event in events]),
        "peak_score": pa.array([event.peak_score for event in events], pa.float64()),
    }
    for place in range(_TOP_CHANNELS):
        readings = [event.channels[place] if place < len(event.channels) else None for event in events]
        names = [None if one is None else text(one.channel) for one in readings]
        columns[f"channel_{place + 1}"] = pa.array(names, pa.string())
        for field in ("share", "observed", "expected"):
            values = [None if one is None else float(getattr(one, field)) for one in readings]
            columns[f"{field}_{place + 1}"] = pa.array(values, pa.float64(), from_pandas=True)
    columns["similar_start"] = times([None if one is None else one.start_time for one in similar])
    columns["similar_end"] = times([None if one is None else one.end_time for one in similar])
    return pa.table(columns)
