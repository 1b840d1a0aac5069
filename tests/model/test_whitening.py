"""Residuals weighed by the spread of normal ones."""

import numpy as np
import torch

from logscan.config import Config, EncoderConfig
from logscan.core.scaling import fit_scaler
from logscan.model.encoder import head_output
from logscan.model.heads import prepared, token_starts
from logscan.model.history_attention import HeadHistory, head_attention
from logscan.model.train_entity import train_entity
from logscan.model.whitening import ResidualSpread, residual_power
from logscan.records import Series, TimeGrid, TimeKind

WINDOWS, FEATURES, CHANNELS = 211, 13, 3
CPU = torch.device("cpu")


def _differences(seed: int = 0, windows: int = WINDOWS) -> np.ndarray:
    """Residuals that are ten times larger along one direction than along the others."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(windows, FEATURES, CHANNELS))
    swing = np.sin(np.arange(FEATURES) / 2)[None, :, None]
    return (rows + 10 * random.normal(size=(windows, 1, CHANNELS)) * swing).astype(np.float32)


def _whitening(differences: np.ndarray) -> np.ndarray:
    spread = ResidualSpread(FEATURES, CHANNELS)
    spread.add(differences, np.ones((len(differences), CHANNELS), dtype=np.bool_))
    return spread.whitening()


def test_what_never_happens_counts_more_than_what_always_happens():
    """The same deviation weighs more across the usual direction of residuals than along it."""
    differences = _differences()
    whitening = _whitening(differences)
    usual = np.sin(np.arange(FEATURES) / 2)
    unusual = np.eye(FEATURES)[0] - usual * usual[0] / (usual @ usual)
    rows = np.stack([usual / np.linalg.norm(usual), unusual / np.linalg.norm(unusual)])
    along, across = residual_power(
        np.repeat(rows[:, :, None], CHANNELS, axis=2).astype(np.float32), whitening
    )
    assert (across > 20 * along).all()


def test_the_mean_of_normal_residuals_stays_their_mean_square():
    """The weighing has no unit of its own: over the windows it was taught by, the mean is kept."""
    differences = _differences()
    differences[:, :, 1] *= 5
    plain = residual_power(differences, None).mean(axis=0)
    weighed = residual_power(differences, _whitening(differences)).mean(axis=0)
    np.testing.assert_allclose(weighed, plain, rtol=1e-3)


def test_pieces_teach_what_the_whole_teaches():
    """Moments add up, in pieces and from two halves."""
    differences = _differences()
    normal = np.random.default_rng(1).random((WINDOWS, CHANNELS)) < 0.8
    whole, first, second = (ResidualSpread(FEATURES, CHANNELS) for _ in range(3))
    whole.add(differences, normal)
    first.add(differences[:97], normal[:97])
    second.add(differences[97:], normal[97:])
    power = [residual_power(differences, one.whitening()) for one in (whole, first.plus(second))]
    np.testing.assert_allclose(power[0], power[1], rtol=1e-3)


def test_windows_that_are_not_normal_teach_nothing():
    """Values of a window that does not count change no digit."""
    differences = _differences()
    normal = np.ones((WINDOWS, CHANNELS), dtype=np.bool_)
    normal[53] = False
    found = []
    for value in (0.0, 1e6):
        differences[53] = value
        spread = ResidualSpread(FEATURES, CHANNELS)
        spread.add(differences, normal)
        found.append(spread.whitening())
    assert np.array_equal(*found)


def test_a_channel_without_residuals_keeps_the_plain_mean_square():
    """Nothing known about a channel: its residual is not weighed, and nothing is divided by zero."""
    differences = _differences()
    normal = np.ones((WINDOWS, CHANNELS), dtype=np.bool_)
    normal[:, 2] = False
    spread = ResidualSpread(FEATURES, CHANNELS)
    spread.add(differences, normal)
    weighed = residual_power(differences, spread.whitening())
    np.testing.assert_allclose(weighed[:, 2], residual_power(differences, None)[:, 2], rtol=1e-5)


def test_a_window_alone_gets_bit_for_bit_what_it_gets_in_company():
    """Rounding does not depend on how many windows come along, so runs in parts give identical bytes."""
    differences = _differences(windows=601)
    whitening = _whitening(differences)
    whole = residual_power(differences, whitening)
    for part in (slice(0, 1), slice(5, 8), slice(250, 601)):
        assert np.array_equal(residual_power(differences[part], whitening), whole[part])


def _noise(seed: int, steps: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(steps, 2))


def test_units_taught_by_few_windows_hold_for_windows_to_come():
    """Fresh windows of the same noise pass their 99 % unit about as often as they should, few as the taught ones are.

    Weighed by what they taught themselves, training windows would look more normal than any other.
    """
    steps = 700
    grid = TimeGrid(start=0, step=1, steps=steps, kind=TimeKind.INTEGER)
    series = Series(entity="", channels=("a", "b"), grid=grid, values=_noise(0, steps), row_times=None)
    config = Config(encoder=EncoderConfig(fit=False, scales=(64,)))
    model = train_entity(
        series, config, counts=np.zeros(2, dtype=np.bool_), false_alarms_per_step=1e-4, device=CPU
    ).entity
    scaler = fit_scaler(series.values, np.zeros(2, dtype=np.bool_))
    fresh = prepared(_noise(1, 6000), scaler, bridge_steps=5, causal=False)
    for head in model.heads:
        history = HeadHistory.of(head, model.history, CPU)
        starts = token_starts(head.spec, len(fresh.values), causal=False)
        found = head_attention(head, history, fresh, starts, 10_000, neighbors=8)
        output = head_output(head, history, fresh, found)
        assert float((output.residuals > head.unit).mean()) < 0.06
