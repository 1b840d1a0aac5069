"""Machines told apart by their files: `--entity folder` and `--entity file`, and the question where nobody said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from logscan.errors import InputError, LogscanError
from logscan.read.files.inputs import Source
from logscan.read.plan.columns import Plan
from logscan.records import Log, LogKind, TimeKind

FOLDER, FILE = "folder", "file"
_MANY = 0.2  # of the rows share their time with another one: worth a look
_PAIRS = 3  # of files that are compared
_FEWEST_SHARED = 5  # times
_DIFFERENT = 0.5  # of the readings at shared times differ


def with_file_entities(sources: Sequence[Source], entity: Sequence[str]) -> tuple[Source, ...]:
    """The sources with their folder or file as a column, where the user names it as the entity."""
    asked = [key for key in (FOLDER, FILE) if key in entity]
    if not asked:
        return tuple(sources)
    return tuple(
        replace(one, partitions=(*one.partitions, *((key, _key(one, key)) for key in asked)))
        for one in sources
    )


def _key(source: Source, key: str) -> str | None:
    if source.path is None:
        return None
    name = source.member.rpartition("/")[2] if source.member is not None else source.path.name
    return source.path.parent.name if key == FOLDER else name.split(".", 1)[0]


def refuse_machines_in_files(
    sources: Sequence[Source], plan: Plan, duplicates: int, rows: int, read: Callable[[Source], Log]
) -> None:
    """Refuse files that hold different readings at the same times, which would be averaged.

    Args:
        sources: all files of the log.
        plan: of the log.
        duplicates: rows that share their time with another one.
        rows: used.
        read: reads one file alone, by the same settings.

    Raises:
        InputError: two files look like two machines.
    """
    alone = plan.kind is LogKind.SAMPLES and plan.time.kind is not TimeKind.ROW and not plan.entity
    if not alone or len(sources) < 2 or duplicates < _MANY * rows:
        return
    first = sources[0]
    elsewhere = [
        one for one in sources[1:] if one.path and first.path and one.path.parent != first.path.parent
    ]
    for other in islice(dict.fromkeys([*elsewhere[:1], *sources[1:]]), _PAIRS):
        try:
            differ = _differ(read(first), read(other))
        except LogscanError:
            continue
        if differ:
            key = FOLDER if other in elsewhere else FILE
            fact = f"it and {other.name} hold different readings at the same times, as two machines do"
            remedy = f"pass --entity {key} to read one series each, or --entity none to average them"
            raise InputError(first.name, fact, remedy)


def _differ(one: Log, other: Log) -> bool:
    """Whether two logs share times and read differently there."""
    mine, theirs = one.series[0], other.series[0]
    if mine.row_times is None or theirs.row_times is None or mine.channels != theirs.channels:
        return False
    shared = np.intersect1d(np.asarray(mine.row_times), np.asarray(theirs.row_times))
    if len(shared) < _FEWEST_SHARED:
        return False
    left, right = (
        series.values[np.clip(series.grid.index(shared), 0, series.grid.steps - 1)]
        for series in (mine, theirs)
    )
    known = np.isfinite(left) & np.isfinite(right)
    return bool(known.any() and (left[known] != right[known]).mean() > _DIFFERENT)
