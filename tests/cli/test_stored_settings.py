"""What was read once is read again in the same way, from the settings stored in model and run record."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.model.folder import load_model
from logscan.read import read_log
from logscan.read_settings import over_stored, stored_settings
from logscan.results.read_scores import read_scores
from tests.conftest import Run

OLD = Path(__file__).parents[1] / "fixtures" / "v0_1"


@pytest.fixture
def old(bench: Path) -> Path:
    """A log, a model, scores and a run record as version 0.1 left them, in the working folder."""
    for name in ("log.csv", "scores.csv", "scores.run.json"):
        shutil.copy(OLD / name, bench / name)
    shutil.rmtree(bench / "model")
    shutil.copytree(OLD / "model", bench / "model")
    (bench / "logscan.toml").unlink()
    return bench


def test_a_model_of_0_1_reads_and_scores_as_before(old: Path, logscan: Run) -> None:
    """A model without stored settings takes them from its schema; the scores are those of 0.1."""
    assert load_model(old / "model").read_as is None
    assert logscan("score", "log.csv", "--model", "model", "--out", "again.csv").code == 0
    before, now = read_scores(old / "scores.csv"), read_scores(old / "again.csv")
    np.testing.assert_array_equal(now.time, before.time)
    np.testing.assert_allclose(now.score, before.score, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(now.event, before.event)


def test_a_run_record_of_0_1_makes_a_report(old: Path, logscan: Run) -> None:
    """A record of schema 1, with sentences instead of notes, is shown with its sentences."""
    assert json.loads((old / "scores.run.json").read_text())["schema_version"] == 1
    assert logscan("report", "scores.csv", "--out", "r.html", "--lang", "ja").code == 0
    assert "units taken off" in (old / "r.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("old")
def test_labels_of_a_log_read_with_units_are_found_again(logscan: Run) -> None:
    """Evaluation reads the input as scoring did, so that a label column beside units needs no option."""
    fitted = ("--units", "--ignore", "bad", "--train-rows", "120", "--no-fit")
    assert logscan("train", "log.csv", "--model", "m", *fitted).code == 0
    assert logscan("score", "log.csv", "--model", "m", "--out", "s.csv").code == 0
    figures = logscan("evaluate", "s.csv", "--labels", "bad", "--json")
    assert figures.code == 0, figures.err
    assert json.loads(figures.out)["anomalous_rows"] == 6


@pytest.mark.usefixtures("old")
def test_evaluation_takes_options_of_the_input(logscan: Run) -> None:
    """Where the record does not tell, as one of 0.1, an option does."""
    assert logscan("evaluate", "scores.csv", "--labels", "bad").code == 4
    figures = logscan("evaluate", "scores.csv", "--labels", "bad", "--units", "--json")
    assert json.loads(figures.out)["anomalous_rows"] == 6


def test_stored_settings_read_the_same_series(old: Path) -> None:
    """Reading with the settings stored of a reading gives the same series, and the same settings again."""
    given = InputConfig(units=True, ignore=("bad",))
    first = read_log([old / "log.csv"], given)
    stored = stored_settings(first.schema, given)
    again = read_log([old / "log.csv"], stored)
    np.testing.assert_array_equal(first.series[0].values, again.series[0].values)
    assert stored_settings(again.schema, stored) == stored


def test_what_is_given_wins_but_for_what_shapes_the_series() -> None:
    """An option given now replaces the stored one; the grid step and the kind of log stay."""
    stored = InputConfig(time="t", every="1min", kind="samples", encoding="cp932")
    over = over_stored(InputConfig(time="when", every="5min", units=True), stored)
    assert over == InputConfig(time="when", every="1min", kind="samples", encoding="cp932", units=True)
