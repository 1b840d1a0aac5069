"""The sample: the first rows of a log, as many as the plan needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from logscan.errors import InputError
from logscan.read.formats.table import TableReader
from logscan.read.plan.columns import Plan, found_plan
from logscan.read.plan.settings import ColumnSettings, TimeSettings
from logscan.read.plan.time_column import AmbiguousDatesError, found_time

SAMPLE_ROWS = 50_000
_LONGEST_SAMPLE_BYTES = 64 << 20

Positioned = tuple[Any, int | None]  # a batch, and how far its file was read for it, in bytes


def sampled_plan(
    table: TableReader, time: TimeSettings, columns: ColumnSettings, machines: Sequence[str]
) -> tuple[Plan, Any, list[Positioned]]:
    """The plan, the sample that it is made from, and all batches taken for it.

    More rows are taken while day and month cannot be told apart.

    Args:
        table: the first file, of which nothing has been read.
        time: what the user set about the time.
        columns: what the user set about the other columns.
        machines: columns made of folder names that name machines.

    Raises:
        InputError: no rows, a time that does not parse, no numeric channel.
        UsageError: an option that names nothing or contradicts another.
    """
    place = table.source.name
    batches: list[Positioned] = []
    wanted = SAMPLE_ROWS
    while True:
        exhausted = _grow(batches, table, wanted)
        if not batches:
            raise InputError(
                place, "there is a header line but no rows of data", "pass a file with rows of data"
            )
        # A fixed number of rows, so that the plan does not depend on how the file comes in batches.
        sample = pa.Table.from_batches([batch for batch, _ in batches]).slice(0, wanted)
        try:
            found = found_time(sample, time, place)
            break
        except AmbiguousDatesError:
            if exhausted or sample.nbytes > _LONGEST_SAMPLE_BYTES:
                raise
            wanted *= 4
    return (
        found_plan(sample, found, columns, folders=table.found.partitions, machines=machines, place=place),
        sample,
        batches,
    )


def _grow(batches: list[Positioned], table: TableReader, wanted: int) -> bool:
    """Take batches until there are `wanted` rows; true when there are no more."""
    have = sum(batch.num_rows for batch, _ in batches)
    while have < wanted:
        batch = next(table.batches(), None)
        if batch is None:
            return True
        if batch.num_rows:
            batches.append((batch, table.position))
            have += batch.num_rows
    return False
