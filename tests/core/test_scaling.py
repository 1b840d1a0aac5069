import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from logscan.core.scaling import fit_scaler, scaled, strays, unscaled

SAMPLES = np.array([False, False, False])


def _rows(seed: int, rows: int = 211) -> np.ndarray:
    return np.random.default_rng(seed).normal([1.0, -40.0, 0.01], [0.5, 7.0, 0.001], (rows, 3))


def test_scaled_training_rows_have_centre_zero_and_spread_one() -> None:
    """Robust scaling puts the median of training rows at 0 and their interquartile range at 1.349."""
    values = _rows(1, rows=5003)
    result = scaled(values, fit_scaler(values, SAMPLES))
    assert np.allclose(np.median(result, axis=0), 0, atol=1e-12)
    low, high = np.percentile(result, [25, 75], axis=0)
    assert np.allclose(high - low, 1.349, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(arrays(np.float64, (17, 3), elements=st.floats(-1e6, 1e6)))
def test_unscaled_undoes_scaled_within_the_clip(values: np.ndarray) -> None:
    """Original units come back wherever the clip was not reached, for samples and for counts."""
    for counts in (SAMPLES, ~SAMPLES):
        scaler = fit_scaler(values, counts)
        there = scaled(values, scaler)
        inside = np.abs(there) < 20
        back = unscaled(there, scaler)
        assert np.allclose(back[inside], values[inside], rtol=1e-6, atol=1e-6)


def test_one_far_outlier_moves_the_scale_of_others_by_little() -> None:
    """One reading a thousand times too large leaves the centre, and does not hide the next fault."""
    values = _rows(2)
    clean = fit_scaler(values, SAMPLES)
    values[100, 0] = 1000.0
    dirty = fit_scaler(values, SAMPLES)
    assert abs(dirty.center[0] - clean.center[0]) < 0.1 * clean.spread[0]


def test_constant_channel_that_moves_is_seen() -> None:
    """A channel constant in training gets a finite spread of 1 % of its value."""
    values = np.full((53, 3), 200.0)
    moved = np.full((1, 3), 230.0)
    result = scaled(moved, fit_scaler(values, SAMPLES))
    assert np.allclose(result, 15.0)


def test_channel_without_any_value_stays_missing() -> None:
    """A channel that is all NaN gets centre 0 and spread 1, and its values stay NaN."""
    values = _rows(3)
    values[:, 1] = np.nan
    scaler = fit_scaler(values, SAMPLES)
    assert scaler.center[1] == 0
    assert scaler.spread[1] == 1
    assert np.isnan(scaled(values, scaler)[:, 1]).all()


def test_root_makes_the_noise_of_counts_even() -> None:
    """After the transform, quiet and busy hours of a Poisson count have the same spread within 10 %."""
    random = np.random.default_rng(5)
    quiet, busy = random.poisson(20, 20011), random.poisson(500, 20011)
    values = np.concatenate([quiet, busy]).astype(float)[:, None]
    result = scaled(values, fit_scaler(values, np.array([True])))[:, 0]
    assert abs(result[:20011].std() / result[20011:].std() - 1) < 0.1


def test_inputs_are_not_changed() -> None:
    """Fitting and scaling leave their input as it was."""
    values = _rows(7)
    copy = values.copy()
    scaled(values, fit_scaler(values, SAMPLES))
    assert np.array_equal(values, copy)


def test_sentinels_are_strays_and_readings_are_not() -> None:
    """9999 among ordinary readings is no reading; a heavy tail and a rare but honest switch are."""
    values = _rows(8, rows=1009)
    values[17, 0] = 9999.0
    values[40:44, 1] = -3.4e38
    outside = strays(values)
    assert np.argwhere(outside).tolist() == [[17, 0], [40, 1], [41, 1], [42, 1], [43, 1]]
    switch = np.zeros((1009, 1))
    switch[500] = 1
    assert not strays(switch).any()
    assert not strays(np.random.default_rng(9).standard_t(3, (5003, 1))).any()
