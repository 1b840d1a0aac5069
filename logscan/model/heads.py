"""The heads of the encoder: which views (`core.views`) at which window lengths, and their closed-form start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import svds

from logscan.config import EncoderConfig
from logscan.core.gaps import bridged
from logscan.core.scaling import Scaler, scaled
from logscan.core.views import View, viewed
from logscan.core.windows import untouched, window_starts, windows
from logscan.model.records import HeadSpec
from logscan.records import F32, F64, I64, Bool

KEY_DIMENSIONS = 32  # more directions change no figure on the open data, fewer lose many-channel logs
FEWEST_WINDOWS = 4  # of a scale, in the training part
_HISTORY_TARGET = 4096  # tokens per head for a short history; longer ones grow with a quarter-window stride
_BASIS_ROWS = 2048  # windows from which a basis is computed
_OBSERVED_ENOUGH = 0.75  # of a window's cells; below, the channel is not judged there
_SEARCH_CLIP = 5.0
_SMALL = 256  # features up to which the full decomposition is as fast
_CHUNK_BYTES = 8 * 2**20

# LEVEL rebuilds what the signal should have looked like, in its own units; in the score one scale of it is
# enough, for it takes slow drift for an anomaly at every scale (docs/log.md).
_LEVEL_SCALE = 64
_SCORED_VIEWS = (View.FORM, View.CHANGE, View.STATS)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A series ready for windows.

    Attributes:
        values: (steps, channels) float32, scaled, every gap filled.
        observed: (steps, channels) bool, real or bridged.
        bridged: (steps, channels) bool, filled across a short gap.
        set_aside: (steps,) bool, stops and days of a calendar: no window that holds one is judged; `None`: none.
    """

    values: F32
    observed: Bool
    bridged: Bool
    set_aside: Bool | None = None

    def part(self, steps: slice) -> Prepared:
        """Some of the steps, not copied."""
        aside = None if self.set_aside is None else self.set_aside[steps]
        return Prepared(self.values[steps], self.observed[steps], self.bridged[steps], aside)


def prepared(values: F64, scaler: Scaler, *, bridge_steps: int, causal: bool) -> Prepared:
    """Scale and fill a series.

    Short gaps are bridged and count as observed; long ones hold the last value (the first, before any), so
    that windows across them exist, but they do not count as observed.

    Args:
        values: (steps, channels) float64, original units, NaN where missing.
        scaler: of the same channels.
        bridge_steps: longest gap that is bridged.
        causal: hold instead of interpolating, so that no step depends on later ones.
    """
    ready = Prepared(
        values=np.empty(values.shape, dtype=np.float32),
        observed=np.empty(values.shape, dtype=np.bool_),
        bridged=np.empty(values.shape, dtype=np.bool_),
    )
    for channel in range(values.shape[1]):  # one at a time, for the sake of memory
        own = slice(channel, channel + 1)
        one = Scaler(scaler.center[own], scaler.spread[own], scaler.counts[own])
        filled, ready.bridged[:, own] = bridged(scaled(values[:, own], one), bridge_steps, causal=causal)
        ready.observed[:, own] = np.isfinite(filled)
        ready.values[:, channel] = _held(filled[:, 0])
    return ready


def _held(values: F64) -> F64:
    """(steps,) with NaN replaced by the last value before it, 0 (the centre) where there is none."""
    known = np.isfinite(values)
    if known.all():
        return values
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(last >= 0, np.nan_to_num(values[last]), 0.0)


def head_specs(
    config: EncoderConfig, training_steps: int, excluded: Bool | None = None
) -> tuple[HeadSpec, ...]:
    """The heads for a training series of that length.

    A scale is used if the training part is long enough for it (the shortest always is). The stride keeps short
    histories whole and lets long ones grow with a quarter of the window.

    Args:
        config: scales.
        training_steps: length of the training series.
        excluded: (training_steps,) bool, steps that no window may hold; `None`: there are none.
    """
    scales = [scale for scale in config.scales if long_enough(scale, training_steps, excluded)]
    scales = scales or [min(config.scales)]
    level_scale = max([scale for scale in scales if scale <= _LEVEL_SCALE] or [min(scales)])
    specs = []
    for scale in scales:
        stride = _stride(scale, training_steps)
        views = (View.LEVEL, *_SCORED_VIEWS) if scale == level_scale else _SCORED_VIEWS
        specs += [HeadSpec(scale, stride, view) for view in views]
    return tuple(specs)


def long_enough(scale: int, training_steps: int, excluded: Bool | None = None) -> bool:
    """Whether a training series holds four windows of a scale, or as many window places outside excluded steps.

    Arguments as in `head_specs`.
    """
    if training_steps < FEWEST_WINDOWS * scale:
        return False
    if excluded is None or not excluded.any():
        return True
    stride = _stride(scale, training_steps)
    clear = untouched(window_starts(training_steps, scale, stride), scale, excluded)
    return int(clear.sum()) * stride > (FEWEST_WINDOWS - 1) * scale


def _stride(scale: int, training_steps: int) -> int:
    wanted = max(-(-training_steps // _HISTORY_TARGET), min(scale // 16, training_steps // 1024))
    return int(min(max(1, scale // 4), max(1, wanted)))


def token_starts(spec: HeadSpec, steps: int, *, causal: bool) -> I64:
    """First steps of the tokens of a series; causal drops the extra last window, whose place depends on the end."""
    starts = window_starts(steps, spec.window_steps, spec.stride_steps)
    return starts[starts % spec.stride_steps == 0] if causal else starts


def observed_windows(observed: Bool, starts: I64, window_steps: int) -> Bool:
    """(windows, channels) bool: which channels were observed well enough to be judged there.

    Args:
        observed: (steps, channels) bool.
        starts: (windows,) int64.
        window_steps: length of a window.
    """
    enough = np.empty((len(starts), observed.shape[1]), dtype=np.bool_)
    total = np.zeros(len(observed) + 1, dtype=np.int64)
    for channel in range(observed.shape[1]):
        np.cumsum(observed[:, channel], out=total[1:])
        enough[:, channel] = total[starts + window_steps] - total[starts] >= _OBSERVED_ENOUGH * window_steps
    return enough


def features(values: F32, starts: I64, spec: HeadSpec) -> F32:
    """(windows, features) float32: the viewed windows, flattened (rows before channels)."""
    width = _features(values, starts[:0], spec).shape[1]
    rows = np.empty((len(starts), width), dtype=np.float32)
    # In pieces: what a view needs on its way is many times the rows.
    for piece, part in feature_chunks(values, starts, spec):
        rows[piece] = part
    return rows


def _features(values: F32, starts: I64, spec: HeadSpec) -> F32:
    """`features`, all at once."""
    view = viewed(windows(values, starts, spec.window_steps), spec.view)
    return np.ascontiguousarray(view.reshape(len(view), view.shape[1] * view.shape[2]))


def searchable(values: F32) -> F32:
    """Values for the search of analogues: beyond ±5 channel units, more says nothing about what is alike.

    One channel a hundred times off would otherwise decide alone which past windows the others are compared
    with. Residuals are taken from the values themselves.

    Args:
        values: (steps, channels) float32, scaled.
    """
    return np.clip(values, np.float32(-_SEARCH_CLIP), np.float32(_SEARCH_CLIP))


def feature_chunks(values: F32, starts: I64, spec: HeadSpec) -> Iterator[tuple[slice, F32]]:
    """The features of many windows in pieces that stay near the cache: (which windows, their features)."""
    width = 4 * spec.window_steps * values.shape[1]
    rows = max(64, _CHUNK_BYTES // width)
    for begin in range(0, len(starts), rows):
        piece = slice(begin, min(begin + rows, len(starts)))
        yield piece, _features(values, starts[piece], spec)


def basis_sample(starts: I64) -> I64:
    """Those of a history's windows that its basis is computed from: evenly spread ones."""
    return starts[:: max(1, len(starts) // _BASIS_ROWS)]


def closed_form_basis(history_features: F32) -> tuple[F32, F32]:
    """Mean and leading principal directions of a history: distances between keys are those between windows.

    Args:
        history_features: (tokens, features) float32.

    Returns:
        center (features,) float32; basis (features, d) float32 orthonormal, d <= 32.
    """
    step = max(1, len(history_features) // _BASIS_ROWS)
    sample = history_features[::step].astype(np.float64)
    center = sample.mean(axis=0)
    sample -= center
    width = min(KEY_DIMENSIONS, *sample.shape)
    if not sample.any():  # all alike: any directions will do
        basis = np.eye(sample.shape[1], width)
    elif sample.shape[1] <= _SMALL:
        _, vectors = np.linalg.eigh(sample.T @ sample)
        basis = vectors[:, ::-1][:, :width]
    else:  # only the leading few of many directions: Lanczos, from a fixed start so that runs agree
        # a random one: centred rows add up to zero, so a constant start can be orthogonal to all of them
        start = np.random.default_rng(0).standard_normal(min(sample.shape))
        _, _, directions = svds(sample, k=min(width, min(sample.shape) - 1), v0=start)
        basis = directions[::-1].T
    return center.astype(np.float32), np.ascontiguousarray(basis.astype(np.float32))
