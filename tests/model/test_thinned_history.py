"""A training part that is too long is kept in evenly spread stretches, and scores mean what they meant."""

from pathlib import Path

import numpy as np
import pytest

from logscan import pipeline
from logscan.config import Config, EncoderConfig
from logscan.model import history_attention
from logscan.model.folder import load_model, save_model
from logscan.model.thinned_history import kept_stretches
from logscan.records import InputSchema, Log, LogKind, ReadCounts, Series, TimeGrid, TimeKind

STEPS, MOST = 9_001, 6_006
CONFIG = Config(encoder=EncoderConfig(scales=(8, 16), fit=False, history_cells=MOST))


def series(values):
    """The values on a grid of integers, every third as long."""
    return Series("", ("a", "b"), TimeGrid(TimeKind.INTEGER, 30, 3, len(values)), values, None)


def waves(steps=STEPS):
    """Two channels that swing, under noise."""
    random = np.random.default_rng(3)
    time = np.arange(steps)[:, None]
    return np.sin(2 * np.pi * time / 37 + np.array([0.0, 1.0])) + 0.1 * random.normal(size=(steps, 2))


def log_of(values):
    """A log of one series."""
    schema = InputSchema(
        files=("made",),
        format="csv",
        encoding=None,
        delimiter=None,
        decimal=None,
        header_line=None,
        kind=LogKind.SAMPLES,
        time_column="t",
        time_kind=TimeKind.INTEGER,
        time_format=None,
        timezone=None,
        entity_columns=(),
        channels=("a", "b"),
        ignored={},
        step=3,
    )
    return Log(schema, (series(values),), ReadCounts(len(values), len(values), {}, 0, 0, {}))


def test_stretches_are_the_training_part_where_they_lie():
    """They hold what was there, masks too, span the whole, and a step without readings parts them."""
    values = waves()
    mask = np.random.default_rng(0).random(STEPS) < 0.1
    kept = kept_stretches(series(values), mask, most_cells=MOST, longest_window=16)
    assert kept.stretches is not None
    ends = np.append(kept.stretches[1:, 0], len(kept.excluded) + 1) - 1
    for (place, first), end in zip(kept.stretches, ends, strict=True):
        length = end - place
        np.testing.assert_array_equal(kept.series.values[place:end], values[first : first + length])
        np.testing.assert_array_equal(kept.excluded[place:end], mask[first : first + length])
    between = ends[:-1]
    assert np.isnan(kept.series.values[between]).all()
    assert kept.excluded[between].all()
    assert kept.stretches[0, 1] == 0
    assert kept.stretches[-1, 1] + length == STEPS
    assert kept.series.values.size <= MOST


@pytest.mark.parametrize("most", [2 * STEPS, 10**9])
def test_what_fits_is_kept_as_it_is(most):
    """No copy, no change."""
    part, mask = series(waves()), np.zeros(STEPS, dtype=np.bool_)
    kept = kept_stretches(part, mask, most_cells=most, longest_window=16)
    assert kept.series is part
    assert kept.stretches is None


def test_a_thinned_history_keeps_its_times(tmp_path: Path):
    """The model spans the whole part, on disk too; no token looks at itself, and a fault stands out as ever."""
    values = waves()
    model = pipeline.train(log_of(values), CONFIG, device="cpu")
    entity = model.entities[0]
    assert entity.grid.steps == STEPS
    assert len(entity.history) <= MOST // 2
    save_model(model, tmp_path / "model")
    again = load_model(tmp_path / "model")
    np.testing.assert_array_equal(again.entities[0].stretches, entity.stretches)

    head = entity.heads[0]
    begins = entity.history_steps(head.starts)
    for place, step in zip(head.starts[::97].tolist(), begins[::97].tolist(), strict=True):
        expected = (values[step] - entity.scaler.center) / entity.scaler.spread
        np.testing.assert_allclose(entity.history[place], expected, rtol=1e-5, atol=1e-5)

    scored = pipeline.score(log_of(values), again, device="cpu").series[0]
    assert np.isfinite(scored.score).all()
    # Windows of the history would score near 0 if they found themselves.
    inside = np.zeros(STEPS, dtype=np.bool_)
    inside[begins] = True
    assert np.median(scored.score[inside]) > 0.5 * np.median(scored.score[~inside])
    faulty = values.copy()
    faulty[4_000:4_040, 0] += 3
    found = pipeline.score(log_of(faulty), again, device="cpu").series[0].events
    assert any(event.start_step < 4_040 and event.end_step > 4_000 for event in found)
    assert all(similar.end_time <= 30 + 3 * STEPS for event in found for similar in event.similar)


@pytest.mark.parametrize("piece", [16, 64])
@pytest.mark.parametrize("causal", [False, True])
def test_a_series_scored_in_pieces_scores_the_same_to_the_bit(monkeypatch, piece, causal):
    """Where its tokens are cut, on the history's grid, changes no number; nor does a tree that finds analogues."""
    config = Config(encoder=EncoderConfig(scales=(8, 16), fit=False))
    monkeypatch.setattr(history_attention, "EXACT_HISTORY_TOKENS", 500)
    model = pipeline.train(log_of(waves(1_601)), config, device="cpu")
    assert any(head.tree is not None for head in model.entities[0].heads)
    log = log_of(waves(1_103)[210:])
    whole = pipeline.score(log, model, causal=causal, device="cpu").series[0]
    monkeypatch.setattr(history_attention, "_PIECE_TOKENS", piece)
    parts = pipeline.score(log, model, causal=causal, device="cpu").series[0]
    np.testing.assert_array_equal(parts.contributions, whole.contributions)
    assert parts.events == whole.events
