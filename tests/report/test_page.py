"""The report as a page: escaped, self-contained, the same every time, and alive in a real browser."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest

from logscan.notes import note
from logscan.report.content import content
from logscan.report.html import page
from logscan.results.run_record import DroppedRecord, NoteRecord
from tests.report import samples
from tests.report.browser import distinct_rows, rendered

EVIL = ("</script><img src=x onerror=alert(1)>", "<b>\"'&", "\u2028]]>--><!--")


class Document(HTMLParser):
    """Counts elements and keeps attributes and visible text."""

    def __init__(self):
        super().__init__()
        self.elements = []
        self.words = []

    def handle_starttag(self, tag, attributes):
        """Keep every element with its attributes."""
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, words):
        """Keep all text."""
        self.words.append(words)

    def named(self, tag):
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


def parsed(text):
    """The page as a document."""
    document = Document()
    document.feed(text)
    return document


@pytest.fixture(scope="module")
def report():
    """The page of a run with four events."""
    return page(content(samples.faulty()), "en")


def test_same_input_gives_the_same_bytes(report):
    """Nothing of the moment or the machine gets into the page."""
    assert page(content(samples.faulty()), "en") == report


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_names_from_data_are_never_markup(lang):
    """A channel, entity, file or note that looks like HTML is shown as text."""
    made = samples.table(EVIL[0], EVIL, samples.FAULTS)
    events = samples.event_records(*made, samples.FAULTS)
    run = samples.run_record([made[0]], events, error=EVIL[0], config_hash=EVIL[0])
    assert run.input is not None
    evil_input = run.input.model_copy(
        update={
            "files": [EVIL[0]],
            "notes": [NoteRecord.of(note("as-written", text=evil)) for evil in EVIL],
            "dropped": [DroppedRecord(reason=NoteRecord.of(note("as-written", text=EVIL[0])), rows=3)],
            "ignored": {EVIL[0]: NoteRecord.of(note("as-written", text=EVIL[1]))},
            "time_column": EVIL[0],
        }
    )
    source = samples.source([made[0]], run.model_copy(update={"input": evil_input}))
    text = page(content(replace(source, scores_file=EVIL[0])), lang)
    document = parsed(text)
    assert not document.named("img")
    assert not document.named("b")
    assert len(document.named("script")) == 2
    assert "<img" not in text
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]
    assert any(EVIL[0] in words for words in document.words)


def test_page_loads_nothing(report):
    """No element fetches anything, and the policy forbids what is not on the page."""
    document = parsed(report)
    for tag, attributes in document.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "form"}, tag
        assert "src" not in attributes
        assert "style" not in attributes  # the policy would refuse it
        assert attributes.get("href", "#").startswith("#")
    (style,) = re.findall(r"<style>(.*?)</style>", report, re.DOTALL)
    assert "url(" not in style
    assert "@import" not in style
    policy = next(a["content"] for a in document.named("meta") if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_page_can_be_walked_without_eyes(lang):
    """Language, landmarks, headings, table headers and names of charts are there."""
    document = parsed(page(content(samples.two_machines()), lang))
    assert document.named("html")[0]["lang"] == lang
    for landmark in ("header", "main", "nav", "footer"):
        assert len(document.named(landmark)) == 1
    assert len(document.named("h1")) == 1
    assert all("scope" in attributes for attributes in document.named("th"))
    assert all("aria-label" in a or "aria-hidden" in a for a in document.named("svg") if "class" in a)
    identities = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(identities) == len(set(identities))
    links = {attributes["href"][1:] for attributes in document.named("a")}
    assert links <= set(identities)


def test_report_without_run_record_says_what_is_missing():
    """From the scores alone: events and shares, and a sentence on what is not shown."""
    alone = page(content(replace(samples.two_machines(), run=None, card=None)), "en")
    assert "scores.run.json" in alone
    assert "Not shown: observed and expected values" in alone
    assert 'id="quality"' not in alone
    assert 'id="event-1"' in alone


def test_japanese_page_is_japanese():
    """Names from the data and all words around them are shown in Japanese."""
    text = " ".join(parsed(page(content(samples.faulty(samples.JAPANESE)), "ja")).words)
    for word in ("軸受温度", "実測値", "想定値", "しきい値", "異常スコア", "欠測", "データ品質"):
        assert word in text
    assert "2026年6月3日以降、異常なイベントが4件あります。" in text


def test_what_was_not_judged_is_told():
    """The legend names the grey only where there is some; the model card counts what training left out."""
    made = samples.quiet()
    card = made.run.model.model_copy(update={"trimmed_steps": 31, "set_aside_steps": 1_440})
    text = page(content(replace(made, card=card)), "en")
    assert "Grey: not judged" in text
    assert '<i class="key silent"></i>Not judged' in text
    assert "unlike all others 31, stops and holidays 1,440" in text
    rows = made.tables[0]
    judged = samples.reduced(replace(rows, score=np.full(len(rows.times), 0.2)))
    text = page(content(samples.source([judged], None)), "ja")
    assert '<i class="key silent"></i>' not in text


def test_page_stays_small(report):
    """Thinned charts keep a page of 20,000 rows far below a megabyte."""
    assert len(report.encode()) < 400_000


def test_page_stays_small_with_many_events():
    """Ten thousand events make the page little longer, and it says that not all are marked."""
    rows, _, _ = samples.table("", samples.ENGLISH, ())
    many = np.where(np.arange(20_000) % 2, -1, np.arange(20_000) // 2)
    made = samples.source([samples.reduced(replace(rows, event_id=many))], None)
    text = page(content(made), "en")
    assert "The 2,000 most severe of 10,000 events are marked." in text
    assert len(text) < 1_000_000


def test_licence_of_the_chart_library_is_shipped():
    """The vendored library comes with its licence text."""
    licence = (resources.files("logscan.report") / "static" / "uPlot.LICENSE").read_text(encoding="utf-8")
    assert "MIT License" in licence
    assert "Leon Sorokin" in licence


@pytest.mark.parametrize(
    ("made", "lang", "canvases"),
    [
        (samples.faulty, "en", 2),
        (samples.two_machines, "ja", 2),
        (samples.quiet, "ja", 2),
        (samples.not_judged, "en", 0),
    ],
)
def test_report_opens_in_a_browser(tmp_path, made, lang, canvases):
    """In Chromium the charts are drawn, no script fails, nothing is blocked and the page is not blank."""
    file = tmp_path / "report.html"
    file.write_text(page(content(made()), lang), encoding="utf-8")
    document, picture = rendered(file, tmp_path)
    html = parsed(document).named("html")[0]
    assert "data-errors" not in html, html["data-errors"]
    assert html["data-ready"] == "yes"
    assert len(parsed(document).named("canvas")) == canvases
    assert (int(html.get("data-timeline-points", "0")) > 1000) == (canvases > 0)
    assert distinct_rows(picture) > 300
