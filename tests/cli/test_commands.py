"""Every command does its job, says what it did, and ends with the right code."""

import csv
import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logscan import __version__
from logscan.results.read_scores import read_scores
from tests.conftest import ROWS, Run, contents
from tests.synthetic import CHANNELS, lines, values, write_log

SCORE = ("score", "log.csv", "--model", "model", "--out")
SPIKE = slice(503, 521)


def faulty() -> np.ndarray:
    """The log with one channel far off for a while, after the training part."""
    cells = values(ROWS)
    cells[SPIKE, 1] += 4
    return cells


def table_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(path.read_text())))


def labelled(bench: Path) -> None:
    """The faulty log, and the same with the fault as a CSV of labels and as a column of the input."""
    write_log(bench / "log.csv", faulty())
    (bench / "labels.csv").write_text("start,end\n2024-01-01 08:23,2024-01-01 08:41\n")
    flags = np.zeros((ROWS, 1))
    flags[SPIKE] = 1
    write_log(bench / "flagged.csv", np.hstack([faulty(), flags]), (*CHANNELS, "label"))


def test_version_is_printed(logscan: Run) -> None:
    """`--version` is one line on stdout."""
    outcome = logscan("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"logscan {__version__}\n", "")


def test_no_arguments_show_the_help(logscan: Run) -> None:
    """Without a command the help names all of them, and the exit code says that nothing was done."""
    outcome = logscan()
    assert outcome.code == 2
    for command in ("check", "train", "score", "report", "evaluate", "demo"):
        assert command in outcome.out


def test_check_shows_what_it_sees(bench: Path, logscan: Run) -> None:
    """The table holds columns, grid, rows and one grade per channel; nothing is written."""
    before = contents(bench)
    outcome = logscan("check", "log.csv")
    assert outcome.code == 0
    table = {line.split("  ")[0]: line for line in outcome.out.splitlines() if line}
    assert table["time"].split(maxsplit=1)[1].strip() == "time (timestamp), every 60 s"
    assert table["rows"].split(maxsplit=1)[1].strip() == "601 read, 601 used"
    assert [table[name].split()[1:3] for name in CHANNELS] == [["good", "100.0%"]] * 3
    assert contents(bench) == before


def test_check_as_json_is_complete(bench: Path, logscan: Run) -> None:
    """The JSON is valid, names survive as they are, and every row is accounted for."""
    names = (":bell: [red]flow", "温度", "press")
    text = (write_log(bench / "odd.csv", values(83), names)).read_text()
    (bench / "odd.csv").write_text(text + "never,1,2,3\n" + text.splitlines()[-1] + "\n")
    outcome = logscan("check", "odd.csv", "--json")
    document = json.loads(outcome.out)
    assert outcome.code == 0
    assert document["input"]["channels"] == list(names)
    assert [one["channel"] for one in document["quality"]] == list(names)
    assert document["entities"] == [{"entity": "", "steps": 83}]
    counts = document["input"]
    assert (counts["rows_read"], counts["rows_used"], counts["duplicates"]) == (85, 84, 1)
    assert [(one["reason"]["key"], one["rows"]) for one in counts["dropped"]] == [("time-unreadable", 1)]


def test_check_gates_on_quality(bench: Path, logscan: Run) -> None:
    """`--fail-below` exits 12 and names the channels below the grade."""
    cells = values(401)
    cells[:, 2] = 7.0
    write_log(bench / "stuck.csv", cells)
    assert logscan("check", "log.csv", "--fail-below", "good").code == 0
    outcome = logscan("check", "stuck.csv", "--fail-below", "good")
    assert (outcome.code, outcome.err) == (12, "error: stuck.csv: below grade good: temp\n")


def test_train_tells_about_its_model(bench: Path, logscan: Run) -> None:
    """`train --json` prints the model card; the folder holds the five files and nothing else."""
    outcome = logscan("train", "log.csv", "--model", "m", "--train-rows", "401", "--no-fit", "--json")
    card = json.loads(outcome.out)
    assert outcome.code == 0
    assert card["channels"] == list(CHANNELS)
    assert (card["trained_rows"], card["fitted"], card["scales"]) == (401, False, [8, 16])
    assert (card["training_start"], card["training_end"]) == ("2024-01-01 00:00:00", "2024-01-01 06:40:00")
    assert sorted(path.name for path in (bench / "m").iterdir()) == [
        "MODEL_CARD.md",
        "history.safetensors",
        "manifest.json",
        "model.json",
        "weights.safetensors",
    ]


def test_train_until_is_the_first_row_left_out(logscan: Run) -> None:
    """The training part is half-open, so that a time names the first row that is not in it."""
    until = ("--train-until", "2024-01-01 06:41", "--no-fit", "--json")
    rows = ("--train-rows", "401", "--no-fit", "--json")
    one = logscan("train", "log.csv", "--model", "a", *until)
    other = logscan("train", "log.csv", "--model", "b", *rows)
    assert json.loads(one.out)["trained_rows"] == 401
    assert json.loads(one.out)["model_id"] == json.loads(other.out)["model_id"]


def test_training_with_fit_ends_in_a_model_that_scores(bench: Path, logscan: Run) -> None:
    """The trained encoder is saved and scores; the card says how many heads training ships in."""
    (bench / "logscan.toml").write_text("[encoder]\nscales = [8]\nepochs = 2\n")
    outcome = logscan("train", "log.csv", "--model", "m", "--train-rows", "401")
    assert outcome.code == 0
    assert "trained layers ship in " in outcome.out
    assert logscan("score", "log.csv", "--model", "m", "--out", "s.csv").code == 0


def test_known_failures_do_not_become_history(bench: Path, logscan: Run) -> None:
    """With `--labels` a fault in the training rows is found again; without, the model takes it for normal."""
    cells = values(ROWS)
    cells[203:233, 1] += 4
    write_log(bench / "log.csv", cells)
    (bench / "known.csv").write_text("start,end\n2024-01-01 03:23,2024-01-01 03:53\n")
    peaks = {}
    for name, more in {"with": ("--labels", "known.csv"), "without": ()}.items():
        assert logscan("train", "log.csv", "--model", name, "--no-fit", *more).code == 0
        assert logscan("score", "log.csv", "--model", name, "--out", f"{name}.csv", "--causal").code == 0
        table = read_scores(bench / f"{name}.csv")
        peaks[name] = (np.nanmax(table.score[203:233]) / table.threshold[0], any(table.alarm[203:233]))
    assert peaks["with"][0] > peaks["without"][0]
    assert peaks["with"][1]


def test_score_writes_one_row_per_input_row(bench: Path, logscan: Run) -> None:
    """Parquet, CSV and stdout hold the same rows, and they are those of the input, in the columns promised."""
    write_log(bench / "log.csv", faulty())
    assert logscan(*SCORE, "s.parquet").code == 0
    assert logscan(*SCORE, "s.csv").code == 0
    outcome = logscan(*SCORE, "-")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out == (bench / "s.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    inputs = table_of(bench / "log.csv")
    assert [row["time"] for row in rows] == [f"{row['time']}:00" for row in inputs]
    table, text = pq.read_table(bench / "s.parquet"), read_scores(bench / "s.csv")
    assert table.column_names == list(rows[0])
    assert table.column_names == [
        *("time", "score", "threshold", "alarm", "event", "quality"),
        *(f"contribution.{name}" for name in CHANNELS),
    ]
    np.testing.assert_array_equal(table["score"].to_numpy(), text.score)
    assert table["alarm"].to_pylist() == text.alarm.tolist()
    metadata = table.schema.metadata
    assert metadata[b"logscan.version"].decode() == __version__
    assert (
        metadata[b"logscan.model_id"].decode() == json.loads(Path("model/model.json").read_text())["model_id"]
    )


def test_score_tells_events_in_three_formats(bench: Path, logscan: Run) -> None:
    """The events file has one row per event in CSV, JSON and Parquet; the table on stdout names the channel."""
    write_log(bench / "log.csv", faulty())
    found = {}
    for suffix in ("csv", "json", "parquet"):
        outcome = logscan(*SCORE, "s.csv", "--events", f"e.{suffix}")
        assert outcome.code == 0
        assert "press" in outcome.out
        assert outcome.err.splitlines()[0] == "scores: s.csv (601 of 601 steps judged)"
    found["csv"] = [row["start"] for row in table_of(bench / "e.csv")]
    found["json"] = [row["start"] for row in json.loads((bench / "e.json").read_text())]
    assert found["csv"] == found["json"]
    assert len(found["csv"]) == pq.read_table(bench / "e.parquet").num_rows >= 1
    assert json.loads((bench / "e.json").read_text())[0]["channel_1"] == "press"


def test_fail_on_event_has_its_own_code(bench: Path, logscan: Run) -> None:
    """Exit 10 when an event was found, 0 when none was, and the outputs stand in both cases."""
    assert logscan("train", "log.csv", "--model", "all", "--no-fit").code == 0
    assert logscan("score", "log.csv", "--model", "all", "--out", "s.csv", "--fail-on-event").code == 0
    write_log(bench / "log.csv", faulty())
    assert logscan(*SCORE, "s.csv", "--fail-on-event").code == 10
    assert any(read_scores(bench / "s.csv").alarm)
    assert json.loads((bench / "s.run.json").read_text())["exit_code"] == 10


def test_since_writes_the_same_rows_fewer(bench: Path, logscan: Run) -> None:
    """`--since` cuts the file, not the scores; an event that began before keeps its start."""
    write_log(bench / "log.csv", faulty())
    logscan(*SCORE, "all.csv", "--events", "all.json")
    logscan(*SCORE, "late.csv", "--events", "late.json", "--since", "2024-01-01 08:30")
    whole = (bench / "all.csv").read_text().splitlines()
    assert (bench / "late.csv").read_text().splitlines() == [whole[0], *whole[1 + 510 :]]
    starts = [json.loads((bench / f"{name}.json").read_text())[-1]["start"] for name in ("all", "late")]
    assert starts[0] == starts[1] < "2024-01-01 08:30"


def test_the_run_record_accounts_for_every_row(bench: Path, logscan: Run) -> None:
    """Rows read are used or dropped by reason; the record names model, alignment and exit code."""
    text = (bench / "log.csv").read_text()
    (bench / "log.csv").write_text(text + "never,1,2,3\n1,2\n")
    outcome = logscan(*SCORE, "s.parquet", "--causal", "--json")
    record = json.loads(outcome.out)
    assert outcome.code == record["exit_code"] == 3
    assert outcome.err == (
        "warning: 2 of 603 rows not used: 1 another number of cells than the header (4); "
        "1 time does not parse\n"
    )
    assert record["input"]["rows_read"] == record["input"]["rows_used"] + 2
    assert sum(one["rows"] for one in record["input"]["dropped"]) == 2
    assert record["alignment"] == "causal"
    stored = json.loads((bench / "s.run.json").read_text())
    assert {**stored, "quality": None} == {**record, "quality": None}


def entities(bench: Path, names: tuple[str, ...]) -> Path:
    """A log of several machines, their rows interleaved."""
    rows = [lines(values(ROWS, seed)) for seed in range(len(names))]
    mixed = [
        f"{line},{name}" for row in zip(*rows, strict=True) for line, name in zip(row, names, strict=True)
    ]
    (bench / "fleet.csv").write_text("\n".join([",".join(["time", *CHANNELS, "machine"]), *mixed]) + "\n")
    return bench / "fleet.csv"


def test_entities_are_scored_one_by_one(bench: Path, logscan: Run) -> None:
    """A column of machines makes one series each; one the model does not know is skipped, named, exit 3."""
    entities(bench, ("p2", "p3", "p5"))
    train = ("train", "fleet.csv", "--entity", "machine", "--no-fit", "--model")
    assert logscan(*train, "m").code == 0
    assert logscan("score", "fleet.csv", "--model", "m", "--out", "s.csv").code == 0
    assert sorted(read_scores(bench / "s.csv").entities) == ["p2", "p3", "p5"]
    entities(bench, ("p2", "p7"))
    outcome = logscan("score", "fleet.csv", "--model", "m", "--out", "s.csv")
    assert outcome.code == 3
    assert outcome.err.splitlines()[0] == (
        "warning: entity 'p7' is not in the model, skipped; train with it to score it"
    )
    assert read_scores(bench / "s.csv").entities == ("p2",)
    entities(bench, ("p7", "p11"))
    outcome = logscan("score", "fleet.csv", "--model", "m", "--out", "t.csv")
    assert (outcome.code, outcome.err) == (
        4,
        "error: fleet.csv: no entity of the model is in it (it has p11, p7); check --entity\n",
    )


def test_an_entity_too_short_to_train_on_is_named(bench: Path, logscan: Run) -> None:
    """Training on the others is done, but exit code and warning say who was left out."""
    rows = [f"{line},p2" for line in lines(values(101))] + [f"{line},p3" for line in lines(values(7))]
    (bench / "fleet.csv").write_text("\n".join([",".join(["time", *CHANNELS, "machine"]), *rows]) + "\n")
    outcome = logscan("train", "fleet.csv", "--entity", "machine", "--no-fit", "--model", "m", "--json")
    assert outcome.code == 3
    assert outcome.err == "warning: entity 'p3' is too short to train on, skipped; give it more rows\n"
    assert json.loads(outcome.out)["entities"] == ["p2"]


def test_the_same_log_in_any_packing_scores_the_same(
    bench: Path, logscan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stdin, several files, a glob, a folder, gzip, zstd and Parquet are one log."""
    head, *rows = (bench / "log.csv").read_text().splitlines()
    (bench / "parts").mkdir()
    for place, part in enumerate((rows[:211], rows[211:])):
        (bench / "parts" / f"{place}.csv").write_text("\n".join([head, *part]) + "\n")
    data = (bench / "log.csv").read_bytes()
    (bench / "log.csv.gz").write_bytes(gzip.compress(data))
    (bench / "log.csv.zst").write_bytes(pa.Codec("zstd").compress(data).to_pybytes())
    columns = {name: [float(row.split(",")[1 + i]) for row in rows] for i, name in enumerate(CHANNELS)}
    stamps = np.array([row.split(",")[0] for row in rows], dtype="datetime64[ns]")
    pq.write_table(pa.table({"time": stamps, **columns}), bench / "log.parquet")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    want = logscan(*SCORE, "-").out
    for inputs in (
        ("-",),
        ("parts/0.csv", "parts/1.csv"),
        ("parts/*.csv",),
        ("parts",),
        ("log.csv.gz",),
        ("log.csv.zst",),
        ("log.parquet",),
    ):
        outcome = logscan("score", *inputs, "--model", "model", "--out", "-")
        assert (outcome.code, outcome.out) == (0, want), inputs


def test_reports_in_both_languages_and_three_formats(bench: Path, logscan: Run) -> None:
    """HTML in English and Japanese, JSON and CSV; stdout with `-`; the report is never the scores file."""
    write_log(bench / "log.csv", faulty())
    logscan(*SCORE, "s.parquet")
    for lang in ("en", "ja"):
        outcome = logscan("report", "s.parquet", "--out", f"r.{lang}.html", "--lang", lang)
        assert (outcome.code, outcome.err) == (0, f"report: r.{lang}.html\n")
        page = (bench / f"r.{lang}.html").read_text()
        assert f'<html lang="{lang}"' in page
        assert "press" in page
    assert logscan("report", "s.parquet", "--out", "-").out == (bench / "r.en.html").read_text()
    logscan("report", "s.parquet", "--out", "r.json", "--model", "model")
    document = json.loads((bench / "r.json").read_text())
    assert document["events"][0]["channels"][0]["channel"] == "press"
    logscan("report", "s.parquet", "--out", "r.csv")
    assert len(table_of(bench / "r.csv")) == len(document["events"])
    before = contents(bench)
    logscan(*SCORE, "s.csv")
    outcome = logscan("report", "s.csv", "--out", "s.csv")
    assert (outcome.code, outcome.err) == (
        2,
        "error: s.csv: is the input, writing it would destroy it; name another file\n",
    )
    assert len(read_scores(bench / "s.csv").time) == ROWS
    assert logscan("report", "nothing.csv", "--out", "r.html").code == 4
    assert contents(bench)["r.en.html"] == before["r.en.html"]


def test_evaluate_takes_labels_from_a_file_or_a_column(bench: Path, logscan: Run) -> None:
    """The same labels as intervals and as a column of the input give the same figures; the fault is found."""
    labelled(bench)
    logscan(*SCORE, "s.parquet")
    one = logscan("evaluate", "s.parquet", "--labels", "labels.csv", "--json")
    figures = json.loads(one.out)
    assert one.code == 0
    assert (figures["anomalous_rows"], figures["events"], figures["event_recall"]) == (18, 1, 1.0)
    assert figures["vus_pr"] > 0.5
    logscan("score", "flagged.csv", "--model", "model", "--out", "f.parquet")
    other = logscan("evaluate", "f.parquet", "--labels", "label", "--json")
    assert json.loads(other.out) == figures
    table = logscan("evaluate", "s.parquet", "--labels", "labels.csv").out
    shown = {line.rsplit(maxsplit=1)[0].strip(): line.split()[-1] for line in table.splitlines()}
    assert shown["vus pr"] == f"{figures['vus_pr']:.4f}"
    assert shown.keys() == {name.replace("_", " ") for name in figures}


def test_evaluate_of_several_entities_prints_valid_json(bench: Path, logscan: Run) -> None:
    """Counts add up over entities, and a figure that is not defined is null, not NaN."""
    entities(bench, ("p2", "p3"))
    logscan("train", "fleet.csv", "--entity", "machine", "--no-fit", "--model", "m")
    logscan("score", "fleet.csv", "--model", "m", "--out", "s.parquet")
    (bench / "labels.csv").write_text("start,end\n2024-01-01 08:23,2024-01-01 08:41\n")
    outcome = logscan("evaluate", "s.parquet", "--labels", "labels.csv", "--json")
    figures = json.loads(outcome.out, parse_constant=pytest.fail)
    assert (figures["rows"], figures["anomalous_rows"], figures["events"]) == (2 * ROWS, 36, 2)


@pytest.mark.parametrize(
    ("labels", "code", "text"),
    [
        ("none.csv", 4, "none.csv: no such label file; check --labels"),
        ("state", 2, "--labels: there is no column 'state'; the columns are: time, flow, press, temp"),
        (
            "flow",
            4,
            "flow: is no label column, it holds 10.2041; a label column holds 1 in a failure and 0 elsewhere",
        ),
        ("log.csv", 4, "log.csv: no column 'start'; a label file has columns start,end"),
        ("early.csv", 4, "early.csv: no scored row lies in a label; check that times and entities agree"),
    ],
)
def test_labels_that_mark_nothing_are_refused(
    bench: Path, logscan: Run, labels: str, code: int, text: str
) -> None:
    """Missing, foreign and empty labels each have their text."""
    (bench / "early.csv").write_text("start,end\n2023-01-01,2023-01-02\n")
    logscan(*SCORE, "s.parquet")
    outcome = logscan("evaluate", "s.parquet", "--labels", labels)
    assert (outcome.code, outcome.err) == (code, f"error: {text}\n")


def test_flags_beat_environment_beats_file(
    bench: Path, logscan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channels in use are those of the strongest source that names any."""

    def channels(*flags: str) -> list[str]:
        return json.loads(logscan("check", "log.csv", "--json", *flags).out)["input"]["channels"]

    assert channels() == list(CHANNELS)
    (bench / "logscan.toml").write_text('[input]\nchannels = ["flow"]\n')
    assert channels() == ["flow"]
    monkeypatch.setenv("LOGSCAN_CHANNELS", "press")
    assert channels() == ["press"]
    assert channels("--channels", "temp,flow") == ["temp", "flow"]
    monkeypatch.setenv("LOGSCAN_MODEL", "model")
    monkeypatch.setenv("LOGSCAN_OUT", "-")
    monkeypatch.delenv("LOGSCAN_CHANNELS")
    (bench / "logscan.toml").unlink()
    assert logscan("score", "log.csv").out.startswith('"time","score"')


def test_quiet_leaves_only_results(logscan: Run) -> None:
    """`-q` silences messages, not errors and not data."""
    outcome = logscan("-q", *SCORE, "s.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert logscan("-q", "check", "log.csv").out == logscan("check", "log.csv").out
    assert logscan("-q", "check", "none.csv").err == "error: none.csv: no such file; check the path\n"


@pytest.mark.parametrize("option", [("--no-color", {}), (None, {"NO_COLOR": "1"})])
def test_colours_can_be_switched_off(
    logscan: Run, monkeypatch: pytest.MonkeyPatch, option: tuple[str | None, dict[str, str]]
) -> None:
    """Neither the option nor NO_COLOR leaves a colour on a terminal that has them."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[32m" in logscan("check", "log.csv").out
    for name, value in option[1].items():
        monkeypatch.setenv(name, value)
    outcome = logscan(*([option[0]] if option[0] else []), "check", "log.csv")
    assert "\x1b[32m" not in outcome.out
    assert "good" in outcome.out


def _command(*arguments: str, **options: object) -> "subprocess.Popen[bytes]":
    """The installed command, in the current folder."""
    tool = shutil.which("logscan", path=str(Path(sys.executable).parent))
    assert tool is not None
    return subprocess.Popen([tool, *arguments], stdout=-1, stderr=-1, **options)  # type: ignore[call-overload]


def test_sigterm_ends_the_run_and_leaves_nothing(bench: Path) -> None:
    """A run that is told to end while it reads ends with 143, one line, and no half-written file."""
    os.mkfifo(bench / "slow.csv")
    before = sorted(path.name for path in bench.iterdir())
    with (
        _command("score", "slow.csv", "--model", "model", "--out", "s.parquet") as process,
        (bench / "slow.csv").open("wb") as writer,  # opens when the run has opened its end
    ):
        writer.write((bench / "log.csv").read_bytes()[:500])
        writer.flush()
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (143, b"", b"error: terminated\n")
    assert sorted(path.name for path in bench.iterdir()) == before


def test_a_reader_that_goes_away_is_no_error(bench: Path) -> None:
    """`logscan ... | head` ends quietly."""
    write_log(bench / "long.csv", values(3001))
    reader, writer = os.pipe()
    os.close(reader)
    tool = shutil.which("logscan", path=str(Path(sys.executable).parent))
    ended = subprocess.run(
        [str(tool), "score", "long.csv", "--model", "model", "--out", "-"],
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_terminal_without_the_letters_breaks_nothing(bench: Path) -> None:
    """Names that the terminal's encoding lacks come out as their escapes; no name breaks the output."""
    write_log(bench / "odd.csv", values(83), ("温度", "流量", "Öl"))
    with _command("check", "odd.csv", env={**os.environ, "PYTHONIOENCODING": "latin-1"}) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")
    assert b"\\u6e29\\u5ea6" in out
    assert "Öl".encode("latin-1") in out
