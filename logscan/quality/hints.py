"""Hints of `logscan check`: options that may help (sentinel values, standstill). Never acted upon."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from logscan.notes import Note, note
from logscan.quality.findings import code_for_missing, runs
from logscan.records import F64, Bool, Log, LogKind, Series

_LEAST_STEPS = 30  # of a stretch; shorter ones are how a signal is
_MOST = 0.6  # of the steps: what stands still longer is not a machine that stops
_MANY_VALUES = 20
_CLEAR = 0.95  # of the other steps read above the level of the stretches


def hints(log: Log) -> list[Note]:
    """What a person could tell logscan about a log."""
    return _code_hints(log) + standstill_hints(log)


def _code_hints(log: Log) -> list[Note]:
    """A hint on the numbers that stand for no reading, if any channel holds one."""
    if log.schema.kind is LogKind.EVENTS:
        return []
    found = {_code(one.values[:, place]) for one in log.series for place in range(len(one.channels))}
    codes = sorted(code for code in found if code is not None)
    if not codes:
        return []
    options = " ".join(f"--missing {code:g}" for code in codes)
    return [note("hint-sentinel-values", codes=tuple(codes), options=options)]


def _code(column: F64) -> float | None:
    known = _known(column)
    return code_for_missing(known, np.unique(known))


def standstill_hints(log: Log) -> list[Note]:
    """A hint for each entity whose many-valued channels hold one value together for long stretches.

    Where a channel reads lowest in all of them, it can tell stops from running, and the hint says how.
    """
    if log.schema.kind is LogKind.EVENTS or log.schema.shaping.status is not None:
        return []
    found = []
    for one in log.series:
        flat = flat_together(_without_codes(one.values))
        starts, _ = runs(flat)
        if not len(starts):
            continue
        found.append(_standstill(one, flat, len(starts)))
    return found


def _standstill(one: Series, flat: Bool, stretches: int) -> Note:
    steps = int(flat.sum())
    telling = telling_channel(one.values, flat)
    if telling is None and one.entity:
        return note("hint-standstill-entity", entity=one.entity, steps=steps, stretches=stretches)
    if telling is None:
        return note("hint-standstill", steps=steps, stretches=stretches)
    channel, level = one.channels[telling[0]], telling[1]
    if one.entity:
        return note(
            "hint-standstill-level-entity",
            entity=one.entity,
            steps=steps,
            stretches=stretches,
            channel=channel,
            level=level,
        )
    return note("hint-standstill-level", steps=steps, stretches=stretches, channel=channel, level=level)


def flat_together(values: F64) -> Bool:
    """(steps,) bool: stretches of at least 30 steps in which half of the many-valued channels keep their value.

    None where they make up more than 60 % of the log.

    Args:
        values: (steps, channels) float64, NaN where missing.
    """
    none = np.zeros(len(values), dtype=np.bool_)
    judged = [place for place in range(values.shape[1]) if _many_valued(values[:, place])]
    if not judged or len(values) < 2:
        return none
    still = np.zeros((len(values), len(judged)), dtype=np.bool_)
    still[1:] = values[1:, judged] == values[:-1, judged]
    starts, lengths = runs(still.mean(axis=1) >= 0.5)
    flat = none.copy()
    for start, length in zip(starts.tolist(), lengths.tolist(), strict=True):
        if length + 1 >= _LEAST_STEPS:
            flat[start - 1 : start + length] = True
    return flat if flat.mean() <= _MOST else none


def telling_channel(values: F64, flat: Bool) -> tuple[int, float] | None:
    """The channel, and the level, that lies lower in all stretches than almost anywhere else; None if none does.

    Args:
        values: (steps, channels) float64.
        flat: (steps,) bool, the stretches.
    """
    best: tuple[int, float] | None = None
    clearest = _CLEAR
    for place in range(values.shape[1]):
        inside, outside = (_known(values[rows, place]) for rows in (flat, ~flat))
        if not len(inside) or not len(outside):
            continue
        level = float(inside.max())
        clear = float((outside > level).mean())
        if clear > clearest:
            best, clearest = (place, level), clear
    return best


def _without_codes(values: F64) -> F64:
    """Values with codes for no reading as missing."""
    codes = [_code(values[:, place]) for place in range(values.shape[1])]
    code = np.array([np.nan if one is None else one for one in codes])
    return np.where(values == code, np.nan, values)


def _many_valued(column: F64) -> bool:
    known = _known(column)
    return len(known) > 0 and len(np.unique(known)) > _MANY_VALUES


def _known(column: Sequence[float] | F64) -> F64:
    array = np.asarray(column, dtype=np.float64)
    return array[np.isfinite(array)]
