"""The scores file: one row per time, with threshold, event and contributions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from logscan.records import I64, LogKind, SeriesScores, StepQuality, TimeKind
from logscan.results.atomic import atomic_path
from logscan.results.formats import SCORES, ResultFormat, format_of, write_csv
from logscan.results.spreadsheets import safe_text
from logscan.time_text import time_column, time_text_column

_QUALITIES = tuple(quality.value for quality in StepQuality)
CONTRIBUTION = "contribution."
_TABLE_ROWS = 1 << 17  # rows that are made and written at a time

_Placed = tuple[SeriesScores, I64, I64]  # an entity, times of some of its rows, the step behind each


def write_scores(
    path: Path, scores: Sequence[SeriesScores], *, metadata: Mapping[str, str], log_kind: LogKind
) -> None:
    """Write one row per distinct input time (samples) or grid step (events), atomically.

    Args:
        path: ends in one of the suffixes of `SCORES`.
        scores: of every entity, on grids of one kind.
        metadata: goes into the schema of a Parquet file; text has no place for it.
        log_kind: samples or events.

    Raises:
        UsageError: another suffix.
        OutputError: the file cannot be written.
    """
    form = format_of(path, SCORES)
    kinds = {"logscan.log_kind": log_kind.value, "logscan.time_kind": _grid_kind(scores).value}
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        form.write(file, _tables(scores, log_kind, form), kinds | dict(metadata))


def stream_scores(file: BinaryIO, scores: Sequence[SeriesScores], *, log_kind: LogKind) -> None:
    """Write the scores as CSV, piece by piece."""
    write_csv(file, _tables(scores, log_kind, format_of(Path("scores.csv"), SCORES)), {})


def _grid_kind(scores: Sequence[SeriesScores]) -> TimeKind:
    return scores[0].grid.kind if scores else TimeKind.INTEGER


def _tables(scores: Sequence[SeriesScores], log_kind: LogKind, form: ResultFormat) -> Iterator[pa.Table]:
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
                    yield _table(scores, waiting, form)
                    waiting, rows, tables = [], 0, tables + 1
    if waiting or tables == 0:
        yield _table(scores, waiting, form)


def _table(scores: Sequence[SeriesScores], placed: Sequence[_Placed], form: ResultFormat) -> pa.Table:
    """Some rows as a table of what a format can hold."""
    as_text, text = not form.has_types, safe_text if form.for_spreadsheets else str
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
        names = pa.array([text(one.entity) for one, _, _ in placed], pa.string())
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
