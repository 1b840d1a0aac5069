"""How often readings come, per entity, and the one step of a grid that serves all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from logscan.read.grid.step import sample_step, step_words
from logscan.read.plan.long_format import SEPARATOR
from logscan.records import TimeKind
from logscan.times import Times

_FEWEST_READINGS = 64  # of an entity that has a say: with fewer there is nothing to model
_MOST_TIMES = 100  # coarser than the usual interval; beyond, an entity is passed over and named
_SHOWN = 3


def common_step(series: Mapping[str, Times], kind: TimeKind) -> tuple[int, list[str]]:
    """The grid step of a log, and sentences where its entities (or sensors) are read at different intervals.

    A slow sensor leaves a fine grid mostly empty, a fast one is only averaged on a coarse grid: the longest
    interval counts, unless it is more than 100 times the usual one.

    Args:
        series: name of a group of rows -> its times.
        kind: what they are.
    """
    usual = sample_step(list(series.values()), kind)
    if len(series) < 2:
        return usual, []
    own = {
        name: sample_step([times], kind) for name, times in series.items() if len(times) >= _FEWEST_READINGS
    }
    if not own:
        return usual, []
    near = [step for step in own.values() if step <= _MOST_TIMES * usual]
    step = max([usual, *near])
    notes = []
    faster = [name for name, mine in own.items() if 2 * mine <= step]
    slower = [name for name, mine in own.items() if mine >= 2 * step]
    if faster:
        notes.append(
            f"Readings come at different intervals; the grid takes the longest, {step_words(step, kind)}, and averages "
            f"{_listed(faster)} over it (--every sets another)."
        )
    if slower:
        notes.append(
            f"{_listed(slower)}: read so much more rarely than the others that most steps stay empty; "
            f"read it as a log of its own, or pass a longer step with --every."
        )
    return step, notes


def _listed(names: Sequence[str]) -> str:
    shown = sorted(name.replace(SEPARATOR, " ").strip() for name in names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(f"'{name}'" for name in shown[:_SHOWN]) + more
