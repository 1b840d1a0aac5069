"""Scores of the corpus: what a case of `tests/corpus` must be read as, and whether it is."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

import numpy as np

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from logscan.read.grid.step import step_from, step_words
from logscan.records import Log, Series, TimeKind
from logscan.time_text import parse_time, time_text
from logscan.time_units import MONTH_NS

ROOT = Path(__file__).parent
HALVES = ("a", "b")
EXPECTED = "expected.toml"
Result = Literal["right", "asked", "wrong"]


@dataclass(frozen=True, slots=True)
class Value:
    """One reading that must be found on the grid."""

    time: str
    channel: str
    value: float  # NaN: nothing was read there
    entity: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A log with what is right; a fact that is None is not asked for."""

    name: str  # half and folder
    files: tuple[Path, ...]
    title: str
    kind: str
    options: dict[str, Any]
    time_column: str | None = None
    first_time: str | None = None  # UTC where the log has a zone
    last_time: str | None = None
    step: str | None = None
    channels: tuple[str, ...] | None = None
    entities: tuple[str, ...] | None = None
    rows_used: int | None = None
    may_ask: bool = False
    open: str | None = None  # what goes wrong today
    values: tuple[Value, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Score:
    """How a case is read, and the first fact that differs or the question."""

    result: Result
    why: str = ""
    log: Log | None = None


def cases(half: str) -> list[Case]:
    """The cases of a half, in order of name."""
    return [case_in(folder) for folder in sorted((ROOT / half).iterdir()) if (folder / EXPECTED).exists()]


def case_in(folder: Path) -> Case:
    """The case in a folder."""
    told = tomllib.loads((folder / EXPECTED).read_text(encoding="utf-8"))
    values = tuple(Value(**value) for value in told.pop("value", []))
    lists = {key: tuple(told.pop(key)) for key in ("channels", "entities") if key in told}
    files = tuple(sorted(path for path in folder.iterdir() if path.name != EXPECTED))
    options = told.pop("options", {})
    return Case(
        name=f"{folder.parent.name}/{folder.name}",
        files=files,
        options=options,
        values=values,
        **lists,
        **told,
    )


def score(case: Case, files: Sequence[Path] | None = None) -> Score:
    """Read a case, or other files by what is right for it, and compare.

    Args:
        case: what is right.
        files: read in place of the case's own.
    """
    try:
        log = read_log(list(files or case.files), InputConfig(**case.options))
    except (InputError, UsageError) as error:
        if not names_an_option(error.remedy):
            return Score("wrong", f"refused without a remedy: {error}")
        return Score("asked", str(error)) if case.may_ask else Score("wrong", f"refused: {error}")
    difference = first_difference(case, log)
    return Score("wrong", difference, log) if difference else Score("right", log=log)


def names_an_option(remedy: str) -> bool:
    """Whether a remedy names an option of the input."""
    known = {f"--{name.replace('_', '-')}" for name in InputConfig.model_fields}
    return bool(known & set(re.findall(r"--[a-z][a-z-]*", remedy)))


def first_difference(case: Case, log: Log) -> str:
    """The first fact that differs, "" if none does."""
    schema = log.schema
    kind = schema.time_kind
    grids = [one.grid for one in log.series]
    first = min(grid.start for grid in grids)
    last = max(grid.start + grid.step * (grid.steps - 1) for grid in grids)
    entities = tuple(one.entity for one in log.series)
    for what, names, seen in (
        ("entities", case.entities, entities),
        ("channels", case.channels, schema.channels),
    ):
        if names is not None and not _same_names(names, seen):
            return f"{what}: {_short(seen)} instead of {_short(names)}"
    # A step is compared as a number: there are several ways to write it.
    integer = kind is not TimeKind.TIMESTAMP
    step = case.step if case.step is None or integer else step_words(step_from(case.step, kind), kind)
    facts: list[tuple[str, Any, Any]] = [
        ("kind", case.kind, str(schema.kind)),
        ("time column", case.time_column, schema.time_column),
        ("step", step, step_words(schema.step, kind)),
        ("first time", case.first_time, _time_found(case.first_time, first, log)),
        ("last time", case.last_time, _time_found(case.last_time, last, log)),
        ("rows used", case.rows_used, log.counts.rows_used),
    ]
    for what, right, found in facts:
        if right is not None and right != found:
            return f"{what}: {_short(found)} instead of {_short(right)}"
    return next((told for value in case.values if (told := _value_difference(value, log))), "")


def _time_found(right: str | None, found: int, log: Log) -> str:
    """A time of the grid as text: as it is written in the case where both are one. Months are mean months."""
    kind = log.schema.time_kind
    free = MONTH_NS // 2 if log.schema.step % MONTH_NS == 0 else 0
    if (
        right is not None
        and kind is TimeKind.TIMESTAMP
        and abs(parse_time(right, kind, None, "") - found) <= free
    ):
        return right
    return time_text(kind, found, None)


def _value_difference(value: Value, log: Log) -> str:
    """What is found in place of a reading, "" if the reading itself."""
    where = f"{value.channel} at {value.time}"
    series = next((one for one in log.series if one.entity == value.entity), None)
    if series is None or not _channel(series, value.channel):
        return f"{where}: no such channel in {_short(log.schema.channels)}"
    place = series.channels.index(_channel(series, value.channel))
    kind = series.grid.kind
    time = parse_time(value.time, kind, None, "") if kind is TimeKind.TIMESTAMP else int(value.time)
    index = int(series.grid.index(np.array([time], dtype=np.int64))[0])
    if not 0 <= index < series.grid.steps:
        return f"{where}: outside the log"
    found = float(series.values[index, place])
    near = np.isclose(found, value.value, rtol=1e-9, atol=1e-9, equal_nan=True)
    return "" if near else f"{where}: {found:g} instead of {value.value:g}"


def _channel(series: Series, name: str) -> str:
    """The channel of that name, "" if there is none."""
    return next((one for one in series.channels if same_name(one, name)), "")


def same_name(found: str, right: str) -> bool:
    """Whether names have the same letters and digits: marks between them and a unit joined behind are free."""
    return _letters(right) in {_letters(found), _letters(re.sub(r" \[[^\]]*\]$", "", found))}


def _letters(name: str) -> str:
    return "".join(mark for mark in normalize("NFKC", name) if mark.isalnum() or mark in "°%#") or name


def _same_names(right: Sequence[str], found: Sequence[str]) -> bool:
    """Whether every name is found once and there is no other."""
    return len(right) == len(found) and all(any(same_name(one, name) for one in found) for name in right)


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 160 else text[:157] + "..."
