"""Frozen records of the data flow: log, series, grid, scores, events. No I/O.

Intervals are half-open. Times are int64: nanoseconds since 1970-01-01 (UTC when the grid has a
timezone, wall clock when it has none) for timestamps, the integer itself for integer steps and rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from logscan.notes import Note
from logscan.times import Times

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I8 = npt.NDArray[np.int8]
Bool = npt.NDArray[np.bool_]


class TimeKind(StrEnum):
    """What the time column holds."""

    TIMESTAMP = "timestamp"
    INTEGER = "integer"
    ROW = "row"  # no time column: the row number is the step


class LogKind(StrEnum):
    """The two kinds of log."""

    SAMPLES = "samples"
    EVENTS = "events"


class Grade(StrEnum):
    """How far a channel can be trusted, best first."""

    GOOD = "good"
    USABLE = "usable"
    POOR = "poor"
    UNUSABLE = "unusable"


class StepQuality(StrEnum):
    """What a step's score rests on."""

    OK = "ok"
    BRIDGED = "bridged"  # a short gap, filled
    MISSING = "missing"  # nothing observed here
    NOT_JUDGED = "not_judged"  # observed, but too little around it to judge
    DEGRADED = "degraded"  # judged with channels missing


@dataclass(frozen=True, slots=True)
class TimeGrid:
    """A regular grid: step `i` covers the time `start + i * step`."""

    kind: TimeKind
    start: int
    step: int
    steps: int
    timezone: str | None = None

    def times(self) -> I64:
        """The time of every step, (steps,)."""
        return self.start + self.step * np.arange(self.steps, dtype=np.int64)

    def first_time(self, step: int) -> int:
        """The first time whose nearest step, half up, is the given one."""
        return self.start + step * self.step - self.step // 2

    def index(self, times: I64) -> I64:
        """The step nearest to each time, half up; may lie outside the grid."""
        return (times - self.start + self.step // 2) // self.step


@dataclass(frozen=True, slots=True)
class Series:
    """One entity on its grid."""

    entity: str  # "" when the log has no entity column
    channels: tuple[str, ...]
    grid: TimeGrid
    values: F64  # (steps, channels), NaN where nothing was observed
    row_times: Times | None  # distinct input times, ascending, for samples; None for events
    set_aside: Bool | None = None  # (steps,) stops and days of the calendar: neither judged nor learned from


@dataclass(frozen=True, slots=True)
class CastFailure:
    """Cells of one column that were not numbers."""

    count: int
    example: str


@dataclass(frozen=True, slots=True)
class ReadCounts:
    """Where every row of the input went: `rows_read = rows_used + sum(dropped)`."""

    rows_read: int
    rows_used: int
    dropped: dict[Note, int]  # reason -> rows
    duplicates: int  # rows that share time and entity with an earlier one (used, averaged or counted)
    out_of_order: int  # rows earlier than the one before them (used)
    not_numeric: dict[str, CastFailure]  # column -> cells read as missing


@dataclass(frozen=True, slots=True)
class Shaping:
    """How rows became channels where that is more than one channel per column."""

    sensor: str | None = None  # long format: the column that names the channel of a row
    value: str | None = None  # long format: the column that holds its reading
    split: str | None = None  # events: the column whose values are counted apart
    categories: tuple[str, ...] = ()  # events: these values of it, the rest together
    negatives: tuple[str, ...] = ()  # events: columns whose negative numbers are a channel of their own
    status: str | None = None  # samples: the column that tells when the machine stands
    running: tuple[str, ...] = ()  # its values or conditions in which the machine runs; empty: known words


@dataclass(frozen=True, slots=True)
class InputSchema:
    """What was understood of the input, and so what can be set by option."""

    files: tuple[str, ...]
    format: str  # name of a format of `read.formats`
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    header_line: int | None  # 1-based line of the header in the first file
    kind: LogKind
    time_column: str | None
    time_kind: TimeKind
    time_format: str | None
    timezone: str | None
    entity_columns: tuple[str, ...]
    channels: tuple[str, ...]
    ignored: dict[str, Note]  # column -> why it is not a channel
    step: int  # grid step, ns or integer units
    header_end: int | None = None  # last line whose cells are in the names
    data_line: int | None = None  # first line that may hold a row of data
    quote: str | None = None  # character around cells; "" if none
    shaping: Shaping = Shaping()


@dataclass(frozen=True, slots=True)
class Log:
    """A whole input, read, cast and put on its grids."""

    schema: InputSchema
    series: tuple[Series, ...]
    counts: ReadCounts
    notes: tuple[Note, ...] = ()  # what a user should know, the most harmful first


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """The grade of one channel of one entity, with the reasons."""

    entity: str
    channel: str
    grade: Grade
    reasons: tuple[Note, ...]
    observed_fraction: float
    minimum: float
    median: float
    maximum: float
    longest_gap_steps: int
    longest_flat_steps: int
    codes: tuple[str, ...] = ()  # the kind of each reason, in one or two words that stay the same


@dataclass(frozen=True, slots=True)
class ChannelReading:
    """One channel in an event: what was seen and what should have been seen, in original units."""

    channel: str
    share: float  # of the event's score, 0..1
    observed: float  # at the peak step
    expected: float


@dataclass(frozen=True, slots=True)
class SimilarPeriod:
    """Another period, earlier or later, the model rebuilt the event from: what it should have looked like."""

    start_time: int
    end_time: int
    weight: float  # attention weight, 0..1


@dataclass(frozen=True, slots=True)
class EventTrace:
    """Observed and expected values around an event, thinned for display."""

    channel: str
    times: I64
    observed: F64  # NaN where missing
    expected: F64  # NaN where not judged


@dataclass(frozen=True, slots=True)
class Event:
    """A half-open interval of steps above the threshold."""

    id: int
    entity: str
    start_step: int
    end_step: int
    start_time: int
    end_time: int
    severity: float  # peak score / threshold
    peak_step: int
    peak_score: float
    channels: tuple[ChannelReading, ...] = ()  # largest share first
    similar: tuple[SimilarPeriod, ...] = ()
    traces: tuple[EventTrace, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class SeriesScores:
    """The scores of one entity, one per step."""

    entity: str
    channels: tuple[str, ...]
    grid: TimeGrid
    row_times: Times | None
    score: F32  # (steps,), NaN where not judged
    threshold: float
    event_id: I64  # (steps,), -1 where none
    quality: I8  # (steps,), index into tuple(StepQuality)
    contributions: F32  # (steps, channels), rows sum to the score; NaN where not judged
    events: tuple[Event, ...]
