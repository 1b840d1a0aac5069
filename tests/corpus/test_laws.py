"""Laws of evidence on every CSV file of the corpus that is read right: the same answer or a question, never another."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from logscan.records import Log, TimeKind
from tests.corpus.changed import CHANGES, table_of
from tests.corpus.scoring import HALVES, cases, names_an_option, score

ALL = {case.name: case for half in HALVES for case in cases(half)}
# (change, case) -> what goes wrong. A line must go once the law holds.
OPEN: dict[tuple[str, str], str] = {
    ("rows doubled", "a/balance_elapsed"): "The seconds since the start begin again and become a channel.",
    ("rows doubled", "a/labview_lvm"): "The seconds since the start begin again and become a channel.",
    ("rows doubled", "a/oscilloscope"): "The seconds around the trigger begin again and become a channel.",
    ("rows doubled", "b/isd_lite_missing"): "The column of hours is a reading then, and days are averaged.",
    ("rows doubled", "b/months_across"): "Year and month are channels then, and the row number is the step.",
    ("rows later again", "a/ondotori"): "The serial value of the time begins again and becomes a channel.",
    (
        "one more text column",
        "b/dates_across",
    ): "The table is not taken for a wide one, and the time is lost.",
    ("decimal comma", "a/us_orders"): "Amounts such as $1.741,18 are text and left out without a question.",
    (
        "decimal comma",
        "b/quarters",
    ): "The comma of the numbers is taken for the delimiter, and the time is lost.",
}
TRIED = [name for name, case in ALL.items() if case.open is None and len(case.files) == 1]


@cache
def base(name: str) -> Log | None:
    """The log as read before the change, None where it is not read right."""
    found = score(ALL[name])
    return found.log if found.result == "right" else None


def changed_text(change: str, name: str) -> str | None:
    """A file of the corpus after a change, None where the change is not possible."""
    log, source = base(name), ALL[name].files[0]
    if log is None or log.schema.format != "csv" or source.suffix in {".gz", ".zip"}:
        return None
    table = table_of(source.read_bytes(), log.schema)
    changed = CHANGES[change](table) if table is not None else None
    return changed.text() if changed is not None else None


def violation(change: str, name: str, path: Path) -> str:
    """What differs after a change, "" where nothing does, or a question comes, or the change is not possible."""
    text, log, options = changed_text(change, name), base(name), dict(ALL[name].options)
    if text is None or log is None:
        return ""
    path.write_text(text, encoding="utf-8")
    if change == "decimal comma":
        options = {key: value for key, value in options.items() if key not in {"decimal", "delimiter"}}
    try:
        other = read_log([path], InputConfig(**options))
    except (InputError, UsageError) as error:
        return "" if names_an_option(error.remedy) else f"refused without an option: {error.fact}"
    behind = change == "rows later again" or (
        change == "rows doubled" and log.schema.time_kind is TimeKind.ROW
    )
    return difference(log, other, prefix=behind, renamed=change == "neutral names")


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


@pytest.mark.parametrize("name", TRIED)
def test_a_change_of_no_evidence_changes_no_answer(name: str, tmp_path: Path) -> None:
    """The same answer or a question; what is open still breaks the law, else its line must go."""
    path = tmp_path / ALL[name].files[0].name
    broken = {change: told for change in CHANGES if (told := violation(change, name, path))}
    marked = {change for change, case in OPEN if case == name}
    assert broken.keys() == marked, f"broken {broken}, marked {marked}"


def test_every_mark_names_a_law_and_a_case() -> None:
    """A mark for a case that is not tried would never be taken out."""
    for change, name in OPEN:
        assert change in CHANGES, change
        assert name in TRIED, name
        assert changed_text(change, name) is not None, name


@pytest.mark.parametrize("change", CHANGES)
def test_a_law_is_tried_on_many_files(change: str) -> None:
    """A change that is hardly ever possible proves nothing."""
    assert sum(changed_text(change, name) is not None for name in TRIED) >= 30
