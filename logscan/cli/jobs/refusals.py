"""Settings refused before any data are read: grid step, time zone, country, calendar, times, label file."""

from __future__ import annotations

from pathlib import Path

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.labels.known_failures import names_label_file
from logscan.read.grid.set_aside import refuse_country
from logscan.read.grid.step import step_from
from logscan.read.values.time_zones import checked_timezone
from logscan.records import TimeKind
from logscan.time_text import parse_time


def refuse_settings(config: InputConfig) -> None:
    """Refuse a grid step, time zone, country or calendar that cannot be.

    Raises:
        UsageError: see above.
        InputError: the calendar file is missing.
    """
    if config.every is not None and not config.every.strip().isdecimal():
        step_from(config.every, TimeKind.TIMESTAMP)
    if config.timezone is not None:
        checked_timezone(config.timezone)
    if config.holidays is not None:
        refuse_country(config.holidays)
    if config.calendar is not None and not Path(config.calendar).exists():
        raise InputError(config.calendar, "no such calendar file", "check --calendar")


def refuse_time(text: str | None, option: str) -> None:
    """Refuse a time that is neither a date nor a whole number; raises UsageError."""
    if text is not None and not text.strip().lstrip("+-").isdecimal():
        parse_time(text, TimeKind.TIMESTAMP, None, option)


def refuse_labels(labels: str | None) -> None:
    """Refuse a label file that is not there; raises InputError."""
    if labels is not None and names_label_file(labels) and not Path(labels).is_file():
        raise InputError(labels, "no such label file", "check --labels")
