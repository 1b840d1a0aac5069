"""Tables of the report as rows of finished text: quality, rows, model, cost. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from logscan.messages import text as note_text
from logscan.messages.report import TEXTS, report_text
from logscan.messages.template import Lang, count
from logscan.records import F32, F64, Grade
from logscan.report.charts import TraceChart, trace_chart
from logscan.report.content import Content, RankedEvent, Source
from logscan.report.format import Clock, comparison, number, percent, seconds, size
from logscan.report.sentences import false_alarm_rate, reading
from logscan.results.run_record import ChannelRecord, EventRecord, ModelCardRecord, RunRecord

CHANNELS_SHOWN = 8
CHARTS_SHOWN = 4
MAIN_CHANNELS = 3
MAIN_SHARE = 0.15  # a channel with less of the score is not what the event is about


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """One channel of an event."""

    channel: str
    share: float  # 0..1, for the bar
    share_text: str
    observed: str
    expected: str
    difference: str


@dataclass(frozen=True, slots=True)
class SimilarRow:
    """One similar period."""

    span: str
    weight: float
    weight_text: str


@dataclass(frozen=True, slots=True)
class EventView:
    """One event as the page shows it."""

    rank: int
    entity: str
    start: str
    span: str
    duration: str
    ongoing: bool
    severity: str
    severity_text: str  # with its unit
    severity_bar: float  # 0..1 of the most severe
    main_channels: tuple[str, ...]
    reading: str
    peak: str
    has_values: bool
    channels: tuple[ChannelRow, ...]
    channels_left: int
    charts: tuple[TraceChart, ...]
    similar: tuple[SimilarRow, ...]


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One channel's quality."""

    entity: str
    channel: str
    grade: str
    grade_text: str
    reasons: str
    observed: float
    observed_text: str
    values: tuple[str, str, str]
    longest_gap: str
    longest_flat: str


@dataclass(frozen=True, slots=True)
class QualityView:
    """Channels with something to say first; the plainly good ones apart."""

    doubtful: tuple[QualityRow, ...]
    good: tuple[QualityRow, ...]


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """One entity's result."""

    entity: str
    steps: str
    judged: str
    alarms: str
    events: str
    threshold: str
    median: str
    peak: str


@dataclass(frozen=True, slots=True)
class CostRow:
    """One stage of the run."""

    stage: str
    taken: str
    share: float


def event_details(events: Sequence[RankedEvent], clock: Clock, drawn: int) -> tuple[EventView, ...]:
    """The events with all numbers written, the first `drawn` of them with charts."""
    highest = max((event.record.severity for event in events), default=1.0)
    return tuple(_event_view(event, clock, highest, event.rank <= drawn) for event in events)


def _event_view(event: RankedEvent, clock: Clock, highest: float, drawn: bool) -> EventView:
    record = event.record
    traces = record.traces[:CHARTS_SHOWN] if drawn else []
    charts = (trace_chart(trace, record, clock) for trace in traces)
    return EventView(
        rank=event.rank,
        entity=record.entity,
        start=clock.moment(record.start_time),
        span=clock.span(record.start_time, record.end_time),
        duration=clock.duration(record.end_time - record.start_time),
        ongoing=event.ongoing,
        severity=number(record.severity, 2),
        severity_text=report_text(clock.lang, "times", x=number(record.severity, 2)),
        severity_bar=record.severity / highest if highest > 0 else 0.0,
        main_channels=tuple(
            channel.channel
            for place, channel in enumerate(record.channels[:MAIN_CHANNELS])
            if place == 0 or channel.share >= MAIN_SHARE
        ),
        reading=reading(event, clock.lang),
        peak=clock.moment(record.peak_time),
        has_values=any(c.observed is not None or c.expected is not None for c in record.channels),
        channels=_channel_rows(record, clock.lang),
        channels_left=max(0, len(record.channels) - CHANNELS_SHOWN),
        charts=tuple(chart for chart in charts if chart is not None),
        similar=tuple(
            SimilarRow(clock.span(s.start_time, s.end_time), s.weight, percent(s.weight, clock.lang))
            for s in record.similar
        ),
    )


def _channel_rows(record: EventRecord, lang: Lang) -> tuple[ChannelRow, ...]:
    return tuple(
        ChannelRow(
            c.channel,
            min(max(c.share, 0.0), 1.0),
            percent(c.share, lang),
            *comparison(c.observed, c.expected),
        )
        for c in record.channels[:CHANNELS_SHOWN]
    )


def quality_view(run: RunRecord | None, clock: Clock) -> QualityView:
    """Data quality, worst first."""
    worst_first = [grade.value for grade in reversed(Grade)]
    records = sorted(
        run.quality if run is not None else [],
        key=lambda r: (worst_first.index(r.grade), r.observed_fraction, r.entity, r.channel),
    )
    rows = [(record, _quality_row(record, clock)) for record in records]
    # A short table is read whole; a long one only where there is something to read.
    plain = {id(row) for record, row in rows if row.grade == Grade.GOOD.value} if len(rows) > 12 else set()
    return QualityView(
        doubtful=tuple(row for _, row in rows if id(row) not in plain),
        good=tuple(row for _, row in rows if id(row) in plain),
    )


def _quality_row(record: ChannelRecord, clock: Clock) -> QualityRow:
    def length(steps: int) -> str:
        return clock.duration(steps * clock.step) if steps else number(None)

    return QualityRow(
        entity=record.entity,
        channel=record.channel,
        grade=record.grade,
        grade_text=report_text(clock.lang, f"grade_{record.grade}"),
        reasons=("; " if clock.lang == "en" else "、").join(
            note_text(why.note(), clock.lang) for why in record.reasons
        )
        or number(None),
        observed=min(max(record.observed_fraction, 0.0), 1.0),
        observed_text=percent(record.observed_fraction, clock.lang),
        values=(number(record.minimum), number(record.median), number(record.maximum)),
        longest_gap=length(record.longest_gap_steps),
        longest_flat=length(record.longest_flat_steps),
    )


def row_counts(run: RunRecord | None, lang: Lang) -> tuple[tuple[str, str], ...]:
    """Where every row went."""
    if run is None or run.input is None:
        return ()
    read = run.input
    rows = [
        (report_text(lang, "rows_read"), read.rows_read),
        (report_text(lang, "rows_used"), read.rows_used),
    ]
    rows += [
        (report_text(lang, "dropped", reason=note_text(one.reason.note(), lang)), one.rows)
        for one in sorted(read.dropped, key=lambda one: one.reason.key)
        if one.rows
    ]
    rows += [
        (report_text(lang, key), n) for key in ("duplicates", "out_of_order") if (n := getattr(read, key))
    ]
    rows += [
        (report_text(lang, "not_numeric", column=cell.column, example=cell.example), cell.count)
        for cell in read.not_numeric
    ]
    return tuple((label, count(n)) for label, n in rows)


def series_rows(report: Content, lang: Lang) -> tuple[SeriesRow, ...]:
    """One row per entity; without a run record the scores tell the same."""
    counts: dict[str, int] = {}
    for event in report.events:
        counts[event.record.entity] = counts.get(event.record.entity, 0) + 1
    rows = []
    for table in report.source.tables:
        known = table.score[table.judged]
        rows.append(
            SeriesRow(
                entity=table.entity,
                steps=count(len(table.times)),
                judged=percent(len(known) / len(table.times) if len(table.times) else None, lang),
                alarms=count(int((table.event_id >= 0).sum())),
                events=count(counts.get(table.entity, 0)),
                threshold=number(table.threshold),
                median=number(_median(known) if len(known) else None),
                peak=number(float(known.max()) if len(known) else None),
            )
        )
    return tuple(rows)


def _median(known: F32 | F64) -> float:
    """In double precision: the middle of two numbers is not theirs."""
    return float(np.median(known.astype(np.float64), overwrite_input=True))


def model_rows(source: Source, clock: Clock) -> tuple[tuple[str, str], ...]:
    """The model card as label and value."""
    card, lang = source.card, clock.lang
    if card is None:
        return ()
    joint = ", " if lang == "en" else "、"
    rows = [
        ("model_id", card.model_id),
        ("created", clock.stamp(card.created)),
        (
            "training_span",
            clock.dash.join(clock.stamp(end) for end in (card.training_start, card.training_end)),
        ),
        ("trained_rows", count(card.trained_rows)),
        ("fig_size", count(len(card.channels))),
        ("left_out", joint.join(_left_out(card, lang))),
        ("scales", report_text(lang, "scales_unit", scales=joint.join(str(scale) for scale in card.scales))),
        ("heads", joint.join(card.heads)),
        ("history", count(card.history_tokens)),
        ("fitted", report_text(lang, "fitted_yes" if card.fitted else "fitted_no")),
        ("fig_rate", false_alarm_rate(card.false_alarms, lang)),
    ]
    if source.run is not None and source.run.alignment is not None:
        rows.append(("alignment", report_text(lang, f"alignment_{source.run.alignment}")))
    shown = [(report_text(lang, key), value) for key, value in rows if value]
    if card.validation:
        shown.append((report_text(lang, "validation"), joint.join(_validation(card.validation, lang))))
    return tuple(shown)


def _left_out(card: ModelCardRecord, lang: Lang) -> list[str]:
    """The training steps that had no say, by reason."""
    steps = {
        "trimmed": card.trimmed_steps,
        "excluded": card.excluded_steps,
        "set_aside": card.set_aside_steps,
    }
    return [report_text(lang, f"left_out_{why}", n=count(n)) for why, n in steps.items() if n]


def _validation(figures: dict[str, float], lang: Lang) -> list[str]:
    """What training gained, in words where the figures are the usual ones; others with their names."""
    rest = dict(sorted(figures.items()))
    told = []
    if {"heads", "heads_where_training_ships"} <= rest.keys():
        shipped, heads = int(rest.pop("heads_where_training_ships")), int(rest.pop("heads"))
        told.append(report_text(lang, "validation_heads", n=count(shipped), total=count(heads)))
    if {"log_residual_closed_form", "log_residual_shipped"} <= rest.keys():
        start, end = rest.pop("log_residual_closed_form"), rest.pop("log_residual_shipped")
        before, after, _ = comparison(start, end)
        told.append(report_text(lang, "validation_residual", before=before, after=after))
    return told + [f"{name} {number(value)}" for name, value in rest.items()]


def cost_rows(run: RunRecord | None, lang: Lang) -> tuple[CostRow, ...]:
    """Seconds by stage, in the order they ran, with their share of the total."""
    if run is None:
        return ()
    total = sum(run.cost.seconds.values())
    return tuple(
        CostRow(_stage(stage, lang), seconds(taken, lang), taken / total if total else 0.0)
        for stage, taken in run.cost.seconds.items()
    ) + ((CostRow(report_text(lang, "total"), seconds(total, lang), 0.0),) if run.cost.seconds else ())


def _stage(stage: str, lang: Lang) -> str:
    """A stage in words; a stage that is not known stands as it is."""
    key = f"stage_{stage}"
    return report_text(lang, key) if key in TEXTS else stage


def format_text(run: RunRecord, lang: Lang) -> str:
    """How the input was read: format, encoding, separator."""
    if run.input is None:
        return ""
    parts = [run.input.format, run.input.encoding]
    if run.input.delimiter:
        named = {"\t": "delimiter_tab", " ": "delimiter_blank"}.get(run.input.delimiter)
        shown = report_text(lang, named) if named else run.input.delimiter
        parts.append(report_text(lang, "delimiter", delimiter=shown))
    return (", " if lang == "en" else "、").join(part for part in parts if part)


def run_facts(run: RunRecord, lang: Lang) -> tuple[tuple[str, str], ...]:
    """Memory, threads and device of the run."""
    return (
        (report_text(lang, "memory"), size(run.cost.peak_memory_bytes)),
        (report_text(lang, "threads"), count(run.cost.threads)),
        (report_text(lang, "device"), run.cost.device),
    )
