"""Forms in which times are written: their patterns, and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import chain
from typing import Literal
from unicodedata import normalize

DateOrder = Literal[
    "ymd", "dmy", "mdy", "year first", "era", "compact", "short", "d-mon-y", "mon-d-y", "ctime", "time of day",
    "hour range", "roc", "year-month", "month-year", "mon-year", "year-mon", "era-month", "yyyymm", "quarter",
]  # fmt: skip

_WEEKDAY = r"(?:[A-Za-zÀ-ÿ]{2,10}\.?,?\s+)?"
_MONTH = r"(?P<mon>[A-Za-zÀ-ÿ]{3,10})"
_ZONE = r"(?P<zone>Z|z|UTC|GMT|JST|CET|CEST|MEZ|MESZ|[+-]\d{2}(?::?\d{2})?)?"
_FIRST = r"(?P<first>\d{1,2})[-/.](?P<second>\d{1,2})[-/.](?P<third>\d{4}|\d{2})"
_CLOCK = (
    r"(?:(?:[T\s.,:_-]|\([日月火水木金土]\)|日)*(?P<half>午前|午後|[AaPp][Mm])?\s*(?P<hour>\d{1,2})"
    r"\s*(?:[:.時hH]\s*(?P<minute>\d{1,2})"
    r"(?:\s*[:.分]\s*(?P<second_of>\d{1,2})(?:[.,:](?P<fraction>\d{1,9})\d*)?)?\s*[分秒]?|時)(?:\s*Uhr)?"
    rf"\s*(?P<meridiem>[AaPp](?:\.?\s?[Mm]\.?)?)?\s*{_ZONE})"
)
PATTERNS: dict[str, str] = {
    "year first": rf"^\s*(?P<y>\d{{4}})\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*"
    rf"(?P<d>\d{{1,2}})日?(?:{_CLOCK}|[T\s]+(?P<lone_hour>\d{{1,2}}))?\s*$",
    "era": rf"^\s*(?P<era>令和|平成|昭和|大正|明治|[RHSTMrhstm])\.?\s*(?P<y>\d{{1,2}}|元)\s*[-/.年]\s*"
    rf"(?P<m>\d{{1,2}})\s*[-/.月]\s*(?P<d>\d{{1,2}})日?{_CLOCK}?\s*$",
    # Years of this and the last century only: ten digits may be an epoch as well.
    "compact": (
        r"^\s*(?P<y>19\d{2}|20\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:[T\s:_-]?(?P<hour>\d{2})(?::?(?P<minute>\d{2})"
        r"(?::?(?P<second_of>\d{2})(?:[.,]?(?P<fraction>\d{1,9}))?)?)?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?\s*$"
    ),
    # Years of the Republic of China; with two digits they are those of any other calendar.
    "roc": rf"^\s*(?:民國|民国)?\s*(?P<y>1\d{{2}})\s*[-/.年]\s*(?P<m>\d{{1,2}})\s*[-/.月]\s*"
    rf"(?P<d>\d{{1,2}})日?{_CLOCK}?\s*$",
    "d-mon-y": rf"^\s*{_WEEKDAY}(?P<d>\d{{1,2}})\.?[-/. ]?{_MONTH}\.?[-/., ]+(?P<y>\d{{4}}|\d{{2}}){_CLOCK}?\s*$",
    "mon-d-y": rf"^\s*{_WEEKDAY}{_MONTH}\.?[-/. ]+(?P<d>\d{{1,2}}),?[-/. ]+(?P<y>\d{{4}}){_CLOCK}?\s*$",
    "ctime": rf"^\s*[A-Za-zÀ-ÿ]{{2,10}}\s+{_MONTH}\s+(?P<d>\d{{1,2}})\s+(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})"
    rf":(?P<second_of>\d{{2}})\s+{_ZONE}\s*(?P<y>\d{{4}})\s*$",
    "short": r"^\s*(?P<y>\d{2})(?P<m>\d{2})(?P<d>\d{2})[T\s_-]?(?P<hour>\d{2}):?(?P<minute>\d{2})"
    r":?(?P<second_of>\d{2})\s*$",
    "time of day": rf"^\s*{_CLOCK}\s*$",
    "hour range": r"^\s*(?P<hour>\d{1,2})\s*[-–~]\s*\d{1,2}\s*$",
    # Months and quarters without a day: read as their first day.
    "year-month": r"^\s*(?P<y>\d{4})\s*(?:[-/年]|[Mm])\s*(?P<m>\d{1,2})\s*(?:月[分中度]?)?\s*$",
    "month-year": r"^\s*(?P<m>\d{1,2})\s*[-/]\s*(?P<y>\d{4})\s*$",
    "mon-year": rf"^\s*{_MONTH}\.?[-/., ']+(?P<y>\d{{4}}|\d{{2}})\s*$",
    "year-mon": rf"^\s*(?P<y>\d{{4}})[-/., ]*{_MONTH}\.?\s*$",
    "era-month": r"^\s*(?P<era>令和|平成|昭和|大正|明治|[RHSTMrhstm])\.?\s*(?P<y>\d{1,2}|元)\s*[-/.年]\s*"
    r"(?P<m>\d{1,2})\s*(?:月[分中度]?)?\s*$",
    "yyyymm": r"^\s*(?P<y>19\d{2}|20\d{2})(?P<m>0[1-9]|1[0-2])\s*$",
    "quarter": r"^\s*(?P<y>\d{4})\s*[-/年 ]?\s*(?:第|[Qq])\s*(?P<q>[1-4])\s*(?:四半期)?\s*$",
}
for _order, _fields in {"ymd": "ymd", "dmy": "dmy", "mdy": "mdy"}.items():
    _places = dict(zip(("first", "second", "third"), _fields, strict=True))
    _pattern = _FIRST if _order != "ymd" else _FIRST.replace(r"\d{4}|\d{2}", r"\d{1,2}")
    for _place, _field in _places.items():
        _pattern = _pattern.replace(f"?P<{_place}>", f"?P<{_field}>")
    PATTERNS[_order] = rf"^\s*{_pattern}(?:{_CLOCK}|[T\s]+(?P<lone_hour>\d{{1,2}}))?\s*$"

CLOCKLIKE = r"[:時]|^\s*\d{1,2}(\.\d{2}\.|[hH])\d{2}"
YEARS: dict[DateOrder, tuple[int, int]] = {"compact": (1900, 2100), "roc": (100, 200)}
_LABELS = {
    "year first": "YYYY-MM-DD",
    "era": "Japanese era",
    "roc": "Minguo",
    "compact": "YYYYMMDD",
    "short": "YYMMDD",
    "ctime": "Day Mon DD hh:mm:ss YYYY",
    "d-mon-y": "DD Mon YYYY",
    "mon-d-y": "Mon DD YYYY",
    "dmy": "DD/MM/YYYY",
    "mdy": "MM/DD/YYYY",
    "ymd": "YY/MM/DD",
    "time of day": "hh:mm",
    "hour range": "hh - hh",
    "year-month": "YYYY-MM",
    "month-year": "MM/YYYY",
    "mon-year": "Mon YYYY",
    "year-mon": "YYYY Mon",
    "era-month": "Japanese era, month",
    "yyyymm": "YYYYMM",
    "quarter": "YYYY Qn",
}
MONTHLY: frozenset[DateOrder] = frozenset(
    {"year-month", "month-year", "mon-year", "year-mon", "era-month", "yyyymm", "quarter"}
)
_DATE_MARKS = re.compile(r"\s*\d+\s*([-/.年])\s*\d+\s*([-/.月])\s*\d+(日?)")


@dataclass(frozen=True, slots=True)
class TimeForm:
    """How the texts of one column are read."""

    order: DateOrder
    aware: bool  # texts carry an offset or Z
    clocked: bool  # texts carry a time of day

    def label(self, example: str = "") -> str:
        """The form as shown to people, with the marks between the numbers of a date as in the example."""
        date = _LABELS[self.order]
        marks = _DATE_MARKS.match(normalize("NFKC", example))
        if marks and self.order in {"year first", "ymd", "dmy", "mdy"}:
            date = "".join(chain(*zip(re.findall("[A-Z]+", date), marks.groups(), strict=True)))
        clock = " hh:mm:ss" if self.clocked and self.order not in {"time of day", "ctime"} else ""
        return date + clock + (" with offset" if self.aware else "")
