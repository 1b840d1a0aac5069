"""What the user set about columns; `None` and empty mean: detected on the sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from logscan.records import LogKind


@dataclass(frozen=True, slots=True)
class TimeSettings:
    """What was set about the time of a row."""

    time: str | None = None  # a column, columns joined by `+`, or `row`
    entity: tuple[str, ...] = ()
    reserved: frozenset[str] = frozenset()  # columns with another role, `entity` among them
    kind: LogKind | None = None
    timezone: str | None = None  # of naive timestamps
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: str = "."  # decimal mark of numbers in text


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """What was set about columns whose values become channels."""

    sensor: str | None = None  # long format: the column that names the channel
    value: str | None = None  # long format: the column of readings
    split: str | None = None  # events: the column of categories
    categories: tuple[str, ...] = ()  # of `split`, counted apart
    top: int = 5  # how many categories are counted apart where none are named


@dataclass(frozen=True, slots=True)
class ColumnSettings:
    """What was set about the roles of all columns but the time."""

    entity: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()  # columns that must not become channels
    timed: bool = False  # the time column was set, too
    kind: LogKind | None = None
    decimal: str = "."  # decimal mark of numbers in text
    missing: tuple[str, ...] = ()  # sentinel values
    aggregate: tuple[str, ...] = ()
    by_value: SplitSettings = SplitSettings()
    negatives: tuple[str, ...] | None = None
    repeats: Literal["count", "drop"] | None = None
    status: str | None = None
    running: tuple[str, ...] = ()  # values or conditions of `status`
