"""Wide tables: hours, months or dates as column names become rows."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from logscan.notes import Note, note
from logscan.read.values.time_formats import ACROSS
from logscan.read.values.time_parser import INVALID, form_share, text_times
from logscan.read.values.vocabulary import TIME_WORD, YEAR, month_number
from logscan.records import I64
from logscan.time_units import HOUR_NS

VALUE = "value"
_FEWEST = 12
_HOUR = re.compile(
    r"(?:hour|hr|he|h)[ _.-]?(\d{1,2})|(\d{1,2})\s*(?:[時时點点시]台?|h|hr|hours?)|(0\d|1\d|2[0-3])",
    re.IGNORECASE,
)
_HOURS = re.compile(r"(\d{1,2})\s*[時时]?\s*[-～〜~－]\s*(\d{1,2})\s*[時时]?")
_CLOCK = re.compile(r"(\d{1,2})[:時时](\d{2})分?(?::00)?(?:\s*[-～〜~－]\s*\d{1,2}[:時时]\d{2}分?)?")
_MONTH = re.compile(r"([^\W\d_]{3,9})\.?|(\d{1,2})\s*[月월]")
_YEARS = re.compile(r"(1[6-9]\d{2}|20\d{2}|21\d{2})(?:年| \[YR\d{4}\])?")


@dataclass(frozen=True, slots=True)
class Across:
    """Columns that are times: every row holds as many readings, one below the other.

    Attributes:
        names: of these columns.
        places: where they stand.
        kept: of the other columns, which stay; columns without a name between the times hold marks and do not.
        time: what the new column of times is called.
        texts: its cells, one per time.
        kind: of these times.
    """

    names: tuple[str, ...]
    places: tuple[int, ...]
    kept: tuple[str, ...]
    time: str
    texts: tuple[str, ...]
    kind: Note

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table with one row per reading."""
        return (*self.kept, self.time, VALUE)

    @property
    def note(self) -> Note:
        """What a user should know."""
        return note(
            "wide-table",
            first=self.names[0],
            last=self.names[-1],
            kind=self.kind,
            count=len(self.names),
            value=VALUE,
            time=self.time,
        )

    def below(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A record batch with one row per reading, in order of rows and of times."""
        rows, times = batch.num_rows, len(self.names)
        each = np.repeat(np.arange(rows), times)
        columns = [batch.column(batch.schema.get_field_index(name)).take(each) for name in self.kept]
        columns.append(pa.array(self.texts, pa.string()).take(np.tile(np.arange(times), rows)))
        readings = pa.chunked_array([batch.column(place) for place in self.places]).combine_chunks()
        columns.append(readings.take(np.arange(rows * times).reshape(times, rows).T.ravel()))
        return pa.RecordBatch.from_arrays(columns, names=list(self.columns))


def found_across(names: Sequence[str], said: Collection[str] = ()) -> Across | None:
    """The times across the columns of a table; None where there are none, or a user named one of them.

    Args:
        names: of all columns, each once.
        said: columns that the user spoke of.
    """
    for search in (_clocks, _months, _dates):
        found = search(names)
        if found is not None:
            places, time, texts, kind = found
            taken = tuple(names[place] for place in places)
            others = [place for place in range(len(names)) if place not in set(places)]
            marks = {place for place in others if _is_unnamed(names[place], place) and place > places[0]}
            kept = tuple(names[place] for place in others if place not in marks)
            if set(taken) & set(said) or not kept or {time, VALUE} & set(kept):
                return None
            return Across(taken, tuple(places), kept, time, tuple(texts), kind)
    return None


_Found = tuple[list[int], str, list[str], Note]


def _is_unnamed(name: str, place: int) -> bool:
    return name in {"", f"column {place + 1}"}


def _named(names: Sequence[str]) -> list[int]:
    """The columns that have a name."""
    return [place for place in range(len(names)) if not _is_unnamed(names[place], place)]


def _clocks(names: Sequence[str]) -> _Found | None:
    """Hours 0 to 23 or 1 to 24, or equal parts of the day, all of them one behind the other."""
    minutes = {place: minute for place in _named(names) if (minute := _minute(names[place])) is not None}
    places = list(minutes)
    day = np.array(list(minutes.values()))
    if len(day) < 24 or 1440 % len(day) or not _behind(places, names):
        return None
    apart = 1440 // len(day)
    if (np.diff(day) != apart).any() or day[0] not in (0, apart):
        return None
    if apart == 60:
        return places, "hour", [str(int(minute) // 60) for minute in day], note("wide-hours")
    return (
        places,
        "time",
        [f"{minute // 60}:{minute % 60:02d}" for minute in day.tolist()],
        note("wide-clocks"),
    )


def _minute(name: str) -> int | None:
    """The minute of the day that a column is named by."""
    text = name.strip()
    if match := _CLOCK.fullmatch(text):
        return 60 * int(match[1]) + int(match[2])
    if match := _HOUR.fullmatch(text):
        return 60 * int(match[1] or match[2] or match[3])
    if (match := _HOURS.fullmatch(text)) and int(match[2]) == int(match[1]) + 1:
        return 60 * int(match[1])
    return None


def _months(names: Sequence[str]) -> _Found | None:
    """The twelve months beside a column of years."""
    months = {place: _month(names[place]) for place in _named(names)}
    places = [place for place, month in months.items() if month]
    if [months[place] for place in places] != list(range(1, 13)) or not _behind(places, names):
        return None
    if not any(YEAR[1].fullmatch(names[place].strip()) for place in _named(names)):
        return None
    return places, "month", [str(month) for month in range(1, 13)], note("wide-months")


def _month(name: str) -> int:
    match = _MONTH.fullmatch(name.strip())
    if match is None:
        return 0
    return int(match[2]) if match[2] else month_number(match[1])


def _dates(names: Sequence[str]) -> _Found | None:
    """Dates, months or years that follow one another, to the last column that has a name."""
    named = _named(names)
    for begin, place in enumerate(named):
        if TIME_WORD.search(names[place]) and not any(letter.isdigit() for letter in names[place]):
            return None  # the rows have times of their own
        if any(letter.isdigit() for letter in names[place]) and len(named) - begin >= _FEWEST:
            places = named[begin:]
            times = _times([names[place].strip() for place in places])
            if times is not None:
                texts = [str(time)[:19] for time in times.astype("datetime64[ns]")]
                return places, "time", texts, note("wide-times")
            if begin > _FEWEST:
                return None
    return None


def _times(cells: list[str]) -> I64 | None:
    """Nanoseconds of texts that are times and follow one another at about equal distances; None where they do not."""
    if all(_YEARS.fullmatch(cell) for cell in cells):
        years = np.array([int(cell[:4]) for cell in cells])
        times = (years - 1970).astype("datetime64[Y]").astype("datetime64[ns]").astype(np.int64)
        return times if _follow(times) else None
    column = pa.array(cells)
    for order in ACROSS:
        share, form = form_share(column[:_FEWEST], order)
        if share == 1:
            times = text_times(column, form)
            if (times != INVALID).all() and _follow(times):
                return times
    return None


def _follow(times: I64) -> bool:
    """Whether times follow one another by days, months or years, give or take."""
    apart = np.diff(times)
    middle = float(np.median(apart))
    near = (apart > 0.8 * middle) & (apart < 1.2 * middle)
    return middle >= HOUR_NS and bool((apart > 0).all()) and float(near.mean()) >= 0.9


def _behind(places: Sequence[int], names: Sequence[str]) -> bool:
    """Whether columns stand one behind the other, but for columns without a name."""
    return all(
        _is_unnamed(names[between], between)
        for one, other in pairwise(places)
        for between in range(one + 1, other)
    )
