"""Made-up runs for the report's tests: a run record and the score tables that belong to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logscan.records import LogKind, SeriesScores, TimeGrid, TimeKind
from logscan.report.content import ScoreTable, Source
from logscan.report.contributions import with_parts
from logscan.results.run_record import (
    ChannelRecord,
    CostRecord,
    EventRecord,
    InputRecord,
    ModelCardRecord,
    NotNumericRecord,
    ReadingRecord,
    RunRecord,
    SeriesRecord,
    SimilarRecord,
    TraceRecord,
)
from logscan.results.write_scores import write_scores
from logscan.times import Times

MINUTE = 60_000_000_000
START = 1_780_272_000_000_000_000  # 2026-06-01 00:00 UTC
THRESHOLD = 1.7
ENGLISH = ("bearing_temp", "motor_current", "outlet_pressure")
JAPANESE = ("軸受温度", "モーター電流", "吐出圧力")
FAULTS = ((3_001, 3_331, 6.0), (8_009, 8_039, 1.4), (12_503, 13_003, 3.1), (19_751, 20_000, 2.2))


@dataclass(frozen=True, slots=True)
class Sample(ScoreTable):
    """The rows of one entity with all that the scores file holds of them."""

    contributions: np.ndarray | None = None  # (rows, channels)


def values(steps, channels, seed):
    """Daily waves with noise, (steps, channels): what the channels should have looked like."""
    draw = np.random.default_rng(seed)
    phase = 2 * np.pi * np.arange(steps)[:, None] / 1440
    level = np.array([61.0, 12.4, 0.35])[np.arange(channels) % 3]
    swing = np.array([6.0, 1.7, 0.04])[np.arange(channels) % 3]
    return level + swing * (
        np.sin(phase + np.arange(channels)) + 0.06 * draw.standard_normal((steps, channels))
    )


def table(entity, channels, faults, *, steps=20_000, seed=7, judged=True):
    """Scores of one entity with the given (start, end, severity) faults, and values seen and expected."""
    draw = np.random.default_rng(seed)
    expected = values(steps, len(channels), seed)
    observed = expected + 0.004 * np.abs(expected).mean(axis=0) * draw.standard_normal(expected.shape)
    score = np.abs(0.35 + 0.12 * draw.standard_normal(steps))
    event_id = np.full(steps, -1)
    shares = np.full((steps, len(channels)), 1.0 / len(channels))
    for number, (start, end, severity) in enumerate(faults):
        hump = np.sin(np.pi * (np.arange(end - start) + 0.5) / (end - start)) ** 0.5
        score[start:end] = THRESHOLD * (1 + (severity - 1) * hump)
        event_id[start:end] = number
        hit = number % len(channels)
        shares[start:end] = 0.2 / max(len(channels) - 1, 1)
        shares[start:end, hit] = 0.8 if len(channels) > 1 else 1.0
        observed[start:end, hit] += 0.06 * severity * np.abs(expected[:, hit]).mean() * hump
    score[:127] = np.nan
    score[5_501:5_701] = np.nan
    if not judged:
        score[:] = np.nan
    rows = Sample(
        entity=entity,
        channels=tuple(channels),
        times=START + MINUTE * np.arange(steps, dtype=np.int64),
        score=score,
        threshold=THRESHOLD,
        event_id=event_id,
        contributions=score[:, None] * shares,
    )
    return reduced(rows), observed, expected


def reduced(rows):
    """The sample with what a report keeps of its contributions."""
    parts = [rows.contributions.astype(np.float32)]
    here = np.zeros(len(rows.times), dtype=np.int32)
    return with_parts([rows], [slice(0, len(rows.times))], here, rows.times, parts)[0]


def event_records(rows, observed, expected, faults):
    """The run record's events of one table, with traces, readings and similar periods."""
    records = []
    for number, (start, end, severity) in enumerate(faults):
        peak = (start + end) // 2
        margin = 2 * (end - start) + 300
        around = slice(max(0, start - margin), min(len(rows.times), end + margin))
        order = np.argsort(-rows.contributions[peak], kind="stable")
        share = rows.contributions[peak] / rows.score[peak]
        every = max(1, (around.stop - around.start) // 300)
        around = slice(around.start, around.stop, every)
        records.append(
            EventRecord(
                id=number,
                entity=rows.entity,
                start_time=int(rows.times[start]),
                end_time=int(rows.times[end - 1]) + MINUTE,
                start=str(rows.times[start]),
                end=str(rows.times[end - 1]),
                severity=severity,
                peak_time=int(rows.times[peak]),
                peak_score=float(rows.score[peak]),
                channels=[
                    ReadingRecord(
                        channel=rows.channels[i],
                        share=float(share[i]),
                        observed=float(observed[peak, i]),
                        expected=float(expected[peak, i]),
                    )
                    for i in order
                ],
                similar=[
                    SimilarRecord(
                        start_time=START - (k + 1) * 1440 * MINUTE * 3,
                        end_time=START - (k + 1) * 1440 * MINUTE * 3 + (end - start) * MINUTE,
                        weight=0.5 / (k + 1),
                    )
                    for k in range(3)
                ],
                traces=[
                    TraceRecord(
                        channel=rows.channels[i],
                        times=rows.times[around].tolist(),
                        observed=_nullable(observed[around, i]),
                        expected=_nullable(expected[around, i]),
                    )
                    for i in order
                ],
            )
        )
    return records


def _nullable(series):
    return [None if np.isnan(v) else float(v) for v in series]


def run_record(tables, events, **changes):
    """A finished run over the given tables."""
    channels = list(tables[0].channels)
    grades = ["poor", "good", "usable"]
    record = RunRecord(
        command="score",
        logscan_version="0.1.0",
        started="2026-07-01T02:00:03+00:00",
        exit_code=0,
        error=None,
        config_hash="5ae0c3f91b77",
        alignment="batch",
        input=InputRecord(
            files=["logs/pump_station.csv"],
            format="csv",
            encoding="utf-8",
            delimiter=",",
            decimal=".",
            kind="samples",
            time_column="time",
            time_kind="timestamp",
            timezone="Asia/Tokyo",
            entity_columns=["machine"] if tables[0].entity else [],
            channels=channels,
            ignored={"operator": "text, not numbers"},
            step=MINUTE,
            start="2026-06-01T09:00:00+09:00",
            end="2026-06-14T22:19:00+09:00",
            rows_read=20_311,
            rows_used=20_000,
            dropped={"time not readable": 11, "empty line": 300},
            duplicates=17,
            out_of_order=5,
            not_numeric=[NotNumericRecord(column=channels[0], count=23, example="ERR")],
            notes=["Gaps of up to 5 steps were bridged."],
        ),
        series=[
            SeriesRecord(
                entity=rows.entity,
                steps=len(rows.times),
                judged_steps=int(rows.judged.sum()),
                alarm_steps=int((rows.event_id >= 0).sum()),
                events=len(np.unique(rows.event_id[rows.event_id >= 0])),
                threshold=THRESHOLD,
                median_score=0.35,
                peak_score=float(np.nanmax(rows.score)) if rows.judged.any() else None,
            )
            for rows in tables
        ],
        quality=[
            ChannelRecord(
                entity=rows.entity,
                channel=channel,
                grade=grades[i % 3],
                reasons=["stuck at 61.2 for 9 h", "3.1% missing"] if i % 3 == 0 else [],
                observed_fraction=(0.969, 1.0, 0.993)[i % 3],
                minimum=(41.2, 9.8, 0.21)[i % 3],
                median=(61.0, 12.4, 0.35)[i % 3],
                maximum=(99.1, 16.03, 0.52)[i % 3],
                longest_gap_steps=(200, 0, 3)[i % 3],
                longest_flat_steps=(540, 2, 4)[i % 3],
            )
            for rows in tables
            for i, channel in enumerate(rows.channels)
        ],
        events=events,
        model=ModelCardRecord(
            model_id="20260601-5ae0c3f9",
            created="2026-06-01T00:10:00+00:00",
            logscan_version="0.1.0",
            trained_rows=86_400,
            training_start="2026-04-01T09:00:00+09:00",
            training_end="2026-06-01T09:00:00+09:00",
            entities=[rows.entity for rows in tables],
            channels=channels,
            scales=[16, 32, 64, 128],
            heads=["level 16", "level 64", "shape 32", "statistics 128"],
            history_tokens=10_791,
            fitted=True,
            validation={"loss_start": 0.412, "loss_best": 0.371},
            false_alarms="1/week",
        ),
        cost=CostRecord(
            seconds={"read": 1.21, "score": 7.9, "write": 0.42},
            peak_memory_bytes=612_000_000,
            threads=2,
            device="cpu",
        ),
    )
    return record.model_copy(update=changes)


def written(folder, made, *, suffix=".parquet", run=True):
    """Write the scores file of a made-up source, with its run record unless `run` is false."""
    path = folder / f"scores{suffix}"
    scores = [
        SeriesScores(
            entity=rows.entity,
            channels=rows.channels,
            grid=TimeGrid(made.time_kind, int(rows.times[0]), made.step, len(rows.times), made.timezone),
            row_times=Times.of(rows.times),
            score=rows.score.astype(np.float32),
            threshold=rows.threshold,
            event_id=rows.event_id,
            quality=np.where(np.isfinite(rows.score), 0, 3).astype(np.int8),
            contributions=rows.contributions.astype(np.float32),
            events=(),
        )
        for rows in made.tables
    ]
    write_scores(path, scores, metadata={}, log_kind=LogKind.SAMPLES)
    if run:
        (folder / "scores.run.json").write_text(made.run.model_dump_json(), encoding="utf-8")
    return path


def source(tables, run, **changes):
    """What `read_source` would have found."""
    return Source(
        scores_file="scores.parquet",
        run_file="scores.run.json",
        time_kind=changes.get("time_kind", TimeKind.TIMESTAMP),
        timezone="Asia/Tokyo",
        step=changes.get("step", MINUTE),
        tables=tuple(tables),
        run=run,
        run_matches=True,
        card=run.model if run is not None else None,
    )


def faulty(channels=ENGLISH):
    """One machine, three channels, four faults, the last one still open."""
    made = table("", channels, FAULTS)
    return source([made[0]], run_record([made[0]], event_records(*made, FAULTS)))


def quiet():
    """One machine without an event."""
    rows, _, _ = table("", ENGLISH, ())
    return source([rows], run_record([rows], []))


def two_machines():
    """Two machines, one of them hit harder."""
    first, second = FAULTS[:2], FAULTS[2:3]
    made = [table("pump-1", ENGLISH, first, seed=11), table("pump-2", ENGLISH, second, seed=13)]
    events = event_records(*made[0], first) + event_records(*made[1], second)
    return source([rows for rows, _, _ in made], run_record([rows for rows, _, _ in made], events))


def not_judged():
    """One machine, nothing judged."""
    rows, _, _ = table("", ENGLISH, (), judged=False)
    return source([rows], run_record([rows], []))
