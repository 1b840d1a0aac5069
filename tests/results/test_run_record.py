"""Run records that were written before, read again."""

import json
from dataclasses import replace
from pathlib import Path

from logscan.notes import note
from logscan.report.content import content
from logscan.report.html import page
from logscan.results.run_record import RunRecord
from tests.report import samples

FIRST = json.loads(Path(__file__).with_name("run_record_schema_1.json").read_text(encoding="utf-8"))


def test_a_record_of_schema_1_is_read():
    """Its sentences become notes that are shown as they were written; all else is kept."""
    record = RunRecord.model_validate(FIRST)
    assert record.input is not None
    assert [one.note() for one in record.input.notes] == [note("as-written", text=FIRST["input"]["notes"][0])]
    assert {name: why.text for name, why in record.input.ignored.items()} == FIRST["input"]["ignored"]
    assert {one.reason.text: one.rows for one in record.input.dropped} == FIRST["input"]["dropped"]
    assert [[why.text for why in one.reasons] for one in record.quality] == [
        one["reasons"] for one in FIRST["quality"]
    ]
    assert record.model is not None
    assert record.model.model_dump() == FIRST["model"]


def test_a_report_shows_the_sentences_of_schema_1():
    """In either language they stand as they were written."""
    made = replace(samples.quiet(), run=RunRecord.model_validate(FIRST))
    for lang in ("en", "ja"):
        text = page(content(made), lang)
        assert FIRST["input"]["notes"][0] in text
        assert "stuck for 540 steps" in text


def test_a_record_of_schema_2_is_read_back():
    """Key and fields of every note come back, and the English text stands beside them."""
    run = samples.faulty().run
    assert run is not None
    stored = json.loads(run.model_dump_json())
    assert stored["schema_version"] == 2
    assert all({"key", "fields", "text"} <= one.keys() for one in stored["input"]["notes"])
    assert RunRecord.model_validate(stored) == run
