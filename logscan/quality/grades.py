"""Quality grades of channels (good, usable, poor, unusable) with their reasons."""

from __future__ import annotations

import numpy as np

from logscan.notes import note
from logscan.quality.duplicate_channels import twin_channels
from logscan.quality.findings import Finding, longest_flat, longest_gap, shape_findings
from logscan.records import F64, ChannelQuality, Grade, Log, LogKind, Series

_ORDER = tuple(Grade)
_SHORT_STEPS, _TOO_SHORT_STEPS = 200, 30


def channel_qualities(log: Log) -> tuple[ChannelQuality, ...]:
    """The quality of every channel of every entity, entities and channels in the log's order.

    Reasons, worst first: no reading, constant, too short, much missing, a stuck stretch, a lasting jump
    of level or unit, a code for no reading, few distinct values, extreme outliers, coarse steps, drift, the same
    as another channel.
    """
    found = []
    for one in log.series:
        twins = twin_channels(one.values) if log.schema.kind is LogKind.SAMPLES else {}
        places = range(len(one.channels))
        found += [_channel_quality(one, position, log.schema.kind, twins) for position in places]
    return tuple(found)


def _channel_quality(
    one: Series, position: int, kind: LogKind, twins: dict[int, tuple[int, bool]]
) -> ChannelQuality:
    values = one.values[:, position]
    known = values[np.isfinite(values)]
    steps = len(values)
    observed = len(known) / steps if steps else 0.0
    gap = longest_gap(values)
    findings = _findings(values, known, observed, gap, kind)
    if position in twins and not any(finding.grade is Grade.UNUSABLE for finding in findings):
        other, equal = twins[position]
        name = one.channels[other]
        reason = note("same-as", channel=name) if equal else note("moves-as", channel=name)
        findings.append(Finding(Grade.USABLE, "duplicate", reason))
    grade = max((finding.grade for finding in findings), key=_ORDER.index, default=Grade.GOOD)
    findings.sort(key=lambda finding: -_ORDER.index(finding.grade))
    return ChannelQuality(
        entity=one.entity,
        channel=one.channels[position],
        grade=grade,
        reasons=tuple(finding.reason for finding in findings),
        codes=tuple(finding.code for finding in findings),
        observed_fraction=observed,
        minimum=float(known.min()) if len(known) else float("nan"),
        median=float(np.median(known)) if len(known) else float("nan"),
        maximum=float(known.max()) if len(known) else float("nan"),
        longest_gap_steps=gap,
        longest_flat_steps=longest_flat(values),
    )


def _findings(values: F64, known: F64, observed: float, gap: int, kind: LogKind) -> list[Finding]:
    """What is wrong with one channel, each with the grade it alone would give."""
    if len(known) == 0:
        return [Finding(Grade.UNUSABLE, "no reading", note("no-reading"))]
    findings: list[Finding] = []
    steps = len(values)
    if len(known) < _TOO_SHORT_STEPS:
        findings.append(Finding(Grade.UNUSABLE, "too short", note("too-short", readings=len(known))))
    elif len(known) < _SHORT_STEPS:
        findings.append(Finding(Grade.POOR, "too short", note("short", readings=len(known))))
    if observed < 0.95:
        grade = Grade.UNUSABLE if observed < 0.1 else Grade.POOR if observed < 0.7 else Grade.USABLE
        findings.append(Finding(grade, "missing", note("missing", share=1 - observed)))
    if gap > max(0.1 * steps, 1) and observed >= 0.1:
        findings.append(Finding(Grade.USABLE, "gap", note("long-gap", steps=gap)))
    distinct = np.unique(known)
    if len(distinct) == 1:
        findings.append(Finding(Grade.UNUSABLE, "constant", note("constant", value=float(known[0]))))
        return findings
    findings += shape_findings(values, known, distinct, kind)
    return findings
