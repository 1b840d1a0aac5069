from dataclasses import replace

import numpy as np
import pytest
import torch

from logscan.alarms.events import min_event_steps
from logscan.attention import content_tree
from logscan.config import Config, EncoderConfig
from logscan.core.views import View, viewed
from logscan.core.windows import windows
from logscan.model import history_attention
from logscan.model.encoder import encode, head_output
from logscan.model.heads import (
    Prepared,
    closed_form_basis,
    feature_chunks,
    features,
    head_specs,
    prepared,
    searchable,
    token_starts,
)
from logscan.model.history_attention import HeadHistory, attend, head_attention, head_keys
from logscan.model.records import EntityModel, HeadSpec, Layer
from logscan.model.train_entity import closed_form_head, train_entity
from logscan.model.train_layer import fit_head
from logscan.model.whitening import row_products
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


def test_rows_that_add_up_to_zero_have_a_basis() -> None:
    """Many features and exactly centred rows: the search for directions does not start orthogonal to all of them."""
    half = np.random.default_rng(11).integers(-9, 10, size=(47, 307)).astype(np.float32)
    rows = np.stack([half, -half], axis=1).reshape(94, 307)
    center, basis = closed_form_basis(rows)
    assert not center.any()
    singular = np.linalg.svd(half, compute_uv=False)
    assert np.square(rows @ basis).sum() == pytest.approx(2 * np.square(singular[:32]).sum(), rel=1e-4)
    assert np.array_equal(basis, closed_form_basis(rows)[1])


@pytest.mark.parametrize("shape", [(1, 13), (97, 13), (1, 307), (97, 307)])
def test_rows_that_are_all_alike_have_a_basis(shape: tuple[int, int]) -> None:
    """A constant history has no leading direction; any orthonormal ones stand in."""
    center, basis = closed_form_basis(np.full(shape, 2.5, dtype=np.float32))
    assert (center == 2.5).all()
    assert np.allclose(basis.T @ basis, np.eye(basis.shape[1]), atol=1e-6)
    assert basis.shape == (shape[1], min(32, *shape))


def test_features_in_chunks_are_the_features_at_once() -> None:
    """Cutting the windows into pieces changes no number."""
    values = np.random.default_rng(2).normal(size=(90_001, 7)).astype(np.float32)
    spec = HeadSpec(window_steps=16, stride_steps=1, view=View.FORM)
    starts = token_starts(spec, len(values), causal=False)
    whole = features(values, starts, spec)
    at_once = viewed(windows(values, starts, 16), View.FORM)
    np.testing.assert_array_equal(whole, at_once.reshape(len(starts), -1))
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


@pytest.mark.parametrize("count", [1, 3, 97, 255, 257, 500])
def test_a_row_of_a_product_does_not_depend_on_its_company(count: int) -> None:
    """Any stretch of rows gives the digits it gives among all rows."""
    draw = torch.Generator().manual_seed(0)
    rows, matrix = torch.randn(601, 53, generator=draw), torch.randn(53, 29, generator=draw)
    whole = row_products(rows, matrix)
    torch.testing.assert_close(whole, rows @ matrix)
    for start in (0, 7, 101):
        assert torch.equal(row_products(rows[start : start + count], matrix), whole[start : start + count])


@pytest.fixture(scope="module")
def trained_beyond_the_limit() -> EntityModel:
    """The small entity, trained while the limit of exact attention is low."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_attention, "EXACT_HISTORY_TOKENS", 101)
        return _entity()


@pytest.fixture
def long_entity(trained_beyond_the_limit: EntityModel, monkeypatch: pytest.MonkeyPatch) -> EntityModel:
    """An entity whose histories are beyond the limit of exact attention."""
    monkeypatch.setattr(history_attention, "EXACT_HISTORY_TOKENS", 101)
    return trained_beyond_the_limit


def _without_trees(entity: EntityModel) -> EntityModel:
    return replace(entity, heads=tuple(replace(head, tree=None) for head in entity.heads))


def test_only_a_history_beyond_the_exact_limit_gets_a_tree(
    entity: EntityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to the limit attention is exact and needs no tree, one token more and the head has one of all tokens."""
    assert all(head.tree is None for head in entity.heads)
    count = len(entity.heads[0].starts)
    for limit, trees in ((count, 0), (count - 1, 1)):
        monkeypatch.setattr(history_attention, "EXACT_HISTORY_TOKENS", limit)
        tree = _entity().heads[0].tree
        assert (tree is not None) == (trees == 1)
    assert tree is not None
    assert tree.key_count == count


def test_a_stored_tree_scores_like_one_built_anew(long_entity: EntityModel) -> None:
    """The tree is of the history's keys: with it every score is what it is without it, digit for digit."""
    assert all(head.tree is not None for head in long_entity.heads)
    values = _values(seed=5, steps=211)
    stored = _encoded(long_entity, values, offset=10_000)
    built = _encoded(_without_trees(long_entity), values, offset=10_000)
    assert np.isfinite(stored.score).all()
    assert np.array_equal(stored.contributions, built.contributions)
    assert np.array_equal(stored.level.neighbor_times, built.level.neighbor_times)


def test_scoring_hands_the_stored_tree_to_the_operator(
    long_entity: EntityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No head that has a tree builds it again."""
    handed = []

    def spied(*arguments, **options):
        handed.append(options["tree"])
        return attention(*arguments, **options)

    attention = history_attention.sparse_attention
    monkeypatch.setattr(history_attention, "sparse_attention", spied)
    _encoded(long_entity, _values(seed=5, steps=101))
    assert len(handed) == len(long_entity.heads)
    for head, tree in zip(long_entity.heads, handed, strict=True):
        assert head.tree is not None
        assert torch.equal(head.tree.members, tree.members)


def test_the_tree_of_a_trained_head_is_of_its_trained_keys(
    long_entity: EntityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Training rescales the keys, so the tree that ships is over the rescaled ones."""
    monkeypatch.setattr("logscan.model.train_layer._MUST_GAIN", -np.inf)
    head = long_entity.heads[0]
    judged = np.ones(len(head.starts), dtype=np.bool_)
    fitted = fit_head(head, long_entity.history, judged, epochs=9, seed=3, channels=CHANNELS).head
    assert fitted.layer.log_metric.any()
    keys = head_keys(features(searchable(long_entity.history), head.starts, head.spec), fitted)
    assert fitted.tree is not None
    assert torch.equal(fitted.tree.direction, content_tree(keys).direction)
    assert not torch.equal(fitted.tree.direction, head.tree.direction)


@pytest.mark.parametrize("offset", [10_000, 10_007, -5_003])
def test_scoring_a_long_history_in_parts_equals_scoring_at_once(
    monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    """Beyond exact attention neither the end of a series nor a part's first group changes what others find."""
    monkeypatch.setattr(history_attention, "EXACT_HISTORY_TOKENS", 101)
    noisy = _values(seed=3, steps=3001) + 0.5 * np.random.default_rng(14).normal(size=(3001, CHANNELS))
    head, keys = _temperature_head(noisy, neighbors=8, window=16)
    keys, queries = torch.from_numpy(keys).float(), torch.from_numpy(keys[:331]).float()
    times = np.arange(331) + offset

    def found(part: slice):
        return attend(head, queries[part], keys, times[part], head.starts, 8)

    whole = found(slice(None))
    boundary = -offset % 16
    for part in (slice(0, 97), slice(0, 200), slice(boundary, None), slice(boundary + 48, 307)):
        assert all(np.array_equal(one, all_[part]) for one, all_ in zip(found(part), whole, strict=True))


def test_causal_scores_by_a_tree_do_not_know_the_future(long_entity: EntityModel) -> None:
    """Cutting the series off leaves every earlier causal score bit for bit as it was, whatever came before."""
    values = _values(seed=6, steps=331)
    whole = _encoded(long_entity, values, causal=True, offset=-5_003)
    for cut in (97, 200, 307):
        part = _encoded(long_entity, values[:cut], causal=True, offset=-5_003)
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
    history = HeadHistory.of(head, entity.history, CPU)
    starts = token_starts(head.spec, len(series.values), causal=False)
    attended = head_attention(head, history, series, starts, 10_000, neighbors=8)
    outputs = [head_output(one, history, series, attended) for one in (head, other)]
    assert np.array_equal(outputs[0].residuals, outputs[1].residuals)


def test_training_ships_only_what_rebuilds_held_back_rows_better(entity: EntityModel) -> None:
    """A shipped layer has the lower held-back loss, an unshipped one is the closed form; seeds repeat exactly."""
    for head in entity.heads[:4]:
        judged = np.ones(len(head.starts), dtype=np.bool_)
        runs = [fit_head(head, entity.history, judged, epochs=4, seed=3, channels=CHANNELS) for _ in range(2)]
        outcome = runs[0]
        assert outcome.loss_best <= outcome.loss_start
        assert not outcome.shipped or outcome.loss_best < outcome.loss_start - 0.01
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
    assert min_event_steps(None, min(spec.window_steps for spec in specs)) == 8


def _temperature_head(values: np.ndarray, neighbors: int, window: int = 8):
    """The closed-form LEVEL head of a series that is scaled already."""
    observed = np.ones(values.shape, dtype=np.bool_)
    ready = Prepared(values=values.astype(np.float32), observed=observed, bridged=~observed)
    spec = HeadSpec(window_steps=window, stride_steps=1, view=View.LEVEL)
    head = closed_form_head(spec, ready, neighbors, seed=0)
    return head, head_keys(features(searchable(ready.values), head.starts, head.spec), head).double().numpy()


@pytest.mark.parametrize("neighbors", [2, 8, 17])
def test_the_median_token_spreads_its_weight_over_the_neighbors(neighbors: int) -> None:
    """The median perplexity of the attention over all allowed keys is the number of neighbours asked for."""
    head, keys = _temperature_head(_values(seed=12, steps=701), neighbors)
    perplexities = []
    for start, key in zip(head.starts, keys, strict=True):
        squared = np.square(keys - key).sum(axis=1)[np.abs(head.starts - start) >= head.spec.window_steps]
        weights = np.exp(-(squared - squared.min()) / (2 * head.temperature))
        weights /= weights.sum()
        perplexities.append(np.exp(-(weights * np.log(np.maximum(weights, 1e-300))).sum()))
    assert np.median(perplexities) == pytest.approx(neighbors, rel=0.03)


@pytest.mark.parametrize(
    ("values", "neighbors"),
    [
        (np.full((101, CHANNELS), 1.5), 8),  # all distances are 0
        (_values(seed=13, steps=11), 8),  # no key is allowed
        (_values(seed=13, steps=17), 8),  # fewer keys than neighbours
        (_values(seed=13, steps=101), 997),
        (np.repeat(_values(seed=13, steps=2), 53, axis=0), 2),  # more equals than neighbours
    ],
    ids=["constant", "no key", "few keys", "many neighbours", "equals"],
)
def test_every_head_has_a_finite_positive_temperature(values: np.ndarray, neighbors: int) -> None:
    """Where the rule cannot be met the temperature is still a number attention can work with."""
    head, _ = _temperature_head(values, neighbors)
    assert 1e-6 <= head.temperature < 1e6
