"""Missing values: short gaps are bridged, long ones left. Pure."""

from __future__ import annotations

import numpy as np

from logscan.records import F64, Bool


def bridged(values: F64, bridge_steps: int, *, causal: bool) -> tuple[F64, Bool]:
    """`values` with its short gaps filled.

    Batch: a gap of at most `bridge_steps` between two observations is filled by a straight line.
    Causal: the last observation is held for at most `bridge_steps` steps, whatever comes later, so
    that no filled value depends on later rows.

    Args:
        values: (steps, channels) float64, NaN where nothing was observed.
        bridge_steps: longest gap that is filled (batch), or how long a value is held (causal), in steps.
        causal: fill from the past only.

    Returns:
        A filled copy, and the mask of the filled cells, both (steps, channels). Gaps at the beginning
        stay NaN, and so do gaps at the end in batch.
    """
    steps, channels = values.shape
    filled = values.copy()
    mask = np.zeros(values.shape, dtype=np.bool_)
    if bridge_steps == 0 or steps == 0:
        return filled, mask
    position = np.arange(steps)
    for channel in range(channels):
        column = values[:, channel]
        missing = np.isnan(column)
        if not missing.any() or missing.all():
            continue
        before = np.maximum.accumulate(np.where(missing, -1, position))
        after = np.minimum.accumulate(np.where(missing, steps, position)[::-1])[::-1]
        if causal:
            fill = missing & (before >= 0) & (position - before <= bridge_steps)
            filled[fill, channel] = column[before[fill]]
        else:
            fill = missing & (before >= 0) & (after < steps) & (after - before - 1 <= bridge_steps)
            known = ~missing
            filled[fill, channel] = np.interp(position[fill], position[known], column[known])
        mask[:, channel] = fill
    return filled, mask
