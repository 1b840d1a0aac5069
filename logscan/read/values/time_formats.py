"""Time formats: one record each, with pattern, label and rank. A new form of time is one record here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import Literal
from unicodedata import normalize

Reads = Literal["date", "month", "numbers", "clock"]

_WEEKDAY = r"(?:[A-Za-zÀ-ÿ]{2,10}\.?,?\s+)?"
_MONTH = r"(?P<mon>[A-Za-zÀ-ÿ]{3,10})"
_ZONE = r"(?P<zone>Z|z|UTC|GMT|JST|CET|CEST|MEZ|MESZ|[+-]\d{2}(?::?\d{2})?)?"
_CLOCK = (
    r"(?:(?:[T\s.,:_-]|\([日月火水木金土]\)|日)*(?P<half>午前|午後|[AaPp][Mm])?\s*(?P<hour>\d{1,2})"
    r"\s*(?:[:.時hH]\s*(?P<minute>\d{1,2})"
    r"(?:\s*[:.分]\s*(?P<second_of>\d{1,2})(?:[.,:](?P<fraction>\d{1,9})\d*)?)?\s*[分秒]?|時)(?:\s*Uhr)?"
    rf"\s*(?P<meridiem>[AaPp](?:\.?\s?[Mm]\.?)?)?\s*{_ZONE})"
)
_CLOCK_OR_HOUR = rf"(?:{_CLOCK}|[T\s]+(?P<lone_hour>\d{{1,2}}))?"
_ERA = r"(?P<era>令和|平成|昭和|大正|明治|[RHSTMrhstm])\.?\s*(?P<y>\d{1,2}|元)"
# What a cell looks like at a glance, whatever its format: enough to tell data from names.
_REST = r"[^,;|\t]*"
_NUMBERS_SEEN = rf"\d{{1,4}}[-/.年]\d{{1,2}}([-/.月]\d{{1,4}})?\b{_REST}"
_ERA_SEEN = rf"(?:令和|平成|昭和|大正|明治|[RHSTM])\s*(?:\d{{1,2}}|元)[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}{_REST}"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """One way in which people and machines write a time.

    Attributes:
        name: its key.
        pattern: of a whole cell in the writing of `time_cleanup.usual`. Its groups name the parts: y, m, d, mon, q,
            era, hour, lone_hour, minute, second_of, fraction, half, meridiem, zone.
        label: as shown to people.
        seen: pattern of a cell as written, looser than `pattern`: where it matches, a sample's cell is data.
        reads: a date with or without a clock, a month or quarter, a date of three short numbers whose order has to
            be found, or a clock alone.
        needs_name: read only where the name of the column speaks of a time; else the cells may be numbers or codes.
        must_run: read only where the times of the column go one way.
        years: first and end of the years it is read for; None: any.
        year_zero: the year before the first of its calendar.
        across: read in the names of columns, of tables in wide format.
    """

    name: str
    pattern: str
    label: str
    seen: str = ""
    reads: Reads = "date"
    needs_name: bool = False
    must_run: bool = False
    years: tuple[int, int] | None = None
    year_zero: int = 0
    across: bool = False


def _numbers_format(name: str, parts: str, label: str) -> TimeFormat:
    """A date of three short numbers; only a year that stands first is never of four digits."""
    year = r"(?P<y>\d{4}|\d{2})" if parts[-1] == "y" else r"(?P<y>\d{1,2})"
    third = r"\d{1,2}" if parts[0] == "y" else r"\d{4}|\d{2}"
    written = [year if part == "y" else rf"(?P<{part}>\d{{1,2}})" for part in parts]
    if parts[0] == "y":
        written[2] = rf"(?P<{parts[2]}>{third})"
    date = r"[-/.]".join(written)
    return TimeFormat(
        name,
        rf"^\s*{date}{_CLOCK_OR_HOUR}\s*$",
        label,
        seen=_NUMBERS_SEEN,
        reads="numbers",
        across=name != "ymd",
    )


# In the order in which they win where several read as many cells of a column.
FORMATS: tuple[TimeFormat, ...] = (
    TimeFormat(
        "year first",
        rf"^\s*(?P<y>\d{{4}})\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*(?P<d>\d{{1,2}})日?{_CLOCK_OR_HOUR}\s*$",
        "YYYY-MM-DD",
        seen=_NUMBERS_SEEN,
        across=True,
    ),
    TimeFormat(
        "era",
        rf"^\s*{_ERA}\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*(?P<d>\d{{1,2}})日?{_CLOCK}?\s*$",
        "Japanese era",
        seen=_ERA_SEEN,
        needs_name=True,
    ),
    TimeFormat(  # years of the Republic of China; with two digits they are those of any other calendar
        "roc",
        r"^\s*(?:民國|民国)?\s*(?P<y>1\d{2})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*"
        rf"(?P<d>\d{{1,2}})日?{_CLOCK}?\s*$",
        "Minguo",
        needs_name=True,
        years=(100, 200),
        year_zero=1911,
    ),
    TimeFormat(
        "d-mon-y",
        rf"^\s*{_WEEKDAY}(?P<d>\d{{1,2}})\.?[-/. ]?{_MONTH}\.?[-/., ]+(?P<y>\d{{4}}|\d{{2}}){_CLOCK}?\s*$",
        "DD Mon YYYY",
        seen=r"\d{1,2}[- ][^\W\d_]{3,9}\.?[- ,]+\d{2,4}[^;|\t]*",
        across=True,
    ),
    TimeFormat(  # a week without a day is read as its Monday
        "iso-week",
        r"^\s*(?P<y>\d{4})\s*-?\s*[Ww](?P<week>\d{2})(?:-?(?P<weekday>[1-7]))?\s*$",
        "YYYY-Www",
        seen=r"\d{4}-?[Ww]\d{2}(-?[1-7])?",
    ),
    TimeFormat(
        "mon-d-y",
        rf"^\s*{_WEEKDAY}{_MONTH}\.?[-/. ]+(?P<d>\d{{1,2}}),?[-/. ]+(?P<y>\d{{4}}){_CLOCK}?\s*$",
        "Mon DD YYYY",
    ),
    TimeFormat(
        "ctime",
        rf"^\s*[A-Za-zÀ-ÿ]{{2,10}}\s+{_MONTH}\s+(?P<d>\d{{1,2}})\s+(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})"
        rf":(?P<second_of>\d{{2}})\s+{_ZONE}\s*(?P<y>\d{{4}})\s*$",
        "Day Mon DD hh:mm:ss YYYY",
    ),
    TimeFormat(  # years of this and the last century only: ten digits may be an epoch as well
        "compact",
        r"^\s*(?P<y>19\d{2}|20\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:[T\s:_-]?(?P<hour>\d{2})(?::?(?P<minute>\d{2})"
        r"(?::?(?P<second_of>\d{2})(?:[.,]?(?P<fraction>\d{1,9}))?)?)?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?\s*$",
        "YYYYMMDD",
        seen=r"(?:19|20)\d{6}[T :_-]?\d*",
        needs_name=True,
        years=(1900, 2100),
        across=True,
    ),
    TimeFormat(
        "short",
        r"^\s*(?P<y>\d{2})(?P<m>\d{2})(?P<d>\d{2})[T\s_-]?(?P<hour>\d{2}):?(?P<minute>\d{2})"
        r":?(?P<second_of>\d{2})\s*$",
        "YYMMDD",
        needs_name=True,
    ),
    # Months and quarters without a day: read as their first day.
    TimeFormat(
        "era-month",
        rf"^\s*{_ERA}\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*(?:月[分中度]?)?\s*$",
        "Japanese era, month",
        reads="month",
        needs_name=True,
    ),
    TimeFormat(
        "mon-year",
        rf"^\s*{_MONTH}\.?[-/., ']+(?P<y>\d{{4}}|\d{{2}})\s*$",
        "Mon YYYY",
        seen=r"[^\W\d_]{3,9}\.?[-/ ](?:19|20)\d{2}",
        reads="month",
        must_run=True,  # `Jan-20` may be a month of a year or a day of January
        across=True,
    ),
    TimeFormat(
        "month-year",
        r"^\s*(?P<m>\d{1,2})\s*[-/]\s*(?P<y>\d{4})\s*$",
        "MM/YYYY",
        seen=_NUMBERS_SEEN,
        reads="month",
    ),
    TimeFormat(
        "quarter",
        r"^\s*(?P<y>\d{4})\s*[-/年 ]?\s*(?:第|[Qq])\s*(?P<q>[1-4])\s*(?:四半期)?\s*$",
        "YYYY Qn",
        reads="month",
        across=True,
    ),
    TimeFormat("year-mon", rf"^\s*(?P<y>\d{{4}})[-/., ]*{_MONTH}\.?\s*$", "YYYY Mon", reads="month"),
    TimeFormat(
        "year-month",
        r"^\s*(?P<y>\d{4})\s*(?:[-/年]|[Mm])\s*(?P<m>\d{1,2})\s*(?:月[分中度]?)?\s*$",
        "YYYY-MM",
        seen=rf"\d{{4}}年\d{{1,2}}月{_REST}",
        reads="month",
        across=True,
    ),
    TimeFormat(
        "yyyymm",
        r"^\s*(?P<y>19\d{2}|20\d{2})(?P<m>0[1-9]|1[0-2])\s*$",
        "YYYYMM",
        reads="month",
        needs_name=True,
        across=True,
    ),
    _numbers_format("mdy", "mdy", "MM/DD/YYYY"),
    _numbers_format("dmy", "dmy", "DD/MM/YYYY"),
    _numbers_format("ymd", "ymd", "YY/MM/DD"),
    TimeFormat(
        "time of day", rf"^\s*{_CLOCK}\s*$", "hh:mm", seen=rf"\d{{1,2}}[:時]\d{{2}}{_REST}", reads="clock"
    ),
    TimeFormat("hour range", r"^\s*(?P<hour>\d{1,2})\s*[-–~]\s*\d{1,2}\s*$", "hh - hh", reads="clock"),
)
# A date of three numbers set apart by blanks: cleanup writes it with slashes.
_SPACED_SEEN = rf"\d{{1,2}} \d{{1,2}} (?:19|20)\d{{2}}\b{_REST}"

BY_NAME = {one.name: one for one in FORMATS}
ACROSS = tuple(one.name for one in FORMATS if one.across)
UNMISTAKABLE = tuple(one.name for one in FORMATS if one.reads in {"date", "month"})
NUMBER_ORDERS = tuple(one.name for one in FORMATS if one.reads == "numbers")
SEEN = "|".join(dict.fromkeys([*(one.seen for one in FORMATS if one.seen), _SPACED_SEEN]))
CLOCKLIKE = r"[:時]|^\s*\d{1,2}(\.\d{2}\.|[hH])\d{2}"  # a lone `1.4` is a number, not four minutes past one
_DATE_MARKS = re.compile(r"\s*\d+\s*([-/.年])\s*\d+\s*([-/.月])\s*\d+(日?)")


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How the texts of one column are read."""

    order: str  # name of a format
    aware: bool  # texts carry an offset or Z
    clocked: bool  # texts carry a time of day

    @property
    def format(self) -> TimeFormat:
        """The format of the column."""
        return BY_NAME[self.order]

    @property
    def monthly(self) -> bool:
        """Whether the texts tell a month or a quarter, no day."""
        return self.format.reads == "month"

    def label(self, example: str = "") -> str:
        """The form as shown to people, with the marks between the numbers of a date as in the example."""
        date = self.format.label
        marks = _DATE_MARKS.match(normalize("NFKC", example))
        if marks and (self.order == "year first" or self.format.reads == "numbers"):
            date = "".join(chain(*zip(re.findall("[A-Z]+", date), marks.groups(), strict=True)))
        clock = " hh:mm:ss" if self.clocked and not self._has_clock else ""
        return date + clock + (" with offset" if self.aware else "")

    @property
    def _has_clock(self) -> bool:
        """Whether the label of the format names the clock already."""
        return "hh" in self.format.label
