"""How often readings come, per entity, and the one step of a grid that serves all of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logscan.data.grid import Cells, sample_step
from logscan.data.longform import SEPARATOR
from logscan.records import TimeKind

_FEWEST_READINGS = 64  # of an entity that has a say: with fewer there is nothing to model
_MOST_TIMES = 100  # coarser than the usual interval; beyond, an entity is passed over and named
_SHOWN = 3


def common_step(cells: Cells, kind: TimeKind, names: Sequence[str]) -> tuple[int, list[str]]:
    """The grid step of a log, and sentences where its entities (or sensors) are read at different intervals.

    A slow sensor leaves a fine grid mostly empty, a fast one is only averaged on a coarse grid: the longest
    interval counts, unless it is more than 100 times the usual one.

    Args:
        cells: readings by group and exact time.
        kind: what the times are.
        names: of the groups.
    """
    usual = sample_step(cells, kind)
    if len(names) < 2:
        return usual, []
    bounds = np.searchsorted(cells.entity, np.arange(len(names) + 1))
    own: dict[int, int] = {}
    for code in range(len(names)):
        part = slice(int(bounds[code]), int(bounds[code + 1]))
        if bounds[code + 1] - bounds[code] >= _FEWEST_READINGS:
            counts = None if cells.counts is None else cells.counts[part]
            mine = Cells(cells.entity[part], cells.key[part], cells.rows[part], cells.sums[part], counts)
            own[code] = sample_step(mine, kind)
    if not own:
        return usual, []
    near = [step for step in own.values() if step <= _MOST_TIMES * usual]
    step = max([usual, *near])
    notes = []
    faster = [code for code, mine in own.items() if 2 * mine <= step]
    slower = [code for code, mine in own.items() if mine >= 2 * step]
    if faster:
        notes.append(
            f"Readings come at different intervals; the grid takes the longest, {_text(step, kind)}, and averages "
            f"{_listed(faster, names)} over it (--every sets another)."
        )
    if slower:
        notes.append(
            f"{_listed(slower, names)}: read so much more rarely than the others that most steps stay empty; "
            f"read it as a log of its own, or pass a longer step with --every."
        )
    return step, notes


def _text(step: int, kind: TimeKind) -> str:
    return f"{step / 1e9:g} s" if kind is TimeKind.TIMESTAMP else f"{step} steps"


def _listed(codes: Sequence[int], names: Sequence[str]) -> str:
    shown = sorted(names[code].replace(SEPARATOR, " ").strip() for code in codes)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(f"'{name}'" for name in shown[:_SHOWN]) + more
