"""Charts of the report: thinning, paths and ticks. Pure; no markup."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from logscan.core.intervals import true_intervals
from logscan.records import F64
from logscan.report.content import Content, RankedEvent
from logscan.report.format import Clock, number, zone
from logscan.report.thinning import run_starts, span_numbers, thinned
from logscan.results.run_record import EventRecord, TraceRecord
from logscan.time_units import DAY_SECONDS, HOUR_SECONDS, SECOND_NS, WEEK_SECONDS

TRACE_POINTS = 400  # of one small chart, about one per pixel
OVERVIEW_BUCKETS = 480
OVERVIEW_LABELS = 9


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis, in percent of its length (from the left, or from the top)."""

    percent: float
    label: str


@dataclass(frozen=True, slots=True)
class TraceChart:
    """One channel around an event, in a box 1000 wide and 100 high."""

    channel: str
    observed: str  # SVG path
    expected: str
    between: str  # closed SVG path between the two, inside the event
    event_left: float
    event_width: float
    peak: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    ticks: tuple[Tick, ...]
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class OverviewMark:
    """An event in the overview."""

    rank: int
    left: float
    width: float
    label: float | None  # percent; None where there is no room for the number


@dataclass(frozen=True, slots=True)
class Overview:
    """The score of all entities over the whole period, in a box 1000 wide and 100 high."""

    area: str
    silent: str  # path of where nothing was judged
    threshold: float
    marks: tuple[OverviewMark, ...]
    ticks: tuple[Tick, ...]


def nice_ticks(low: float, high: float, wanted: int = 4) -> list[float]:
    """Round numbers (steps of 1, 2 or 5) inside `[low, high]`."""
    if not high > low:
        return [low]
    rough = (high - low) / wanted
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * scale for factor in (1, 2, 5, 10) if factor * scale >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def trace_chart(trace: TraceRecord, event: EventRecord, clock: Clock) -> TraceChart | None:
    """The small chart of one channel; None where there is nothing to draw."""
    times = np.array(trace.times, dtype=np.int64)
    observed = np.array([math.nan if v is None else v for v in trace.observed], dtype=np.float64)
    expected = np.array([math.nan if v is None else v for v in trace.expected], dtype=np.float64)
    known = np.concatenate([observed[np.isfinite(observed)], expected[np.isfinite(expected)]])
    if len(times) < 2 or not len(known):
        return None
    keep = np.union1d(
        thinned(times, observed, TRACE_POINTS // 2), thinned(times, expected, TRACE_POINTS // 2)
    ).astype(np.int64)
    times, observed, expected = times[keep], observed[keep], expected[keep]
    low, high = float(known.min()), float(known.max())
    margin = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    low, high = low - margin, high + margin
    start, end = int(times[0]), int(times[-1])
    x = 1000 * (times - start).astype(np.float64) / max(end - start, 1)

    def across(time: int) -> float:
        return round(min(max(1000 * (time - start) / max(end - start, 1), 0.0), 1000.0), 1)

    def down(values: F64) -> F64:
        return 100 * (high - values) / (high - low)

    left = across(event.start_time)
    inside = (times >= event.start_time) & (times < event.end_time)
    return TraceChart(
        channel=trace.channel,
        observed=_path(x, down(observed)),
        expected=_path(x, down(expected)),
        between=_ribbon(x[inside], down(observed)[inside], down(expected)[inside]),
        event_left=left,
        event_width=round(max(across(event.end_time) - left, 2.0), 1),
        peak=across(event.peak_time),
        x_range=(start / SECOND_NS if clock.dated else start, end / SECOND_NS if clock.dated else end),
        y_range=(low, high),
        ticks=_value_ticks(low, high),
        start=clock.moment(start),
        end=clock.moment(end),
    )


def _value_ticks(low: float, high: float) -> tuple[Tick, ...]:
    values = nice_ticks(low, high)
    step = values[1] - values[0] if len(values) > 1 else abs(values[0]) or 1.0
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    plain = all(abs(value) < 1e7 for value in values) and decimals <= 6
    return tuple(
        Tick(
            round(100 * (high - value) / (high - low), 2),
            f"{value:,.{decimals}f}".replace("-", "−") if plain else number(value),
        )
        for value in values
    )


def _path(x: F64, y: F64) -> str:
    """An SVG path through the finite points; it breaks at NaN."""
    parts: list[str] = []
    pen_up = True
    for across, down in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(down):
            parts.append(f"{'M' if pen_up else 'L'}{across:.1f},{down:.1f}")
        pen_up = not math.isfinite(down)
    return "".join(parts)


def _ribbon(x: F64, upper: F64, lower: F64) -> str:
    """The closed path between two lines where both are known."""
    both = np.isfinite(upper) & np.isfinite(lower)
    if both.sum() < 2:
        return ""
    forth = _path(x[both], upper[both])
    back = _path(x[both][::-1], lower[both][::-1])
    return f"{forth}L{back[1:]}Z"


def overview(report: Content, clock: Clock) -> Overview:
    """The strip under the verdict: where in time the score was high."""
    length = max(report.end - report.start, 1)
    ratio = np.full(OVERVIEW_BUCKETS, np.nan)
    for table in report.source.tables:
        if table.threshold > 0 and len(table.times):
            buckets = span_numbers(table.times, report.start, length, OVERVIEW_BUCKETS)
            starts = run_starts(buckets)
            highest = np.fmax.reduceat(table.score, starts).astype(np.float64)
            np.fmax.at(ratio, buckets[starts], highest / table.threshold)
    # The inverse hyperbolic sine keeps the quiet part readable beside a peak of a hundred thresholds.
    height = np.arcsinh(np.fmax(ratio, 0.0))
    top = max(float(np.nanmax(height)) if np.isfinite(height).any() else 0.0, math.asinh(1.0) * 1.3)
    width = 1000 / OVERVIEW_BUCKETS
    area = "".join(
        f"M{i * width:.1f},100V{100 - 100 * value / top:.1f}h{width:.2f}V100Z"
        for i, value in enumerate(height.tolist())
        if math.isfinite(value)
    )
    return Overview(
        area=area,
        silent="".join(
            f"M{first * width:.1f},0H{last * width:.1f}V100H{first * width:.1f}Z"
            for first, last in true_intervals(np.isnan(ratio)).tolist()
        ),
        threshold=round(100 - 100 * math.asinh(1.0) / top, 1),
        marks=_marks(report.events, report.start, length),
        ticks=time_ticks(report.start, report.end, clock),
    )


def _marks(events: tuple[RankedEvent, ...], start: int, length: int) -> tuple[OverviewMark, ...]:
    marks: list[OverviewMark] = []
    placed: list[float] = []
    drawn: set[tuple[float, float]] = set()  # of many short events most fall on the same place
    for event in events:
        left = 1000 * (event.record.start_time - start) / length
        width = max(1000 * (event.record.end_time - event.record.start_time) / length, 2.0)
        middle = (left + width / 2) / 10
        room = len(placed) < OVERVIEW_LABELS and all(abs(middle - other) > 4.5 for other in placed)
        if room:
            placed.append(middle)
        place = round(left, 1), round(width, 1)
        if room or place not in drawn:
            drawn.add(place)
            marks.append(OverviewMark(event.rank, *place, round(middle, 2) if room else None))
    return tuple(marks)


def time_ticks(start: int, end: int, clock: Clock, wanted: int = 6) -> tuple[Tick, ...]:
    """Round places on a time axis: months, days, hours, minutes or seconds as the length asks."""
    length = max(end - start, 1)
    if not clock.dated:
        return tuple(
            Tick(round(100 * (v - start) / length, 2), f"{v:,.0f}") for v in nice_ticks(start, end, wanted)
        )
    # Wall-clock arithmetic at the offset of the start: summer time moves later ticks by an hour at most.
    local = datetime.fromtimestamp(start // SECOND_NS, zone(clock.timezone))
    offset = int((local.utcoffset() or timedelta()).total_seconds())
    first, last = start / SECOND_NS + offset, end / SECOND_NS + offset
    rough = (last - first) / wanted
    if rough > 20 * DAY_SECONDS:
        walls = _month_starts(first, last, rough)
        style = "month"
    else:
        units = (
            1,
            5,
            15,
            60,
            300,
            900,
            1800,
            HOUR_SECONDS,
            10_800,
            21_600,
            43_200,
            DAY_SECONDS,
            172_800,
            WEEK_SECONDS,
            1_209_600,
        )
        step = next((unit for unit in units if unit >= rough * 0.8), units[-1])
        walls = [k * step for k in range(math.ceil(first / step), math.floor(last / step) + 1)]
        style = "day" if step >= DAY_SECONDS else "minute" if step >= 60 else "second"
    return tuple(
        Tick(round(100 * (wall - first) / (last - first), 2), clock.tick(wall, style)) for wall in walls
    )


def _month_starts(first: float, last: float, rough: float) -> list[int]:
    every = next((n for n in (1, 2, 3, 6, 12, 24, 60, 120) if n * 30.4 * DAY_SECONDS >= rough * 0.8), 120)
    epoch = datetime.fromtimestamp(0, zone(None))
    month = (epoch + timedelta(seconds=first)).year * 12 // every * every
    walls: list[int] = []
    while True:
        wall = int((datetime(month // 12, month % 12 + 1, 1, tzinfo=zone(None)) - epoch).total_seconds())
        if wall > last:
            return walls
        if wall >= first:
            walls.append(wall)
        month += every
