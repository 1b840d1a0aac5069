"""The place of a window in the day and the week: for order logs, part of what is alike."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from logscan import pipeline
from logscan.config import Config, EncoderConfig
from logscan.core.rhythm import rhythm_columns, rhythm_periods
from logscan.model.folder import load_model, save_model
from logscan.model.heads import features, searchable
from logscan.model.history_attention import attend, head_keys, with_tree
from logscan.model.train_layer import _differences, _examples, _Trainable
from logscan.records import InputSchema, Log, LogKind, ReadCounts, Series, TimeGrid, TimeKind

HOUR = 3_600_000_000_000
WEEKS = 7
OUTAGE = slice(5 * 168 + 2 * 24, 5 * 168 + 3 * 24)  # a Wednesday, the grid begins on a Monday


def shop(*, outage=False, seed=1):
    """Orders by the hour of a shop that is closed at night and on Sundays."""
    hours = np.arange(WEEKS * 168)
    day, hour = hours // 24 % 7, hours % 24
    rate = np.where((day < 6) & (hour >= 8) & (hour < 20), 30.0, 0.0)
    counts = np.random.default_rng(seed).poisson(rate).astype(float)
    if outage:
        counts[OUTAGE] = 0
    start = int(np.datetime64("2024-01-01T00", "ns").astype(np.int64))
    grid = TimeGrid(TimeKind.TIMESTAMP, start, HOUR, len(hours))
    schema = InputSchema(
        *(("f",), "csv", None, None, None, None, LogKind.EVENTS, "time", TimeKind.TIMESTAMP, None, None),
        *((), ("count",), {}, HOUR),
    )
    return Log(schema, (Series("", ("count",), grid, counts[:, None], None),), ReadCounts(0, 0, {}, 0, 0, {}))


def trained(rhythm=None, fit=False, log=None):
    """A model of the first four weeks."""
    config = Config(encoder=EncoderConfig(scales=(16, 32), fit=fit, rhythm=rhythm))
    return pipeline.train(log or shop(), config, train_rows=4 * 168, device="cpu")


@given(st.integers(-(10**9), 10**9), st.integers(0, 400), st.integers(-50, 50))
def test_distance_is_that_of_the_phase(first, lag, weeks):
    """Whole weeks apart is no distance; otherwise it depends on the lag alone."""
    periods = (168.0, 24.0)
    columns = rhythm_columns(np.array([first, first + lag, first + lag + weeks * 168, 0, lag]), periods)
    squared = np.square(columns[:, None] - columns[None]).sum(axis=2)
    assert squared[1, 2] < 1e-9
    assert squared[0, 1] == pytest.approx(squared[3, 4], abs=1e-5)
    assert (squared[0, 1] > 0.05) == (lag % 168 != 0)


def test_only_events_that_last_have_a_rhythm():
    """Readings have none unless asked for, nor have steps without dates; a short log has a day or nothing."""
    grid = shop().series[0].grid
    week = rhythm_periods(grid, LogKind.EVENTS, wanted=None)
    assert week == (168.0, 24.0)
    assert rhythm_periods(grid, LogKind.SAMPLES, wanted=None) == ()
    assert rhythm_periods(grid, LogKind.SAMPLES, wanted=True) == week
    assert rhythm_periods(grid, LogKind.EVENTS, wanted=False) == ()
    assert rhythm_periods(replace(grid, steps=400), LogKind.EVENTS, wanted=None) == (24.0,)
    assert rhythm_periods(replace(grid, steps=60), LogKind.EVENTS, wanted=None) == ()
    assert rhythm_periods(replace(grid, step=24 * HOUR), LogKind.EVENTS, wanted=None) == (7.0,)
    assert rhythm_periods(replace(grid, kind=TimeKind.INTEGER), LogKind.EVENTS, wanted=True) == ()


@pytest.mark.usefixtures("single")
def test_an_outage_that_looks_like_a_sunday_is_found():
    """Without the rhythm a Wednesday without orders is a Sunday; with it, it is the worst day of all."""
    peaks = {}
    for rhythm in (False, None):
        model = trained(rhythm)
        score = pipeline.score(shop(outage=True), model, device="cpu").series[0].score
        rest = np.r_[score[4 * 168 : OUTAGE.start - 24], score[OUTAGE.stop + 24 :]]
        peaks[rhythm] = float(np.nanmax(score[OUTAGE]) / np.nanmax(rest))
    assert peaks[None] > 1.5
    assert peaks[None] > 1.3 * peaks[False]


@pytest.mark.usefixtures("single")
def test_causal_scores_with_a_rhythm_ignore_later_rows():
    """A step's causal score is the same when the log goes on."""
    model = trained()
    log = shop(outage=True)
    whole = pipeline.score(log, model, causal=True, device="cpu").series[0].score
    (series,) = log.series
    cut = OUTAGE.start + 13
    part = replace(series, grid=replace(series.grid, steps=cut), values=series.values[:cut])
    some = pipeline.score(replace(log, series=(part,)), model, causal=True, device="cpu").series[0].score
    np.testing.assert_array_equal(some, whole[:cut])


@pytest.mark.usefixtures("single")
def test_a_later_log_stands_on_the_same_phase(tmp_path: Path):
    """A log that begins later is compared with the right weekdays; the model remembers its rhythm on disk."""
    save_model(trained(), tmp_path / "m")
    model = load_model(tmp_path / "m")
    assert {head.spec.rhythm for head in model.entities[0].heads} == {(168.0, 24.0)}
    log = shop(outage=True)
    (series,) = log.series
    first = 4 * 168 + 31
    grid = replace(series.grid, start=series.grid.times()[first], steps=series.grid.steps - first)
    late = replace(log, series=(replace(series, grid=grid, values=series.values[first:]),))
    whole, part = (
        pipeline.score(one, model, grow_history=False, device="cpu").series[0].score for one in (log, late)
    )
    np.testing.assert_allclose(part[64:-64], whole[first + 64 : -64], rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("single")
def test_training_weighs_candidates_as_attention_does():
    """At the closed form, what is learned from is rebuilt with the weights that scoring uses."""
    (entity,) = trained().entities
    head = entity.heads[0]
    tokens = np.arange(0, len(head.starts), 31)
    keys = head_keys(features(searchable(entity.history), head.starts, head.spec), head)
    found, weights = attend(head, keys[tokens], keys, head.starts[tokens], head.starts, 16)
    rows = features(entity.history, head.starts, head.spec)
    expected = rows[tokens] - np.einsum("nk,nkf->nf", weights, rows[np.maximum(found, 0)])
    got = _differences(_Trainable(head.layer, 1), _examples(head, keys, torch.from_numpy(rows), tokens, 1))
    np.testing.assert_allclose(got.detach().numpy()[0], expected, atol=1e-4)


@pytest.mark.usefixtures("single")
def test_the_tree_of_a_head_is_of_keys_in_rhythm(monkeypatch: pytest.MonkeyPatch):
    """Beyond exact attention the analogues come from the same hours and weekdays too."""
    monkeypatch.setattr("logscan.model.history_attention.EXACT_HISTORY_TOKENS", 101)
    (entity,) = trained().entities
    head = entity.heads[0]
    rows = features(searchable(entity.history), head.starts, head.spec)
    keys = head_keys(rows, head)
    head = with_tree(head, keys)
    assert head.tree is not None
    found, weights = attend(head, keys, keys, head.starts, head.starts, 8)
    phase = np.abs(head.starts[:, None] - head.starts[np.maximum(found, 0)]) % 24
    near = (np.minimum(phase, 24 - phase) <= 2) | (found < 0)
    assert (near * weights).sum() > 0.9 * weights.sum()
    assert torch.isfinite(head.tree.direction).all()
