"""Steps that are set aside: stops of the machine, public holidays, days of the plant's own calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from logscan.errors import UsageError
from logscan.labels.intervals import Label, labelled_steps
from logscan.notes import Note, note
from logscan.read.grid.bins import KeyedRows
from logscan.read.grid.sums import EntitySums
from logscan.records import F64, I64, Bool, LogKind, Series, TimeGrid, TimeKind
from logscan.time_units import DAY_NS


def stopped_on(grid: TimeGrid, parts: Sequence[EntitySums]) -> Bool:
    """(steps,) bool: the steps of a grid in a stop, from the shares of stopped rows at exact times."""
    times = [block.key.times() for one in parts for block in one.blocks]
    shares = [block.means(0) for one in parts for block in one.blocks]
    if not times:
        return np.zeros(grid.steps, dtype=np.bool_)
    time, share = np.concatenate(times), np.concatenate(shares)
    order = np.argsort(time, kind="stable")
    index = grid.index(time[order])
    share = share[order]
    inside = (index >= 0) & (index < grid.steps)
    before = share[(index < 0) & np.isfinite(share)]
    return stopped_steps(index[inside], share[inside], grid.steps, before=len(before) > 0 and before[-1] > 0)


def around_changes(one: EntitySums) -> EntitySums:
    """The readings of a status beside its changes, the first and the last one; those between them add nothing.

    On every grid the same steps are in a stop, unless readings come later that lie between those that are left out.
    """
    if not one.blocks:
        return one
    time = np.concatenate([block.key.times() for block in one.blocks])
    share = np.concatenate([block.means(0) for block in one.blocks])
    told = np.flatnonzero(np.isfinite(share))
    if not len(told):
        return EntitySums()
    changed = np.diff(share[told] > 0)
    ends = np.ones(1, dtype=np.bool_)
    kept = told[np.concatenate([ends, changed]) | np.concatenate([changed, ends])]
    return EntitySums([KeyedRows(time[kept], None, [share[kept]], None).summed()])


def stopped_steps(index: I64, stopped: F64, steps: int, *, before: bool = False) -> Bool:
    """(steps,) bool: the steps in a stop; a status holds until the next one is told.

    Args:
        index: (readings,) int64 step of each reading, ascending.
        stopped: (readings,) share of rows in a stop, NaN where the status is not told.
        steps: of the grid.
        before: whether it was in a stop before the first reading.
    """
    told = np.isfinite(stopped)
    last = np.full(steps, -1, dtype=np.int64)
    at = index[told]
    flags = np.zeros(steps, dtype=np.bool_)
    np.logical_or.at(flags, at, stopped[told] > 0)
    # What holds after a step is its latest reading.
    after = np.zeros(steps, dtype=np.bool_)
    after[at] = stopped[told] > 0
    last[at] = at
    last = np.maximum.accumulate(last)
    known = last >= 0
    held: Bool = np.where(known, after[np.maximum(last, 0)], before)
    return flags | held


def with_calendar(
    series: Sequence[Series],
    kind: LogKind,
    *,
    holidays: str | None,
    calendar: str | None,
    intervals: tuple[Label, ...],
) -> tuple[list[Series], list[Note]]:
    """Series with the days of the calendars set aside, and a note that says how many.

    Args:
        series: of a log.
        kind: of the log.
        holidays: country, or country and region, of the public holidays.
        calendar: name of the plant's own calendar.
        intervals: of that calendar.

    Raises:
        UsageError: an unknown country, or a log that has no dates or steps longer than a day.
    """
    if holidays is None and calendar is None:
        return list(series), []
    marked, aside = [], 0
    for one in series:
        days = np.zeros(one.grid.steps, dtype=np.bool_)
        if holidays is not None:
            days |= _holiday_steps(one.grid, holidays)
        if calendar is not None:
            days |= _interval_steps(one, intervals, kind)
        aside += int(days.sum())
        marked.append(replace(one, set_aside=days if one.set_aside is None else one.set_aside | days))
    steps = sum(one.grid.steps for one in marked)
    return marked, [_calendar_note(aside, steps, holidays, calendar)]


def _calendar_note(aside: int, steps: int, holidays: str | None, calendar: str | None) -> Note:
    if holidays and calendar:
        return note("set-aside-holidays-calendar", country=holidays, calendar=calendar, steps=aside, of=steps)
    if holidays:
        return note("set-aside-holidays", country=holidays, steps=aside, of=steps)
    return note("set-aside-calendar", calendar=calendar or "", steps=aside, of=steps)


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


def refuse_country(country: str) -> None:
    """Refuse a country or region whose holidays are not known; raises UsageError."""
    _public_holidays(country, range(2024, 2025))


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


def _interval_steps(one: Series, intervals: tuple[Label, ...], kind: LogKind) -> Bool:
    """(steps,) bool: the steps that the plant's own calendar names."""
    if kind is LogKind.SAMPLES:
        return labelled_steps(intervals, one.entity, one.grid)
    inside = np.zeros(one.grid.steps, dtype=np.bool_)
    times: I64 = one.grid.times()
    for interval in intervals:
        if interval.entity is None or interval.entity == one.entity:
            inside |= (times < interval.end) & (times + one.grid.step > interval.start)
    return inside
