"""Robust scaling per channel, fitted on training rows only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logscan.records import F64, Bool

_IQR_OF_NORMAL = 1.349  # interquartile range of a standard normal
_CLIP = 40.0  # scaled values beyond this say nothing more: one spike must not outweigh a whole window


@dataclass(frozen=True, slots=True)
class Scaler:
    """Centre and spread of every channel.

    Attributes:
        center: (channels,) float64, in transformed units.
        spread: (channels,) float64 > 0, in transformed units.
        counts: (channels,) bool; True where the square root is taken first (variance-stabilising for
            Poisson-like counts: Anscombe 1948, eq. 2.1), with the sign kept for sums that may be negative.
    """

    center: F64
    spread: F64
    counts: Bool


def fit_scaler(values: F64, counts: Bool) -> Scaler:
    """The scaler of training rows.

    The spread is the interquartile range in units of a normal's standard deviation, but at least a quarter of
    the standard deviation (a channel that is mostly constant), and at least 1 % of the centre where nothing
    varies at all, so that a constant channel that moves is seen and rounding is not.

    Args:
        values: (rows, channels) float64, original units; NaN is ignored. A channel that is all NaN gets 0 and 1.
        counts: (channels,) bool, which channels are counts.
    """
    stable = _stabilised(values, counts)
    observed = np.isfinite(stable).any(axis=0)
    filled = np.where(observed, stable, 0.0)
    center = np.nanmedian(filled, axis=0)
    low, high = np.nanpercentile(filled, [25, 75], axis=0)
    deviation = np.nanstd(filled, axis=0)
    spread = np.maximum((high - low) / _IQR_OF_NORMAL, 0.25 * deviation)
    varies = spread > 1e-9 * np.maximum(np.abs(center), 1e-300)
    constant = np.maximum(0.01 * np.abs(center), 1e-3)
    spread = np.where(observed, np.where(varies, spread, constant), 1.0)
    return Scaler(center=center, spread=spread, counts=counts.copy())


def scaled(values: F64, scaler: Scaler) -> F64:
    """Values in units of the channel's own spread, clipped at ±40; NaN stays NaN.

    Args:
        values: (rows, channels) float64, original units.
        scaler: of the same channels.
    """
    return np.clip((_stabilised(values, scaler.counts) - scaler.center) / scaler.spread, -_CLIP, _CLIP)


def unscaled(values: F64, scaler: Scaler) -> F64:
    """The inverse of `scaled` within its clip: back to original units; NaN stays NaN.

    Args:
        values: (rows, channels) float64, scaled.
        scaler: of the same channels.
    """
    stable = values * scaler.spread + scaler.center
    root = stable / 2
    squared = np.sign(root) * (root**2)
    return np.where(scaler.counts, squared, stable)


def strays(values: F64) -> Bool:
    """Cells that are no readings: more than ten times the range of the inner 99 % beyond it.

    A sentinel such as 9999 among the training rows would widen its channel's scale and calibration until the
    channel is blind. Where the inner 99 % do not vary, the few values that do are all there is to go by, and stay.

    Args:
        values: (rows, channels) float64, original units; NaN is ignored.

    Returns:
        (rows, channels) bool.
    """
    observed = np.isfinite(values).any(axis=0)
    low, high = np.nanpercentile(np.where(observed, values, 0.0), [0.5, 99.5], axis=0)
    reach = np.where(high > low, 10 * (high - low), np.inf)
    outside: Bool = (values < low - reach) | (values > high + reach)
    return outside


def _stabilised(values: F64, counts: Bool) -> F64:
    if not counts.any():
        return values
    return np.where(counts, np.sign(values) * 2 * np.sqrt(np.abs(values)), values)
