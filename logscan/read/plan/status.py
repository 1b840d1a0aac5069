"""The status column of a machine: which column it is, and which of its values mean a stop."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from logscan.errors import UsageError
from logscan.nearest_name import require_columns
from logscan.read.values.numbers import as_text, is_text, numbers
from logscan.read.values.vocabulary import (
    RUNNING_WORDS,
    STATUS_NAME,
    STOPPED_WORDS,
    WEAK_RUNNING_WORDS,
)
from logscan.records import F64

_COMPARISON = re.compile(r"(>=|<=|!=|>|<)\s*(.+)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "!=": operator.ne,
}
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Status:
    """A column that tells when the machine stands."""

    column: str
    running: tuple[str, ...]  # values and conditions; empty: the known words

    @property
    def measured(self) -> bool:
        """Whether the column is a measurement that is compared, and so stays a channel."""
        return any(_COMPARISON.fullmatch(text.strip()) for text in self.running)

    def stopped(self, cells: Any) -> F64:
        """(rows,) 1 in a stop, 0 while running, NaN where an Arrow column is empty."""
        encoded = as_text(cells).dictionary_encode()
        words = [word.strip() for word in encoded.dictionary.to_pylist()]
        table = np.array([*(self._stops(word) for word in words), np.nan])
        found: F64 = table[encoded.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)]
        return found

    def _stops(self, word: str) -> float:
        if not word:
            return np.nan
        if not self.running:
            return float(word.casefold() in STOPPED_WORDS)
        return float(not any(_holds(condition.strip(), word) for condition in self.running))


def _holds(condition: str, word: str) -> bool:
    """Whether a value is the one that is named, or fulfils the comparison."""
    value = _number(word)
    compared = _COMPARISON.fullmatch(condition)
    if compared is not None:
        return bool(np.isfinite(value) and _COMPARE[compared[1]](value, _number(compared[2])))
    return word.casefold() == condition.casefold() or value == _number(condition)


def _number(text: str) -> float:
    """A cell as a number, NaN if it is none."""
    return float(numbers(pa.array([text]), ".").cells[0])


def found_status(
    table: Any, free: Sequence[str], named: str | None, running: tuple[str, ...]
) -> Status | None:
    """The status column of a sample: the one that is named, or a text column of known words.

    Args:
        table: Arrow table with plain columns.
        free: columns that have no other role.
        named: the column that the user set.
        running: values and conditions that the user set.

    Raises:
        UsageError: no such column, or values that are no known words without `--running`.
    """
    if named is None:
        if running:
            raise UsageError("--running", "given without a column", "name the status column with --status")
        return next((Status(name, ()) for name in free if _speaks(name, table[name])), None)
    require_columns("--status", [named], table.column_names)
    for condition in running:
        compared = _COMPARISON.fullmatch(condition.strip())
        if compared is not None and not np.isfinite(_number(compared[2])):
            raise UsageError(f"--running {condition}", f"'{compared[2]}' is not a number", "write it like >0")
    if not running:
        words = _words(table[named])
        if not words & RUNNING_WORDS:
            listed = ", ".join(f"'{word}'" for word in sorted(words)[:_SHOWN]) or "no value"
            fact = f"its values ({listed}{', ...' if len(words) > _SHOWN else ''}) do not tell when the machine runs"
            raise UsageError(f"--status {named}", fact, "say which do with --running, such as --running '>0'")
    return Status(named, running)


def _speaks(name: str, column: Any) -> bool:
    """Whether a column is called a status and holds nothing but known words, one of a machine that runs."""
    if not STATUS_NAME.fullmatch(name.strip()) or not is_text(column.type):
        return False
    words = _words(column)
    return bool(words & (RUNNING_WORDS - WEAK_RUNNING_WORDS)) and words <= RUNNING_WORDS | STOPPED_WORDS


def _words(column: Any) -> set[str]:
    """The different values of a column of a sample, folded."""
    texts = as_text(column.combine_chunks()).dictionary_encode().dictionary.to_pylist()
    return {text.strip().casefold() for text in texts if text and text.strip()}
