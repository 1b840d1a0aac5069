"""Aggregation as set by --aggregate: how several values of one step become one, per column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from logscan.errors import UsageError
from logscan.nearest_name import require_columns
from logscan.records import LogKind

READING_WAYS = ("mean", "last", "first", "min", "max", "sum", "count")
EVENT_WAYS = ("sum", "mean", "count", "distinct")


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What is asked for: how the columns become channels."""

    usual: str  # of columns that are not named
    named: dict[str, tuple[str, ...]]  # column -> its ways, in the order given

    def of(self, column: str) -> tuple[str, ...]:
        """The ways of one column; more than one gives as many channels."""
        return self.named.get(column, (self.usual,))

    def distinct(self) -> tuple[str, ...]:
        """The columns whose different values are counted."""
        return tuple(name for name, ways in self.named.items() if "distinct" in ways)


def aggregation(asked: Sequence[str], kind: LogKind, columns: Sequence[str]) -> Aggregation:
    """The aggregation of `--aggregate HOW` and `--aggregate COLUMN=HOW`.

    Args:
        asked: as given, each once or several times.
        kind: of the log; readings and events know different ways.
        columns: of the input, or the channels of a log in long format.

    Raises:
        UsageError: no such way for this kind of log, or no such column.
    """
    ways = READING_WAYS if kind is LogKind.SAMPLES else EVENT_WAYS
    usual = ways[0]
    named: dict[str, list[str]] = {}
    for text in asked:
        column, equals, how = text.rpartition("=")
        how, column = how.strip().casefold(), column.strip()
        if how not in ways:
            raise UsageError(
                f"--aggregate {text}",
                f"'{how}' is no way to aggregate {kind.value}",
                f"use {', '.join(ways)}",
            )
        if not equals:
            if how == "distinct":
                fact = "'distinct' needs a column"
                raise UsageError(f"--aggregate {text}", fact, "write it like --aggregate customer=distinct")
            usual = how
            continue
        if columns:
            require_columns("--aggregate", [column], columns)
        if kind is LogKind.SAMPLES and column in named:
            fact = f"'{column}' is given twice"
            raise UsageError(f"--aggregate {text}", fact, "a reading is aggregated in one way")
        named.setdefault(column, []).append(how)
    return Aggregation(usual, {name: tuple(dict.fromkeys(found)) for name, found in named.items()})
