"""The run record (`run.json`): what one run read, used, dropped, found and cost. Schema and reading."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict

from logscan.config import InputConfig
from logscan.messages import text
from logscan.notes import Note, note, note_from_json
from logscan.records import Shaping

SCHEMA_VERSION = 2
READABLE_VERSIONS = (1, 2)  # records of version 1 hold sentences where notes are now


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="null")


class NoteRecord(_Part):
    """A note: for machines by key and fields, for people in English."""

    key: str
    fields: dict[str, Any] = {}
    place: str = ""
    text: str

    @staticmethod
    def of(one: Note) -> NoteRecord:
        """The record of a note."""
        return NoteRecord(**one.as_json(), text=text(one))

    def note(self) -> Note:
        """The note behind the record."""
        return note_from_json(self.model_dump())


def _as_written(value: Any) -> Any:
    """Records of schema 1 hold sentences."""
    return NoteRecord.of(note("as-written", text=value)) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    """Records of schema 1 hold drop reasons as keys."""
    return (
        [{"reason": why, "rows": rows} for why, rows in value.items()]
        if isinstance(value, Mapping)
        else value
    )


AnyNote = Annotated[NoteRecord, BeforeValidator(_as_written)]


class DroppedRecord(_Part):
    """Rows that were not used, and why."""

    reason: AnyNote
    rows: int


class TraceRecord(_Part):
    """One channel around an event, thinned: observed against expected, in original units."""

    channel: str
    times: list[int]  # as in the grid: ns since epoch, or integer steps
    observed: list[float | None]
    expected: list[float | None]


class ReadingRecord(_Part):
    """One channel's part in an event."""

    channel: str
    share: float  # of the event's score, 0..1
    observed: float | None  # at the peak, original units
    expected: float | None


class SimilarRecord(_Part):
    """Another period, earlier or later, the event's place was rebuilt from."""

    start_time: int
    end_time: int
    weight: float


class EventRecord(_Part):
    """One event; times are half-open, in the grid's integers."""

    id: int
    entity: str
    start_time: int
    end_time: int
    start: str  # the same, as text
    end: str
    severity: float  # peak score / threshold
    peak_time: int
    peak_score: float
    channels: list[ReadingRecord]
    similar: list[SimilarRecord]
    traces: list[TraceRecord]


class ChannelRecord(_Part):
    """Quality of one channel."""

    entity: str
    channel: str
    grade: Literal["good", "usable", "poor", "unusable"]
    reasons: list[AnyNote]
    codes: list[str] = []  # the kind of each reason; records from before have none
    observed_fraction: float
    minimum: float | None
    median: float | None
    maximum: float | None
    longest_gap_steps: int
    longest_flat_steps: int


class NotNumericRecord(_Part):
    """Cells of one column read as missing because they are not numbers."""

    column: str
    count: int
    example: str


class InputRecord(_Part):
    """What was read and how; where every row went."""

    files: list[str]
    format: str
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    kind: Literal["samples", "events"]
    time_column: str | None
    time_kind: Literal["timestamp", "integer", "row"]
    timezone: str | None
    entity_columns: list[str]
    channels: list[str]
    ignored: dict[str, AnyNote]
    step: int
    start: str  # first time, as text
    end: str
    rows_read: int
    rows_used: int
    dropped: Annotated[list[DroppedRecord], BeforeValidator(_listed)]
    duplicates: int
    out_of_order: int
    not_numeric: list[NotNumericRecord]
    notes: list[AnyNote]
    shaping: Shaping = Shaping()  # records from before have none
    quote: str | None = None  # "" if nothing is quoted
    header_line: int | None = None  # 1-based; None: there is no header
    header_end: int | None = None  # the last line whose cells are in the names
    data_line: int | None = None  # the first line that may hold a row of data
    time_format: str | None = None
    read_as: InputConfig | None = None  # settings that read it again; records of 0.1 have none


class SeriesRecord(_Part):
    """One entity of the run."""

    entity: str
    steps: int
    judged_steps: int
    alarm_steps: int
    events: int
    threshold: float | None
    median_score: float | None
    peak_score: float | None


class ModelCardRecord(_Part):
    """What a reader of the report should know about the model."""

    model_id: str
    created: str
    logscan_version: str
    trained_rows: int
    trimmed_steps: int = 0  # of them, unlike all the others and so no history
    excluded_steps: int = 0  # of them, known failures left out of training (--labels)
    set_aside_steps: int = 0  # of them, stops and days of a calendar
    training_start: str
    training_end: str
    entities: list[str]
    channels: list[str]
    scales: list[int]  # window lengths, steps
    heads: list[str]
    history_tokens: int
    fitted: bool  # false: the closed-form start ships
    validation: dict[str, float]  # figures on held-back training rows
    false_alarms: str  # what was promised, such as "1/week"


class CostRecord(_Part):
    """What the run cost."""

    seconds: dict[str, float]  # by stage: read, score, write ...
    peak_memory_bytes: int
    threads: int
    device: str


class RunRecord(_Part):
    """One run, whole."""

    schema_version: int = SCHEMA_VERSION
    command: str
    logscan_version: str
    started: str  # UTC, ISO 8601
    exit_code: int
    error: str | None
    config_hash: str | None
    alignment: Literal["batch", "causal"] | None
    input: InputRecord | None
    series: list[SeriesRecord]
    quality: list[ChannelRecord]
    events: list[EventRecord]
    model: ModelCardRecord | None
    cost: CostRecord


def run_record_path(out: Path) -> Path:
    """Where the run record of a scores file lies: `scores.parquet` -> `scores.run.json`."""
    return out.with_name(out.name.removesuffix(out.suffix) + ".run.json")
