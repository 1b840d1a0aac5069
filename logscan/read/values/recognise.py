"""What a single cell of a sample looks like: a number, a time, or a word. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

Rows = list[tuple[int, list[str]]]  # (line number after the row, 1-based; its cells)

_VALUE = re.compile(
    r"[+-]?\s*[\d,.]*\d[\d,.]*([eE][+-]?\d+)?\s*[%％]?|[+-]?inf|nan|[+-]?\d{1,3}([ \u00a0\u202f'’]\d{3})+([.,]\d+)?",
    re.IGNORECASE,
)
_ERA = r"(?:令和|平成|昭和|大正|明治|[RHSTM])\s*(?:\d{1,2}|元)"
_MOMENT = re.compile(
    r"\d{1,4}[-/.年]\d{1,2}([-/.月]\d{1,4})?\b[^,;|\t]*|\d{1,2}[:時]\d{2}[^,;|\t]*"
    r"|\d{1,2}[- ][^\W\d_]{3,9}\.?[- ,]+\d{2,4}[^;|\t]*|(?:19|20)\d{6}[T :_-]?\d*"
    r"|\d{1,2} \d{1,2} (?:19|20)\d{2}\b[^,;|\t]*|[^\W\d_]{3,9}\.?[-/ ](?:19|20)\d{2}"
    rf"|{_ERA}[-/.年]\d{{1,2}}[-/.月]\d{{1,2}}[^,;|\t]*|\d{{4}}年\d{{1,2}}月[^,;|\t]*"
)
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_WIDE = str.maketrans("０１２３４５６７８９．，：／－＋％　", "0123456789.,:/-+% ")


@lru_cache(maxsize=1 << 13)  # a sample is looked at from several sides
def is_value(cell: str) -> bool:
    """Whether a cell holds a number or a time."""
    text = (cell if cell.isascii() else cell.translate(_WIDE)).strip()
    return bool(_VALUE.fullmatch(text) or _MOMENT.fullmatch(text))


@lru_cache(maxsize=1 << 13)
def is_moment(cell: str) -> bool:
    """Whether a cell holds a time that is no plain number."""
    text = (cell if cell.isascii() else cell.translate(_WIDE)).strip()
    return bool(_MOMENT.fullmatch(text)) and not _NUMBER.fullmatch(text)
