"""What the report says and draws, before words and markup."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscan.records import TimeKind
from logscan.report.charts import nice_ticks, overview, time_ticks, trace_chart
from logscan.report.content import ScoreTable, Verdict, content
from logscan.report.contributions import HEAT_SPANS, with_parts
from logscan.report.export import csv_text, json_text
from logscan.report.format import SECOND_NS, Clock
from logscan.report.sentences import words
from logscan.report.thinning import holes, silent_spans, thinned
from logscan.report.timeline import ENTITY_POINTS, timeline
from logscan.results.run_record import TraceRecord
from tests.oracles import heat_oracle, silent_oracle
from tests.report import samples

CLOCK = Clock("en", TimeKind.TIMESTAMP, "Asia/Tokyo", samples.MINUTE)


@given(st.integers(1, 997), st.integers(1, 53), st.integers(0, 2**32 - 1))
def test_thinned_keeps_the_extremes_of_every_span(rows, buckets, seed):
    """No peak and no trough of any span is lost, however hard the line is thinned."""
    draw = np.random.default_rng(seed)
    times = np.cumsum(draw.integers(1, 7, rows)).astype(np.int64) * 10**15
    values = np.where(draw.random(rows) < 0.2, np.nan, draw.standard_normal(rows))
    kept = thinned(times, values, buckets)
    assert (np.diff(kept) > 0).all()
    assert len(kept) <= max(2 * buckets, 1)
    if rows <= 2 * buckets:
        assert len(kept) == rows
        return
    span = np.minimum((times - times[0]) / (times[-1] - times[0]) * buckets, buckets - 1).astype(int)
    for bucket in np.unique(span):
        inside = values[span == bucket]
        shown = values[kept[span[kept] == bucket]]
        if np.isnan(inside).all():
            assert len(shown) == 1
            assert np.isnan(shown).all()
        else:
            assert np.nanmin(shown) == np.nanmin(inside)
            assert np.nanmax(shown) == np.nanmax(inside)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_nice_ticks_lie_inside_and_are_few(low, length):
    """Ticks never leave the axis and never crowd it."""
    high = low + length
    ticks = nice_ticks(low, high)
    slack = 1e-6 * max(abs(low), abs(high), length)
    assert len(ticks) <= 9
    assert all(low - slack <= tick <= high + slack for tick in ticks)


@pytest.mark.parametrize(
    ("length_seconds", "first"),
    [(37, "09:00:10"), (3_001, "09:00"), (50_021, "12:00"), (10**6, "2 Jun"), (10**8, "Jul 2026")],
)
def test_time_ticks_are_round(length_seconds, first):
    """Axis labels are round times of the log's own zone, from seconds to months."""
    ticks = time_ticks(samples.START, samples.START + length_seconds * SECOND_NS, CLOCK)
    labels = [tick.label for tick in ticks]
    assert 2 <= len(ticks) <= 14
    assert first in labels or first.split(" ", maxsplit=1)[0] in labels[0]
    assert all(0 <= tick.percent <= 100 for tick in ticks)


def test_verdicts():
    """Events, quiet and not judged are told apart; nothing judged is never called quiet."""
    assert content(samples.faulty()).verdict is Verdict.EVENTS
    assert content(samples.quiet()).verdict is Verdict.QUIET
    assert content(samples.not_judged()).verdict is Verdict.NOT_JUDGED


def test_events_are_ranked_by_severity_whatever_their_order():
    """The most severe event is number one, and the order of the record does not matter."""
    source = samples.faulty()
    assert source.run is not None
    turned = replace(source, run=source.run.model_copy(update={"events": source.run.events[::-1]}))
    ranked = [event.record.severity for event in content(source).events]
    assert ranked == sorted(ranked, reverse=True)
    assert content(turned).events == content(source).events


def test_an_event_at_the_end_of_the_data_is_still_going_on():
    """Only the event that reaches the last row is called ongoing."""
    ongoing = [event.record.end_time for event in content(samples.faulty()).events if event.ongoing]
    assert ongoing == [samples.START + 20_000 * samples.MINUTE]


def test_scores_alone_give_the_same_events():
    """Without a run record the events, their severity and channels come from the scores."""
    source = samples.two_machines()
    alone = content(replace(source, run=None, card=None))
    recorded = content(source)
    assert [(e.record.id, e.record.entity, e.record.start_time, e.record.end_time) for e in alone.events] == [
        (e.record.id, e.record.entity, e.record.start_time, e.record.end_time) for e in recorded.events
    ]
    for own, told in zip(alone.events, recorded.events, strict=True):
        assert own.record.severity == pytest.approx(told.record.severity, rel=1e-3)
        assert own.record.channels[0].channel == told.record.channels[0].channel
    assert [notice.key for notice in alone.notices] == ["notice_no_run"]


def test_verdict_sentences():
    """The first sentence says how many, since when, where first and how long, in both languages."""
    report = content(samples.two_machines())
    assert words(report, "en", CLOCK).verdict == (
        "3 unusual events since 3 Jun 2026: look first at “bearing_temp” on pump-1, "
        "3 Jun 2026, 11:01, for 5 h 30 min."
    )
    tokyo = replace(CLOCK, lang="ja")
    assert words(report, "ja", tokyo).verdict == (
        "2026年6月3日以降、異常なイベントが3件あります。"
        "まずpump-1 の「bearing_temp」（2026年6月3日 11:01から5時間30分）を確認してください。"
    )
    quiet = words(content(samples.quiet()), "en", CLOCK).verdict
    assert quiet == (
        "Nothing unusual: nothing judged between 1 Jun 2026 and 15 Jun 2026 reached the alarm threshold."
    )
    assert words(content(samples.not_judged()), "en", CLOCK).verdict.startswith("Not judged:")


def test_notices_name_what_weakens_the_verdict():
    """A failed run, skipped input, doubtful channels and unused rows are told before the details."""
    source = samples.quiet()
    assert source.run is not None
    failed = replace(source, run=source.run.model_copy(update={"error": "disk full", "exit_code": 14}))
    assert [notice.key for notice in content(failed).notices] == [
        "notice_failed",
        "notice_channels",
        "notice_dropped",
    ]
    skipped = replace(source, run=source.run.model_copy(update={"exit_code": 3}))
    assert content(skipped).notices[0].key == "notice_skipped"


def test_trace_chart_stays_in_its_box():
    """Lines break at missing values and never leave the chart."""
    source = samples.faulty()
    assert source.run is not None
    event = source.run.events[0]
    trace = event.traces[0]
    holed = trace.model_copy(update={"observed": [*trace.observed[:50], None, *trace.observed[51:]]})
    chart = trace_chart(holed, event, CLOCK)
    assert chart is not None
    assert chart.observed.count("M") == 2
    numbers = np.array([pair.split(",") for pair in chart.observed.replace("L", "M").split("M")[1:]], float)
    assert (numbers >= 0).all()
    assert (numbers[:, 0] <= 1000).all()
    assert (numbers[:, 1] <= 100).all()


def test_trace_without_values_draws_nothing():
    """A channel that was never seen around the event has no chart."""
    source = samples.faulty()
    assert source.run is not None
    empty = TraceRecord(channel="a", times=[0, 1, 2], observed=[None] * 3, expected=[None] * 3)
    assert trace_chart(empty, source.run.events[0], CLOCK) is None


def test_timeline_is_thin_but_keeps_the_peak():
    """A long log is drawn with few points, and the highest score is among them."""
    rows, _, _ = samples.table("", samples.ENGLISH, samples.FAULTS)
    entity = timeline(content(samples.faulty()), CLOCK).data["entities"][0]
    assert len(entity["x"]) <= ENTITY_POINTS + 10
    assert max(y for y in entity["y"] if y is not None) == pytest.approx(np.nanmax(rows.score), rel=1e-3)
    assert None in entity["y"]
    assert sum(entity["x"]) * entity["unit"] == pytest.approx(19_999 * 60)


def test_timeline_breaks_where_the_log_has_a_hole():
    """Two rows far apart are not joined by a line."""
    source = samples.quiet()
    rows = source.tables[0]
    keep = np.r_[0:1000, 9000:10_000]
    holed = replace(
        rows,
        times=rows.times[keep],
        score=np.abs(np.nan_to_num(rows.score[keep])),
        event_id=rows.event_id[keep],
        contributions=rows.contributions[keep],
    )
    holed = samples.reduced(holed)
    entity = timeline(content(replace(source, tables=(holed,))), CLOCK).data["entities"][0]
    assert entity["y"].count(None) == 1
    assert len(entity["x"]) == len(entity["y"])


def test_overview_marks_every_event():
    """The strip under the verdict shows all events inside its frame."""
    report = content(samples.faulty())
    strip = overview(report, CLOCK)
    assert sorted(mark.rank for mark in strip.marks) == [1, 2, 3, 4]
    assert all(0 <= mark.left <= 1000 for mark in strip.marks)


def test_json_is_complete_and_has_no_nan():
    """The JSON report parses, ranks events and holds null where nothing is known."""
    document = json.loads(json_text(content(samples.faulty())), parse_constant=pytest.fail)
    assert document["verdict"] == "events"
    assert [event["rank"] for event in document["events"]] == [1, 2, 3, 4]
    assert document["events"][0]["start"] == "2026-06-03 11:01:00+09:00"
    assert document["events"][0]["duration"] == 19_800
    assert document["model"]["model_id"] == "20260601-5ae0c3f9"
    alone = json.loads(json_text(content(replace(samples.not_judged(), run=None, card=None))))
    assert alone["verdict"] == "not_judged"
    assert alone["quality"] is None


def test_csv_has_one_row_per_event():
    """The CSV report lists the events, and no name in it is a formula."""
    lines = csv_text(content(samples.two_machines())).splitlines()
    assert lines[0].startswith(
        "rank,event,entity,start,end,duration_seconds,ongoing,severity,peak_time,peak_score,channel_1,share_1"
    )
    assert lines[1].startswith(
        "1,0,pump-1,2026-06-03 11:01:00+09:00,2026-06-03 16:31:00+09:00,19800,false,6,"
    )
    assert len(lines) == 4
    evil = csv_text(content(samples.faulty(("=1+1", "@cmd", "'-2"))))
    assert ",'=1+1," in evil
    assert ",''-2," in evil


def test_contributions_are_reduced_as_they_go_by():
    """However the rows of two mixed entities come in pieces, heat and peaks are those of all rows at once."""
    draw = np.random.default_rng(5)
    rows, channels = 1_009, 3
    entity = draw.integers(0, 2, rows).astype(np.int32)
    time = np.sort(draw.integers(0, 10**15, rows))
    score = np.where(draw.random(rows) < 0.2, np.nan, draw.random(rows)).astype(np.float32)
    event = np.where(draw.random(rows) < 0.1, draw.integers(0, 5, rows), -1)
    parts = (score[:, None] * draw.random((rows, channels))).astype(np.float32)
    mine = [np.flatnonzero(entity == place) for place in range(2)]
    tables = [
        ScoreTable(name, ("a", "b", "c"), time[held], score[held], 0.9, event[held])
        for name, held in zip(("p", "q"), mine, strict=True)
    ]
    for sizes in ([rows], [1] * rows, [7, 500, 1, 501]):
        pieces = np.split(parts, np.cumsum(sizes)[:-1])
        for table, held in zip(with_parts(tables, mine, entity, time, pieces), mine, strict=True):
            wanted = heat_oracle(time[held].tolist(), parts[held].tolist(), HEAT_SPANS)
            np.testing.assert_array_equal(table.heat, np.array(wanted, dtype=np.float32))
            for number, at_peak in table.at_peaks.items():
                inside = held[event[held] == number]
                np.testing.assert_array_equal(at_peak, parts[inside[np.nanargmax(score[inside])]])
            assert set(table.at_peaks) == set(event[held][event[held] >= 0].tolist())


@given(st.integers(3, 97), st.integers(0, 2**32 - 1))
def test_silent_spans_are_those_without_a_value(rows, seed):
    """Rows without a score and holes of the log are shaded, and nothing else; short stretches are left out."""
    draw = np.random.default_rng(seed)
    gaps = np.where(draw.random(rows) < 0.1, 10 * draw.integers(1, 9, rows), 2)
    times = np.cumsum(gaps).astype(np.int64)
    values = np.where(draw.random(rows) < 0.4, np.nan, 1.0)
    for shortest, wider in ((0, 0), (7, 14)):
        found = silent_spans(times, values, 2, shortest, holes(times, wider))
        assert found.tolist() == silent_oracle(times.tolist(), values.tolist(), 2, shortest, wider)


def test_stops_are_shaded_in_the_timeline():
    """A stretch that was not judged is shaded from its first row to the next judged one, and the strip shows it."""
    shown = timeline(content(samples.quiet()), CLOCK)
    entity = shown.data["entities"][0]
    seconds = [
        (round(start * entity["unit"]), round(end * entity["unit"])) for start, end in entity["silent"]
    ]
    assert seconds == [(0, 127 * 60), (5_501 * 60, 5_701 * 60)]
    assert shown.silent
    assert overview(content(samples.quiet()), CLOCK).silent.count("M") == 2
    rows = samples.quiet().tables[0]
    judged = replace(rows, score=np.full(len(rows.times), 0.2))
    assert not timeline(content(samples.source([judged], None)), CLOCK).silent
