"""How far each channel can be trusted: a grade with its reasons. NaN-safe; nothing is changed."""

from __future__ import annotations

import numpy as np

from logscan.records import F64, I64, Bool, ChannelQuality, Grade, Log, LogKind, Series

_ORDER = tuple(Grade)
_SHORT_STEPS, _TOO_SHORT_STEPS = 200, 30
_FLAT_STEPS, _FLAT_TIMES_USUAL = 60, 20
_OUTLIER_IQRS = 20.0
_JUMP_IQRS = 20.0
_UNIT_STEPS = 30


def channel_qualities(log: Log) -> tuple[ChannelQuality, ...]:
    """The quality of every channel of every entity, entities and channels in the log's order.

    Reasons, worst first: no reading, constant, too short, much missing, a stuck stretch, a lasting jump
    of level or unit, few distinct values, extreme outliers.
    """
    return tuple(
        _channel_quality(one, position, log.schema.kind)
        for one in log.series
        for position in range(len(one.channels))
    )


def _channel_quality(one: Series, position: int, kind: LogKind) -> ChannelQuality:
    values = one.values[:, position]
    known = values[np.isfinite(values)]
    steps = len(values)
    observed = len(known) / steps if steps else 0.0
    gap = longest_gap(values)
    flat = longest_flat(values)
    findings = _findings(values, known, observed, gap, kind)
    grade = max((grade for grade, _ in findings), key=_ORDER.index, default=Grade.GOOD)
    findings.sort(key=lambda finding: -_ORDER.index(finding[0]))
    return ChannelQuality(
        entity=one.entity,
        channel=one.channels[position],
        grade=grade,
        reasons=tuple(reason for _, reason in findings),
        observed_fraction=observed,
        minimum=float(known.min()) if len(known) else float("nan"),
        median=float(np.median(known)) if len(known) else float("nan"),
        maximum=float(known.max()) if len(known) else float("nan"),
        longest_gap_steps=gap,
        longest_flat_steps=flat,
    )


def _findings(values: F64, known: F64, observed: float, gap: int, kind: LogKind) -> list[tuple[Grade, str]]:
    """What is wrong with one channel, each with the grade it alone would give."""
    if len(known) == 0:
        return [(Grade.UNUSABLE, "no reading")]
    findings: list[tuple[Grade, str]] = []
    steps = len(values)
    if len(known) < _TOO_SHORT_STEPS:
        findings.append((Grade.UNUSABLE, f"too short: {len(known)} readings"))
    elif len(known) < _SHORT_STEPS:
        findings.append((Grade.POOR, f"short: {len(known)} readings"))
    if observed < 0.1:
        findings.append((Grade.UNUSABLE, f"{1 - observed:.0%} missing"))
    elif observed < 0.7:
        findings.append((Grade.POOR, f"{1 - observed:.0%} missing"))
    elif observed < 0.95:
        findings.append((Grade.USABLE, f"{1 - observed:.0%} missing"))
    if gap > max(0.1 * steps, 1) and observed >= 0.1:
        findings.append((Grade.USABLE, f"longest gap {gap:,} steps"))
    distinct = len(np.unique(known))
    if distinct == 1:
        findings.append((Grade.UNUSABLE, f"constant at {known[0]:g}"))
        return findings
    findings += _shape_findings(values, known, distinct, kind)
    return findings


def _shape_findings(values: F64, known: F64, distinct: int, kind: LogKind) -> list[tuple[Grade, str]]:
    """What the values of a channel that is not constant tell."""
    findings: list[tuple[Grade, str]] = []
    low, middle, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    spread = high - low
    # Zero for hours is normal in a count of orders, a valve is flat by nature: only many-valued readings
    # can be stuck.
    many_valued = distinct > 20 and kind is LogKind.SAMPLES
    stuck = stuck_steps(values) if many_valued else 0
    if stuck:
        findings.append(
            (Grade.POOR if stuck >= 0.3 * len(values) else Grade.USABLE, f"stuck for {stuck:,} steps")
        )
    jump = (level_jump(values) or unit_stretch(values)) if many_valued else None
    if jump is not None:
        findings.append((Grade.POOR, jump))
    if distinct <= 3 and len(known) >= _SHORT_STEPS:
        findings.append((Grade.USABLE, f"only {distinct} distinct values"))
    if spread > 0 and jump is None:
        far = np.abs(known - middle) > _OUTLIER_IQRS * spread
        # More than 0.1 % is the channel's way, not a fault of the sensor.
        if kind is LogKind.SAMPLES and 0 < far.sum() <= max(0.001 * len(known), 3):
            count = int(far.sum())
            noun = "outlier" if count == 1 else "outliers"
            findings.append((Grade.USABLE, f"{count} extreme {noun}, such as {known[far][0]:g}"))
    return findings


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
    _, lengths = _runs(same)
    if len(lengths) == 0:
        return 0
    # Readings that repeat nothing are runs of length one.
    single = int(known.sum() - same.sum()) - len(lengths)
    usual = float(np.quantile(np.r_[np.ones(max(single, 0)), lengths + 1], 0.99))
    longest = int(lengths.max()) + 1
    return longest if longest >= max(_FLAT_STEPS, _FLAT_TIMES_USUAL * usual) else 0


def _runs(flags: Bool) -> tuple[I64, I64]:
    """Starts and lengths of the runs of true."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(np.int8), 0]))
    return edges[::2], edges[1::2] - edges[::2]


def _longest_run(flags: Bool) -> int:
    return int(_runs(flags)[1].max(initial=0))


def unit_stretch(values: F64) -> str | None:
    """A stretch in which the readings are ten, a hundred ... times as large or small as everywhere else.

    Args:
        values: (steps,) float64, NaN where missing.
    """
    known = values[np.isfinite(values)]
    low, middle, high = (float(value) for value in np.quantile(known, (0.25, 0.5, 0.75)))
    if middle == 0 or high == low:
        return None
    starts, lengths = _runs(np.abs(known - middle) > _JUMP_IQRS * (high - low))
    if lengths.max(initial=0) < _UNIT_STEPS:
        return None
    longest = int(np.argmax(lengths))
    level = float(np.median(known[starts[longest] : starts[longest] + lengths[longest]]))
    text = _unit_text(middle, level)
    return f"{text} for {int(lengths[longest]):,} steps" if text else None


def _unit_text(old: float, new: float) -> str | None:
    """The sentence for a change of level that is a power of ten, give or take a quarter."""
    ratio = new / old if old else 0.0
    if ratio <= 0 or not np.isfinite(ratio):
        return None
    power = round(np.log10(ratio))
    if power == 0 or not 0.8 <= ratio / 10.0**power <= 1.25:
        return None
    return f"unit jump by {10.0**power:g}, from about {old:g} to {new:g}"


def level_jump(values: F64) -> str | None:
    """A lasting shift of level by more than 20 interquartile ranges, or of unit by a factor of ten or more.

    The readings are cut into 64 blocks; neighbouring blocks are compared by the medians and
    spreads of everything before and after the cut.

    Args:
        values: (steps,) float64, NaN where missing.

    Returns:
        A sentence, or None.
    """
    known = values[np.isfinite(values)]
    blocks = np.array_split(known, 64)
    if len(known) < 64 * 4:
        return None
    medians = np.array([np.median(block) for block in blocks])
    spreads = np.array([np.subtract(*np.quantile(block, (0.75, 0.25))) for block in blocks])
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
    return _unit_text(old, new) or f"lasting jump of level from about {old:g} to {new:g}"
