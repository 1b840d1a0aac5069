"""The quality column of a historian or OPC server: which rows hold no trustworthy reading, detected on a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.read.values.numbers import as_text, numbers
from logscan.read.values.vocabulary import BAD_QUALITY_WORDS, GOOD_QUALITY_WORDS, QUALITY_COLUMN_NAME
from logscan.records import Bool

_GOOD_OPC = 192  # quality of OPC: 0 to 63 bad, 64 to 127 uncertain, 192 and more good
_MOST_OPC = 255
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class QualityColumn:
    """A column that tells whether the readings of a row can be trusted.

    Attributes:
        column: its name.
        channels: the columns that it speaks of; None: all.
        by_code: it holds quality codes of OPC, else words.
    """

    column: str
    channels: tuple[str, ...] | None
    by_code: bool

    def speaks_of(self, channel: str) -> bool:
        """Whether it tells of the readings of a column."""
        return self.channels is None or channel in self.channels

    def bad(self, cells: Any) -> Bool:
        """(rows,) bool: the rows whose readings are not good; an empty cell says nothing."""
        if self.by_code:
            codes = numbers(cells, ".").cells
            return np.isfinite(codes) & (codes < _GOOD_OPC)
        folded = pc.utf8_lower(pc.utf8_trim_whitespace(as_text(cells)))
        words = pa.array(sorted({*GOOD_QUALITY_WORDS, ""}))
        good = pc.is_in(folded, value_set=words).to_numpy(zero_copy_only=False)
        return ~np.asarray(good, dtype=np.bool_)


def found_quality_columns(
    table: Any, free: Sequence[str], numeric: Sequence[str]
) -> tuple[QualityColumn, ...]:
    """The quality columns among the free ones, those of one channel and those of the whole row.

    Args:
        table: Arrow table with plain columns.
        free: columns that have no other role.
        numeric: columns that hold readings.
    """
    found = []
    for name in free:
        if not QUALITY_COLUMN_NAME.search(name.strip()):
            continue
        by_code = _holds_codes(table[name].combine_chunks())
        if by_code is None:
            continue
        beside = tuple(channel for channel in numeric if channel != name and name.startswith(channel))
        found.append(QualityColumn(name, beside or None, by_code))
    return tuple(found)


def _holds_codes(column: Any) -> bool | None:
    """Whether a column holds codes of OPC (true) or words of quality (false); None where it holds neither."""
    words = {str(word).strip().casefold() for word in pc.unique(as_text(column)).drop_null().to_pylist()} - {
        ""
    }
    if not words or len(words) > _MOST_WORDS:
        return None
    if words <= GOOD_QUALITY_WORDS | BAD_QUALITY_WORDS:
        return False if words & GOOD_QUALITY_WORDS else None
    codes = numbers(column, ".").cells
    known = codes[np.isfinite(codes)]
    whole = len(known) == len(codes) and bool((known % 1 == 0).all())
    opc = whole and known.min() >= 0 and known.max() <= _MOST_OPC and (known >= _GOOD_OPC).mean() >= 0.5
    return True if opc else None
