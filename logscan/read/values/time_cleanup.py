"""Times as written, normalised before parsing: full-width digits, weekdays, brackets, intervals."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_WIDE = "[０-９：／．－\u3000㋿㍻㍼㍽㍾]"
# The day of the week behind a date: `(火)`, `（火・祝）`, `火曜日`, `(Tue)`, `周二`, `(화)`.
_DAY_NAME = (
    r"([-/.]\d{1,2}|[日일])\s*(?:[(（]\s*(?:[日月火水木金土](?:曜日?)?(?:[・･,]?\s*[祝休])?|[월화수목금토일]요?일?|[一二三四五六]"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}\.?)\s*[)）]|[日月火水木金土]曜日?|\s[日月火水木金土]|[월화수목금토일]요일"
    r"|(?:星期|周|週)[一二三四五六日天])"
)
# Chinese and Korean words for what the patterns know in Japanese.
_NEIGHBOURS = {
    "[时点點시]": "時",
    "분": "分",
    "초": "秒",
    "년": "年",
    "월": "月",
    "일": "日",
    "上午|오전": "午前",
    "下午|오후": "午後",
}
_END = r"(\d\s*[時分]?)(?:\s*[～〜~－]\s*|\s+[-–]\s+)\d.*$"  # of an interval, which is named by its beginning
_ISO_END = r"^(\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:[\d:.]+(?:Z|[+-]\d{2}:?\d{2})?)\s*/\s*\d.*$"
_SPACED = r"^\s*(\d{1,2}|\d{4}) (\d{1,2}) (\d{4}|\d{1,2})( \d{1,2}:|$)"  # parts of a date
_NOTED = r"(\d)\s*\((?:[A-Z]{2,4}T|UTC|[A-Z]{2,4}T/[A-Z]{2,4}T)\)"  # zones that are told beside the time
_BARE_CLOCK = r"^\s*(\d{2})(\d{2})\s*(?:UTC|GMT|Z|h|hrs?|Uhr)\s*$"
_BRACKETED = (
    r"^\s*[\['\"]+\s*(\d.*?)\s*[\]'\"]*\s*$"  # and an apostrophe that makes it text for a spreadsheet
)
_DASHED = r"^(\d{4}-\d{2}-\d{2})[_ T](\d{2})-(\d{2})-(\d{2})"


@lru_cache(maxsize=256)
def is_usual(text: str) -> bool:
    """Whether a text is written as the patterns expect it."""
    return bool(usual(pa.array([text]))[0].as_py() == text)


def usual(column: Any) -> Any:
    """Texts as the patterns expect them.

    Full-width digits and signs in their usual width, Chinese and Korean words as Japanese ones, no day of the week
    behind the date, no end of an interval, no brackets around them, `31 01 2024` with slashes, and
    `2024-01-31_10-20-30` with colons.
    """
    plain = pc.all(pc.string_is_ascii(column), skip_nulls=True).as_py()
    if not plain and pc.any(pc.match_substring_regex(column, _WIDE)).as_py():
        column = pc.call_function("utf8_normalize", [column], pc.Utf8NormalizeOptions("NFKC"))
    if not plain or pc.any(pc.match_substring(column, "(")).as_py():
        column = _replaced(_replaced(column, _DAY_NAME, r"\1"), _NOTED, r"\1")
    for words, word in {} if plain else _NEIGHBOURS.items():
        column = _replaced(column, words, word)
    if not plain or pc.any(pc.match_substring(column, " - ")).as_py():
        column = _replaced(column, _END, r"\1")
    column = _replaced(column, _BRACKETED, r"\1")
    if pc.any(pc.match_substring(column, "/")).as_py():
        column = _replaced(column, _ISO_END, r"\1")
    column = _replaced(column, _BARE_CLOCK, r"\1:\2")
    column = _replaced(column, _SPACED, r"\1/\2/\3\4")
    return _replaced(column, _DASHED, r"\1 \2:\3:\4")


def _replaced(column: Any, pattern: str, by: str) -> Any:
    """Texts with what a pattern finds replaced; the same object where it finds nothing."""
    if not pc.any(pc.match_substring_regex(column, pattern)).as_py():
        return column
    return pc.replace_substring_regex(column, pattern, by)
