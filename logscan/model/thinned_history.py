"""Long training parts: evenly spread stretches of them become the history.

Training and every score cost as much as the history is long, and it must fit into memory beside the log. Stretches
over the whole span keep every season in it, where its end alone would know only the last one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from logscan.records import I64, Bool, Series

_STRETCH_WINDOWS = 32  # of the longest scale, so that few windows are lost at the ends


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a training part.

    Attributes:
        series: the stretches one behind the other, a step without readings between two.
        excluded: (steps,) bool of them: as told, and the steps between.
        stretches: (stretches, 2) int64, where each begins in `series` and in the training part; `None`: all is kept.
    """

    series: Series
    excluded: Bool
    stretches: I64 | None


def kept_stretches(series: Series, excluded: Bool, *, most_cells: int, longest_window: int) -> Kept:
    """The training part, or evenly spread stretches of it where it is too long; the last one ends with it.

    Args:
        series: the training part.
        excluded: (steps,) bool, steps that are no example of normal, those set aside among them.
        most_cells: steps times channels to keep.
        longest_window: steps.
    """
    steps, channels = series.values.shape
    most = max(most_cells // channels, 4 * longest_window)
    if steps <= most:
        return Kept(series, excluded, None)
    length = min(_STRETCH_WINDOWS * longest_window, most)
    count = most // (length + 1) or 1
    firsts = np.linspace(0, steps - length, count).round().astype(np.int64) if count > 1 else [steps - length]
    places = np.arange(count) * (length + 1)
    values = np.full((count * (length + 1) - 1, channels), np.nan)
    outside = np.ones(len(values), dtype=np.bool_)
    for place, first in zip(places.tolist(), np.asarray(firsts).tolist(), strict=True):
        values[place : place + length] = series.values[first : first + length]
        outside[place : place + length] = excluded[first : first + length]
    grid = replace(series.grid, steps=len(values))
    kept = replace(series, grid=grid, values=values, row_times=None, set_aside=None)
    return Kept(kept, outside, np.stack([places, np.asarray(firsts)], axis=1))
