"""Scores, events and their explanation for one entity: channels, observed and expected values, similar periods."""

from __future__ import annotations

import numpy as np

from logscan.alarms.events import alarm_events, causal_alarm_events
from logscan.core.scaling import unscaled
from logscan.model.encoder import Encoding
from logscan.model.heads import Prepared
from logscan.model.records import EntityModel, HeadSpec
from logscan.records import (
    F32,
    F64,
    I8,
    Bool,
    ChannelReading,
    Event,
    EventTrace,
    Series,
    SeriesScores,
    SimilarPeriod,
    StepQuality,
)

_QUALITIES = tuple(StepQuality)
_READINGS = 5  # channels named per event
_TRACES = 3  # channels drawn per event
_TRACED_EVENTS = 50  # the most severe ones; a report with more pictures is not read
_TRACE_POINTS = 240
_SIMILAR = 3


def judged_series(
    series: Series,
    ready: Prepared,
    encoding: Encoding,
    model: EntityModel,
    *,
    threshold: float,
    merge_gap_steps: int,
    min_event_steps: int,
    causal: bool,
) -> SeriesScores:
    """Scores, qualities and events of one entity.

    Args:
        series: the series as read.
        ready: the same, scaled and filled.
        encoding: what the encoder said.
        model: the entity's model, for units and similar periods.
        threshold: score above which a step alarms.
        merge_gap_steps: events closer than this are one.
        min_event_steps: shorter events are dropped.
        causal: events, too, depend on no later step.
    """
    spoke = np.asarray(model.observed.any(axis=0), dtype=np.bool_)
    quality = step_quality(series, ready, encoding, spoke)
    unseen = quality == _QUALITIES.index(StepQuality.MISSING)
    contributions = encoding.contributions
    if unseen.any():
        contributions = np.where(unseen[:, None], np.float32(np.nan), contributions)
    score: F32 = contributions.sum(axis=1, dtype=np.float32)
    found = (causal_alarm_events if causal else alarm_events)(
        score, threshold, merge_gap_steps=merge_gap_steps, min_event_steps=min_event_steps
    )
    traced = set(sorted(range(len(found)), key=lambda i: -score[found[i][2]])[:_TRACED_EVENTS])
    events = tuple(
        _event(number, span, series, contributions, encoding, model, threshold, number in traced)
        for number, span in enumerate(found)
    )
    event_id = np.full(len(score), -1, dtype=np.int64)
    for event in events:
        event_id[event.start_step : event.end_step] = event.id
    return SeriesScores(
        entity=series.entity,
        channels=series.channels,
        grid=series.grid,
        row_times=series.row_times,
        score=score,
        threshold=threshold,
        event_id=event_id,
        quality=quality,
        contributions=contributions,
        events=events,
    )


def step_quality(series: Series, ready: Prepared, encoding: Encoding, usable: Bool) -> I8:
    """(steps,) int8, index into `tuple(StepQuality)`: what each step's score rests on.

    Args:
        series: as read.
        ready: the same, filled.
        encoding: whose score is NaN where nothing could be judged.
        usable: (channels,) bool, channels that spoke in training; one that never did degrades nothing.
    """
    seen = np.isfinite(series.values)
    quality = np.full(len(seen), _QUALITIES.index(StepQuality.OK), dtype=np.int8)
    degraded = ~ready.observed[:, usable].all(axis=1)
    quality[degraded] = _QUALITIES.index(StepQuality.DEGRADED)
    bridge = ~seen.any(axis=1) & ready.bridged.any(axis=1)
    quality[bridge] = _QUALITIES.index(StepQuality.BRIDGED)
    quality[~np.isfinite(encoding.score)] = _QUALITIES.index(StepQuality.NOT_JUDGED)
    quality[~ready.observed.any(axis=1)] = _QUALITIES.index(StepQuality.MISSING)
    return quality


def _event(
    number: int,
    span: tuple[int, int, int],
    series: Series,
    contributions: F32,
    encoding: Encoding,
    model: EntityModel,
    threshold: float,
    traced: bool,
) -> Event:
    start, end, peak = span
    grid = series.grid
    parts = np.nansum(contributions[start:end].astype(np.float64), axis=0)
    shares = parts / max(parts.sum(), 1e-300)
    order = np.argsort(-shares, kind="stable")[: min(_READINGS, len(shares))]
    readings = tuple(
        _reading(int(c), float(shares[c]), span, series, encoding, model) for c in order if shares[c] > 0
    )
    score = float(contributions[peak].sum())
    return Event(
        id=number,
        entity=series.entity,
        start_step=start,
        end_step=end,
        start_time=grid.start + start * grid.step,
        end_time=grid.start + end * grid.step,
        severity=score / threshold if threshold > 0 else float("inf"),
        peak_step=peak,
        peak_score=score,
        channels=readings,
        similar=_similar(peak, encoding, model),
        traces=tuple(_trace(int(c), span, series, encoding, model) for c in order[:_TRACES])
        if traced
        else (),
    )


def _reading(
    channel: int,
    share: float,
    span: tuple[int, int, int],
    series: Series,
    encoding: Encoding,
    model: EntityModel,
) -> ChannelReading:
    """Observed and expected where they differ most, within a window of the peak and within the event."""
    start, end, peak = span
    reach = _level_spec(model).window_steps // 2
    steps = slice(max(start, peak - reach), min(end, peak + reach + 1))
    observed, wanted = series.values[steps, channel], _expected(encoding, model, steps, channel)
    gap = np.abs(observed - wanted)
    at = int(np.nanargmax(gap)) if np.isfinite(gap).any() else 0
    return ChannelReading(
        channel=series.channels[channel],
        share=share,
        observed=float(observed[at]),
        expected=float(wanted[at]),
    )


def _trace(
    channel: int, span: tuple[int, int, int], series: Series, encoding: Encoding, model: EntityModel
) -> EventTrace:
    """Observed and expected around the event; of every bucket the step where they differ most."""
    start, end, _ = span
    pad = max(end - start, 2 * _level_spec(model).window_steps)
    first, last = max(0, start - pad), min(len(series.values), end + pad)
    bucket = -(-(last - first) // _TRACE_POINTS)
    expected = _expected(encoding, model, slice(first, last), channel)
    gap = np.nan_to_num(np.abs(series.values[first:last, channel] - expected), nan=-1.0)
    whole = np.pad(gap, (0, -len(gap) % bucket), constant_values=-2.0).reshape(-1, bucket)
    chosen = first + np.arange(len(whole)) * bucket + whole.argmax(axis=1)
    return EventTrace(
        channel=series.channels[channel],
        times=series.grid.start + chosen * series.grid.step,
        observed=series.values[chosen, channel],
        expected=expected[chosen - first],
    )


def _expected(encoding: Encoding, model: EntityModel, steps: slice, channel: int) -> F64:
    """(steps,) float64, what a channel should have read on some steps, in original units; NaN where not judged."""
    rows = encoding.expected[steps].astype(np.float64)
    return unscaled(rows, model.scaler)[:, channel]


def _similar(peak: int, encoding: Encoding, model: EntityModel) -> tuple[SimilarPeriod, ...]:
    """The other periods the peak was rebuilt from, heaviest first, a window apart (else they are one period)."""
    level, spec = encoding.level, _level_spec(model)
    assert level.neighbor_times is not None
    assert level.weights is not None
    token = int(np.searchsorted(level.starts + spec.window_steps // 2, peak))
    token = min(token, len(level.starts) - 1)
    if token < 0:
        return ()
    chosen: list[SimilarPeriod] = []
    taken: list[int] = []
    for time, weight in zip(level.neighbor_times[token].tolist(), level.weights[token].tolist(), strict=True):
        if weight <= 0 or any(abs(time - other) < spec.window_steps for other in taken):
            continue
        taken.append(time)
        begin = model.grid.start + time * model.grid.step
        chosen.append(SimilarPeriod(begin, begin + spec.window_steps * model.grid.step, weight))
        if len(chosen) == _SIMILAR:
            break
    return tuple(chosen)


def _level_spec(model: EntityModel) -> HeadSpec:
    return next(head.spec for head in model.heads if head.spec.view == "level")
