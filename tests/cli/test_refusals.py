"""Bad input, bad models, bad outputs, bad options: one line with place, fact and remedy, and nothing is lost."""

import errno
import gzip
import hashlib
import json
import os
import shutil
from pathlib import Path

import filelock
import numpy as np
import pytest
import torch

from tests.conftest import Run, contents
from tests.synthetic import CHANNELS, lines, values, write_log

TRAIN = ("--model", "new", "--no-fit")
SCORE = ("--model", "model", "--out", "scores.parquet")
ROWS = "pass a file with a header line and rows of data"

BAD_FILES = {
    "missing": (None, "bad.csv: no such file; check the path"),
    "empty": (b"", f"bad.csv: the file is empty; {ROWS}"),
    "header only": (
        b"time,flow,press,temp\n",
        "bad.csv: there is a header line but no rows of data; pass a file with rows of data",
    ),
    "no numeric channel": (
        b"time,state\n2024-01-15,on\n2024-01-16,off\n",
        (
            "bad.csv: no numeric channel ('state' holds text, such as 'off'); a log needs at least one column of "
            "numbers, or --kind events to count its rows"
        ),
    ),
    "binary": (
        bytes(range(256)) * 9,
        (
            "bad.csv: this is a binary file, not a table; "
            "pass CSV, JSON lines (plain, .gz, .zst, .bz2, .xz, .zip), Excel or Parquet"
        ),
    ),
    "cut gzip": (
        gzip.compress(b"time,flow\n2024-01-01,1\n" * 99)[:40],
        "bad.csv: the packed data are damaged or cut off; pack the file again",
    ),
    "no table": (
        b"kernel started\nwaiting for a while\nstill here now\n",
        (
            "bad.csv: this is text, not a table: no delimiter splits its lines into the same number of cells; "
            "turn it into CSV with a time column and one column per number"
        ),
    ),
}


@pytest.mark.parametrize("command", [("check",), ("train", *TRAIN)])
@pytest.mark.parametrize("case", BAD_FILES)
def test_a_file_that_is_no_log_is_refused(
    bench: Path, logscan: Run, case: str, command: tuple[str, ...]
) -> None:
    """Each kind of bad file has its own text and exit code 4, in every command, and nothing is left behind."""
    data, text = BAD_FILES[case]
    if data is not None:
        (bench / "bad.csv").write_bytes(data)
    before = contents(bench)
    outcome = logscan(command[0], "bad.csv", *command[1:])
    assert (outcome.code, outcome.out, outcome.err) == (4, "", f"error: {text}\n")
    assert contents(bench) == before


def test_a_time_column_that_does_not_parse_is_refused(bench: Path, logscan: Run) -> None:
    """A named time column without a single time stops the run."""
    (bench / "bad.csv").write_text("when,x\nearly,1\nlate,2\n")
    outcome = logscan("check", "bad.csv", "--time", "when")
    assert outcome.err == (
        "error: bad.csv: time column 'when' does not parse: 'early'; name another column with --time, or "
        "pass --time row to use the row number\n"
    )
    assert outcome.code == 4


def test_scores_stand_when_the_next_input_is_bad(bench: Path, logscan: Run) -> None:
    """A failed run changes no earlier output; it leaves a record of its own, with the error in it."""
    assert logscan("score", "log.csv", *SCORE, "--events", "events.csv").code == 0
    before = contents(bench)
    (bench / "log.csv").write_text("")
    outcome = logscan("score", "log.csv", *SCORE, "--events", "events.csv")
    assert (outcome.code, outcome.err) == (4, f"error: log.csv: the file is empty; {ROWS}\n")
    after = contents(bench)
    failed = json.loads(after.pop("scores.run.failed.json"))
    assert failed["exit_code"] == 4
    assert failed["error"] == f"log.csv: the file is empty; {ROWS}"
    assert after == {**before, "log.csv": b""}


def _resummed(model: Path) -> None:
    """Write the manifest anew, so that only the content of the files is wrong."""
    files = [file for file in model.iterdir() if file.name != "manifest.json"]
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    (model / "manifest.json").write_text(json.dumps({"sha256": sums}))


def _missing(model: Path) -> None:
    shutil.rmtree(model)


def _other_schema(model: Path) -> None:
    document = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps({**document, "schema_version": 7}))
    _resummed(model)


def _flipped(model: Path) -> None:
    data = bytearray((model / "weights.safetensors").read_bytes())
    data[len(data) // 2] ^= 1
    (model / "weights.safetensors").write_bytes(bytes(data))


def _truncated(model: Path) -> None:
    data = (model / "history.safetensors").read_bytes()
    (model / "history.safetensors").write_bytes(data[: len(data) // 2])


def _truncated_and_resummed(model: Path) -> None:
    _truncated(model)
    _resummed(model)


def _garbage(model: Path) -> None:
    (model / "manifest.json").write_bytes(b"\xff\x00 not JSON")


def _without_weights(model: Path) -> None:
    (model / "weights.safetensors").unlink()


def _without_entity(model: Path) -> None:
    document = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps({**document, "entities": []}))
    _resummed(model)


SUM = "damaged: its checksum is not the manifest's; train again or restore it"
BAD_MODELS = {
    _missing: "model: no model here; make one with 'logscan train'",
    _other_schema: (
        "model/model.json: schema version 7, this logscan reads version 1; train again, or use the logscan "
        "version that made it"
    ),
    _flipped: f"model/weights.safetensors: {SUM}",
    _truncated: f"model/history.safetensors: {SUM}",
    _truncated_and_resummed: "model: the model's files do not fit together; train again",
    _garbage: "model/manifest.json: the manifest is damaged; train again",
    _without_weights: "model: weights.safetensors is missing or unreadable; train again",
    _without_entity: "model: the model's files do not fit together; train again",
}


@pytest.mark.parametrize("spoil", BAD_MODELS, ids=lambda spoil: spoil.__name__.strip("_"))
def test_a_spoilt_model_is_named(bench: Path, logscan: Run, spoil) -> None:
    """A missing, damaged or foreign model ends with exit code 13 before anything is written."""
    spoil(bench / "model")
    before = contents(bench)
    outcome = logscan("score", "log.csv", *SCORE)
    assert (outcome.code, outcome.err) == (13, f"error: {BAD_MODELS[spoil]}\n")
    after = contents(bench)
    assert json.loads(after.pop("scores.run.failed.json"))["exit_code"] == 13
    assert after == before


OUTPUTS = {
    "no/s.csv": (14, "no/s.csv: folder 'no' does not exist; create it first"),
    "log.csv/s.csv": (14, "log.csv/s.csv: 'log.csv' is not a folder; name a folder that exists"),
    "taken.csv": (14, "taken.csv: is a folder, not a file; name a file"),
    f"{'x' * 300}.csv": (14, f"{'x' * 300}.csv: the name is too long; choose a shorter one"),
    "s.xlsx": (2, "s.xlsx: unknown format '.xlsx'; end the name in .parquet, .csv or .jsonl"),
    "log.csv": (2, "log.csv: is the input, writing it would destroy it; name another file"),
}


@pytest.mark.parametrize("out", OUTPUTS, ids=lambda out: out[:20])
def test_scores_that_cannot_be_written_are_refused(bench: Path, logscan: Run, out: str) -> None:
    """A missing folder, a file for a folder, a folder for a file, a foreign suffix, the input itself."""
    (bench / "taken.csv").mkdir()
    before = contents(bench)
    outcome = logscan("score", "log.csv", "--model", "model", "--out", out)
    assert (outcome.code, outcome.err) == (OUTPUTS[out][0], f"error: {OUTPUTS[out][1]}\n")
    left = contents(bench)
    assert {name: data for name, data in left.items() if not name.endswith(".failed.json")} == before


EVENTS = {
    "e.txt": (2, "e.txt: unknown format '.txt'; end the name in .parquet, .csv, .jsonl or .json"),
    "scores.parquet": (
        2,
        "scores.parquet: scores and events cannot be one file; give --events another name",
    ),
    "no/e.csv": (14, "no/e.csv: folder 'no' does not exist; create it first"),
}


@pytest.mark.parametrize("events", EVENTS)
def test_events_that_cannot_be_written_leave_the_scores_as_they_were(
    bench: Path, logscan: Run, events: str
) -> None:
    """Scores, events and run record are replaced together or not at all."""
    (bench / "scores.parquet").write_bytes(b"old")
    outcome = logscan("score", "log.csv", *SCORE, "--events", events)
    assert (outcome.code, outcome.err) == (EVENTS[events][0], f"error: {EVENTS[events][1]}\n")
    assert (bench / "scores.parquet").read_bytes() == b"old"
    assert not (bench / "scores.run.json").exists()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "no space left on the disk; free some space; what stood there before still stands"),
        (errno.EROFS, "the file system is read-only; write to another folder"),
    ],
)
def test_a_disk_that_fails_in_the_last_moment_loses_nothing(
    bench: Path, logscan: Run, monkeypatch: pytest.MonkeyPatch, number: int, text: str
) -> None:
    """Old scores, events, record and state stand byte for byte when the new ones cannot take their place."""
    arguments = ("score", "log.csv", *SCORE, "--events", "events.csv", "--state", "state")
    assert logscan(*arguments).code == 0
    before = contents(bench)

    def broken(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", broken)
    outcome = logscan(*arguments)
    assert outcome.code == 14
    assert outcome.err.endswith(f": {text}\n")
    assert contents(bench) == before


def test_a_full_disk_leaves_the_old_model(bench: Path, logscan: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training that cannot be saved leaves the model that stood there, whole."""
    before = contents(bench)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("logscan.results.atomic._write_synced", full)
    outcome = logscan("train", "log.csv", "--model", "model", "--no-fit")
    assert outcome.code == 14
    assert outcome.err == (
        "error: model: no space left on the disk; free some space; what stood there before still stands\n"
    )
    assert contents(bench) == before


MODELS = {
    "no/model": "no/model: folder 'no' does not exist; create it first",
    "log.csv": "log.csv: is a file, not a folder; name another folder",
    "log.csv/model": "log.csv/model: 'log.csv' is not a folder; name a folder that exists",
    "data": "data: is not a model's folder, it holds 'mine.csv'; name a new folder for the model",
    ".": ".: is not a model's folder, it holds 'data'; name a new folder for the model",
}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_never_replaces_what_is_no_model(bench: Path, logscan: Run, model: str) -> None:
    """A folder with other files, a file, a missing folder: refused before training."""
    (bench / "data").mkdir()
    (bench / "data" / "mine.csv").write_text("precious")
    before = contents(bench)
    outcome = logscan("train", "log.csv", "--model", model, "--no-fit")
    assert (outcome.code, outcome.out, outcome.err) == (14, "", f"error: {MODELS[model]}\n")
    assert contents(bench) == before


SEE = "see 'logscan {} --help'"
USAGE = {
    ("check", "log.csv", "--channels", "flow,pres"): (
        "--channels: there is no column 'pres'; did you mean 'press'?"
    ),
    ("check", "log.csv", "--time", "tine"): "--time: there is no column 'tine'; did you mean 'time'?",
    ("train", "log.csv", *TRAIN, "--train-rows", "99", "--train-until", "2024-01-01"): (
        "--train-rows: given together with --train-until; give one of them"
    ),
    ("train", "log.csv", *TRAIN, "--train-until", "noon"): (
        "--train-until: 'noon' is not a time; write it like 2024-05-01 06:00"
    ),
    ("train", "log.csv", *TRAIN, "--false-alarms", "few"): (
        "--false-alarms: 'few' is not COUNT/UNIT; write it like 1/week (hour, day, week, month) or "
        "1/rows:10000"
    ),
    ("score", "log.csv", *SCORE, "--since", ""): (
        "--since: '' is not a time; write it like 2024-05-01 06:00"
    ),
    ("report", "log.csv", "--out", "r.pdf"): (
        "--out r.pdf: unknown report format; use a name ending in .html, .json or .csv"
    ),
    ("score", "log.csv", "--out", "s.csv"): (
        f"Missing option '--model' (env var: 'LOGSCAN_MODEL'); {SEE.format('score')}"
    ),
    ("check", "log.csv", "--zzz"): f"No such option: --zzz; {SEE.format('check')}",
    ("check",): f"Missing argument 'INPUT'; {SEE.format('check')}",
}


@pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
def test_options_that_cannot_be_used_are_refused(
    bench: Path, logscan: Run, arguments: tuple[str, ...]
) -> None:
    """Wrong, missing and contradicting options: exit code 2, one line, the nearest match where there is one."""
    outcome = logscan(*arguments)
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {USAGE[arguments]}\n")
    assert sorted(path.name for path in bench.iterdir()) == sorted(
        ["log.csv", "logscan.toml", "model", *(["scores.run.failed.json"] if "--since" in arguments else [])]
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_cuda_where_there_is_none_is_refused(logscan: Run) -> None:
    """A device that was asked for is never replaced silently."""
    outcome = logscan("train", "log.csv", *TRAIN, "--device", "cuda")
    assert outcome.err == "error: --device cuda: no CUDA device is available; use --device cpu or auto\n"
    assert outcome.code == 2


def test_a_training_part_that_is_too_short_is_refused(logscan: Run) -> None:
    """The message says how long the training part is and how long it must be."""
    outcome = logscan("train", "log.csv", *TRAIN, "--train-rows", "13")
    assert outcome.err == (
        "error: log.csv: the training part has 13 steps, at least 32 are needed; train on more rows "
        "(--train-rows, --train-until) or use a finer grid (--every)\n"
    )
    assert outcome.code == 4


def test_an_input_too_short_to_judge_is_no_silent_success(bench: Path, logscan: Run) -> None:
    """Where no row can be judged there is an error, not a file of nothing."""
    write_log(bench / "short.csv", values(5))
    outcome = logscan("score", "short.csv", *SCORE)
    assert outcome.err == (
        "error: short.csv: nothing could be judged: no window of the model is observed well enough; give a "
        "longer input, or look at it with 'logscan check'\n"
    )
    assert outcome.code == 4
    assert not (bench / "scores.parquet").exists()


def test_since_after_the_last_row_is_no_silent_success(bench: Path, logscan: Run) -> None:
    """Where no row is left to write there is an error, not a file of nothing."""
    outcome = logscan("score", "log.csv", *SCORE, "--since", "2024-02-01")
    assert outcome.err == "error: log.csv: no row from 2024-02-01 on; check --since\n"
    assert outcome.code == 4
    assert not (bench / "scores.parquet").exists()


def test_a_renamed_channel_is_suggested(bench: Path, logscan: Run) -> None:
    """A channel of the model that is missing is an error with the nearest name."""
    write_log(bench / "log.csv", values(97), ("flow", "pressure", "temp"))
    outcome = logscan("score", "log.csv", *SCORE)
    assert outcome.err == (
        "error: log.csv: channel 'press' of the model is missing; was it renamed to 'pressure'?\n"
    )
    assert outcome.code == 4


def test_another_kind_of_time_is_refused(bench: Path, logscan: Run) -> None:
    """A log in integer steps is not scored by a model of minutes."""
    rows = [f"{i},{line.split(',', 1)[1]}" for i, line in enumerate(lines(values(97)))]
    (bench / "steps.csv").write_text("\n".join(["time," + ",".join(CHANNELS), *rows]) + "\n")
    outcome = logscan("score", "steps.csv", *SCORE)
    assert outcome.code in (2, 4)
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1


def test_an_unknown_configuration_key_is_suggested(bench: Path, logscan: Run) -> None:
    """The message names the file, the key and the nearest one."""
    (bench / "logscan.toml").write_text("[encoder]\nscale = [8]\n")
    outcome = logscan("check", "log.csv")
    assert (outcome.code, outcome.err) == (
        2,
        "error: logscan.toml: unknown key 'encoder.scale'; did you mean 'scales'?\n",
    )


def test_a_lock_that_is_held_ends_the_second_run_at_once(bench: Path, logscan: Run) -> None:
    """The second run on a state exits 11 without waiting and without writing scores."""
    (bench / "state").mkdir()
    with filelock.FileLock(bench / "state" / "lock"):
        outcome = logscan("score", "log.csv", *SCORE, "--state", "state")
    assert outcome.err == (
        "error: state: another run holds the lock; wait for it to end, or use another --state folder\n"
    )
    assert outcome.code == 11
    assert not (bench / "scores.parquet").exists()


STATES = {
    b'{"model_id": "beef", "last_times": {}}': (
        "the state belongs to model beef, not {id}; delete state/state.json to start over"
    ),
    b"\x00 torn": "the state is damaged; delete state/state.json to start over",
    b'{"model_id": "beef"}': "the state is damaged; delete state/state.json to start over",
}


@pytest.mark.parametrize("data", STATES)
def test_a_state_that_cannot_be_continued_is_refused(bench: Path, logscan: Run, data: bytes, shop) -> None:
    """A damaged state or that of another model stops the run; scores and state stay as they were."""
    (bench / "state").mkdir()
    (bench / "state" / "state.json").write_bytes(data)
    outcome = logscan("score", "log.csv", *SCORE, "--state", "state")
    text = STATES[data].format(id=shop[1].model_id)
    assert (outcome.code, outcome.err) == (2, f"error: state/state.json: {text}\n")
    assert (bench / "state" / "state.json").read_bytes() == data
    assert not (bench / "scores.parquet").exists()


def test_a_state_that_cannot_be_made_is_refused(bench: Path, logscan: Run) -> None:
    """A state folder under a file is an output that cannot be written."""
    outcome = logscan("score", "log.csv", *SCORE, "--state", "log.csv/state")
    assert outcome.err == "error: log.csv/state: cannot hold a state (Not a directory); check --state\n"
    assert outcome.code == 14
    assert not (bench / "scores.parquet").exists()


def test_damaged_inputs_never_end_in_a_traceback(bench: Path, logscan: Run) -> None:
    """Random damage to a good log is read or refused by name, never reported as a bug."""
    good = (bench / "log.csv").read_bytes()[:3000]
    rng = np.random.default_rng(7)
    for _ in range(19):
        data = bytearray(good)
        for place in rng.integers(0, len(data), 23):
            data[place] = rng.integers(0, 256)
        (bench / "log.csv").write_bytes(bytes(data))
        outcome = logscan("score", "log.csv", *SCORE)
        assert outcome.code in (0, 3, 4), outcome.err


def test_a_bug_is_one_line_with_its_own_code(logscan: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody expected is told as a bug, exit code 1, without a traceback."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("logscan.cli.jobs.check.check", broken)
    outcome = logscan("check", "log.csv")
    assert outcome.err == (
        "error: unexpected ZeroDivisionError: by zero; this is a bug in logscan, -v shows where\n"
    )
    assert outcome.code == 1
