"""Rhythm: the place of a window in the day and the week, as coordinates. Pure.

An outage on a Wednesday looks like a Sunday. Among windows that lie alike in the week it looks like nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logscan.records import F32, I64, LogKind, TimeGrid, TimeKind
from logscan.time_units import DAY_NS, WEEK_NS

_HARMONICS = (1, 2, 3)
_FEWEST_STEPS = 4  # of a period; with fewer there is no place within it
_FEWEST_PERIODS = 3  # in the training part; with fewer there is nothing to compare with


def rhythm_periods(grid: TimeGrid, kind: LogKind, *, wanted: bool | None) -> tuple[float, ...]:
    """The periods, in steps, whose phase counts for a log: week and day where it is long enough for them.

    Args:
        grid: of the training part.
        kind: of the log; what people do follows their week, what machines do need not.
        wanted: by the user; `None`: for events.
    """
    if not (kind is LogKind.EVENTS if wanted is None else wanted) or grid.kind is not TimeKind.TIMESTAMP:
        return ()
    periods = (WEEK_NS / grid.step, DAY_NS / grid.step)
    return tuple(
        period for period in periods if period >= _FEWEST_STEPS and grid.steps >= _FEWEST_PERIODS * period
    )


def rhythm_columns(times: I64, periods: Sequence[float]) -> F32:
    """(windows, columns) float32 coordinates on circles; squared distances grow with the distance in phase.

    Args:
        times: (windows,) first steps on the history's grid.
        periods: in steps.
    """
    angles = [
        2 * np.pi * harmonic * (times % period) / period for period in periods for harmonic in _HARMONICS
    ]
    columns = [turned for angle in angles for turned in (np.cos(angle), np.sin(angle))]
    return np.stack(columns, axis=1).astype(np.float32)
