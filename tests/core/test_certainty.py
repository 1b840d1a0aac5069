"""A gain on held-back rows is one only beyond chance."""

import numpy as np
import pytest

from logscan.core.certainty import is_certain_gain, log_residual

WINDOW = 16


def _residuals(seed, tokens=256, channels=3):
    return np.random.default_rng(seed).gamma(2.0, size=(tokens, channels)).astype(np.float32)


def test_the_same_share_less_everywhere_is_certain():
    """Residuals lower by a hundredth in every block are a gain, higher by it are none."""
    before, times = _residuals(0), np.arange(256)
    assert is_certain_gain(before, np.float32(0.99) * before, times, WINDOW)
    assert not is_certain_gain(before, np.float32(1.01) * before, times, WINDOW)
    assert not is_certain_gain(before, before, times, WINDOW)


def test_chance_passes_about_as_often_as_it_may():
    """Residuals drawn twice from one law differ for certain in about one case of twenty."""
    times = np.arange(256)
    passed = [is_certain_gain(_residuals(2 * i), _residuals(2 * i + 1), times, WINDOW) for i in range(400)]
    assert 0.02 < np.mean(passed) < 0.09


def test_one_good_stretch_is_not_certain():
    """A gain in one block of sixteen may be chance, however large it makes the mean."""
    before, times = _residuals(1), np.arange(256)
    after = before.copy()
    after[:WINDOW] *= np.float32(0.01)
    assert log_residual(after) < log_residual(before) - 0.01
    assert not is_certain_gain(before, after, times, WINDOW)


@pytest.mark.parametrize(("steps", "certain"), [(3 * WINDOW - 1, False), (4 * WINDOW, True)])
def test_fewer_than_four_windows_tell_nothing(steps, certain):
    """However many tokens overlap within them."""
    times = np.arange(steps - WINDOW + 1)
    before = _residuals(2, tokens=len(times))
    assert is_certain_gain(before, np.float32(0.5) * before, times, WINDOW) == certain
    assert not is_certain_gain(before[:0], before[:0], times[:0], WINDOW)
