"""Duplicate channels: channels of one entity with the same or proportional values."""

from __future__ import annotations

import numpy as np

from logscan.records import F64

_MOST_CHANNELS = 300  # compared with one another; more are only looked at for equality
_ROWS = 5_000
_FEWEST_ROWS = 30
_SAME = 1 - 1e-9


def twin_channels(values: F64) -> dict[int, tuple[int, bool]]:
    """Channels that are equal to an earlier one, or a multiple of it: channel -> (the earlier one, equal?).

    Args:
        values: (steps, channels) float64, NaN where missing.
    """
    channels = values.shape[1]
    twins: dict[int, tuple[int, bool]] = {}
    seen: dict[bytes, int] = {}
    varies = [_varies(values[:, place]) for place in range(channels)]
    for place in range(channels):
        if not varies[place]:
            continue
        first = seen.setdefault(np.ascontiguousarray(values[:, place]).tobytes(), place)
        if first != place:
            twins[place] = (first, True)
    rest = [place for place in range(channels) if varies[place] and place not in twins]
    if 2 <= len(rest) <= _MOST_CHANNELS:
        twins |= _multiples(values, rest)
    return twins


def _varies(column: F64) -> bool:
    known = column[np.isfinite(column)]
    return len(known) >= _FEWEST_ROWS and bool(np.ptp(known) > 0)


def _multiples(values: F64, places: list[int]) -> dict[int, tuple[int, bool]]:
    """Channels whose readings are those of an earlier one in another unit."""
    stride = max(len(values) // _ROWS, 1)
    sample = values[::stride, places]
    known = np.isfinite(sample)
    filled = np.where(known, sample, 0.0)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, sample - filled.sum(axis=0) / count, 0.0)
    length = np.sqrt((centred**2).sum(axis=0))
    scaled = centred / np.where(length > 0, length, 1.0)
    alike = np.abs(scaled.T @ scaled) >= _SAME
    found = {}
    for later in range(1, len(places)):
        for earlier in np.flatnonzero(alike[later, :later]).tolist():
            # The same cells missing, or the correlation is one of a few rows.
            if length[later] > 0 and (known[:, later] == known[:, earlier]).all():
                found[places[later]] = (places[earlier], False)
                break
    return found
