"""What is worked on in blocks, for the sake of memory, is to the bit what it is at once."""

import numpy as np
import pytest

from logscan.core import calibration
from logscan.core.calibration import Fusion, end_aligned_steps, overlap_mean_steps
from logscan.core.windows import window_starts

STEPS, CHANNELS = 211, 3


@pytest.fixture(params=[1, 7, 64, 210])
def block_steps(request, monkeypatch):
    """Makes blocks of so many steps when it is called."""
    return lambda: monkeypatch.setattr(calibration, "_BLOCK_STEPS", request.param)


def tokens(starts):
    """Residuals of windows, some of them not judged."""
    random = np.random.default_rng(len(starts))
    values = random.exponential(size=(len(starts), CHANNELS)).astype(np.float32)
    values[random.random(values.shape) < 0.2] = np.nan
    return values


@pytest.mark.parametrize(("window", "stride"), [(16, 4), (37, 5), (STEPS, 1)])
def test_steps_of_windows_do_not_depend_on_blocks(block_steps, window, stride):
    """Both alignments and the fusion of heads, with running sums that cross every border."""
    starts = window_starts(STEPS, window, stride)
    values = tokens(starts)

    def results():
        batch = overlap_mean_steps(values, starts, window, STEPS)
        causal = end_aligned_steps(values, starts, window, STEPS)
        fusion = Fusion(STEPS, CHANNELS)
        fusion.add(batch)
        fusion.add(causal)
        return batch, causal, fusion.contributions(), fusion.into_contributions()

    whole = results()
    np.testing.assert_array_equal(whole[2], whole[3])
    block_steps()
    for one, other in zip(whole, results(), strict=True):
        np.testing.assert_array_equal(one, other)
