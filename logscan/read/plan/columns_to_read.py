"""Which columns are read once the plan is known, and which of them may be converted at once."""

from __future__ import annotations

import pyarrow as pa

from logscan.read.formats.table import ColumnsToRead
from logscan.read.plan.columns import Plan
from logscan.read.plan.time_plan import TimePlan
from logscan.records import LogKind


def columns_to_read(plan: Plan, decimal: str) -> ColumnsToRead | None:
    """What a plan reads of a file; None where it needs all columns as text, as events are compared row by row.

    Args:
        plan: of the log.
        decimal: the decimal mark of the file's numbers.
    """
    if plan.kind is not LogKind.SAMPLES:
        return None
    compared = {*plan.entity, *plan.distinct}
    compared |= {plan.split.column} if plan.split is not None else set()
    compared |= {plan.status.column} if plan.status is not None else set()
    types = dict.fromkeys(plan.numeric, pa.float64()) | _time_types(plan.time)
    kept = {name: kind for name, kind in types.items() if name not in compared}
    return ColumnsToRead(plan.columns, kept, decimal)


def _time_types(time: TimePlan) -> dict[str, pa.DataType]:
    """The type of a column of dates that pyarrow reads by the same rules as `text_times` tries first."""
    if time.form is None or time.form.order != "year first" or time.unit_ns or time.roles or not time.columns:
        return {}
    return {time.columns[0]: pa.timestamp("ns", tz="UTC" if time.form.aware else None)}
