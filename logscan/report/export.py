"""The report for machines: JSON, or the events as CSV. Pure."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from logscan.records import TimeKind
from logscan.report.content import Content, RankedEvent, Source
from logscan.report.format import Clock
from logscan.report.sentences import words
from logscan.time_text import time_text
from logscan.time_units import SECOND_NS

SCHEMA_VERSION = 1
CSV_CHANNELS = 3
_FORMULA_STARTS = frozenset("=+-@\t\r")
_CHANNEL_FIELDS = ("channel", "share", "observed", "expected")


def json_text(report: Content) -> str:
    """The report as JSON: keys in a fixed order, times as text and as the grid's integers, null for NaN.

    The observed and expected lines around each event stay in the run record.
    """
    source = report.source
    clock = Clock("en", source.time_kind, source.timezone, source.step)
    run = source.run
    document = {
        "schema_version": SCHEMA_VERSION,
        "verdict": report.verdict.value,
        "sentence": words(report, "en", clock).verdict,
        "notices": list(words(report, "en", clock).notices),
        "scores_file": source.scores_file,
        "period": {
            "start": _time(report.start, source),
            "end": _time(report.end, source),
            "time_kind": source.time_kind.value,
            "timezone": source.timezone,
            "step": source.step,
        },
        "rows": report.rows,
        "judged_rows": report.judged_rows,
        "events": [_event(event, source) for event in report.events],
        "entities": [
            {
                "entity": table.entity,
                "rows": len(table.times),
                "judged_rows": int(table.judged.sum()),
                "threshold": table.threshold,
                "channels": list(table.channels),
            }
            for table in source.tables
        ],
        "quality": [record.model_dump(mode="json") for record in run.quality] if run is not None else None,
        "input": run.input.model_dump(mode="json") if run is not None and run.input is not None else None,
        "model": source.card.model_dump(mode="json") if source.card is not None else None,
        "cost": run.cost.model_dump(mode="json") if run is not None else None,
    }
    return json.dumps(_finite(document), ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def csv_text(report: Content) -> str:
    """The events as CSV, most severe first: the columns of the events file, with rank and `ongoing`.

    Names that a spreadsheet would take for a formula get a leading apostrophe.
    """
    dated = report.source.time_kind is TimeKind.TIMESTAMP
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            *("rank", "event", "entity", "start", "end"),
            "duration_seconds" if dated else "duration_steps",
            *("ongoing", "severity", "peak_time", "peak_score"),
            *(f"{field}_{place}" for place in range(1, CSV_CHANNELS + 1) for field in _CHANNEL_FIELDS),
            *("similar_start", "similar_end"),
        ]
    )
    writer.writerows(_csv_row(event, report.source) for event in report.events)
    return out.getvalue()


def _csv_row(event: RankedEvent, source: Source) -> list[object]:
    record = event.record
    row: list[object] = [event.rank, record.id, _harmless(record.entity)]
    row += [_time(record.start_time, source), _time(record.end_time, source)]
    row += [_length(record.end_time - record.start_time, source), str(event.ongoing).lower()]
    row += [_cell(record.severity), _time(record.peak_time, source), _cell(record.peak_score)]
    for place in range(CSV_CHANNELS):
        if place < len(record.channels):
            channel = record.channels[place]
            row += [_harmless(channel.channel)]
            row += [_cell(value) for value in (channel.share, channel.observed, channel.expected)]
        else:
            row += [""] * len(_CHANNEL_FIELDS)
    if record.similar:
        return [*row, _time(record.similar[0].start_time, source), _time(record.similar[0].end_time, source)]
    return [*row, "", ""]


def _event(event: RankedEvent, source: Source) -> dict[str, Any]:
    record = event.record
    return {
        "rank": event.rank,
        "start": _time(record.start_time, source),
        "end": _time(record.end_time, source),
        "peak": _time(record.peak_time, source),
        "duration": _length(record.end_time - record.start_time, source),
        "ongoing": event.ongoing,
        **record.model_dump(mode="json", exclude={"start", "end", "traces"}),
    }


def _time(time: int, source: Source) -> str:
    return time_text(source.time_kind, time, source.timezone)


def _length(length: int, source: Source) -> float | int:
    """Seconds, or steps as they are."""
    if source.time_kind is not TimeKind.TIMESTAMP:
        return length
    whole, rest = divmod(length, SECOND_NS)
    return whole if not rest else length / SECOND_NS


def _cell(value: float | None) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def _harmless(name: str) -> str:
    """As in the events file: an apostrophe before what would start a formula; reading undoes it."""
    bare = name.lstrip("'")
    return f"'{name}" if bare and bare[0] in _FORMULA_STARTS else name


def _finite(value: Any) -> Any:
    """The same document with null for every number JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
