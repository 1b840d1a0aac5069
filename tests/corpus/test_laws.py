"""Laws of evidence on every CSV file of the corpus that is read right: the same answer or a question, never another."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from logscan.records import Log
from tests.corpus.changed import CHANGES, table_of
from tests.corpus.scoring import HALVES, Case, cases, names_an_option, score

ALL = {case.name: case for half in HALVES for case in cases(half)}
# (change, case) -> what goes wrong. A line must go once the law holds.
OPEN: dict[tuple[str, str], str] = {}
PAIRS = [
    pytest.param(change, name, id=f"{change}-{name}")
    for change in CHANGES
    for name, case in ALL.items()
    if case.open is None and len(case.files) == 1
]


@cache
def base(name: str) -> Log | None:
    """The log as read before the change, None where it is not read right."""
    found = score(ALL[name])
    return found.log if found.result == "right" else None


def violation(change: str, case: Case, log: Log, folder: Path) -> str | None:
    """What differs after a change: "" nothing or a question, None where the change is not possible."""
    source = case.files[0]
    if log.schema.format != "csv" or source.suffix in {".gz", ".zip"}:
        return None
    table = table_of(source.read_bytes(), log.schema)
    changed = CHANGES[change](table) if table is not None else None
    if changed is None:
        return None
    path = folder / source.name
    path.write_text(changed.text(), encoding="utf-8")
    options = dict(case.options)
    if change == "decimal comma":
        options = {key: value for key, value in options.items() if key not in {"decimal", "delimiter"}}
    try:
        other = read_log([path], InputConfig(**options))
    except (InputError, UsageError) as error:
        return "" if names_an_option(error.remedy) else f"refused without an option: {error.fact}"
    return difference(log, other, prefix=change == "rows later again", renamed=change == "neutral names")


def difference(log: Log, other: Log, *, prefix: bool, renamed: bool) -> str:
    """The first thing in which two readings differ, "" if none.

    Args:
        log: before the change.
        other: after the change.
        prefix: rows came behind: the steps of before are compared.
        renamed: channels have other names, in the same order.
    """
    for what in ("kind", "time_column", "time_kind", "step"):
        before, after = getattr(log.schema, what), getattr(other.schema, what)
        if before != after:
            return f"{what}: {after} instead of {before}"
    names, others = log.schema.channels, other.schema.channels
    if len(names) != len(others) if renamed else names != others:
        return f"channels: {', '.join(others)} instead of {', '.join(names)}"
    if [one.entity for one in log.series] != [one.entity for one in other.series]:
        return "entities"
    for before, after in zip(log.series, other.series, strict=True):
        if before.grid.start != after.grid.start:
            return "start"
        if not prefix and before.grid.steps != after.grid.steps:
            return f"steps: {after.grid.steps} instead of {before.grid.steps}"
        found = after.values[: before.grid.steps]
        if found.shape != before.values.shape or not np.allclose(
            found, before.values, rtol=1e-12, equal_nan=True
        ):
            return "values"
    return ""


@pytest.mark.parametrize(("change", "name"), PAIRS)
def test_a_change_of_no_evidence_changes_no_answer(change: str, name: str, tmp_path: Path) -> None:
    """The same answer or a question; what is open still breaks the law, else its line must go."""
    log = base(name)
    found = violation(change, ALL[name], log, tmp_path) if log is not None else None
    if (change, name) in OPEN:
        assert found, f"{change}, {name}: the law holds now; take the line out of OPEN"
    else:
        assert not found, found


def test_every_law_is_tried_on_many_files(tmp_path: Path) -> None:
    """A change that is hardly ever possible proves nothing."""
    for change in CHANGES:
        tried = [
            name
            for name, case in ALL.items()
            if case.open is None
            and len(case.files) == 1
            and (log := base(name)) is not None
            and violation(change, case, log, tmp_path) is not None
        ]
        assert len(tried) >= 15, (change, tried)
