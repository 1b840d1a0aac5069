"""The plant's own calendar: reads a file of days, or of start and end, that are set aside."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from logscan.errors import InputError
from logscan.labels.intervals import Label, read_labels
from logscan.read.values.vocabulary import CALENDAR_DATE_NAMES
from logscan.records import TimeKind
from logscan.time_text import parse_time


def plant_intervals(path: Path, kind: TimeKind, timezone: str | None) -> tuple[Label, ...]:
    """The intervals of a calendar file: whole days from a column of dates, or start and end.

    Args:
        path: of the file.
        kind: of the times of the log.
        timezone: of its grid.

    Raises:
        InputError: the file is missing, is no calendar, or has dates and the log has none.
        UsageError: a time in it cannot be read.
    """
    remedy = "a calendar is a CSV with a column date, or with columns start,end (and entity)"
    place = str(path)
    try:
        table = _table(path)
    except FileNotFoundError as error:
        raise InputError(place, "no such calendar file", "check --calendar") from error
    except (OSError, ValueError) as error:
        raise InputError(place, "the calendar file is not a CSV", remedy) from error
    column = next(
        (name for name in table.columns if str(name).strip().casefold() in CALENDAR_DATE_NAMES), None
    )
    if column is None:
        if not {"start", "end"} <= set(table.columns):
            raise InputError(place, "no column 'date', nor 'start' and 'end'", remedy)
        return read_labels(path, kind, timezone)
    if kind is not TimeKind.TIMESTAMP:
        raise InputError(place, "this log counts steps and has no dates", "give columns start,end in steps")
    labels = []
    for number, row in enumerate(table.to_dict("records"), start=2):
        text = str(row[column]).strip()
        if not text:
            continue
        start = parse_time(text, kind, None, f"{path}:{number}")
        day = pd.Timestamp(start, unit="ns").normalize()
        bounds = [f"{moment:%Y-%m-%d}" for moment in (day, day + pd.Timedelta(days=1))]
        first, end = (parse_time(bound, kind, timezone, f"{path}:{number}") for bound in bounds)
        labels.append(Label(str(row["entity"]) if row.get("entity") else None, first, end, ""))
    return tuple(labels)


def _table(path: Path) -> pd.DataFrame:
    """The calendar as text; a spreadsheet in Japan writes CP932."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="cp932")
