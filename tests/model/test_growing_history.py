"""A history that grows with what is scored."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import Config, EncoderConfig
from logscan.model import growing_history, history_attention
from logscan.model.encoder import Encoding, encode
from logscan.model.growing_history import GrowingHistory, candidates, ordinary_steps
from logscan.model.heads import features, prepared, token_starts
from logscan.model.history_attention import HeadHistory, attend, head_attention
from logscan.model.records import EntityModel
from logscan.model.score_growing import encode_growing
from logscan.model.train_entity import train_entity
from logscan.records import Series, TimeGrid, TimeKind

CPU = torch.device("cpu")
TRAINED, STEPS, CHANNELS = 617, 1801, 2


def _waves(steps: int, seed: int) -> np.ndarray:
    """Two noisy waves."""
    time = np.arange(steps)[:, None]
    noise = np.random.default_rng(seed).normal(size=(steps, CHANNELS))
    return np.sin(2 * np.pi * time / 29.0 + np.array([0.0, 1.0])) + 0.1 * noise


@pytest.fixture(scope="module")
def entity() -> EntityModel:
    """Trained, in closed form, on two waves."""
    grid = TimeGrid(TimeKind.INTEGER, 0, 1, TRAINED)
    return train_entity(
        Series("", ("a", "b"), grid, _waves(TRAINED, 0), np.arange(TRAINED)),
        Config(encoder=EncoderConfig(scales=(8, 16), fit=False)),
        counts=np.zeros(CHANNELS, dtype=np.bool_),
        false_alarms_per_step=1e-3,
        device=CPU,
    ).entity


def _encoded(
    model: EntityModel, values: np.ndarray, *, grow: bool, causal: bool, offset: int = TRAINED
) -> Encoding:
    ready = prepared(values, model.scaler, bridge_steps=3, causal=causal)
    return (encode_growing if grow else encode)(model, ready, offset, neighbors=8, causal=causal, device=CPU)


@pytest.mark.parametrize(("causal", "drift"), [(False, 0.2), (True, 0.5)])
def test_slow_change_becomes_normal_and_a_lasting_fault_does_not(
    entity: EntityModel, causal: bool, drift: float
) -> None:
    """A level that drifts alarms unless the history grows; one that jumps by six drifts alarms to the end.

    Block by block a history follows any slow drift; two looks reach about twice as far as one.
    """
    threshold = (entity.threshold_causal if causal else entity.threshold_batch).value
    slow = _waves(STEPS, 1) + np.linspace(0, drift, STEPS)[:, None]
    sudden = _waves(STEPS, 1)
    sudden[STEPS // 2 :] += 6 * drift
    alarms = {
        (name, grow): float(
            (_encoded(entity, cells, grow=grow, causal=causal).score[STEPS // 2 + 20 :] > threshold).mean()
        )
        for name, cells in (("slow", slow), ("sudden", sudden))
        for grow in (False, True)
    }
    assert alarms["slow", False] > 0.3
    assert alarms["slow", True] < 0.2 * alarms["slow", False]
    assert alarms["sudden", False] > 0.95
    assert alarms["sudden", True] > 0.95


@pytest.mark.parametrize("cut", [140, 311, 517, 901, 1500])
def test_causal_scores_do_not_know_the_future(entity: EntityModel, cut: int) -> None:
    """A log that goes on begins with the scores it had, whatever joins the history later."""
    cells = _waves(STEPS, 2) * np.linspace(1.0, 1.6, STEPS)[:, None]
    cells[400:417] += 2.0
    whole = _encoded(entity, cells, grow=True, causal=True)
    part = _encoded(entity, cells[:cut], grow=True, causal=True)
    np.testing.assert_array_equal(part.contributions, whole.contributions[:cut])


def test_nothing_joins_that_is_not_ordinary_observed_and_new(entity: EntityModel) -> None:
    """No window that joins holds a step above the limit, a gap, or a step of the training part."""
    cells = _waves(STEPS, 3)
    cells[900:950] += 4.0
    cells[1200:1260, 0] = np.nan
    ready = prepared(cells, entity.scaler, bridge_steps=3, causal=False)
    score = encode(entity, ready, 0, neighbors=8, causal=False, device=CPU).score
    ordinary = ordinary_steps(score, entity.ordinary_score)
    assert not ordinary[900:950].any()
    for head in entity.heads:
        window = head.spec.window_steps
        starts = candidates(entity, head, ready, token_starts(head.spec, STEPS, causal=True), 0, ordinary)
        assert len(starts)
        held = np.unique(starts[:, None] + np.arange(window))
        assert ordinary[held].all()
        assert held.min() >= TRAINED
        seen = np.isfinite(cells).all(axis=1)[starts[:, None] + np.arange(window)]
        assert (seen.mean(axis=1) >= 0.75).all()


def test_a_log_before_the_training_part_joins_as_one_after_it(entity: EntityModel) -> None:
    """Windows join from before the training part too, and never from within it."""
    ready = prepared(_waves(STEPS, 4), entity.scaler, bridge_steps=3, causal=False)
    everything = np.ones(STEPS, dtype=np.bool_)
    head = entity.heads[0]
    starts = token_starts(head.spec, STEPS, causal=True)
    before = candidates(entity, head, ready, starts, -1000, everything)
    times = before - 1000
    assert times.min() < 0 < times.max()
    assert not ((times > -head.spec.window_steps) & (times < TRAINED)).any()


@given(own=st.integers(30, 90), joined=st.integers(1, 60), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_attention_over_both_parts_is_attention_over_the_whole(
    entity, own: int, joined: int, seed: int
) -> None:
    """Own and joined tokens together give the analogues and shares of one history that holds them all."""
    head, draw = entity.heads[0], torch.Generator().manual_seed(seed)
    width = head.basis.shape[1]
    keys = torch.randn(own + joined, width, generator=draw)
    queries = torch.randn(17, width, generator=draw)
    times = np.arange(own + joined) * head.spec.window_steps
    query_times = np.arange(17) * 5 * head.spec.window_steps
    found, weights = attend(head, queries, keys, query_times, times, 8)
    both = HeadHistory(entity.history, times, times, keys[:own], keys[own:])
    other, shares = history_attention.attend_to_both(head, queries, both, query_times, 8)
    np.testing.assert_allclose(shares, weights, atol=1e-5)
    heavy = weights > 1e-4
    np.testing.assert_array_equal(other[heavy], found[heavy])


def test_what_joins_is_bounded_and_the_least_known_stays(entity: EntityModel, monkeypatch) -> None:
    """A history takes in as many windows as it may hold, those that were rebuilt worst, in order of time."""
    monkeypatch.setattr(growing_history, "MOST_JOINING", 100)
    head, values = entity.heads[0], np.zeros((STEPS, CHANNELS), np.float32)
    grown = GrowingHistory.of(head, entity, values, TRAINED, CPU)
    score = np.random.default_rng(0).random(STEPS).astype(np.float32)
    starts = token_starts(head.spec, STEPS, causal=True)
    for piece in np.array_split(starts, 7):
        grown.join(piece, score)
    mean = np.convolve(score, np.ones(head.spec.window_steps) / head.spec.window_steps, "valid")
    wanted = np.sort(starts[np.argsort(-mean[starts], kind="stable")[:100]])
    np.testing.assert_array_equal(grown.starts, wanted)
    known = grown.now()
    np.testing.assert_array_equal(known.times[len(known.keys) :], wanted + TRAINED)
    ready = prepared(_waves(50, 1), entity.scaler, bridge_steps=3, causal=False)
    found = head_attention(head, known, ready, np.array([0, 9]), 5 * TRAINED, neighbors=300)
    assert found.neighbors.max() >= len(known.keys)


def test_windows_of_a_history_come_from_the_part_they_lie_in(entity: EntityModel) -> None:
    """The head's own windows are cut from the training part, those that joined from the series that is scored."""
    head, values = entity.heads[0], np.random.default_rng(1).normal(size=(STEPS, CHANNELS)).astype(np.float32)
    grown = GrowingHistory.of(head, entity, values, TRAINED, CPU)
    starts = np.array([3, 40, 97])
    grown.join(starts, np.ones(STEPS, dtype=np.float32))
    known, own = grown.now(), len(head.starts)
    tokens = np.array([0, own - 1, own, own + 2])
    wanted = [
        features(entity.history, head.starts[[0, own - 1]], head.spec),
        features(values, starts[[0, 2]], head.spec),
    ]
    np.testing.assert_array_equal(known.features(tokens, head), np.concatenate(wanted))


@pytest.mark.parametrize("causal", [False, True])
def test_a_model_that_knows_no_limit_keeps_its_history(entity: EntityModel, causal: bool) -> None:
    """Models from before histories could grow score as they always did."""
    old = replace(entity, ordinary_score=float("nan"))
    cells = _waves(STEPS, 5)
    grown = _encoded(old, cells, grow=True, causal=causal)
    np.testing.assert_array_equal(grown.score, _encoded(old, cells, grow=False, causal=causal).score)


def test_a_history_of_very_few_windows_grows(entity: EntityModel) -> None:
    """A head that knows fewer windows than it asks for gives as many analogues before and after more joined."""
    heads = tuple(replace(head, starts=head.starts[:3]) for head in entity.heads)
    poor = replace(entity, heads=heads, ordinary_score=10.0)
    found = _encoded(poor, _waves(STEPS, 6), grow=True, causal=True).level
    assert found.neighbor_times.shape == (len(found.starts), 8)
    assert (found.weights[0] > 0).sum() == 3
    assert (found.weights[-1] > 0).sum() == 8


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("steps", [3, 9, 20])
def test_a_log_shorter_than_a_window_is_not_judged(entity: EntityModel, steps: int, causal: bool) -> None:
    """Where no window fits nothing is judged, and nothing breaks."""
    grown = _encoded(entity, _waves(steps, 7), grow=True, causal=causal)
    assert grown.score.shape == (steps,)
    assert np.isfinite(grown.score).any() == (steps >= 8)
