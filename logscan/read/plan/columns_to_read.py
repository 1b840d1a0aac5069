"""Which columns of a CSV are read once the plan is known, and which of them pyarrow may convert at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from logscan.read.formats.csv.dialect import Dialect
from logscan.read.formats.csv.needless import header_column
from logscan.read.plan.columns import Plan
from logscan.read.plan.time_plan import TimePlan


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is read.

    Attributes:
        names: the columns, in the order of the file.
        types: column -> Arrow type that pyarrow's CSV reader may convert its cells to. It takes no cell that
            logscan's own rules read otherwise: cells that it does not take make the whole block text.
        decimal: the decimal mark.
    """

    names: tuple[str, ...]
    types: Mapping[str, Any]
    decimal: str

    def without_types(self, names: Collection[str]) -> Wanted:
        """The same, with some columns as text."""
        return replace(self, types={name: kind for name, kind in self.types.items() if name not in names})


def wanted_columns(plan: Plan, dialect: Dialect, decimal: str) -> Wanted:
    """What a plan reads of a CSV.

    Args:
        plan: of a log of samples.
        dialect: of the CSV.
        decimal: the decimal mark of its numbers.
    """
    others = {*plan.entity, *plan.distinct}
    others |= {plan.split.column} if plan.split is not None else set()
    others |= {plan.status.column} if plan.status is not None else set()
    types = dict.fromkeys(plan.numeric, pa.float64()) | _time_types(plan.time)
    # Empty rows and repeated headers are told by these two.
    first = header_column(dialect.written[: len(dialect.names)])
    beside = {dialect.names[0], *([] if first is None else [dialect.names[first]])}
    if first is not None and _converts(dialect.written[first], types.get(dialect.names[first])):
        others.add(dialect.names[first])
    names = tuple(name for name in dialect.names if name in {*plan.columns, *beside})
    kept = {name: kind for name, kind in types.items() if name in names and name not in others}
    return Wanted(names, kept, decimal)


def _time_types(time: TimePlan) -> dict[str, Any]:
    """The type of a column of dates that pyarrow reads by the same rules as `text_times` tries first."""
    if time.form is None or time.form.order != "year first" or time.unit_ns or time.roles or not time.columns:
        return {}
    return {time.columns[0]: pa.timestamp("ns", tz="UTC" if time.form.aware else None)}


def _converts(cell: str, kind: Any) -> bool:
    if kind is None:
        return False
    try:
        pa.array([cell.strip()]).cast(kind)
    except pa.ArrowInvalid:
        return False
    return True
