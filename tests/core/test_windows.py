import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.core.calibration import (
    Fusion,
    calibrated,
    calibration,
    end_aligned_steps,
    overlap_mean_steps,
)
from logscan.core.views import View, viewed
from logscan.core.windows import OverlapMean, window_starts, windows
from tests.oracles import overlap_mean_loops, top_share_loops


@given(st.integers(0, 60), st.integers(1, 13), st.integers(1, 7))
def test_windows_start_at_multiples_of_the_stride_and_reach_the_end(
    steps: int, window: int, stride: int
) -> None:
    """Every start is a multiple of the stride, but for the last window, which ends with the series."""
    starts = window_starts(steps, window, stride)
    assert (len(starts) == 0) == (steps < window)
    if len(starts):
        assert starts[-1] == steps - window
        assert (starts[:-1] % stride == 0).all()
        assert (np.diff(starts) > 0).all()


def test_windows_hold_consecutive_steps() -> None:
    """A window is the slice of the series that begins at its start."""
    values = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    starts = window_starts(23, 7, 5)
    result = windows(values, starts, 7)
    for place, start in enumerate(starts):
        assert np.array_equal(result[place], values[start : start + 7])


@settings(max_examples=60, deadline=None)
@given(st.integers(7, 41), st.integers(1, 7), st.integers(1, 5), st.integers(0, 99))
def test_overlap_mean_agrees_with_loops(steps: int, window: int, stride: int, seed: int) -> None:
    """The running-sum form of the overlap mean equals the mean over covering windows, NaN left out."""
    random = np.random.default_rng(seed)
    starts = window_starts(steps, window, stride)
    tokens = random.gamma(1.0, size=(len(starts), 3)).astype(np.float32)
    tokens[random.random(tokens.shape) < 0.2] = np.nan
    result = overlap_mean_steps(tokens, starts, window, steps)
    assert np.allclose(result, overlap_mean_loops(tokens, starts, window, steps), equal_nan=True, atol=1e-5)


def test_overlap_mean_of_windows_gives_back_the_series() -> None:
    """Windows cut from a series and laid over each other are the series."""
    values = np.random.default_rng(1).normal(size=(29, 3)).astype(np.float32)
    starts = window_starts(29, 5, 3)
    mean = OverlapMean(29, 3)
    mean.add(starts, windows(values, starts, 5))
    assert np.allclose(mean.mean(), values, atol=1e-6)


def test_end_aligned_steps_never_depend_on_later_windows() -> None:
    """Changing a window's value changes no step before that window's end."""
    starts = window_starts(41, 7, 3)
    starts = starts[starts % 3 == 0]
    tokens = np.random.default_rng(2).random((len(starts), 2)).astype(np.float32)
    before = end_aligned_steps(tokens, starts, 7, 41)
    tokens[5:] += 1
    after = end_aligned_steps(tokens, starts, 7, 41)
    end = starts[5] + 7 - 1
    assert np.array_equal(before[:end], after[:end], equal_nan=True)
    assert (before[end:] != after[end:]).all()


def test_end_aligned_step_takes_the_last_ended_window() -> None:
    """A window's value holds from its own last step until the next window ends."""
    tokens = np.array([[1.0], [2.0]], dtype=np.float32)
    result = end_aligned_steps(tokens, np.array([0, 3]), 5, 10)[:, 0]
    assert np.array_equal(result, [np.nan] * 4 + [1.0] * 3 + [2.0] * 3, equal_nan=True)


@pytest.mark.parametrize("view", list(View))
def test_views_of_drift_only_change_where_level_matters(view: View) -> None:
    """A constant added to a window moves LEVEL and STATS and leaves FORM, SHAPE and CHANGE as they were."""
    values = np.random.default_rng(3).normal(size=(11, 13, 2)).astype(np.float32)
    same = np.allclose(viewed(values + 4, view), viewed(values, view), atol=1e-4)
    assert same == (view in {View.FORM, View.SHAPE, View.CHANGE})


def test_shape_ignores_amplitude_and_form_keeps_it() -> None:
    """Twice the amplitude is nearly the same SHAPE and twice the FORM."""
    values = 10 * np.random.default_rng(4).normal(size=(11, 13, 2)).astype(np.float32)
    assert np.allclose(viewed(2 * values, View.SHAPE), viewed(values, View.SHAPE), atol=0.05)
    assert np.allclose(viewed(2 * values, View.FORM), 2 * viewed(values, View.FORM), atol=1e-4)


def test_calibrated_residual_is_one_log_unit_at_the_edge_of_normal() -> None:
    """The 99 % quantile of training residuals is mapped to log 2, in every channel's own unit."""
    residuals = np.random.default_rng(5).gamma(2, [1, 100], size=(10007, 2)).astype(np.float32)
    unit = calibration(residuals)
    assert np.allclose(np.quantile(calibrated(residuals, unit), 0.99, axis=0), np.log(2), atol=1e-3)


def test_calibration_of_a_channel_never_judged_is_one() -> None:
    """All-NaN residuals give the unit 1 and stay NaN."""
    residuals = np.full((5, 2), np.nan, dtype=np.float32)
    residuals[:, 0] = 2
    unit = calibration(residuals)
    assert unit.tolist() == [2, 1]
    assert np.isnan(calibrated(residuals, unit)[:, 1]).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 11), st.integers(0, 99))
def test_contributions_sum_to_the_fused_score(channels: int, seed: int) -> None:
    """The fused score is the mean over heads of log1p of the mean of the top 30 % of judged channels."""
    random = np.random.default_rng(seed)
    heads = random.gamma(1.0, size=(3, 7, channels)).astype(np.float32)
    heads[random.random(heads.shape) < 0.2] = np.nan
    heads[:, 2] = np.nan
    fusion = Fusion(7, channels)
    for head in heads:
        fusion.add(head)
    score = fusion.contributions().sum(axis=1)
    assert np.allclose(score, top_share_loops(heads, 0.3), equal_nan=True, atol=1e-5)
