"""Settings: every input option, encoder and alarm setting is a field here, with its sentence. Stored with the model."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from logscan.errors import UsageError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Panel = Literal["Input", "How the file is written", "From rows to channels", "Not judged"]
COMMON: Panel = "Input"  # options that every help shows; the others are rare


@dataclass(frozen=True, slots=True)
class Option:
    """How a field of the input section is set on the command line; its help is the sentence under the field."""

    panel: Panel = COMMON
    comma: bool = False  # several values in one text with commas, instead of the option several times


_WRITTEN = Option("How the file is written")
_SHAPED = Option("From rows to channels")
_ASIDE = Option("Not judged")
Text = str | None
Texts = tuple[str, ...]


class InputConfig(_Section):
    """How the input is read; what is not set is detected and shown.

    Every field is an option of the commands that read logs, a variable `LOGSCAN_<NAME>` and a key of `[input]`.
    """

    time: Annotated[Text, Option()] = None
    """Time column; 'row' if there is none."""
    entity: Annotated[Texts, Option()] = ()
    """Column naming the machine or line of a row."""
    channels: Annotated[Texts, Option(comma=True)] = ()
    """Channels to use, comma-separated; default: every numeric column."""
    ignore: Annotated[Texts, Option()] = ()
    """Column to leave out."""
    kind: Annotated[Literal["samples", "events"] | None, Option()] = None
    """Regular readings, or one row per thing that happened."""
    every: Annotated[Text, Option()] = None
    """Grid step, such as 10s, 1min, 1h, 1d or 1month; a whole number for integer time."""
    encoding: Annotated[Text, _WRITTEN] = None
    """Text encoding, such as cp932."""
    sheet: Annotated[Text, _WRITTEN] = None
    """Sheet of a workbook; default: the first that is not hidden."""
    delimiter: Annotated[Text, _WRITTEN] = None
    """Column separator of a CSV: one character, tab or space."""
    decimal: Annotated[Text, _WRITTEN] = None
    """Decimal mark, . or ,"""
    quote: Annotated[Text, _WRITTEN] = None
    """Character around cells that hold the delimiter: single, double or none."""
    header: Annotated[Text, _WRITTEN] = None
    """Line of the header such as 3, lines joined to one such as 3-5, or none."""
    data_from: Annotated[int | None, Field(ge=1), _WRITTEN] = None
    """Line of the first row of data."""
    units: Annotated[bool, _WRITTEN] = False
    """Take units off numbers, such as 12.5 kPa; a column must hold one unit."""
    timezone: Annotated[Text, Option()] = None
    """Zone of times without one, such as Asia/Tokyo."""
    date_order: Annotated[Literal["dmy", "mdy", "ymd"] | None, _WRITTEN] = None
    """Order of day, month and year where the dates do not tell."""
    missing: Annotated[Texts, _WRITTEN] = ()
    """Sentinel value for a missing reading, such as -999."""
    aggregate: Annotated[Texts, _SHAPED] = ()
    """How the values of one step become one, HOW or COLUMN=HOW: mean, last, first, min, max, sum, count, distinct."""
    sensor: Annotated[Text, _SHAPED] = None
    """Long format: column that names the channel of a row."""
    value: Annotated[Text, _SHAPED] = None
    """Long format: column that holds the reading."""
    split: Annotated[Text, _SHAPED] = None
    """Events: column whose most frequent values are counted apart."""
    top: Annotated[int, Field(ge=1, le=100), _SHAPED] = 5
    """Events: how many values of --split are counted apart."""
    categories: Annotated[Texts, _SHAPED] = ()
    """Events: value of --split to count apart, instead of the most frequent."""
    negatives: Annotated[Texts | None, _SHAPED] = None
    """Events: column whose negative numbers are counted as a channel; default: those that hold several."""
    repeats: Annotated[Literal["count", "drop"] | None, _SHAPED] = None
    """Events: count or drop rows that repeat a row; default: drop imports that came twice."""
    status: Annotated[Text, _ASIDE] = None
    """Column that tells when the machine stands; stops are not judged."""
    running: Annotated[Texts, _ASIDE] = ()
    """Value of --status in which the machine runs, or a condition such as '>0'; default: known words."""
    holidays: Annotated[Text, _ASIDE] = None
    """Country (and region) whose public holidays are not judged, such as JP or DE-BY."""
    calendar: Annotated[Text, _ASIDE] = None
    """The plant's own calendar: CSV of date, or of start,end; not judged."""
    bridge_steps: Annotated[int, Field(ge=0), _SHAPED] = 5
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
