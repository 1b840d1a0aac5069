"""Numbers, times and durations in the language of the reader. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from logscan.messages.template import MINUS, Lang, count
from logscan.records import TimeKind
from logscan.time_units import DAY_NS, DAY_SECONDS, HOUR_SECONDS, MINUTE_NS, SECOND_NS

NONE = "–"  # stands where there is no value

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {  # (seconds, English, Japanese); Japanese takes no space before the unit
    "d": (DAY_SECONDS, " d", "日"),
    "h": (HOUR_SECONDS, " h", "時間"),
    "min": (60, " min", "分"),
    "s": (1, " s", "秒"),
}
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def zone(name: str | None) -> tzinfo:
    """The time zone called `name`: IANA, `UTC` or a fixed offset such as `+09:00`; UTC where unknown."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        try:
            offset = datetime.strptime(name.removeprefix("UTC"), "%z").utcoffset()
        except ValueError:
            return UTC
        return timezone(offset or timedelta())


def number(value: float | None, digits: int = 3) -> str:
    """`value` with about `digits` significant digits, never fewer than its integer part."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    return _fixed(value, _decimals(value, digits))


def comparison(observed: float | None, expected: float | None) -> tuple[str, str, str]:
    """Observed, expected and their signed difference, with decimals enough to see how far they lie apart."""
    known = [value for value in (observed, expected) if value is not None and math.isfinite(value)]
    if observed is None or expected is None or len(known) < 2:
        return number(observed), number(expected), NONE
    largest = max(abs(value) for value in known)
    difference = observed - expected
    if min(abs(value) for value in known) < 0.1 * largest:
        decimals = _decimals(largest, 3)
        third = _fixed(difference, decimals)
        return number(observed), number(expected), f"+{third}" if difference > 0 else third
    # Decimals follow the difference, between three and five significant digits of the values themselves.
    wanted = _decimals(difference, 1) if difference else 0
    decimals = min(max(wanted, _decimals(largest, 3)), _decimals(largest, 5)) if largest else 0
    first, second, third = (_fixed(value, decimals) for value in (observed, expected, difference))
    return first, second, f"+{third}" if difference > 0 and third != "0" else third


def percent(fraction: float | None, lang: Lang) -> str:
    """A share; what is not quite nothing or not quite all never reads as 0 % or 100 %."""
    if fraction is None or not math.isfinite(fraction):
        return NONE
    value = 100 * fraction
    if value in {0, 100}:
        return f"{value:.0f}%"
    if 0 < value < 0.1:
        return "<0.1%" if lang == "en" else "0.1%未満"
    if 99.9 < value < 100:
        return ">99.9%" if lang == "en" else "99.9%超"
    return f"{value:.1f}%" if value < 10 or value > 90 else f"{value:.0f}%"


def size(byte_count: int) -> str:
    """Memory in MB or GB (decimal)."""
    if byte_count >= 1_000_000_000:
        return f"{byte_count / 1e9:.1f} GB"
    return f"{byte_count / 1e6:,.0f} MB"


def _decimals(value: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def _fixed(value: float, decimals: int) -> str:
    if value != 0 and (abs(value) >= 1e9 or abs(value) < 1e-5):
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}".replace("-", MINUS)
    text = f"{value:,.{min(decimals, 9)}f}"
    return text.replace("-", MINUS) if text.strip("-0.") else "0"


@dataclass(frozen=True, slots=True)
class Clock:
    """Writes the grid's integers as times.

    `step` is the grid step in the grid's own units (ns or integers); it sets how fine a time is written.
    """

    lang: Lang
    kind: TimeKind
    timezone: str | None
    step: int

    @property
    def dated(self) -> bool:
        """Whether the grid counts time, not steps."""
        return self.kind is TimeKind.TIMESTAMP

    def moment(self, time: int) -> str:
        """One point in time, such as `12 Jun 2026, 04:10` or `2026/06/12 04:10`."""
        if not self.dated:
            return count(time)
        when = self._local(time)
        day = f"{when.day} {_MONTHS[when.month - 1]} {when.year}" if self.lang == "en" else f"{when:%Y/%m/%d}"
        clock = self._clock(when, time)
        joint = ", " if self.lang == "en" else " "
        return f"{day}{joint}{clock}" if clock else day

    def long(self, time: int) -> str:
        """The same for running text: Japanese writes 年月日 there."""
        if self.lang == "en" or not self.dated:
            return self.moment(time)
        when = self._local(time)
        return f"{when.year}年{when.month}月{when.day}日 {self._clock(when, time)}".rstrip()

    def day(self, time: int) -> str:
        """The date alone; integer time has none and is written whole."""
        return Clock(self.lang, self.kind, self.timezone, DAY_NS).long(time)

    def span(self, start: int, end: int) -> str:
        """A period from `start` to `end`; the date is not repeated within one day."""
        dash = "–" if self.lang == "en" else "～"
        if self.dated:
            first, last = self._local(start), self._local(end)
            clock = self._clock(last, end)
            if clock and first.date() == last.date():
                return f"{self.moment(start)}{dash}{clock}"
            dash = self.dash
        return f"{self.moment(start)}{dash}{self.moment(end)}"

    @property
    def dash(self) -> str:
        """What stands between two ends that hold blanks themselves."""
        return " – " if self.lang == "en" else " ～ "

    def tick(self, wall_seconds: int, style: str) -> str:
        """An axis label for wall-clock seconds since 1970; `style` is month, day, minute or second."""
        when = datetime.fromtimestamp(0, UTC) + timedelta(seconds=wall_seconds)
        midnight = wall_seconds % DAY_SECONDS == 0
        if style == "month":
            return (
                f"{_MONTHS[when.month - 1]} {when.year}"
                if self.lang == "en"
                else f"{when.year}年{when.month}月"
            )
        if style == "day" or midnight:
            return (
                f"{when.day} {_MONTHS[when.month - 1]}" if self.lang == "en" else f"{when.month}/{when.day}"
            )
        return f"{when:%H:%M}" if style == "minute" else f"{when:%H:%M:%S}"

    def duration(self, length: int) -> str:
        """A length of time by its two largest units, or a number of steps."""
        if not self.dated:
            if self.lang == "ja":
                return f"{count(length)}ステップ"
            return f"{count(length)} step{'' if length == 1 else 's'}"
        return seconds(length / SECOND_NS, self.lang)

    def stamp(self, when: str) -> str:
        """An ISO 8601 text, to the minute, in the zone of the log; other texts as they stand."""
        if when.isdigit():  # an integer step; `fromisoformat` would take eight digits for a date
            return when
        try:
            parsed = datetime.fromisoformat(when)
        except ValueError:
            return when
        suffix = ""
        if parsed.tzinfo is not None:
            parsed = parsed.astimezone(zone(self.timezone))
            suffix = "" if self.timezone else " UTC"
        day = f"{parsed.day} {_MONTHS[parsed.month - 1]} {parsed.year},"
        return f"{day if self.lang == 'en' else f'{parsed:%Y/%m/%d}'} {parsed:%H:%M}{suffix}"

    def _local(self, time: int) -> datetime:
        whole, rest = divmod(time, SECOND_NS)
        when = datetime.fromtimestamp(0, UTC) + timedelta(seconds=whole, microseconds=rest // 1000)
        return when.astimezone(zone(self.timezone))

    def _clock(self, when: datetime, time: int) -> str:
        step = self.step or 1
        if step % (DAY_NS) == 0:
            return ""
        if step % MINUTE_NS == 0 and time % MINUTE_NS == 0:
            return f"{when:%H:%M}"
        if step % SECOND_NS == 0 and time % SECOND_NS == 0:
            return f"{when:%H:%M:%S}"
        return f"{when:%H:%M:%S}.{time % SECOND_NS // 1_000_000:03d}"


def seconds(length: float, lang: Lang) -> str:
    """A duration in seconds by its two largest units: `3 d 4 h`, `5 h 20 min`, `12.3 s`; `3日4時間`."""
    column = 1 if lang == "en" else 2
    if length < 60:
        digits = 2 if length < 10 else 1
        if 0 < length < 0.01:
            return "<0.01 s" if lang == "en" else "0.01秒未満"
        return f"{round(length, digits):g}{_UNITS['s'][column]}"
    rest = round(length)
    parts: list[str] = []
    for per, *names in _UNITS.values():
        whole, rest = divmod(rest, per)
        if whole:
            parts.append(f"{count(whole)}{names[column - 1]}")
        elif parts:
            break  # the two largest units stand side by side, or the smaller one is noise
        if len(parts) == 2:
            break
    return (" " if lang == "en" else "").join(parts)
