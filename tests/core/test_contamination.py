"""Laws of contaminated training rows: what never came again is no history, and only that."""

import numpy as np
import pytest

from logscan import pipeline
from logscan.config import Config
from logscan.core.contamination import unlike_the_rest
from logscan.model import train_entity
from logscan.model.records import Model
from tests.synthetic import lines, values
from tests.test_pipeline import log_of

pytestmark = pytest.mark.usefixtures("single")
TRAINED, ROWS = 1201, 1601
FAULT, REPEATED = slice(503, 515), slice(1403, 1415)


def _scores() -> np.ndarray:
    return 0.3 + 0.1 * np.random.default_rng(7).random(1009)


def test_scores_that_are_all_alike_lose_nothing() -> None:
    """Noise, a constant and nothing at all have no step that is unlike the rest."""
    for score in (_scores(), np.full(101, 0.3), np.full(101, np.nan), np.empty(0)):
        assert unlike_the_rest(score).tolist() == [False] * len(score)


def test_a_burst_is_found_and_nothing_else() -> None:
    """Steps far above the rest are marked; a step that was not judged never is."""
    score = _scores()
    score[211:223] = 2.0
    score[307:311] = np.nan
    before = score.copy()
    assert np.flatnonzero(unlike_the_rest(score)).tolist() == list(range(211, 223))
    np.testing.assert_array_equal(score, before)


@pytest.mark.parametrize("length", [13, 101, 401])
def test_at_most_two_in_a_hundred_steps_go_and_they_are_the_worst(length: int) -> None:
    """However long a burst is, no more than 2 % of the steps are marked, and none that is better than one left."""
    score = _scores()
    score[211 : 211 + length] += 2.0 + np.arange(length) / 1000
    marked = unlike_the_rest(score)
    assert 0 < marked.sum() <= 0.02 * len(score) + 1
    assert score[marked].min() >= score[~marked].max()


def test_the_unit_of_the_score_does_not_matter() -> None:
    """Scores times seven mark the same steps."""
    score = _scores()
    score[211:223] = 2.0
    np.testing.assert_array_equal(unlike_the_rest(score), unlike_the_rest(7 * score))


def _model(cells: np.ndarray, config: Config) -> Model:
    return pipeline.train(log_of(lines(cells)), config, train_rows=TRAINED, device="cpu")


def test_an_unlabelled_fault_is_no_history(small_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault among 1,201 training rows is trimmed, and scores higher when it returns than if it had not been."""
    cells = values(ROWS)
    for span in (FAULT, REPEATED):
        cells[span] += np.random.default_rng(11).normal(0, 9, cells[span].shape)
    log = log_of(lines(cells))
    peaks = []
    for trimming in (True, False):
        if not trimming:
            monkeypatch.setattr(
                train_entity, "unlike_the_rest", lambda score: np.zeros(len(score), dtype=np.bool_)
            )
        model = _model(cells, small_config)
        assert (0 < model.trimmed_steps <= 25) == trimming
        for head in model.entities[0].heads:
            inside = (head.starts <= 508) & (head.starts + head.spec.window_steps > 508)
            assert inside.any() != trimming
        one = pipeline.score(log, model, device="cpu").series[0]
        peaks.append(float(np.nanmax(one.score[REPEATED])))
    assert peaks[0] > 2 * peaks[1]


def test_a_dull_log_keeps_all_its_history(small_config: Config) -> None:
    """Where nothing stands out, nothing is trimmed: every window is history."""
    model = _model(values(ROWS), small_config)
    assert model.trimmed_steps == 0
    for head in model.entities[0].heads:
        assert len(head.starts) == TRAINED - head.spec.window_steps + 1
