"""Laws of training with labels: a known failure has no influence on the model, and what is left out is told."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from logscan import pipeline
from logscan.config import Config, EncoderConfig
from logscan.core.windows import untouched
from logscan.errors import InputError
from logscan.labels.intervals import Label
from logscan.labels.known_failures import touched_steps
from logscan.model.folder import load_model, save_model
from logscan.model.records import Model
from logscan.records import LogKind, Series, TimeGrid, TimeKind
from logscan.results.run_record import RunRecord
from logscan.times import Times
from tests.cli.test_refusals import _resummed
from tests.conftest import ROWS, Run, contents
from tests.synthetic import CHANNELS, lines, times, values, write_log
from tests.test_pipeline import log_of

pytestmark = pytest.mark.usefixtures("single")
TRAINED = 401
FAULT, REPEATED = slice(203, 233), slice(503, 533)
TRAIN = ("train", "log.csv", "--model", "m", "--no-fit")


def _mask(steps: int, *spans: slice) -> np.ndarray:
    mask = np.zeros(steps, dtype=np.bool_)
    for span in spans:
        mask[span] = True
    return mask


def _trained(cells: np.ndarray, mask: np.ndarray | None, config: Config) -> Model:
    excluded = None if mask is None else {"": mask}
    return pipeline.train(log_of(lines(cells)), config, train_rows=TRAINED, excluded=excluded, device="cpu")


def _label_file(bench: Path, *spans: slice) -> str:
    """`known.csv` with the given rows, half-open."""
    when = times(ROWS)
    text = "".join(f"{when[span.start]},{when[span.stop]}\n" for span in spans)
    (bench / "known.csv").write_text("start,end\n" + text)
    return "known.csv"


@pytest.mark.parametrize("fit", [False, True], ids=["closed form", "trained"])
@pytest.mark.parametrize("span", [FAULT, slice(203, 206), slice(0, 3), slice(397, 401)], ids=str)
def test_labelled_values_have_no_influence(tmp_path: Path, span: slice, fit: bool) -> None:
    """Whatever the labelled rows hold, long or so short that a gap would be bridged, the model's bytes are the same."""
    config = Config(encoder=EncoderConfig(scales=(8, 16), fit=fit, epochs=2))
    scores, folders = [], []
    for number, filler in enumerate((None, -50.0, 9999.0, np.nan)):
        cells = values(ROWS)
        if filler is not None:
            cells[span] = filler
        model = _trained(cells, _mask(ROWS, span), config)
        save_model(model, tmp_path / str(number))
        folders.append(contents(tmp_path / str(number)))
        scores.append(pipeline.score(log_of(lines(values(ROWS, seed=5))), model, device="cpu").series[0])
    assert all(folder == folders[0] for folder in folders)
    for one in scores:
        np.testing.assert_array_equal(one.contributions, scores[0].contributions)


def test_without_labels_the_model_is_what_it_was(tmp_path: Path, small_config: Config) -> None:
    """No labels, labels that hit nothing and labels after the training part give the same bytes."""
    folders = []
    for number, mask in enumerate((None, _mask(ROWS), _mask(ROWS, REPEATED))):
        save_model(_trained(values(ROWS), mask, small_config), tmp_path / str(number))
        folders.append(contents(tmp_path / str(number)))
    assert folders[0] == folders[1] == folders[2]


def test_no_window_of_the_history_touches_a_label(small_config: Config) -> None:
    """Every start of every head lies a window away from the label; all other windows are there."""
    mask = _mask(ROWS, FAULT, slice(301, 303))
    entity = _trained(values(ROWS), mask, small_config).entities[0]
    for head in entity.heads:
        window = head.spec.window_steps
        want = [start for start in range(TRAINED - window + 1) if not mask[start : start + window].any()]
        assert head.starts.tolist() == want
    assert not entity.observed[mask[:TRAINED]].any()
    assert entity.observed[~mask[:TRAINED]].all()


def test_a_missing_value_is_not_a_labelled_one(small_config: Config) -> None:
    """A gap of two steps is bridged and stays history; two labelled steps are not."""
    cells = values(ROWS)
    cells[301:303] = np.nan
    gap, label = (
        _trained(cells, None, small_config),
        _trained(cells, _mask(ROWS, slice(301, 303)), small_config),
    )
    assert gap.entities[0].observed.all()
    assert len(gap.entities[0].heads[0].starts) > len(label.entities[0].heads[0].starts)
    assert gap.model_id != label.model_id


@pytest.mark.parametrize("causal", [False, True])
def test_a_failure_that_comes_back_is_found_when_it_was_labelled(small_config: Config, causal: bool) -> None:
    """The same fault in the training part and after: labelled, it is an event; unlabelled, it is taken for normal."""
    cells = values(ROWS)
    cells[FAULT, 1] += 4
    cells[REPEATED, 1] += 4
    severity = {}
    for name, mask in {"labelled": _mask(ROWS, FAULT), "unlabelled": None}.items():
        model = _trained(cells, mask, small_config)
        one = pipeline.score(log_of(lines(cells)), model, causal=causal, device="cpu").series[0]
        severity[name] = float(np.nanmax(one.score[REPEATED]) / one.threshold)
        found = any(event.start_step < 533 and event.end_step > 503 for event in one.events)
        assert found == (name == "labelled")
    assert severity["labelled"] > 1.5
    assert severity["unlabelled"] < 1


def test_a_label_does_not_stretch_the_threshold(small_config: Config) -> None:
    """With its fault labelled, a log alarms as early as one that never had the fault."""
    cells = values(ROWS)
    clean = _trained(cells, None, small_config).entities[0].threshold_batch.value
    cells[FAULT, 1] += 4
    with_label = _trained(cells, _mask(ROWS, FAULT), small_config).entities[0].threshold_batch.value
    without = _trained(cells, None, small_config).entities[0].threshold_batch.value
    assert with_label == pytest.approx(clean, rel=0.2)
    assert without > 1.3 * clean


def test_scales_that_labels_leave_no_room_for_are_not_used(small_config: Config) -> None:
    """Labels every eleven rows leave windows of 8 steps but none of 16: the model has the short scale only."""
    mask = np.arange(ROWS) % 11 == 5
    model = _trained(values(ROWS), mask, small_config)
    assert {head.spec.window_steps for head in model.entities[0].heads} == {8}
    one = pipeline.score(log_of(lines(values(ROWS))), model, device="cpu").series[0]
    assert np.isfinite(one.score).all()


def test_labels_that_leave_too_little_are_refused(small_config: Config) -> None:
    """Where no scale has windows left, that is said, with the numbers and the remedy."""
    mask = np.arange(ROWS) % 7 == 5
    with pytest.raises(InputError) as caught:
        _trained(values(ROWS), mask, small_config)
    assert str(caught.value) == (
        "standard input: known failures cover 57 of the 401 training steps, and what is left has too few windows "
        "of 8 steps; train on more rows (--train-rows, --train-until), or label only the failures (--labels)"
    )


@pytest.mark.parametrize("window", [1, 3, 7])
def test_untouched_windows_hold_no_excluded_step(window: int) -> None:
    """The running sum says what looking into every window says."""
    excluded = np.random.default_rng(1).random(97) < 0.1
    starts = np.arange(0, 97 - window + 1, 2)
    want = [not excluded[start : start + window].any() for start in starts]
    assert untouched(starts, window, excluded).tolist() == want


def test_a_label_shorter_than_a_step_marks_the_step_it_lies_in() -> None:
    """Orders are counted from step to step; a label inside one spoils it, one that ends where it begins does not."""
    grid = TimeGrid(TimeKind.INTEGER, 100, 10, 5)
    series = Series("a", ("count",), grid, np.zeros((5, 1)), None)
    marked = {
        span: np.flatnonzero(touched_steps((Label("a", *span, ""),), series, LogKind.EVENTS)).tolist()
        for span in ((112, 118), (110, 120), (119, 121), (0, 100), (149, 999))
    }
    assert marked == {(112, 118): [1], (110, 120): [1], (119, 121): [1, 2], (0, 100): [], (149, 999): [4]}
    assert not touched_steps((Label("b", 100, 150, ""),), series, LogKind.EVENTS).any()


def test_a_labelled_row_marks_the_step_it_was_put_on() -> None:
    """Samples fall on the nearest step; the step of a labelled row counts as labelled, and so does one without rows."""
    grid = TimeGrid(TimeKind.INTEGER, 100, 10, 5)
    series = Series("", ("x",), grid, np.zeros((5, 1)), Times.of(np.array([100, 108, 121, 139])))
    marked = {
        span: np.flatnonzero(touched_steps((Label(None, *span, ""),), series, LogKind.SAMPLES)).tolist()
        for span in ((107, 109), (110, 111), (120, 122), (129, 131), (130, 140))
    }
    assert marked == {(107, 109): [1], (110, 111): [1], (120, 122): [2], (129, 131): [3], (130, 140): [3, 4]}


def test_train_tells_what_it_left_out(bench: Path, logscan: Run) -> None:
    """The number of labelled steps is in the table, the JSON, the model card, the model and the run record."""
    labels = _label_file(bench, FAULT, REPEATED)
    outcome = logscan(*TRAIN, "--train-rows", TRAINED, "--labels", labels)
    assert (outcome.code, outcome.err) == (0, "")
    assert "known failures  30 steps left out" in " ".join(outcome.out.split("\n"))
    assert "known failures" not in logscan(*TRAIN).out
    card = json.loads(logscan(*TRAIN, "--labels", labels, "--json").out)
    assert card["excluded_steps"] == 60
    assert "- Steps of these rows left out as known failures: 60\n" in (bench / "m/MODEL_CARD.md").read_text()
    assert json.loads((bench / "m/model.json").read_text())["excluded_steps"] == 60
    assert logscan("score", "log.csv", "--model", "m", "--out", "s.csv").code == 0
    record = RunRecord.model_validate_json((bench / "s.run.json").read_bytes())
    assert record.model is not None
    assert record.model.excluded_steps == 60


def test_a_label_column_is_as_good_as_a_file(
    bench: Path, logscan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intervals, a column and the environment name the same steps, so the models agree; the column is no channel."""
    cells, flags = values(ROWS), np.zeros((ROWS, 1))
    flags[FAULT] = 1
    write_log(bench / "log.csv", np.hstack([cells, flags]), (*CHANNELS, "broken"))
    labels = _label_file(bench, FAULT)
    ids = {}
    for name, more in {"file": ("--labels", labels), "column": ("--labels", "broken"), "none": ()}.items():
        card = json.loads(logscan(*TRAIN, *more, "--ignore", "broken", "--json").out)
        assert card["channels"] == list(CHANNELS)
        ids[name] = card["model_id"]
    assert ids["file"] == ids["column"] != ids["none"]
    assert json.loads(logscan(*TRAIN, "--labels", "broken", "--json").out)["channels"] == list(CHANNELS)
    monkeypatch.setenv("LOGSCAN_LABELS", "broken")
    assert json.loads(logscan(*TRAIN, "--json").out)["excluded_steps"] == 30


def test_labels_that_hit_nothing_are_told(bench: Path, logscan: Run) -> None:
    """Labels after the training part leave a model and a warning: nothing was left out."""
    labels = _label_file(bench, REPEATED)
    outcome = logscan(*TRAIN, "--train-rows", TRAINED, "--labels", labels)
    assert (outcome.code, outcome.err) == (
        0,
        "warning: known.csv: no training row lies in a label; check that times and entities agree\n",
    )
    assert load_model(bench / "m").excluded_steps == 0


REFUSED = {
    "none.csv": (4, "none.csv: no such label file; check --labels"),
    "log.csv": (4, "log.csv: no column 'start'; a label file has columns start,end"),
    "flow": (
        4,
        "flow: is no label column, it holds 10.2041; a label column holds 1 in a failure and 0 elsewhere",
    ),
    "broken": (2, "--labels: there is no column 'broken'; the columns are: time, flow, press, temp"),
}


@pytest.mark.parametrize("labels", REFUSED)
def test_labels_that_cannot_be_meant_are_refused(bench: Path, logscan: Run, labels: str) -> None:
    """Missing files, foreign files, unknown columns and columns of readings each have their text; no model is made."""
    outcome = logscan(*TRAIN, "--labels", labels)
    assert (outcome.code, outcome.err) == (REFUSED[labels][0], f"error: {REFUSED[labels][1]}\n")
    assert not (bench / "m").exists()


def test_a_label_column_of_standard_input_is_refused(logscan: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream is read once, and the column would need a second look."""
    text = "\n".join(["time,flow,press,temp", *lines(values(101))]) + "\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    outcome = logscan("train", "-", "--model", "m", "--no-fit", "--labels", "flow")
    assert (outcome.code, outcome.err) == (
        2,
        "error: --labels flow: standard input cannot be read twice; give a CSV with columns start,end\n",
    )


def test_an_entity_that_is_all_failure_is_skipped(bench: Path, logscan: Run) -> None:
    """Labels of one machine leave the others as they are; a machine of which nothing is left is named."""
    rows = [f"{line},{name}" for name in ("p2", "p3") for line in lines(values(211))]
    (bench / "log.csv").write_text("\n".join(["time,flow,press,temp,machine", *rows]) + "\n")
    (bench / "known.csv").write_text("start,end,entity\n2024-01-01,2024-01-02,p3\n")
    outcome = logscan(*TRAIN, "--entity", "machine", "--labels", "known.csv")
    assert (outcome.code, outcome.err) == (
        3,
        "warning: entity 'p3' is too short outside its known failures to train on, skipped; give it more rows\n",
    )


def test_orders_of_a_labelled_hour_are_left_out(bench: Path, logscan: Run) -> None:
    """In a log of events a label inside an hour leaves the hour out, by file or by a flag on the order lines."""
    moments = np.datetime64("2024-01-01T00:05") + 20 * np.arange(300)
    flags = np.zeros(300, dtype=int)
    flags[120:125] = 1  # 2024-01-02 16:05 to 17:25
    when = [str(moment).replace("T", " ") for moment in moments]
    rows = [f"{when[n]},{n % 5 + 1},{flags[n]}" for n in range(300)]
    (bench / "orders.csv").write_text("\n".join(["time,amount,void", *rows]) + "\n")
    (bench / "known.csv").write_text("start,end\n2024-01-02 16:05,2024-01-02 17:30\n")
    ids = set()
    for labels in ("known.csv", "void"):
        arguments = ("--kind", "events", "--every", "1h", "--ignore", "void", "--labels", labels, "--json")
        card = json.loads(logscan("train", "orders.csv", "--model", "m", "--no-fit", *arguments).out)
        assert card["excluded_steps"] == 2
        ids.add(card["model_id"])
    assert len(ids) == 1
    given = ("--model", "m", "--ignore", "void", "--out", "s.csv")
    assert logscan("score", "orders.csv", *given).code == 0
    figures = json.loads(logscan("evaluate", "s.csv", "--labels", "void", "--json").out)
    assert (figures["anomalous_rows"], figures["events"]) == (2, 1)


def test_a_model_from_before_labels_still_loads(bench: Path) -> None:
    """A model file without the count of labelled steps is read as having left none out."""
    document = json.loads((bench / "model/model.json").read_text())
    del document["excluded_steps"]
    (bench / "model/model.json").write_text(json.dumps(document))
    _resummed(bench / "model")
    assert load_model(bench / "model").excluded_steps == 0
