"""Labels of known failures: intervals from a CSV, onto steps and times."""

from pathlib import Path

import numpy as np
import pytest

from logscan.errors import InputError, LogscanError, UsageError
from logscan.labels.intervals import Label, labelled_steps, labelled_times, read_labels
from logscan.records import TimeGrid, TimeKind
from logscan.time_text import parse_time

MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01


def test_times_are_read_in_the_zone_of_the_log() -> None:
    """A time without a zone is in the log's; with one it is converted; a wall clock has none."""
    local = parse_time("2024-01-01 09:00", TimeKind.TIMESTAMP, "Asia/Tokyo", "x")
    assert local == parse_time("2024-01-01T00:00Z", TimeKind.TIMESTAMP, "Asia/Tokyo", "x") == START
    assert parse_time("2024-01-01", TimeKind.TIMESTAMP, None, "x") == START
    assert parse_time("17", TimeKind.INTEGER, None, "x") == 17


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NaT",
        "now",
        "12:00",
        "noon",
        "01/02/2024",
        "2024-13-01",
        "2024-03-31 02:30",
        "99999",
        "9999-01-01",
    ],
)
def test_no_time_is_guessed(text: str) -> None:
    """Empty, relative, ambiguous, impossible and far times are refused by name, as are hours that do not exist."""
    with pytest.raises(UsageError) as caught:
        parse_time(text, TimeKind.TIMESTAMP, "Europe/Berlin", "x.csv:2")
    assert str(caught.value) == f"x.csv:2: '{text}' is not a time; write it like 2024-05-01 06:00"


def test_a_step_is_a_whole_number() -> None:
    """A log that counts in steps has labels in steps."""
    with pytest.raises(UsageError) as caught:
        parse_time("2024-01-01", TimeKind.ROW, None, "--since")
    assert str(caught.value) == "--since: '2024-01-01' is not an integer step; this log counts in steps"


def test_labels_are_read_whole(tmp_path: Path) -> None:
    """Start, end, and where they are given entity and name; a byte order mark is no part of a name."""
    (tmp_path / "l.csv").write_text(
        "\ufeffstart,end,entity,name\n2024-01-01 00:01,2024-01-01 00:03,p2,leak\n2024-01-01,2024-01-02,,\n"
    )
    assert read_labels(tmp_path / "l.csv", TimeKind.TIMESTAMP, None) == (
        Label("p2", START + MINUTE, START + 3 * MINUTE, "leak"),
        Label(None, START, START + 1440 * MINUTE, ""),
    )
    (tmp_path / "l.csv").write_text("start,end\n")
    assert read_labels(tmp_path / "l.csv", TimeKind.TIMESTAMP, None) == ()


REFUSED = {
    "": "l.csv: the label file is not a CSV; give columns start,end",
    "begin,end\n1,2\n": "l.csv: no column 'start'; a label file has columns start,end",
    "start,end\n5,3\n": "l.csv:2: the interval ends at 3, not after its start; swap them",
    "start,end\n1,2\n7,7\n": "l.csv:3: the interval ends at 7, not after its start; swap them",
    "start,end\n1,soon\n": "l.csv:2: 'soon' is not an integer step; this log counts in steps",
    "start,end\n,2\n": "l.csv:2: '' is not an integer step; this log counts in steps",
}


@pytest.mark.parametrize("text", REFUSED)
def test_labels_that_cannot_be_meant_are_refused(tmp_path: Path, text: str) -> None:
    """The message names the line."""
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(LogscanError) as caught:
        read_labels(tmp_path / "l.csv", TimeKind.INTEGER, None)
    assert str(caught.value) == f"{tmp_path}/{REFUSED[text]}"


def test_other_files_are_no_labels(tmp_path: Path) -> None:
    """A missing file, a folder and a binary file are refused."""
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    for name, text in {"none.csv": "no such label file", ".": "not a CSV", "binary.csv": "not a CSV"}.items():
        with pytest.raises(InputError, match=text):
            read_labels(tmp_path / name, TimeKind.INTEGER, None)


def test_intervals_are_half_open_and_of_their_entity() -> None:
    """The start is inside, the end is not; a label without an entity holds for all."""
    labels = (Label("a", 3, 5, ""), Label(None, 11, 12, ""))
    times = np.arange(13)
    assert np.flatnonzero(labelled_times(labels, "a", times)).tolist() == [3, 4, 11]
    assert np.flatnonzero(labelled_times(labels, "b", times)).tolist() == [11]
    grid = TimeGrid(TimeKind.INTEGER, 1, 2, 7)
    np.testing.assert_array_equal(
        labelled_steps(labels, "a", grid), labelled_times(labels, "a", grid.times())
    )
