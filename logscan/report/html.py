"""The HTML page: one file that loads nothing. The template holds the markup, this module what it needs."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import partial
from importlib import resources
from pathlib import PureWindowsPath

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from logscan import __version__
from logscan.messages import text as note_text
from logscan.messages import told_text
from logscan.messages.report import counted, report_text
from logscan.messages.template import Lang, count
from logscan.notes import told_once
from logscan.report.charts import overview
from logscan.report.content import Content, Source
from logscan.report.format import Clock, number
from logscan.report.sentences import words
from logscan.report.tables import (
    cost_rows,
    event_details,
    format_text,
    model_rows,
    quality_view,
    row_counts,
    run_facts,
    series_rows,
)
from logscan.report.timeline import DRAWN_EVENTS, Timeline, timeline
from logscan.results.run_record import NoteRecord

LISTED_EVENTS = 200
DETAILED_EVENTS = 30
OPEN_EVENTS = 3
LISTED_FILES = 10
SCRIPT_TEXTS = ("score", "threshold", "time", "step_axis", "not_judged", "event", "observed", "expected")


def page(report: Content, lang: Lang) -> str:
    """The whole report as one HTML document."""
    source = report.source
    clock = Clock(lang, source.time_kind, source.timezone, source.step)
    style = _static("uPlot.min.css") + _static("report.css")
    script = _static("uPlot.iife.min.js") + "\n" + _static("report.js")
    shown = timeline(report, clock)
    payload = {**shown.data, "lang": lang, "text": {key: report_text(lang, key) for key in SCRIPT_TEXTS}}
    return (
        _environment(lang)
        .get_template("report.html.j2")
        .render(
            lang=lang,
            report=report,
            run=source.run,
            clock=clock,
            words=words(report, lang, clock),
            overview=overview(report, clock),
            events=event_details(report.events[:LISTED_EVENTS], clock, DETAILED_EVENTS),
            details_limit=DETAILED_EVENTS,
            open_limit=OPEN_EVENTS,
            hidden_events=max(0, len(report.events) - LISTED_EVENTS),
            many=len(source.tables) > 1,
            timeline=shown,
            payload=payload,
            hints=_timeline_hints(shown, report, lang),
            joint=" " if lang == "en" else "",
            quality=quality_view(source.run, clock),
            rows=row_counts(source.run, lang),
            series=series_rows(report, lang),
            model=model_rows(source, clock),
            cost=cost_rows(source.run, lang),
            facts=run_facts(source.run, lang) if source.run is not None else (),
            files=_file_names(source),
            format_text=format_text(source.run, lang) if source.run is not None else "",
            version=source.run.logscan_version if source.run is not None else __version__,
            style=Markup(style),  # noqa: S704  our own files, hashed into the content security policy
            script=Markup(script),  # noqa: S704
            policy=_policy(style, script),
        )
    )


def _timeline_hints(shown: Timeline, report: Content, lang: Lang) -> list[str]:
    """What a reader of the timeline must know, one sentence each."""
    hints = [report_text(lang, "timeline_help")]
    if shown.silent:
        hints.append(report_text(lang, "timeline_silent"))
    if shown.compressed:
        hints.append(report_text(lang, "timeline_asinh"))
    if shown.rows_per_pair > 1:
        hints.append(report_text(lang, "timeline_thinned", n=count(shown.rows_per_pair)))
    if len(report.events) > DRAWN_EVENTS:
        total = count(len(report.events))
        hints.append(report_text(lang, "timeline_events_cut", n=count(DRAWN_EVENTS), total=total))
    entities = len(report.source.tables)
    if len(shown.entities) < entities:
        drawn = count(len(shown.entities))
        hints.append(report_text(lang, "timeline_series_cut", n=drawn, total=count(entities)))
    return hints


def _file_names(source: Source) -> list[str]:
    """Input files by name; paths tell about the machine, and the report may be mailed."""
    if source.run is None or source.run.input is None:
        return []
    names = [PureWindowsPath(file).name for file in source.run.input.files]
    return [*names[:LISTED_FILES], "…"] if len(names) > LISTED_FILES else names


def _environment(lang: Lang) -> Environment:
    """Templates with every value escaped, undefined names refused and the language's texts bound."""
    environment = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {
        "sort_keys": True,
        "separators": (",", ":"),
        "ensure_ascii": False,
        "allow_nan": False,
    }
    environment.globals["t"] = partial(report_text, lang)
    environment.globals["tn"] = partial(counted, lang)
    environment.filters["note"] = lambda record: note_text(record.note(), lang)
    environment.filters["told"] = partial(_told, lang=lang)
    environment.filters["count"] = count
    environment.filters["number"] = number
    return environment


def _policy(style: str, script: str) -> str:
    """A content security policy under which only these two blocks run and nothing is fetched."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(block: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(block.encode()).digest()).decode()}"


def _static(name: str) -> str:
    return (resources.files("logscan.report") / "static" / name).read_text(encoding="utf-8")


def _template(name: str) -> str:
    return (resources.files("logscan.report") / "templates" / name).read_text(encoding="utf-8")


def _told(records: Sequence[NoteRecord], lang: Lang) -> list[str]:
    """Notes in words, each once."""
    return [told_text(one, lang) for one in told_once(record.note() for record in records)]
