from dataclasses import replace

import numpy as np
import pytest
import torch

from logscan.config import Config, EncoderConfig
from logscan.core.views import View
from logscan.model.encoder import attend, encode, head_keys, head_output
from logscan.model.fit import fit_head
from logscan.model.heads import (
    closed_form_basis,
    feature_chunks,
    features,
    head_specs,
    prepared,
    searchable,
    token_starts,
)
from logscan.model.state import EntityModel, HeadSpec, Layer
from logscan.model.train import closed_form_head, min_event_steps, train_entity
from logscan.records import Series, TimeGrid, TimeKind

CPU = torch.device("cpu")
CONFIG = Config(encoder=EncoderConfig(scales=(8, 16), fit=False))
STEPS, CHANNELS = 467, 3


def _values(seed: int = 0, steps: int = STEPS) -> np.ndarray:
    random = np.random.default_rng(seed)
    time = np.arange(steps)[:, None]
    waves = np.sin(2 * np.pi * time / 23.0 + np.array([0.0, 1.0, 2.5]))
    return waves + 0.1 * random.normal(size=(steps, CHANNELS))


def _series(values: np.ndarray) -> Series:
    grid = TimeGrid(TimeKind.INTEGER, 0, 1, len(values))
    return Series("", ("a", "b", "c"), grid, values, np.arange(len(values)))


def _entity(config: Config = CONFIG) -> EntityModel:
    return train_entity(
        _series(_values()),
        config,
        counts=np.zeros(CHANNELS, dtype=np.bool_),
        false_alarms_per_step=1e-3,
        device=CPU,
    ).entity


@pytest.fixture(scope="module")
def entity() -> EntityModel:
    """A small trained entity."""
    return _entity()


def _encoded(entity: EntityModel, values: np.ndarray, *, causal: bool = False, offset: int = 0):
    ready = prepared(values, entity.scaler, bridge_steps=3, causal=causal)
    return encode(entity, ready, offset, neighbors=8, causal=causal, device=CPU)


def test_every_scale_looks_in_three_views_and_one_scale_draws_the_level() -> None:
    """Heads are form, change and stats at every usable scale, and level at the largest up to 64."""
    specs = head_specs(EncoderConfig(), training_steps=700)
    assert {spec.window_steps for spec in specs} == {16, 32, 64, 128}
    assert [spec.name for spec in specs if spec.view is View.LEVEL] == ["level64"]
    assert len(specs) == 13


def test_short_training_drops_long_windows_but_never_the_shortest() -> None:
    """A scale needs four windows of training; the shortest is used whatever happens."""
    assert {spec.window_steps for spec in head_specs(EncoderConfig(), 130)} == {16, 32}
    assert {spec.window_steps for spec in head_specs(EncoderConfig(), 20)} == {16}


def test_stride_grows_with_the_history_up_to_a_quarter_window() -> None:
    """Short histories are kept whole; long ones are thinned, but never by more than a quarter of the window."""
    short = head_specs(EncoderConfig(), 900)
    long = head_specs(EncoderConfig(), 10_000_000)
    assert {spec.stride_steps for spec in short} == {1}
    assert all(spec.stride_steps == spec.window_steps // 4 for spec in long)


@pytest.mark.parametrize("shape", [(97, 13), (29, 307), (311, 269)])
def test_basis_is_orthonormal_and_keeps_the_leading_distances(shape: tuple[int, int]) -> None:
    """The closed-form basis has orthonormal columns and captures what a full decomposition does."""
    rows = np.random.default_rng(1).normal(size=shape) * np.geomspace(10, 0.1, shape[1])
    center, basis = closed_form_basis(rows.astype(np.float32))
    assert np.allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-4)
    kept = np.square((rows - center) @ basis).sum()
    singular = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    assert kept >= 0.999 * np.square(singular[: basis.shape[1]]).sum()


def test_features_in_chunks_are_the_features_at_once() -> None:
    """Cutting the windows into pieces changes no number."""
    values = np.random.default_rng(2).normal(size=(90_001, 7)).astype(np.float32)
    spec = HeadSpec(window_steps=16, stride_steps=1, view=View.FORM)
    starts = token_starts(spec, len(values), causal=False)
    whole = features(values, starts, spec)
    pieces = list(feature_chunks(values, starts, spec))
    assert len(pieces) > 1
    assert all(np.array_equal(rows, whole[piece]) for piece, rows in pieces)


def test_no_token_attends_to_its_own_neighbourhood(entity: EntityModel) -> None:
    """Every neighbour of a training token starts at least a window away from it."""
    for head in entity.heads:
        rows = features(searchable(entity.history), head.starts, head.spec)
        keys = head_keys(rows, head)
        found, weights = attend(head, keys, keys, head.starts, head.starts, 8)
        gap = np.abs(head.starts[found] - head.starts[:, None])
        assert (gap[found >= 0] >= head.spec.window_steps).all()
        assert np.allclose(weights.sum(axis=1), 1, atol=1e-5)


def test_a_repeated_past_is_rebuilt_and_a_new_one_is_not(entity: EntityModel) -> None:
    """A stretch of normal waves scores low; the same stretch with one channel turned over scores high there."""
    values = _values(seed=5, steps=211)
    normal = _encoded(entity, values, offset=10_000)
    values[100:130, 1] *= -1
    broken = _encoded(entity, values, offset=10_000)
    assert broken.score[105:125].min() > 2 * np.median(normal.score)
    assert np.argmax(broken.contributions[105:125].sum(axis=0)) == 1
    assert np.array_equal(broken.score[:60], normal.score[:60])


def test_causal_scores_do_not_know_the_future(entity: EntityModel) -> None:
    """Cutting the series off leaves every earlier causal score bit for bit as it was."""
    values = _values(seed=6, steps=331)
    values[40:43] = np.nan
    whole = _encoded(entity, values, causal=True, offset=10_000)
    for cut in (97, 200, 307):
        part = _encoded(entity, values[:cut], causal=True, offset=10_000)
        assert np.array_equal(part.score, whole.score[:cut], equal_nan=True)
        assert np.array_equal(part.contributions, whole.contributions[:cut], equal_nan=True)


def test_long_gaps_are_not_judged_and_short_ones_are_bridged(entity: EntityModel) -> None:
    """Inside a gap longer than the shortest window nothing can be judged; a short one is filled."""
    values = _values(seed=7, steps=307)
    values[100:160] = np.nan
    values[200:202] = np.nan
    score = _encoded(entity, values, offset=10_000).score
    assert np.isnan(score[110:150]).all()
    assert np.isfinite(score[190:212]).all()


def test_one_wild_channel_leaves_the_expectation_of_the_others(entity: EntityModel) -> None:
    """A channel a thousand units off does not change which past the other channels are compared with by much."""
    values = _values(seed=8, steps=211)
    before = _encoded(entity, values, offset=10_000).expected
    values[80:140, 0] = 1000.0
    after = _encoded(entity, values, offset=10_000).expected
    error = np.abs(after[90:130, 2] - before[90:130, 2]).mean()
    assert error < 0.5


def test_gate_zero_is_the_closed_form(entity: EntityModel) -> None:
    """With the gate at zero the correction's matrices change nothing."""
    head = entity.heads[0]
    series = prepared(_values(seed=9, steps=101), entity.scaler, bridge_steps=3, causal=False)
    other = replace(head, layer=replace(head.layer, mlp_in=head.layer.mlp_in + 1))
    outputs = [
        head_output(one, entity.history, series, 10_000, neighbors=8, causal=False, device=CPU)
        for one in (head, other)
    ]
    assert np.array_equal(outputs[0].residuals, outputs[1].residuals)


def test_training_ships_only_what_rebuilds_held_back_rows_better(entity: EntityModel) -> None:
    """A shipped layer has the lower held-back loss, an unshipped one is the closed form; seeds repeat exactly."""
    for head in entity.heads[:4]:
        judged = np.ones(len(head.starts), dtype=np.bool_)
        runs = [fit_head(head, entity.history, judged, epochs=4, seed=3, channels=CHANNELS) for _ in range(2)]
        outcome = runs[0]
        assert outcome.loss_best <= outcome.loss_start
        assert outcome.shipped == (outcome.loss_best < outcome.loss_start - 0.01)
        same = outcome.head.layer is head.layer
        assert same == (not outcome.shipped)
        assert np.array_equal(outcome.head.layer.log_metric, runs[1].head.layer.log_metric)


def test_training_finds_the_channel_metric_that_matters() -> None:
    """Where half of the key's coordinates are noise, training lowers their weight and the held-back loss."""
    random = np.random.default_rng(10)
    time = np.arange(1501)
    signal = np.sin(2 * np.pi * time / 37)
    values = np.stack([signal, 3 * random.normal(size=1501)], axis=1)
    scaler = _entity().scaler
    scaler = replace(scaler, center=np.zeros(2), spread=np.ones(2), counts=np.zeros(2, dtype=np.bool_))
    ready = prepared(values, scaler, bridge_steps=3, causal=False)
    spec = next(one for one in head_specs(EncoderConfig(scales=(16,)), 1501) if one.view is View.LEVEL)
    head = closed_form_head(spec, ready, neighbors=8, seed=0)
    judged = np.ones(len(head.starts), dtype=np.bool_)
    outcome = fit_head(head, ready.values, judged, epochs=20, seed=0, channels=2)
    assert outcome.shipped
    assert outcome.loss_best < outcome.loss_start - 0.1


def test_too_little_to_learn_from_keeps_the_closed_form(entity: EntityModel) -> None:
    """With fewer than 64 judged tokens nothing is trained and nothing fails."""
    head = entity.heads[0]
    judged = np.zeros(len(head.starts), dtype=np.bool_)
    outcome = fit_head(head, entity.history, judged, epochs=2, seed=0, channels=CHANNELS)
    assert not outcome.shipped
    assert outcome.head is head


def test_layer_start_is_the_identity() -> None:
    """The closed-form layer has a unit metric, an unchanged temperature and a closed gate."""
    layer = Layer.closed_form(5, 3, seed=0)
    assert not layer.log_metric.any()
    assert float(layer.log_temperature) == 0
    assert float(layer.gate) == 0


def test_default_event_length_is_half_the_shortest_window() -> None:
    """One spike moves a whole window, so half a window is the least an event can be."""
    specs = head_specs(EncoderConfig(), 700)
    assert min_event_steps(Config(), specs) == 8
