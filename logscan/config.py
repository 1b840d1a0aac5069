"""Configuration: frozen models, one sentence under every field; stored with the model."""

from __future__ import annotations

import difflib
import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from logscan.errors import UsageError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputConfig(_Section):
    """How the input is read; `None` means: found by evidence and shown."""

    time: str | None = None
    """Name of the time column; `row` means there is none and the row number is the step."""
    entity: tuple[str, ...] = ()
    """Columns that name the machine, line or store a row belongs to."""
    channels: tuple[str, ...] = ()
    """Channels to use, in this order; empty means every numeric column."""
    ignore: tuple[str, ...] = ()
    """Columns to leave out."""
    kind: Literal["samples", "events"] | None = None
    """Regular readings, or one row per thing that happened."""
    every: str | None = None
    """Grid step: `1min`, `10s`, `1h`, `1d`, `1month`, or an integer for integer time."""
    encoding: str | None = None
    """Text encoding, such as `cp932`."""
    sheet: str | None = None
    """Sheet of a workbook; `None`: the first that is not hidden."""
    delimiter: str | None = None
    """Column separator of the CSV."""
    decimal: str | None = None
    """Decimal mark, `.` or `,`."""
    quote: str | None = None
    """Character around cells that hold the delimiter: `"`, `'` or `none`."""
    header: str | None = None
    """Line of the header such as `3`, lines joined to one such as `3-5`, or `none`."""
    data_from: int | None = Field(default=None, ge=1)
    """Line of the first row of data; what stands above it and is not the header is passed over."""
    units: bool = False
    """Numbers may carry a unit, such as `12.5 °C`; it is taken off, and a column must hold one unit."""
    timezone: str | None = None
    """IANA time zone of naive timestamps, such as `Asia/Tokyo`."""
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    """Order of day, month and year in dates such as 03/04/2024; `None`: found over the sample, asked for if unclear."""
    missing: tuple[str, ...] = ()
    """Numbers that stand for no reading, such as `-999`."""
    aggregate: tuple[str, ...] = ()
    """How several values of one step become one, `HOW` or `COLUMN=HOW`: mean, last, first, min, max, sum or count of
    readings (mean where nothing is said); sum, mean, count or distinct of events (sum where nothing is said)."""
    sensor: str | None = None
    """Long format: the column that names the channel of a row."""
    value: str | None = None
    """Long format: the column that holds the reading of a row."""
    split: str | None = None
    """Events: a column whose most frequent values are counted apart, and the rest together."""
    top: int = Field(default=5, ge=1, le=100)
    """Events: how many values of `split` are counted apart."""
    categories: tuple[str, ...] = ()
    """Events: the values of `split` to count apart; empty means the `top` most frequent."""
    negatives: tuple[str, ...] | None = None
    """Events: columns whose negative numbers are counted as a channel; `None`: those that hold several."""
    repeats: Literal["count", "drop"] | None = None
    """Events: rows that repeat a whole row are counted or dropped; `None`: dropped where a block comes again."""
    status: str | None = None
    """Column that tells when the machine stands; steps in a stop are neither judged nor learned from."""
    running: tuple[str, ...] = ()
    """Values of `status` in which the machine runs, or a condition such as `>0`; empty means known words."""
    holidays: str | None = None
    """Country, or country and region, whose public holidays are set aside, such as `JP` or `DE-BY`."""
    calendar: str | None = None
    """CSV of dates, or of start and end, that are set aside: the plant's own calendar."""
    bridge_steps: int = Field(default=5, ge=0)
    """Gaps up to this many steps are bridged; longer ones stay missing."""


class EncoderConfig(_Section):
    """The attention encoder (DESIGN section 4)."""

    scales: tuple[Annotated[int, Field(ge=2)], ...] = Field(default=(16, 32, 64, 128), min_length=1)
    """Window lengths in steps, one group of heads each."""
    neighbors: int = Field(default=8, ge=1)
    """Analogues that carry most of the attention weight (sets the temperature)."""
    grow_history: bool = True
    """What looked ordinary when it was scored is history for the rest; false keeps to the training part."""
    history_cells: int = Field(default=1 << 21, ge=1)
    """Longest history that is kept, in steps times channels; of a longer training part evenly spread stretches are."""
    fit: bool = True
    """Train the gated layers; false keeps the closed-form start."""
    epochs: int = Field(default=20, ge=1)
    """Upper limit of passes over the training part."""
    rhythm: bool | None = None
    """Prefer analogues of the same hour and weekday; `None`: for events, which follow people's week."""
    seed: int = Field(default=0, ge=0)
    """Seed of everything random."""


class AlarmConfig(_Section):
    """From scores to alarms (DESIGN section 5)."""

    false_alarms: str = "1/week"
    """How many false events a person accepts: `COUNT/UNIT`, unit hour, day, week, month, or `rows:N`."""
    min_event_steps: int | None = Field(default=None, ge=1)
    """Shorter events are dropped; `None`: half the smallest scale (one spike already moves a whole window)."""
    merge_gap_steps: int | None = Field(default=None, ge=0)
    """Events closer than this are one; `None`: the smallest scale."""


class Config(_Section):
    """Everything that shapes a run."""

    input: InputConfig = InputConfig()
    encoder: EncoderConfig = EncoderConfig()
    alarm: AlarmConfig = AlarmConfig()

    def hash(self) -> str:
        """First 12 hex digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def parse_config(data: dict[str, Any], place: str) -> Config:
    """The configuration in `data`; raises UsageError that names the key and the nearest valid one."""
    try:
        return Config.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise UsageError(place, f"unknown key '{where}'", _suggestion(first["loc"])) from error
        raise UsageError(place, f"'{where}': {first['msg']}", f"got {first['input']!r}") from error


def _suggestion(loc: tuple[int | str, ...]) -> str:
    """The valid key nearest to an unknown one."""
    section: type[BaseModel] = Config
    for part in loc[:-1]:
        annotation = section.model_fields[str(part)].annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            section = annotation
    known = list(section.model_fields)
    close = difflib.get_close_matches(str(loc[-1]), known, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known keys: {', '.join(known)}"
