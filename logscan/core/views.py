"""Views of a window (shape, change, statistics, level): what a head of the encoder looks at. Pure."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from logscan.records import F32

_FLAT = 0.1  # spread (in channel units) below which a window counts as flat: its shape is noise


class View(StrEnum):
    """One normalisation of a window."""

    LEVEL = "level"  # scaled values as they are: where the signal stands
    FORM = "form"  # the window's own mean removed: its movement with its amplitude, blind to slow drift
    SHAPE = "shape"  # standardised per window: its movement without its amplitude
    CHANGE = "change"  # step-to-step differences: roughness, jumps, frozen sensors
    STATS = "stats"  # mean, spread, minimum, maximum: level and energy, blind to phase


def viewed(windows: F32, view: View) -> F32:
    """The windows under a view.

    Args:
        windows: (windows, window_steps, channels) float32, scaled, finite.
        view: which one.

    Returns:
        (windows, rows, channels) float32; rows is window_steps, one less for CHANGE, 4 for STATS.
    """
    if view is View.LEVEL:
        return windows
    if view is View.CHANGE:
        change: F32 = np.diff(windows, axis=1)
        return change
    mean: F32 = windows.mean(axis=1, keepdims=True)
    if view is View.FORM:
        return windows - mean
    spread: F32 = windows.std(axis=1, keepdims=True)
    if view is View.SHAPE:
        shape: F32 = (windows - mean) / (spread + np.float32(_FLAT))
        return shape
    low, high = windows.min(axis=1, keepdims=True), windows.max(axis=1, keepdims=True)
    return np.concatenate([mean, spread, low, high], axis=1)
