"""Label files: a CSV of start,end (and entity), as intervals on times and steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from logscan.errors import InputError
from logscan.records import I64, Bool, TimeGrid, TimeKind
from logscan.time_text import parse_time


@dataclass(frozen=True, slots=True)
class Label:
    """One labelled interval, half-open, in grid integers."""

    entity: str | None  # None: holds for every entity
    start: int
    end: int
    name: str


def read_labels(path: Path, kind: TimeKind, timezone: str | None) -> tuple[Label, ...]:
    """The intervals of a CSV with columns start and end, and optionally entity and name.

    Raises:
        InputError: the file is missing or has no such columns, or an interval ends before it starts.
        UsageError: a time in it cannot be read.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(str(path), "no such label file", "check --labels") from error
    except (OSError, ValueError) as error:
        raise InputError(str(path), "the label file is not a CSV", "give columns start,end") from error
    missing = [name for name in ("start", "end") if name not in table.columns]
    if missing:
        raise InputError(str(path), f"no column '{missing[0]}'", "a label file has columns start,end")
    labels = []
    for number, row in enumerate(table.to_dict("records"), start=2):
        place = f"{path}:{number}"
        start = parse_time(str(row["start"]), kind, timezone, place)
        end = parse_time(str(row["end"]), kind, timezone, place)
        if end <= start:
            raise InputError(place, f"the interval ends at {row['end']}, not after its start", "swap them")
        entity = str(row["entity"]) if row.get("entity") else None
        labels.append(Label(entity=entity, start=start, end=end, name=str(row.get("name", ""))))
    return tuple(labels)


def labelled_steps(labels: tuple[Label, ...], entity: str, grid: TimeGrid) -> Bool:
    """(steps,) bool: the steps whose time lies in a label of that entity."""
    return labelled_times(labels, entity, grid.times())


def labelled_times(labels: tuple[Label, ...], entity: str, times: I64) -> Bool:
    """(n,) bool: the times that lie in a label of that entity."""
    inside = np.zeros(len(times), dtype=np.bool_)
    for label in labels:
        if label.entity is None or label.entity == entity:
            inside |= (times >= label.start) & (times < label.end)
    return inside
