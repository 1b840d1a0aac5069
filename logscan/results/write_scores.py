"""The scores file and the events file: what `score` leaves behind."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from logscan.errors import UsageError
from logscan.records import I64, Event, LogKind, SeriesScores, StepQuality, TimeGrid, TimeKind
from logscan.results.atomic import atomic_path, write_bytes
from logscan.time_text import time_column, time_text_column
from logscan.time_units import SECOND_NS

_QUALITIES = tuple(quality.value for quality in StepQuality)
CONTRIBUTION = "contribution."
_TOP_CHANNELS = 3
_TABLE_ROWS = 1 << 17  # rows that are made and written at a time
# A cell that a spreadsheet would run as a formula gets a quote in front, which reading takes off again.
ESCAPED_FORMULA = r"^'('*[=+\-@\t\r])"

_Placed = tuple[SeriesScores, I64, I64]  # an entity, times of some of its rows, the step behind each


def write_scores(
    path: Path, scores: Sequence[SeriesScores], *, metadata: Mapping[str, str], log_kind: LogKind
) -> None:
    """Write one row per distinct input time (samples) or grid step (events), atomically.

    Args:
        path: `.parquet` or `.csv`.
        scores: of every entity, on grids of one kind.
        metadata: goes into the schema of the Parquet file; CSV has no place for it.
        log_kind: samples or events.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
    """
    suffix = _checked_suffix(path, (".parquet", ".csv"))
    with atomic_path(path) as temporary:
        if suffix == ".csv":
            with temporary.open("wb") as file:
                stream_scores(file, scores, log_kind=log_kind)
            return
        kinds = {"logscan.log_kind": log_kind.value, "logscan.time_kind": _grid_kind(scores).value}
        tables = (
            table.replace_schema_metadata(kinds | dict(metadata)) for table in _tables(scores, log_kind)
        )
        first = next(tables)
        with pq.ParquetWriter(temporary, first.schema, compression="zstd") as writer:
            for table in chain([first], tables):
                writer.write_table(table)


def stream_scores(file: BinaryIO, scores: Sequence[SeriesScores], *, log_kind: LogKind) -> None:
    """Write the scores as CSV, piece by piece."""
    tables = _tables(scores, log_kind, as_text=True)
    first = next(tables)
    with pa_csv.CSVWriter(
        file, first.schema, write_options=pa_csv.WriteOptions(quoting_style="needed")
    ) as writer:
        for table in chain([first], tables):
            writer.write_table(table)


def write_events(path: Path, events: Sequence[Event], grid: TimeGrid) -> None:
    """Write one row per event, atomically.

    Args:
        path: `.csv`, `.parquet` or `.json`.
        events: of all entities.
        grid: a grid of the log, for what its times mean.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
    """
    suffix = _checked_suffix(path, (".csv", ".parquet", ".json"))
    table = _events_table(events, grid, as_text=suffix != ".parquet", spreadsheet=suffix == ".csv")
    if suffix == ".json":
        rows = [{key: _json_value(value) for key, value in row.items()} for row in table.to_pylist()]
        write_bytes(path, (json.dumps(rows, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))
    elif suffix == ".csv":
        write_bytes(path, _csv_bytes(table))
    else:
        with atomic_path(path) as temporary:
            pq.write_table(table, temporary, compression="zstd")


def _checked_suffix(path: Path, known: tuple[str, ...]) -> str:
    suffix = path.suffix.lower()
    if suffix not in known:
        raise UsageError(
            str(path), f"unknown format '{path.suffix}'", f"end the name in {' or '.join(known)}"
        )
    return suffix


def _grid_kind(scores: Sequence[SeriesScores]) -> TimeKind:
    return scores[0].grid.kind if scores else TimeKind.INTEGER


def _tables(scores: Sequence[SeriesScores], log_kind: LogKind, *, as_text: bool = False) -> Iterator[Any]:
    """The rows of all entities under one another, as tables of bounded length; at least one, if it is empty."""
    waiting: list[_Placed] = []
    rows = tables = 0
    for one in scores:
        for times, steps in _rows(one, log_kind):
            for begin in range(0, len(times), _TABLE_ROWS):
                piece = slice(begin, begin + _TABLE_ROWS)
                waiting.append((one, times[piece], steps[piece]))
                rows += len(times[piece])
                if rows >= _TABLE_ROWS:
                    yield _table(scores, waiting, as_text=as_text)
                    waiting, rows, tables = [], 0, tables + 1
    if waiting or tables == 0:
        yield _table(scores, waiting, as_text=as_text)


def _table(scores: Sequence[SeriesScores], placed: Sequence[_Placed], *, as_text: bool) -> Any:
    """Some rows as a table; `as_text` for CSV: times as text, safe entities, empty for NaN."""
    kind = _grid_kind(scores)
    timezone = scores[0].grid.timezone if scores else None
    channels = list(dict.fromkeys(channel for one in scores for channel in one.channels))
    times = _joined([times for _, times, _ in placed], np.int64)
    rows = [len(times) for _, times, _ in placed]
    score = _joined([one.score[steps] for one, _, steps in placed], np.float32)
    threshold = np.repeat(np.array([one.threshold for one, _, _ in placed], dtype=np.float64), rows)
    event = _joined([one.event_id[steps] for one, _, steps in placed], np.int64)
    quality = _joined([one.quality[steps] for one, _, steps in placed], np.int8)
    columns: dict[str, Any] = {
        "time": time_text_column(times, kind, timezone) if as_text else time_column(times, kind, timezone)
    }
    if any(one.entity for one in scores):
        names = pa.array([_safe(one.entity) if as_text else one.entity for one, _, _ in placed], pa.string())
        columns["entity"] = names.take(np.repeat(np.arange(len(placed)), rows))
    columns["score"] = _number_column(score, empty=as_text)
    columns["threshold"] = _number_column(threshold, empty=as_text)
    # The steps inside an event: short quiet gaps within it belong to it, lone crossings outside do not alarm.
    columns["alarm"] = pa.array(event >= 0)
    columns["event"] = pa.array(event, pa.int64(), mask=event < 0)
    columns["quality"] = pa.array(_QUALITIES, pa.string()).take(pa.array(quality))
    for channel in channels:
        parts = [
            one.contributions[steps, one.channels.index(channel)]
            if channel in one.channels
            else np.full(len(steps), np.nan, dtype=np.float32)
            for one, _, steps in placed
        ]
        columns[CONTRIBUTION + channel] = _number_column(_joined(parts, np.float32), empty=as_text)
    return pa.table(columns)


def _rows(one: SeriesScores, log_kind: LogKind) -> Iterator[tuple[I64, I64]]:
    """The times of one entity's rows, and the step behind each, in pieces."""
    grid = one.grid
    if log_kind is LogKind.EVENTS or one.row_times is None:
        for begin in range(0, grid.steps, _TABLE_ROWS):
            steps = np.arange(begin, min(begin + _TABLE_ROWS, grid.steps), dtype=np.int64)
            yield grid.start + grid.step * steps, steps
        return
    for times in one.row_times.within(grid.first_time(0), grid.first_time(grid.steps)).chunks():
        yield times, grid.index(times)


def _joined(parts: Sequence[Any], dtype: Any) -> Any:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def _number_column(values: Any, *, empty: bool) -> Any:
    return pa.array(values, mask=np.isnan(values)) if empty else pa.array(values)


def _safe(text: str) -> str:
    """A text from the data that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip("'")[:1] in set("=+-@\t\r") and text.lstrip("'") else text


def _csv_bytes(table: Any) -> bytes:
    buffer = io.BytesIO()
    pa_csv.write_csv(table, buffer, pa_csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()


def _events_table(events: Sequence[Event], grid: TimeGrid, *, as_text: bool, spreadsheet: bool) -> Any:
    """One row per event; the columns are the same whatever the events hold."""
    as_column = time_text_column if as_text else time_column
    text = _safe if spreadsheet else str

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


def _json_value(value: Any) -> Any:
    """JSON knows no NaN or infinity."""
    return None if isinstance(value, float) and not np.isfinite(value) else value
