"""Content of the report without language: verdict, ranked events, totals, notices. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from logscan.records import F32, F64, I64, Bool, TimeKind
from logscan.results.run_record import EventRecord, ModelCardRecord, ReadingRecord, RunRecord

LOW_COVERAGE = 0.95  # below this share of judged rows the reader is told
MANY_DROPPED = 0.01  # above this share of unused rows the reader is told


class Verdict(StrEnum):
    """The three things a report can say."""

    EVENTS = "events"
    QUIET = "quiet"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The rows of one entity in a scores file, ascending in time."""

    entity: str  # "" when the log has no entity column
    channels: tuple[str, ...]
    times: I64  # (rows,), ns or integers
    score: F32 | F64  # (rows,), NaN where not judged
    threshold: float  # NaN where the model gave none
    event_id: I64  # (rows,), -1 where none
    heat: F32 = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    # (spans, channels), the largest contribution in equal spans of time, -inf where none; no span: not drawn
    at_peaks: Mapping[int, F32] = field(
        default_factory=dict
    )  # event -> (channels,), contributions at its peak

    @property
    def judged(self) -> Bool:
        """Whether each row has a score, (rows,)."""
        judged: Bool = np.isfinite(self.score)
        return judged


@dataclass(frozen=True, slots=True)
class EventRows:
    """Where one event lies among the rows of its table."""

    event: int
    first: int
    last: int
    peak: int  # of its scores, the first row where it is reached twice


@dataclass(frozen=True, slots=True)
class Source:
    """Everything a report is made of."""

    scores_file: str  # name only: the report may be mailed, and paths tell about the machine
    run_file: str
    time_kind: TimeKind
    timezone: str | None
    step: int  # ns or integers between two rows
    tables: tuple[ScoreTable, ...]
    run: RunRecord | None
    run_matches: bool  # false: a record was there, but of other scores
    card: ModelCardRecord | None


@dataclass(frozen=True, slots=True)
class RankedEvent:
    """An event in its place on the list."""

    rank: int
    record: EventRecord
    ongoing: bool  # it reaches the end of its entity's data


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the reader must know before believing the verdict: a text key and its fields."""

    key: str
    names: tuple[str, ...] = ()
    fraction: float | None = None
    code: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """The whole report, before words."""

    source: Source
    verdict: Verdict
    events: tuple[RankedEvent, ...]
    notices: tuple[Notice, ...]
    start: int  # first time of all entities
    end: int  # end of the last row (half-open)
    rows: int
    judged_rows: int
    entities_with_events: int
    event_time: int  # summed over entities, ns or steps
    judged_share_in_events: float | None
    peak_ratio: float | None  # highest score / threshold
    peak_time: int | None


def content(source: Source) -> Content:
    """Everything the report says about `source`; `source.tables` has at least one row in all."""
    tables = [table for table in source.tables if len(table.times)]
    rows = sum(len(table.times) for table in tables)
    judged = sum(int(table.judged.sum()) for table in tables)
    events = _ranked(source)
    peak_ratio, peak_time = _peak(tables)
    in_events = sum(int((table.judged & (table.event_id >= 0)).sum()) for table in tables)
    return Content(
        source=source,
        verdict=Verdict.EVENTS if events else Verdict.QUIET if judged else Verdict.NOT_JUDGED,
        events=events,
        notices=_notices(source, judged / rows if rows else 0.0),
        start=min(int(table.times[0]) for table in tables),
        end=max(int(table.times[-1]) for table in tables) + source.step,
        rows=rows,
        judged_rows=judged,
        entities_with_events=len({event.record.entity for event in events}),
        event_time=sum(event.record.end_time - event.record.start_time for event in events),
        judged_share_in_events=in_events / judged if judged else None,
        peak_ratio=peak_ratio,
        peak_time=peak_time,
    )


def _ranked(source: Source) -> tuple[RankedEvent, ...]:
    """Events by severity; ties by time, then entity, so that the order never depends on the input's."""
    records = source.run.events if source.run is not None else _events_from_scores(source)
    last = {table.entity: int(table.times[-1]) for table in source.tables if len(table.times)}
    ordered = sorted(records, key=lambda e: (-_finite(e.severity), e.start_time, e.entity, e.id))
    return tuple(
        RankedEvent(rank, record, record.end_time > last.get(record.entity, record.end_time))
        for rank, record in enumerate(ordered, start=1)
    )


def event_rows(table: ScoreTable) -> list[EventRows]:
    """Where each event of the table lies, by id."""
    marked = np.flatnonzero(table.event_id >= 0)
    if not len(marked):
        return []
    marked = marked[np.argsort(table.event_id[marked], kind="stable")]
    ids, starts = np.unique(table.event_id[marked], return_index=True)
    found = []
    for event, rows in zip(ids.tolist(), np.split(marked, starts[1:]), strict=True):
        scores = np.where(np.isfinite(table.score[rows]), table.score[rows], -np.inf)
        found.append(EventRows(event, int(rows[0]), int(rows[-1]), int(rows[int(np.argmax(scores))])))
    return found


def _events_from_scores(source: Source) -> list[EventRecord]:
    """The events as far as the scores alone tell them: no expected values, no similar periods."""
    return [
        _event_from_rows(table, event, source.step) for table in source.tables for event in event_rows(table)
    ]


def _event_from_rows(table: ScoreTable, event: EventRows, step: int) -> EventRecord:
    peak_score = float(table.score[event.peak])
    parts = np.nan_to_num(table.at_peaks.get(event.event, np.empty(0))).astype(np.float64)
    total = float(parts.sum())
    order = np.argsort(-parts, kind="stable")
    readings = [
        ReadingRecord(
            channel=table.channels[i],
            share=float(parts[i]) / total if total else 0.0,
            observed=None,
            expected=None,
        )
        for i in order
    ]
    start, end = int(table.times[event.first]), int(table.times[event.last]) + step
    return EventRecord(
        id=event.event,
        entity=table.entity,
        start_time=start,
        end_time=end,
        start=str(start),
        end=str(end),
        severity=peak_score / table.threshold if table.threshold else math.nan,
        peak_time=int(table.times[event.peak]),
        peak_score=peak_score,
        channels=readings,
        similar=[],
        traces=[],
    )


def _peak(tables: Sequence[ScoreTable]) -> tuple[float | None, int | None]:
    """The highest score as a multiple of its threshold, and when it was."""
    best: tuple[float, int] | None = None
    for table in tables:
        if not table.judged.any() or not table.threshold > 0:
            continue
        row = int(np.nanargmax(table.score))
        ratio = float(table.score[row]) / table.threshold
        if best is None or ratio > best[0]:
            best = (ratio, int(table.times[row]))
    return best if best is not None else (None, None)


def _notices(source: Source, judged_share: float) -> tuple[Notice, ...]:
    run, found = source.run, []
    if run is None:
        key = "notice_no_run" if source.run_matches else "notice_mismatch"
        found.append(Notice(key, names=(source.run_file,)))
    elif run.error is not None:
        found.append(Notice("notice_failed", code=run.exit_code, error=run.error))
    elif run.exit_code == 3:
        found.append(Notice("notice_skipped"))
    if 0 < judged_share < LOW_COVERAGE:
        found.append(Notice("notice_coverage", fraction=judged_share))
        silent = tuple(table.entity for table in source.tables if table.entity and not table.judged.any())
        if silent:
            found.append(Notice("notice_series", names=silent))
    if run is not None:
        doubtful = tuple(
            f"{record.channel} ({record.entity})" if record.entity else record.channel
            for record in run.quality
            if record.grade in {"poor", "unusable"}
        )
        if doubtful:
            found.append(Notice("notice_channels", names=doubtful))
        if run.input is not None and run.input.rows_read:
            dropped = 1 - run.input.rows_used / run.input.rows_read
            if dropped > MANY_DROPPED:
                found.append(Notice("notice_dropped", fraction=dropped))
    return tuple(found)


def _finite(value: float) -> float:
    return value if math.isfinite(value) else 0.0
