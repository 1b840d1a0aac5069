"""Scores measured against labels: reads both, calls `evaluation.metrics`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from logscan.config import InputConfig
from logscan.core.intervals import true_intervals
from logscan.errors import InputError, LogscanError, UsageError
from logscan.evaluation.metrics import Evaluation, evaluation, period_length
from logscan.labels.intervals import labelled_times, read_labels
from logscan.labels.known_failures import label_values, names_label_file
from logscan.read import read_log
from logscan.read_settings import over_stored
from logscan.records import I64, Bool, Log, LogKind, Series, TimeKind
from logscan.results.read_scores import ScoreRows, read_scores
from logscan.results.run_record import InputRecord, RunRecord
from logscan.time_units import DAY_NS

_STANDARD = InputConfig()
_SUMMED = {"rows", "anomalous_rows", "events", "alarm_events", "false_alarms"}


def measured(
    scores: Path,
    run_record: Path,
    *,
    labels: str,
    source: tuple[str, ...] = (),
    given: InputConfig = _STANDARD,
) -> Evaluation:
    """The figures of a scores file; of several entities: counts added up, the rest their mean.

    Args:
        scores: from `logscan score`.
        run_record: the run record beside it; where it is missing, `source` must name the input.
        labels: a CSV of start,end (and entity), or the name of a column of the input, 1 in a failure.
        source: the files that were scored; empty means those named in the run record.
        given: settings that win over those the input was scored with.

    Raises:
        InputError: labels or input cannot be read, or no scored row is labelled.
        UsageError: a label column is named but no input is known.
    """
    table = read_scores(scores)
    record = _input_record(run_record)
    files = source or (tuple(record.files) if record is not None else ())
    is_file = names_label_file(labels)
    if not is_file and not files:
        raise UsageError(
            f"--labels {labels}", "the input with that column is not known", "name it with --input"
        )
    log = _source_log(files, record, () if is_file else (labels,), given)
    figures = []
    for entity in sorted(table.entities):
        rows = table.entity == table.entities.index(entity)
        times = table.time[rows]
        series = _series(log, entity)
        if is_file:
            known = read_labels(Path(labels), table.time_kind, table.timezone)
            marked = labelled_times(known, entity, times)
        else:
            marked = _column_marks(series, labels, times, log.schema.kind if log else LogKind.SAMPLES)
        if marked.any():
            figures.append(_figures(table, rows, times, marked, series, labels if not is_file else None))
    if not figures:
        raise InputError(labels, "no scored row lies in a label", "check that times and entities agree")
    return _combined(figures)


def _input_record(path: Path) -> InputRecord | None:
    try:
        return RunRecord.model_validate_json(path.read_bytes()).input
    except (OSError, ValidationError):
        return None


def _source_log(
    files: tuple[str, ...], record: InputRecord | None, wanted: tuple[str, ...], given: InputConfig
) -> Log | None:
    """The scored input again, for its first channel (the window of VUS) and a label column.

    Without a label column the input is only a refinement, so a file that is gone is no error.
    """
    if not files:
        return None
    if record is not None:
        given = over_stored(given, record.read_as or _read_as_of_0_1(record))
        channels = (*wanted, *_first_column(record))[: len(wanted) + 1]
        ignore = tuple(name for name in given.ignore if name not in wanted)
        # The period is that of all rows: categories would be channels of their own.
        update = {"channels": channels, "ignore": ignore, "split": None, "categories": ()}
        given = given.model_copy(update=update)
    try:
        return read_log(files, given)
    except UsageError as error:
        if wanted:
            raise UsageError("--labels", error.fact, error.remedy) from error
        return None
    except LogscanError:
        if wanted:
            raise
        return None


def _read_as_of_0_1(record: InputRecord) -> InputConfig:
    """The settings behind a record that does not hold them."""
    return InputConfig(
        time="row" if record.time_kind == "row" else record.time_column,
        entity=tuple(record.entity_columns),
        kind=record.kind,
        encoding=record.encoding,
        delimiter=record.delimiter,
        decimal=record.decimal,
        timezone=record.timezone if record.timezone != "UTC" else None,
        every=f"{record.step}ns" if record.time_kind == "timestamp" else str(record.step),
        sensor=record.shaping.sensor,
        value=record.shaping.value,
    )


def _first_column(record: InputRecord) -> list[str]:
    """The first channel that can be asked for by name; channels made from events cannot."""
    if record.kind == "samples":
        return record.channels[:1]
    made = (" (sum)", " (mean)", " (count)", " (distinct)", " (negative)")
    own = [name for name in record.channels if not name.endswith(made) and name != "count"]
    if record.shaping.split is not None:
        own = [name for name in own if not any(name.startswith(f"{other}: ") for other in ("count", *own))]
    return own[:1] or ["count"]


def _series(log: Log | None, entity: str) -> Series | None:
    if log is None:
        return None
    return next((series for series in log.series if series.entity == entity), None)


def _column_marks(series: Series | None, column: str, times: I64, kind: LogKind) -> Bool:
    """Rows whose grid step has a label value of a half or more; raises InputError where it is no label."""
    if series is None or column not in series.channels:
        return np.zeros(len(times), dtype=np.bool_)
    steps = np.clip(series.grid.index(times), 0, series.grid.steps - 1)
    marks: Bool = label_values(series, column, kind)[steps] >= 0.5
    return marks


def _figures(
    table: ScoreRows,
    rows: Bool,
    times: I64,
    marked: Bool,
    series: Series | None,
    label_column: str | None,
) -> Evaluation:
    window = _window(series, label_column, marked)
    day = None
    if table.time_kind is TimeKind.TIMESTAMP and len(times) > 1 and times[-1] > times[0]:
        day = (len(times) - 1) * DAY_NS / float(times[-1] - times[0])
    return evaluation(
        marked,
        table.score[rows],
        table.alarm[rows],
        window=window,
        steps_per_day=day,
    )


def _window(series: Series | None, label_column: str | None, marked: Bool) -> int:
    """Widest VUS buffer: the period of the first channel; without the input, the mean length of a label."""
    if series is not None:
        channel = next((i for i, name in enumerate(series.channels) if name != label_column), None)
        if channel is not None:
            return period_length(series.values[:, channel])
    return int(marked.sum()) // max(len(true_intervals(marked)), 1)


def _combined(figures: list[Evaluation]) -> Evaluation:
    if len(figures) == 1:
        return figures[0]
    merged: dict[str, Any] = {}
    for field in fields(Evaluation):
        values = np.array([getattr(one, field.name) for one in figures], dtype=np.float64)
        finite = values[np.isfinite(values)]
        if field.name in _SUMMED:
            merged[field.name] = int(values.sum())
        elif field.name == "window":
            merged[field.name] = int(np.median(values))
        else:
            merged[field.name] = float(finite.mean()) if len(finite) else float("nan")
    return Evaluation(**merged)
