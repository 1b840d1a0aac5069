"""Days that are not like others: public holidays of a country, and the plant's own calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.labels.intervals import Label, labelled_steps, read_labels
from logscan.read.values.vocabulary import CALENDAR_DATE_NAMES
from logscan.records import I64, Bool, LogKind, Series, TimeGrid, TimeKind
from logscan.time_text import parse_time
from logscan.time_units import DAY_NS


def with_calendar(
    series: Sequence[Series], config: InputConfig, kind: LogKind
) -> tuple[list[Series], list[str]]:
    """Series with the days of the calendars set aside, and the sentences that say how many.

    Raises:
        UsageError: an unknown country, or a log that has no dates or steps longer than a day.
        InputError: the calendar file cannot be read.
    """
    if config.holidays is None and config.calendar is None:
        return list(series), []
    marked, aside = [], 0
    for one in series:
        days = np.zeros(one.grid.steps, dtype=np.bool_)
        if config.holidays is not None:
            days |= _holiday_steps(one.grid, config.holidays)
        if config.calendar is not None:
            days |= _plant_steps(one, Path(config.calendar), kind)
        aside += int(days.sum())
        marked.append(replace(one, set_aside=days if one.set_aside is None else one.set_aside | days))
    steps = sum(one.grid.steps for one in marked)
    named = " and ".join(
        part
        for part in (
            f"public holidays of {config.holidays}" if config.holidays else "",
            f"days of {config.calendar}" if config.calendar else "",
        )
        if part
    )
    return marked, [f"{named}: {aside:,} of {steps:,} steps are set aside, neither judged nor learned from."]


def _holiday_steps(grid: TimeGrid, country: str) -> Bool:
    """(steps,) bool: the steps on a public holiday."""
    place = f"--holidays {country}"
    if grid.kind is not TimeKind.TIMESTAMP:
        raise UsageError(place, "this log counts steps and has no dates", "leave it out")
    if grid.step > DAY_NS:
        raise UsageError(place, "a step of this log is longer than a day", "pass a shorter one with --every")
    dates = _local_dates(grid)
    distinct, where = np.unique(dates, return_inverse=True)
    years = range(_year(distinct[0]), _year(distinct[-1]) + 1)
    found = np.array(sorted(_public_holidays(country, years)), dtype="datetime64[D]")
    marked: Bool = np.isin(distinct, found)[where]
    return marked


def _year(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970


def _public_holidays(country: str, years: range) -> list[np.datetime64]:
    """The dates of the public holidays of `JP`, or of `DE-BY` with its region; raises UsageError."""
    import holidays  # noqa: PLC0415  its tables of 250 countries are read only when they are wanted

    code, _, region = country.strip().upper().partition("-")
    try:
        found = holidays.country_holidays(code, subdiv=region or None, years=years)
    except NotImplementedError as error:
        remedy = "use the two letters of a country, such as JP, or country and region, such as DE-BY"
        raise UsageError(f"--holidays {country}", "no such country or region is known", remedy) from error
    return [np.datetime64(day) for day in found]


def _local_dates(grid: TimeGrid) -> np.typing.NDArray[np.datetime64]:
    """(steps,) the local date on which every step begins."""
    times = pd.DatetimeIndex(grid.times().astype("datetime64[ns]"))
    if grid.timezone is not None:
        times = times.tz_localize("UTC").tz_convert(grid.timezone).tz_localize(None)
    return times.to_numpy().astype("datetime64[D]")


def _plant_steps(one: Series, path: Path, kind: LogKind) -> Bool:
    """(steps,) bool: the steps that the plant's own calendar names."""
    inside = np.zeros(one.grid.steps, dtype=np.bool_)
    labels = _plant_days(path, one.grid)
    if kind is LogKind.SAMPLES:
        return labelled_steps(labels, one.entity, one.grid)
    times: I64 = one.grid.times()
    for label in labels:
        if label.entity is None or label.entity == one.entity:
            inside |= (times < label.end) & (times + one.grid.step > label.start)
    return inside


def _plant_days(path: Path, grid: TimeGrid) -> tuple[Label, ...]:
    """The intervals of a calendar file: whole days from a column of dates, or start and end."""
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
        return read_labels(path, grid.kind, grid.timezone)
    if grid.kind is not TimeKind.TIMESTAMP:
        raise InputError(place, "this log counts steps and has no dates", "give columns start,end in steps")
    labels = []
    for number, row in enumerate(table.to_dict("records"), start=2):
        text = str(row[column]).strip()
        if not text:
            continue
        start = parse_time(text, grid.kind, None, f"{path}:{number}")
        day = pd.Timestamp(start, unit="ns").normalize()
        bounds = [f"{moment:%Y-%m-%d}" for moment in (day, day + pd.Timedelta(days=1))]
        first, end = (parse_time(bound, grid.kind, grid.timezone, f"{path}:{number}") for bound in bounds)
        labels.append(Label(str(row["entity"]) if row.get("entity") else None, first, end, ""))
    return tuple(labels)


def _table(path: Path) -> pd.DataFrame:
    """The calendar as text; a spreadsheet in Japan writes CP932."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="cp932")
