"""Findings about one channel: stuck, level and unit jumps, sentinel values, quantisation, drift. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from logscan.notes import Note, note
from logscan.records import F64, I64, Bool, Grade, LogKind

_SHORT_STEPS = 200
_FLAT_STEPS, _FLAT_TIMES_USUAL = 60, 20
_OUTLIER_IQRS = 20.0
_JUMP_IQRS = 20.0
_UNIT_STEPS = 30
_MANY_VALUES = 20
_COARSE_LEVELS = 4  # of resolution within the interquartile range
# What loggers write where there is nothing to read.
_CODES = frozenset(
    {-1.0, -9.0, -99.0, -200.0, -999.0, -9999.0, -99999.0, -999.25, -999.9, -9999.9, -32768.0}
    | {99.0, 999.0, 9999.0, 99999.0, 999.9, 9999.9, 32767.0, 65535.0}
)
_FEWEST_CODES = 5
_CODE_APART = 20.0  # times the usual distance between neighbouring values
_DRIFT_SPREADS, _DRIFT_ORDER = 3.0, 0.95


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a channel, and the grade it alone would give."""

    grade: Grade
    code: str  # one word or two for machines and for counting
    reason: Note


def shape_findings(values: F64, known: F64, distinct: F64, kind: LogKind) -> list[Finding]:
    """What the values of a channel that is not constant tell.

    Args:
        values: (steps,) float64, NaN where missing.
        known: the finite ones among them.
        distinct: these, ascending, each once.
        kind: of the log; counts of events are zero for hours and jump by nature.
    """
    findings: list[Finding] = []
    code = code_for_missing(known, distinct) if kind is LogKind.SAMPLES else None
    if code is not None:
        reason = note("sentinel-value", value=code, steps=int((known == code).sum()))
        findings.append(Finding(Grade.POOR, "out of range", reason))
        values = np.where(values == code, np.nan, values)
        known, distinct = known[known != code], distinct[distinct != code]
    low, middle, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    spread = high - low
    # Zero for hours is normal in a count of orders, a valve is flat by nature: only many-valued readings
    # can be stuck.
    many_valued = len(distinct) > _MANY_VALUES and kind is LogKind.SAMPLES
    stuck = stuck_steps(values) if many_valued else 0
    if stuck:
        grade = Grade.POOR if stuck >= 0.3 * len(values) else Grade.USABLE
        findings.append(Finding(grade, "stuck", note("stuck", steps=stuck)))
    rising = many_valued and only_rises(known)
    jump = (level_jump(values) or unit_stretch(values)) if many_valued and not rising else None
    if jump is not None:
        word = "level jump" if jump.key == "level-jump" else "unit jump"
        findings.append(Finding(Grade.POOR, word, jump))
    if len(distinct) <= 3 and len(known) >= _SHORT_STEPS:
        findings.append(Finding(Grade.USABLE, "few values", note("few-values", count=len(distinct))))
    if spread > 0 and jump is None:
        far = np.abs(known - middle) > _OUTLIER_IQRS * spread
        # More than 0.1 % is the channel's way, not a fault of the sensor.
        if kind is LogKind.SAMPLES and 0 < far.sum() <= max(0.001 * len(known), 3):
            reason = note("outliers", count=int(far.sum()), example=float(known[far][0]))
            findings.append(Finding(Grade.USABLE, "out of range", reason))
    if kind is LogKind.SAMPLES and len(known) >= _SHORT_STEPS and jump is None:
        findings += _slow_findings(known, distinct, spread, many_valued=many_valued, rising=rising)
    return findings


def _slow_findings(
    known: F64, distinct: F64, spread: float, *, many_valued: bool, rising: bool
) -> list[Finding]:
    """Coarse steps, a meter that only rises, and drift."""
    findings = []
    resolution = coarse_resolution(distinct, spread)
    if resolution is not None:
        findings.append(Finding(Grade.USABLE, "quantised", note("quantised", resolution=resolution)))
    if rising:
        findings.append(Finding(Grade.USABLE, "meter", note("meter")))
    elif many_valued:
        drifting = drift(known)
        if drifting is not None:
            findings.append(Finding(Grade.USABLE, "drift", drifting))
    return findings


def coarse_resolution(distinct: F64, spread: float) -> float | None:
    """The step between neighbouring values, where the middle half of the readings spans less than four of them.

    Args:
        distinct: (values,) float64, ascending.
        spread: interquartile range of the readings.
    """
    if len(distinct) < 4 or spread <= 0:
        return None
    steps = np.diff(distinct)
    resolution = float(np.median(steps))
    # Values of a coarse converter lie whole steps apart.
    whole = np.abs(steps / resolution - np.round(steps / resolution)) < 0.01
    if whole.mean() < 0.95 or spread >= _COARSE_LEVELS * resolution:
        return None
    if resolution == 1 and distinct[0] == 0:
        return None  # a small number of things
    return resolution


def code_for_missing(known: F64, distinct: F64) -> float | None:
    """A reading such as -999 that stands for none: a usual code, seen often, far from every other value.

    Args:
        known: (readings,) float64.
        distinct: these, ascending, each once.
    """
    if len(distinct) < 4:
        return None
    usual = float(np.median(np.diff(distinct)))
    for value, next_one, others in (
        (distinct[0], distinct[1], distinct[1:]),
        (distinct[-1], distinct[-2], distinct[:-1]),
    ):
        apart = abs(float(next_one) - float(value))
        # -1 and 99 are ordinary numbers: a code lies outside, at least as far as the others reach.
        reach = float(np.ptp(np.quantile(others, (0.05, 0.95)))) if abs(value) < 200 else 0.0
        if (
            float(value) in _CODES
            and apart > max(_CODE_APART * usual, reach)
            and int((known == value).sum()) >= _FEWEST_CODES
        ):
            return float(value)
    return None


def only_rises(known: F64) -> bool:
    """Whether the readings never fall, or only where a counter starts again."""
    falls = np.diff(known) < 0
    return bool(falls.sum() <= 0.001 * len(known)) and bool((np.diff(known) > 0).mean() > 0.05)


def drift(known: F64) -> Note | None:
    """A note for readings whose level moves one way, further than they spread; None if they do not."""
    blocks = np.array_split(known, 32)
    medians = np.array([np.median(block) for block in blocks])
    within = float(np.median([np.subtract(*np.quantile(block, (0.75, 0.25))) for block in blocks]))
    moved = abs(float(medians[-1] - medians[0]))
    if moved <= _DRIFT_SPREADS * within or moved == 0:
        return None
    # Spearman's rank correlation with time.
    order = abs(float(np.corrcoef(np.arange(len(medians)), np.argsort(np.argsort(medians)))[0, 1]))
    if order < _DRIFT_ORDER:
        return None
    return note("drift", old=float(medians[0]), new=float(medians[-1]))


def longest_gap(values: F64) -> int:
    """The longest run of NaN, in steps."""
    return _longest_run(np.isnan(values))


def longest_flat(values: F64) -> int:
    """The longest run of one and the same reading, in steps; NaN ends a run."""
    if len(values) == 0 or np.isnan(values).all():
        return 0
    return _longest_run(values[1:] == values[:-1]) + 1


def stuck_steps(values: F64) -> int:
    """The longest run of one reading, in steps, if it is far longer than the channel's usual runs, else 0.

    Zero does not count: a machine that stands still reads zero.
    """
    known = np.isfinite(values)
    same = np.r_[False, (values[1:] == values[:-1]) & (values[1:] != 0)]
    _, lengths = runs(same)
    if len(lengths) == 0:
        return 0
    # Readings that repeat nothing are runs of length one.
    single = int(known.sum() - same.sum()) - len(lengths)
    usual = float(np.quantile(np.r_[np.ones(max(single, 0)), lengths + 1], 0.99))
    longest = int(lengths.max()) + 1
    return longest if longest >= max(_FLAT_STEPS, _FLAT_TIMES_USUAL * usual) else 0


def runs(flags: Bool) -> tuple[I64, I64]:
    """Starts and lengths of the runs of true."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(np.int8), 0]))
    return edges[::2], edges[1::2] - edges[::2]


def _longest_run(flags: Bool) -> int:
    return int(runs(flags)[1].max(initial=0))


def unit_stretch(values: F64) -> Note | None:
    """A stretch in which the readings are ten, a hundred ... times as large or small as everywhere else.

    Args:
        values: (steps,) float64, NaN where missing.
    """
    known = values[np.isfinite(values)]
    low, middle, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    if middle == 0 or high == low:
        return None
    starts, lengths = runs(np.abs(known - middle) > _JUMP_IQRS * (high - low))
    if lengths.max(initial=0) < _UNIT_STEPS:
        return None
    longest = int(np.argmax(lengths))
    level = float(np.median(known[starts[longest] : starts[longest] + lengths[longest]]))
    factor = _unit_factor(middle, level)
    if factor is None:
        return None
    return note("unit-jump-stretch", factor=factor, old=middle, new=level, steps=int(lengths[longest]))


def _unit_factor(old: float, new: float) -> float | None:
    """The power of ten that a change of level is, give or take a quarter; None where it is none."""
    ratio = new / old if old else 0.0
    if ratio <= 0 or not np.isfinite(ratio):
        return None
    power = round(np.log10(ratio))
    if power == 0 or not 0.8 <= ratio / 10.0**power <= 1.25:
        return None
    return float(10.0**power)


def level_jump(values: F64) -> Note | None:
    """A lasting shift of level by more than 20 interquartile ranges, or of unit by a factor of ten or more.

    The readings are cut into 64 blocks; neighbouring blocks are compared by the medians and
    spreads of everything before and after the cut.

    Args:
        values: (steps,) float64, NaN where missing.

    Returns:
        A note, or None.
    """
    known = values[np.isfinite(values)]
    blocks = np.array_split(known, 64)
    if len(known) < 64 * 4:
        return None
    medians = np.array([np.median(block) for block in blocks])
    spreads = np.array([np.subtract(*np.quantile(block, (0.75, 0.25))) for block in blocks])
    if np.ptp(medians) <= _JUMP_IQRS * spreads.min():
        return None  # whichever cut, a median of spreads is no smaller than the smallest
    best, where = 0.0, 0
    for cut in range(2, len(blocks) - 1):
        before, after = medians[:cut], medians[cut:]
        within = max(
            float(np.median(spreads[:cut])), float(np.ptp(np.quantile(before, (0.25, 0.75)))), 1e-300
        )
        # Both sides must be calm, or a trend would be taken for a jump.
        calm = max(
            within, min(float(np.median(spreads[cut:])), float(np.ptp(np.quantile(after, (0.25, 0.75)))))
        )
        size = abs(float(np.median(after)) - float(np.median(before))) / calm
        if size > best:
            best, where = size, cut
    if best <= _JUMP_IQRS:
        return None
    old, new = float(np.median(medians[:where])), float(np.median(medians[where:]))
    factor = _unit_factor(old, new)
    if factor is not None:
        return note("unit-jump", factor=factor, old=old, new=new)
    return note("level-jump", old=old, new=new)
