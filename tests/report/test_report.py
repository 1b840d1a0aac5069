"""From files to reports: what is read, what is refused, and in what words."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from logscan.errors import InputError, ModelError
from logscan.report import build_report, report_csv, report_json
from logscan.results import formats
from tests.report import samples


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_report_of_files_equals_report_in_memory(tmp_path, suffix):
    """Parquet or CSV, the report tells the same events, in the zone of the log."""
    made = samples.two_machines()
    path = samples.written(tmp_path, made, suffix=suffix)
    document = json.loads(report_json(path))
    assert [event["rank"] for event in document["events"]] == [1, 2, 3]
    assert document["events"][0]["start"] == "2026-06-03 11:01:00+09:00"
    assert document["period"]["timezone"] == "Asia/Tokyo"
    assert [entity["entity"] for entity in document["entities"]] == ["pump-1", "pump-2"]
    assert document["entities"][0]["judged_rows"] == int(made.tables[0].judged.sum())
    assert "look first at “bearing_temp” on pump-1" in build_report(path, lang="en")
    assert report_csv(path).count("\n") == 4


def test_same_files_give_the_same_bytes(tmp_path):
    """Two reports of one run are one report."""
    path = samples.written(tmp_path, samples.faulty())
    assert build_report(path, lang="ja") == build_report(path, lang="ja")
    assert report_json(path) == report_json(path)


def test_scores_alone_make_a_report(tmp_path):
    """A missing run record is told, not refused."""
    path = samples.written(tmp_path, samples.two_machines(), run=False)
    page = build_report(path, lang="en")
    assert "The run record (scores.run.json) was not found" in page
    assert "3 unusual events since 3 Jun 2026" in page


def test_run_record_of_other_scores_is_not_mixed_in(tmp_path):
    """Scores of one run and the record of another do not make one report."""
    path = samples.written(tmp_path, samples.faulty())
    other = samples.two_machines().run
    assert other is not None
    (tmp_path / "scores.run.json").write_text(other.model_dump_json(), encoding="utf-8")
    assert "belongs to other scores" in build_report(path, lang="en")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\x00", "damaged run record, not JSON"),
        (b"[1]", "run record of version None; this logscan reads up to version 2"),
        (b'{"schema_version": 7}', "run record of version 7; this logscan reads up to version 2"),
        (b'{"schema_version": 1}', "damaged run record at 'command'"),
    ],
)
def test_damaged_run_record_is_refused(tmp_path, content, message):
    """A run record that cannot be trusted is named, with what to do."""
    path = samples.written(tmp_path, samples.quiet(), run=False)
    record = tmp_path / "scores.run.json"
    record.write_bytes(content)
    with pytest.raises(InputError) as error:
        build_report(path, lang="en")
    remedy = "score again, or move it away to report on the scores alone"
    assert str(error.value) == f"{record}: {message}; {remedy}"


def test_missing_files_are_refused_by_name(tmp_path):
    """Scores, a named run record and a model folder that are not there end in the right error."""
    with pytest.raises(InputError, match="no such file"):
        build_report(tmp_path / "none.parquet", lang="en")
    path = samples.written(tmp_path, samples.quiet(), run=False)
    with pytest.raises(InputError, match="no such file; name the run record"):
        build_report(path, lang="en", run_path=tmp_path / "other.json")
    with pytest.raises(ModelError):
        build_report(path, lang="en", model_dir=tmp_path / "model")


def test_scores_without_a_row_are_refused(tmp_path):
    """An empty scores file is not a quiet machine."""
    path = samples.written(tmp_path, samples.quiet(), suffix=".csv")
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="no row"):
        build_report(path, lang="en")


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_report_depends_on_neither_batches_nor_order(tmp_path, monkeypatch, suffix):
    """The page is the same however few rows are in memory at a time, and however the rows of a file are mixed."""
    path = samples.written(tmp_path, samples.two_machines(), suffix=suffix, run=False)
    whole = build_report(path, lang="en"), report_json(path)
    monkeypatch.setattr(formats, "BATCH_ROWS", 997)
    monkeypatch.setattr(formats, "BLOCK_BYTES", 9_973)
    assert (build_report(path, lang="en"), report_json(path)) == whole
    order = np.random.default_rng(3).permutation(40_000)
    if suffix == ".csv":
        head, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text(head + "".join(lines[row] for row in order), encoding="utf-8")
    else:
        pq.write_table(pq.read_table(path).take(order), path, row_group_size=4_999)
    assert (build_report(path, lang="en"), report_json(path)) == whole
