"""The verdict, figures and notices of the report in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from logscan.messages.report import counted, report_text
from logscan.messages.template import Lang, count
from logscan.report.content import Content, Notice, RankedEvent, Verdict
from logscan.report.format import Clock, comparison, number, percent

NAMES_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure."""

    label: str
    value: str
    note: str


@dataclass(frozen=True, slots=True)
class Words:
    """The first screen in words."""

    badge: str
    verdict: str
    details: tuple[str, ...]
    notices: tuple[str, ...]
    figures: tuple[Figure, ...]


def words(report: Content, lang: Lang, clock: Clock) -> Words:
    """The first screen of `report` in `lang`."""
    return Words(
        badge=_badge(report, lang),
        verdict=_verdict(report, lang, clock),
        details=_details(report, lang, clock),
        notices=tuple(_notice(notice, lang) for notice in report.notices),
        figures=_figures(report, lang, clock),
    )


def _badge(report: Content, lang: Lang) -> str:
    if report.verdict is Verdict.EVENTS:
        return counted(lang, "badge_events", len(report.events))
    return report_text(lang, "badge_quiet" if report.verdict is Verdict.QUIET else "badge_not_judged")


def _verdict(report: Content, lang: Lang, clock: Clock) -> str:
    if report.verdict is Verdict.NOT_JUDGED:
        return report_text(lang, "verdict_not_judged")
    if report.verdict is Verdict.QUIET:
        key = "verdict_quiet" if clock.dated else "verdict_quiet_steps"
        end = report.end - report.source.step  # the last row itself: "up to" reads as inclusive
        days = clock.day(report.start), clock.day(end)
        start, stop = days if days[0] != days[1] else (clock.long(report.start), clock.long(end))
        return report_text(lang, key, start=start, end=stop)
    since = min(event.record.start_time for event in report.events)
    return counted(
        lang,
        "verdict_event",
        len(report.events),
        since=clock.day(since) if clock.dated else f"{report_text(lang, 'step_axis')} {clock.long(since)}",
        where=_where(report.events[0], lang),
        when=_when(report.events[0], lang, clock),
    )


def _where(event: RankedEvent, lang: Lang) -> str:
    record = event.record
    if not record.channels:
        return report_text(lang, "where_entity", entity=record.entity or report_text(lang, "whole_entity"))
    if not record.entity:
        return report_text(lang, "where_channel", channel=record.channels[0].channel)
    return report_text(lang, "where_both", channel=record.channels[0].channel, entity=record.entity)


def _when(event: RankedEvent, lang: Lang, clock: Clock) -> str:
    record = event.record
    key = "when_open" if event.ongoing else "when_dated" if clock.dated else "when_step"
    start = clock.long(record.start_time)
    if event.ongoing and not clock.dated:
        start = f"{report_text(lang, 'step_axis')} {start}"
    return report_text(lang, key, start=start, duration=clock.duration(record.end_time - record.start_time))


def _details(report: Content, lang: Lang, clock: Clock) -> tuple[str, ...]:
    if report.verdict is Verdict.NOT_JUDGED:
        return (report_text(lang, "detail_not_judged"),)
    if report.verdict is Verdict.QUIET:
        if report.peak_ratio is None or report.peak_time is None:
            return ()
        key = "detail_quiet" if clock.dated else "detail_quiet_step"
        when = clock.long(report.peak_time)
        return (report_text(lang, key, share=percent(report.peak_ratio, lang), when=when),)
    record = report.events[0].record
    sentences = [reading(event=report.events[0], lang=lang)] if record.channels else []
    return (
        *(s for s in sentences if s),
        report_text(lang, "detail_event", severity=number(record.severity, 2)),
    )


def reading(event: RankedEvent, lang: Lang) -> str:
    """What the first channel of an event read against what was expected; empty where that is not known."""
    if not event.record.channels:
        return ""
    first = event.record.channels[0]
    if first.observed is None or first.expected is None:
        return ""
    observed, expected, _ = comparison(first.observed, first.expected)
    return report_text(lang, "detail_reading", channel=first.channel, observed=observed, expected=expected)


def _notice(notice: Notice, lang: Lang) -> str:
    if notice.key in {"notice_no_run", "notice_mismatch"}:
        return report_text(lang, notice.key, file=notice.names[0])
    return report_text(
        lang,
        notice.key,
        names=_listed(notice.names, lang),
        share=percent(notice.fraction, lang),
        code=str(notice.code),
        error=notice.error,
    )


def _listed(names: tuple[str, ...], lang: Lang) -> str:
    joint = ", " if lang == "en" else "、"
    shown = joint.join(names[:NAMES_SHOWN])
    rest = len(names) - NAMES_SHOWN
    return report_text(lang, "and_more", names=shown, n=count(rest)) if rest > 0 else shown


def _figures(report: Content, lang: Lang, clock: Clock) -> tuple[Figure, ...]:
    def figure(key: str, value: str, note: str = "") -> Figure:
        return Figure(report_text(lang, key), value, note)

    entities = len(report.source.tables)
    figures = [
        figure(
            "fig_events",
            count(len(report.events)),
            report_text(lang, "fig_events_of", n=count(report.entities_with_events), total=count(entities))
            if entities > 1
            else "",
        )
    ]
    if report.events:
        severity = number(report.events[0].record.severity, 2)
        figures.append(
            figure(
                "fig_severity", report_text(lang, "times", x=severity), report_text(lang, "fig_severity_note")
            )
        )
        note = report_text(lang, "fig_time_note", share=percent(report.judged_share_in_events, lang))
        figures.append(figure("fig_time", clock.duration(report.event_time), note))
    elif report.peak_ratio is not None:
        figures.append(
            figure("fig_peak_quiet", percent(report.peak_ratio, lang), report_text(lang, "fig_peak_note"))
        )
    judged = percent(report.judged_rows / report.rows, lang)
    counts = {"n": count(report.judged_rows), "total": count(report.rows)}
    figures.append(figure("fig_judged", judged, report_text(lang, "fig_judged_note", **counts)))
    channels = len({channel for table in report.source.tables for channel in table.channels})
    note = counted(lang, "fig_size_note", entities) if entities > 1 else ""
    figures.append(figure("fig_size", count(channels), note))
    if report.source.card is not None:
        rate = false_alarm_rate(report.source.card.false_alarms, lang)
        figures.append(figure("fig_rate", rate, report_text(lang, "fig_rate_note")))
    return tuple(figures)


def false_alarm_rate(rate: str, lang: Lang) -> str:
    """`1/week` as the language writes it; what is not understood is shown as it stands."""
    amount, _, unit = rate.partition("/")
    key = f"rate_{unit}"
    try:
        return report_text(lang, key, n=amount)
    except KeyError:
        return rate
