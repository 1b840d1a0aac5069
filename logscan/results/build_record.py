"""Builds the run record from the records of the pipeline; a clock for the stages."""

from __future__ import annotations

import math
import os
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np

from logscan import __version__
from logscan.config import InputConfig
from logscan.records import F64, ChannelQuality, Event, Log, SeriesScores, TimeGrid
from logscan.results.run_record import (
    ChannelRecord,
    CostRecord,
    DroppedRecord,
    EventRecord,
    InputRecord,
    ModelCardRecord,
    NoteRecord,
    NotNumericRecord,
    ReadingRecord,
    RunRecord,
    SeriesRecord,
    SimilarRecord,
    TraceRecord,
)
from logscan.time_text import time_text


class RunClock:
    """When the run began and how long each stage took."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage; a stage entered twice adds up."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begin

    def cost(self, device: str) -> CostRecord:
        """The cost so far; memory is the process's peak."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return CostRecord(
            seconds={name: round(value, 3) for name, value in self.seconds.items()},
            peak_memory_bytes=peak if sys.platform == "darwin" else peak * 1024,
            threads=int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1),
            device=device,
        )


def run_record(
    command: str,
    clock: RunClock,
    *,
    exit_code: int,
    device: str,
    error: str | None = None,
    config_hash: str | None = None,
    causal: bool | None = None,
    log: Log | None = None,
    read_as: InputConfig | None = None,
    scores: Sequence[SeriesScores] = (),
    quality: Sequence[ChannelQuality] = (),
    model: ModelCardRecord | None = None,
) -> RunRecord:
    """The record of one run, failed ones too."""
    return RunRecord(
        command=command,
        logscan_version=__version__,
        started=clock.started,
        exit_code=exit_code,
        error=error,
        config_hash=config_hash,
        alignment=None if causal is None else ("causal" if causal else "batch"),
        input=None if log is None else input_record(log, read_as),
        series=[_series_record(one) for one in scores],
        quality=quality_records(quality),
        events=[_event_record(event, one.grid) for one in scores for event in one.events],
        model=model,
        cost=clock.cost(device),
    )


def input_record(log: Log, read_as: InputConfig | None) -> InputRecord:
    """What was read and where every row went, with the settings that read it again."""
    schema, counts = log.schema, log.counts
    grids = [series.grid for series in log.series]
    first = grids[0]
    return InputRecord(
        files=list(schema.files),
        format=schema.format,
        encoding=schema.encoding,
        delimiter=schema.delimiter,
        decimal=schema.decimal,
        kind=schema.kind.value,
        time_column=schema.time_column,
        time_kind=schema.time_kind.value,
        timezone=schema.timezone,
        entity_columns=list(schema.entity_columns),
        channels=list(schema.channels),
        ignored={name: NoteRecord.of(why) for name, why in schema.ignored.items()},
        step=schema.step,
        start=time_text(first.kind, min(grid.start for grid in grids), first.timezone),
        end=time_text(
            first.kind, max(grid.start + (grid.steps - 1) * grid.step for grid in grids), first.timezone
        ),
        rows_read=counts.rows_read,
        rows_used=counts.rows_used,
        dropped=[DroppedRecord(reason=NoteRecord.of(why), rows=rows) for why, rows in counts.dropped.items()],
        duplicates=counts.duplicates,
        out_of_order=counts.out_of_order,
        not_numeric=[
            NotNumericRecord(column=name, count=failure.count, example=failure.example)
            for name, failure in counts.not_numeric.items()
        ],
        notes=[NoteRecord.of(one) for one in log.notes],
        shaping=schema.shaping,
        quote=schema.quote,
        header_line=schema.header_line,
        header_end=schema.header_end,
        data_line=schema.data_line,
        time_format=schema.time_format,
        read_as=read_as,
    )


def quality_records(qualities: Sequence[ChannelQuality]) -> list[ChannelRecord]:
    """The grades of all channels."""
    return [_channel_record(one) for one in qualities]


def _series_record(one: SeriesScores) -> SeriesRecord:
    judged = one.score[np.isfinite(one.score)]
    return SeriesRecord(
        entity=one.entity,
        steps=one.grid.steps,
        judged_steps=len(judged),
        alarm_steps=int((one.event_id >= 0).sum()),
        events=len(one.events),
        threshold=_number(one.threshold),
        median_score=_number(float(np.median(judged))) if len(judged) else None,
        peak_score=_number(float(judged.max())) if len(judged) else None,
    )


def _channel_record(one: ChannelQuality) -> ChannelRecord:
    return ChannelRecord(
        entity=one.entity,
        channel=one.channel,
        grade=one.grade.value,
        reasons=[NoteRecord.of(why) for why in one.reasons],
        codes=list(one.codes),
        observed_fraction=one.observed_fraction,
        minimum=_number(one.minimum),
        median=_number(one.median),
        maximum=_number(one.maximum),
        longest_gap_steps=one.longest_gap_steps,
        longest_flat_steps=one.longest_flat_steps,
    )


def _event_record(event: Event, grid: TimeGrid) -> EventRecord:
    return EventRecord(
        id=event.id,
        entity=event.entity,
        start_time=event.start_time,
        end_time=event.end_time,
        start=time_text(grid.kind, event.start_time, grid.timezone),
        end=time_text(grid.kind, event.end_time, grid.timezone),
        severity=event.severity,
        peak_time=grid.start + event.peak_step * grid.step,
        peak_score=event.peak_score,
        channels=[
            ReadingRecord(
                channel=reading.channel,
                share=reading.share,
                observed=_number(reading.observed),
                expected=_number(reading.expected),
            )
            for reading in event.channels
        ],
        similar=[
            SimilarRecord(start_time=one.start_time, end_time=one.end_time, weight=one.weight)
            for one in event.similar
        ],
        traces=[
            TraceRecord(
                channel=trace.channel,
                times=trace.times.tolist(),
                observed=_numbers(trace.observed),
                expected=_numbers(trace.expected),
            )
            for trace in event.traces
        ],
    )


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _numbers(values: F64) -> list[float | None]:
    """Six significant digits: enough for a picture, a quarter of the bytes."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]
