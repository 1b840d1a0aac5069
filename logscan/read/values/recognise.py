"""What a cell of a sample looks like: a number, a time or a word. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from logscan.read.values.time_formats import SEEN

Rows = list[tuple[int, list[str]]]  # (line number after the row, 1-based; its cells)

_VALUE = re.compile(
    r"[+-]?\s*[\d,.]*\d[\d,.]*([eE][+-]?\d+)?\s*[%％]?|[+-]?inf|nan|[+-]?\d{1,3}([ \u00a0\u202f'’]\d{3})+([.,]\d+)?",
    re.IGNORECASE,
)
_MOMENT = re.compile(SEEN)
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
