"""Incremental runs: every row once, as one run over everything would have written it."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from logscan.errors import LockedError, OutputError, UsageError
from logscan.ops.state import locked_state, read_state, write_state
from tests.conftest import ROWS, Run
from tests.synthetic import CHANNELS, lines, values, write_log

CUTS = (307, 308, 431, 509, ROWS)
FAULT = slice(503, 541)


def rows_of(text: str, without: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """The rows of a CSV, some columns left out."""
    return [
        {name: cell for name, cell in row.items() if name not in without}
        for row in csv.DictReader(io.StringIO(text))
    ]


def grown(bench: Path, logscan: Run, text: str, cuts: tuple[int, ...], *, name: str = "log.csv") -> str:
    """All rows that runs over the growing file wrote, one under the other, as CSV text."""
    head, *rows = text.splitlines()
    written = []
    for cut in cuts:
        (bench / name).write_text("\n".join([head, *rows[:cut]]) + "\n")
        outcome = logscan("score", name, "--model", "model", "--out", "new.csv", "--state", "state")
        assert outcome.code == 0, outcome.err
        title, *new = (bench / "new.csv").read_text().splitlines()
        written += new
    return "\n".join([title, *written]) + "\n"


def faulty_text(bench: Path) -> str:
    """A log with a fault that begins before one run and ends after it."""
    cells = values(ROWS)
    cells[FAULT, 1] += 4
    return write_log(bench / "log.csv", cells).read_text()


def test_runs_over_a_growing_file_write_what_one_run_writes(bench: Path, logscan: Run) -> None:
    """The union of incremental runs equals one causal run over everything: every row once, every digit."""
    text = faulty_text(bench)
    union = grown(bench, logscan, text, CUTS)
    whole = logscan("score", "log.csv", "--model", "model", "--out", "-", "--causal").out
    later = ("alarm", "event")
    assert rows_of(union, later) == rows_of(whole, later)


def test_an_alarm_once_written_stands(bench: Path, logscan: Run) -> None:
    """A row that an incremental run wrote as alarm is an alarm of the same event in one run over everything."""
    text = faulty_text(bench)
    union = grown(bench, logscan, text, CUTS)
    whole = logscan("score", "log.csv", "--model", "model", "--out", "-", "--causal").out
    pairs = list(zip(rows_of(union), rows_of(whole), strict=True))
    assert any(row["alarm"] == "true" for row, _ in pairs)
    assert [row["event"] for row, _ in pairs if row["alarm"] == "true"] == [
        other["event"] for row, other in pairs if row["alarm"] == "true"
    ]


def test_a_run_without_new_rows_says_so_and_changes_nothing(bench: Path, logscan: Run) -> None:
    """The second run over the same file writes no row and keeps the state."""
    arguments = ("score", "log.csv", "--model", "model", "--out", "s.csv", "--state", "state")
    assert logscan(*arguments).code == 0
    before = (bench / "state" / "state.json").read_bytes()
    outcome = logscan(*arguments)
    assert (outcome.code, outcome.err) == (0, "scores: s.csv (no new rows)\n")
    assert rows_of((bench / "s.csv").read_text()) == []
    assert (bench / "state" / "state.json").read_bytes() == before


def test_a_state_never_goes_back(bench: Path, logscan: Run) -> None:
    """A file that got shorter (rotated, cut) makes no row be written twice when it grows again."""
    text = (bench / "log.csv").read_text()
    union = grown(bench, logscan, text, (431, 307, ROWS))
    times = [row["time"] for row in rows_of(union)]
    assert len(times) == len(set(times)) == ROWS


def test_intervals_of_events_are_written_when_they_are_complete(bench: Path, logscan: Run) -> None:
    """The last interval of an order log is still filling: it is written once, when a later row is there."""
    rng = np.random.default_rng(5)
    seconds = np.cumsum(rng.exponential(7, 4001)).astype(int)
    stamps = (np.datetime64("2024-01-01T00:00:00") + seconds).astype(str)
    text = "when,amount\n" + "".join(f"{stamp},{rng.integers(1, 97)}\n" for stamp in stamps)
    (bench / "orders.csv").write_text(text)
    kind = ("--kind", "events", "--every", "1min", "--time", "when")
    assert logscan("train", "orders.csv", "--model", "model", *kind, "--no-fit").code == 0
    union = rows_of(grown(bench, logscan, text, (2003, 3001, 4001), name="orders.csv"), ("alarm", "event"))
    whole = rows_of(
        logscan("score", "orders.csv", "--model", "model", "--out", "-", "--causal").out, ("alarm", "event")
    )
    assert union == whole[:-1]


def test_rows_beside_the_grid_wait_for_their_step(bench: Path, logscan: Run) -> None:
    """A step whose last row is not on the grid may get another one: it is written by the next run."""
    head, *rows = (bench / "log.csv").read_text().splitlines()
    late = rows[400].replace("06:40", "06:40:11")
    (bench / "log.csv").write_text("\n".join([head, *rows[:400], late]) + "\n")
    logscan("score", "log.csv", "--model", "model", "--out", "s.csv", "--state", "state")
    assert rows_of((bench / "s.csv").read_text())[-1]["time"] == "2024-01-01 06:39:00"
    (bench / "log.csv").write_text("\n".join([head, *rows[:400], late, *rows[401:]]) + "\n")
    logscan("score", "log.csv", "--model", "model", "--out", "s.csv", "--state", "state")
    assert rows_of((bench / "s.csv").read_text())[0]["time"] == "2024-01-01 06:40:11"


def test_a_line_that_is_still_being_written_waits(bench: Path, logscan: Run) -> None:
    """A file is consumed to its last newline: a half-written cell is never taken for a small number."""
    text = (bench / "log.csv").read_text()
    whole = logscan("score", "log.csv", "--model", "model", "--out", "-", "--causal").out
    written: list[dict[str, str]] = []
    for end in (len(text) // 2, len(text) // 2 + 3, len(text) - 3, len(text)):
        (bench / "log.csv").write_text(text[:end])
        outcome = logscan("score", "log.csv", "--model", "model", "--out", "s.csv", "--state", "state")
        assert outcome.code in (0, 3)
        written += rows_of((bench / "s.csv").read_text())
    assert written == rows_of(whole)


def test_alarms_of_runs_over_a_growing_file_are_those_of_one_run(bench: Path, logscan: Run) -> None:
    """Alarm and event of every row are those of one causal run, wherever an event was cut."""
    text = faulty_text(bench)
    union = grown(bench, logscan, text, (505, 506, 507, ROWS))
    whole = logscan("score", "log.csv", "--model", "model", "--out", "-", "--causal").out
    assert rows_of(union) == rows_of(whole)


def test_every_entity_has_its_own_place(bench: Path, logscan: Run) -> None:
    """Machines that report at different paces lose no row and repeat none."""
    slow = [f"{line},p2" for line in lines(values(ROWS, 2))]
    fast = [f"{line},p3" for line in lines(values(ROWS, 3))]
    head = ",".join(["time", *CHANNELS, "machine"])
    (bench / "fleet.csv").write_text("\n".join([head, *slow, *fast]) + "\n")
    assert logscan("train", "fleet.csv", "--entity", "machine", "--no-fit", "--model", "model").code == 0
    written = []
    for some, many in ((103, 401), (103, 503), (ROWS, ROWS)):
        (bench / "fleet.csv").write_text("\n".join([head, *slow[:some], *fast[:many]]) + "\n")
        logscan("score", "fleet.csv", "--model", "model", "--out", "s.csv", "--state", "state")
        written += rows_of((bench / "s.csv").read_text(), ("alarm", "event"))
    whole = logscan("score", "fleet.csv", "--model", "model", "--out", "-", "--causal").out
    order = sorted(written, key=lambda row: (row["entity"], row["time"]))
    assert order == rows_of(whole, ("alarm", "event"))


def test_the_state_is_written_after_the_scores(
    bench: Path, logscan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that ends between scores and state makes the next one write the same rows again, none is lost."""
    arguments = ("score", "log.csv", "--model", "model", "--out", "s.csv", "--state", "state")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("logscan.cli.jobs.score.write_state", killed)
        assert logscan(*arguments).code == 130
    first = (bench / "s.csv").read_bytes()
    assert logscan(*arguments).code == 0
    assert (bench / "s.csv").read_bytes() == first


def test_a_state_round_trip(tmp_path: Path) -> None:
    """What was written is read; a folder without a state begins anew; the lock leaves no state behind."""
    assert read_state(tmp_path, "m1").last_times == {}
    with locked_state(tmp_path / "deep" / "state"):
        write_state(tmp_path / "deep" / "state", "m1", {"p2": 5, "温度": -7})
    assert read_state(tmp_path / "deep" / "state", "m1").last_times == {"p2": 5, "温度": -7}
    assert json.loads((tmp_path / "deep" / "state" / "state.json").read_text())["schema_version"] == 1
    with pytest.raises(UsageError, match="belongs to model m1, not m2"):
        read_state(tmp_path / "deep" / "state", "m2")


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    """The lock is held by one run at a time and let go whatever ends the run."""
    with locked_state(tmp_path), pytest.raises(LockedError), locked_state(tmp_path):
        pass
    with pytest.raises(ZeroDivisionError), locked_state(tmp_path):
        raise ZeroDivisionError
    with locked_state(tmp_path):
        pass


def test_a_state_folder_under_a_file_is_refused(tmp_path: Path) -> None:
    """A folder that cannot be made is an output error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot hold a state"), locked_state(tmp_path / "file" / "state"):
        pass
