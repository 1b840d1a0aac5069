"""The zoomable timeline: thinned scores, events and contributions as JSON values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from logscan.records import I64
from logscan.report.content import Content, RankedEvent, ScoreTable
from logscan.report.contributions import most_noticeable, notability
from logscan.report.format import Clock, zone
from logscan.report.thinning import holes, silent_spans, thinned
from logscan.time_units import SECOND_NS

ENTITY_POINTS = 4_000  # of one entity: two per pixel of a wide screen
PAGE_POINTS = 60_000  # of all entities: keeps the page near 1 MB
HEAT_CHANNELS = 12
DRAWN_EVENTS = 2_000  # of all entities, the most severe ones
COMPRESS_ABOVE = 20.0  # a score this many thresholds high would flatten everything else
NO_HEAT = "-"


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the page's script draws, and what the text around it says."""

    entities: tuple[str, ...]
    data: dict[str, Any]
    rows_per_pair: int  # rows behind each drawn pair of lowest and highest; 1: nothing was left out
    compressed: bool
    silent: bool  # some stretch without a score is shaded


def timeline(report: Content, clock: Clock) -> Timeline:
    """The timelines of the most noticeable entities, those with severe events first."""
    tables = most_noticeable(report.source.tables)
    points = max(400, min(ENTITY_POINTS, PAGE_POINTS // len(tables)))
    longest = max(len(table.times) for table in tables)
    entities = [_entity(table, report.events[:DRAWN_EVENTS], clock, points) for table in tables]
    return Timeline(
        entities=tuple(table.entity for table in tables),
        data={
            "dated": clock.dated,
            "zone": _browser_zone(clock),
            "step": clock.step / (SECOND_NS if clock.dated else 1),
            "entities": entities,
        },
        rows_per_pair=max(1, -(-2 * longest // points)) if longest > points else 1,
        compressed=any(entity["compress"] for entity in entities),
        silent=any(entity["silent"] for entity in entities),
    )


def _browser_zone(clock: Clock) -> str:
    """The zone the browser may know by name; a fixed offset is added to the times instead."""
    found = zone(clock.timezone)
    return found.key if isinstance(found, ZoneInfo) else "UTC"


def _shift_ns(clock: Clock) -> int:
    found = zone(clock.timezone)
    if not clock.dated or isinstance(found, ZoneInfo):
        return 0
    offset = datetime.fromtimestamp(0, found).utcoffset() or timedelta()
    return int(offset.total_seconds()) * SECOND_NS


def _entity(table: ScoreTable, events: tuple[RankedEvent, ...], clock: Clock, points: int) -> dict[str, Any]:
    """One entity: times as differences in a common unit, four-digit scores, null where the line breaks."""
    second = SECOND_NS if clock.dated else 1
    origin = int(table.times[0])
    keep = thinned(table.times, table.score, points // 2)
    bucket = int(table.times[-1] - table.times[0]) // max(points // 2, 1)
    between = holes(table.times, 2 * bucket)
    times, values = _with_breaks(table, keep, between)
    # What is shorter than a point of the drawn line cannot be seen, unless all rows are drawn.
    shortest = bucket if len(keep) < len(table.times) else 0
    silent = silent_spans(table.times, table.score, clock.step, shortest, between)
    unit = int(np.gcd.reduce(np.append(times - origin, second)))
    peak = notability(table)
    shift = _shift_ns(clock)
    return {
        "name": table.entity,
        "origin": (origin + shift) / second,
        "unit": unit / second,
        "x": (np.diff(times, prepend=origin) // unit).tolist(),
        "y": values,
        "end": (int(table.times[-1]) + shift) / second,
        "threshold": table.threshold if table.threshold > 0 else None,
        "silent": ((silent - origin) // unit).tolist(),
        "compress": bool(table.threshold > 0 and peak > COMPRESS_ABOVE),
        "events": [
            [
                event.rank,
                (event.record.start_time + shift) / second,
                (event.record.end_time + shift) / second,
            ]
            for event in events
            if event.record.entity == table.entity
        ],
        "heat": _heat(table),
    }


def _with_breaks(table: ScoreTable, keep: I64, between: I64) -> tuple[I64, list[float | None]]:
    """The kept points, with an empty one after each place where the log itself has a hole."""
    times = table.times[keep]
    values: list[float | None] = [
        float(f"{value:.4g}") if np.isfinite(value) else None for value in table.score[keep].tolist()
    ]
    begins = between[:, 0]
    places = np.searchsorted(times, begins)
    broken = np.insert(times, places, begins)
    for place in places[::-1].tolist():
        values.insert(place, None)
    return broken.astype(np.int64), values


def _heat(table: ScoreTable) -> dict[str, Any] | None:
    """The largest contribution of each channel in each span of time, as digits 0 to 9.

    9 means a contribution that reaches the threshold alone; `-` that nothing was judged.
    """
    if len(table.channels) < 2 or not table.threshold > 0 or not table.judged.any():
        return None
    highest = table.heat.astype(np.float64) / table.threshold
    order = np.argsort(-highest.max(axis=0), kind="stable")[:HEAT_CHANNELS]
    level = np.rint(9 * np.clip(highest, 0.0, 1.0)).astype(np.int64)
    return {
        "channels": [table.channels[i] for i in order],
        "rows": [
            "".join(
                NO_HEAT if silent else str(digit)
                for digit, silent in zip(
                    level[:, i].tolist(), np.isneginf(highest[:, i]).tolist(), strict=True
                )
            )
            for i in order
        ],
    }
