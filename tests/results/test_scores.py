"""The scores file and the events file: round trips, columns, safety in spreadsheets."""

import csv
import io
import json
from dataclasses import fields, replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from logscan.errors import InputError, OutputError, UsageError
from logscan.records import (
    ChannelReading,
    Event,
    LogKind,
    SeriesScores,
    SimilarPeriod,
    StepQuality,
    TimeGrid,
    TimeKind,
)
from logscan.results import formats
from logscan.results import write_scores as write_module
from logscan.results.read_scores import read_contributions, read_scores
from logscan.results.write_events import write_events
from logscan.results.write_scores import stream_scores, write_scores
from logscan.times import Times

MINUTE = 60_000_000_000
START = 1_704_164_640_000_000_000  # 2024-01-02 03:04
STEPS, CHANNELS = 13, ("flow", "温度", "=cmd")


def scores(entity="", *, kind=TimeKind.TIMESTAMP, zone=None, seed=3):
    """Scores of one entity with a gap, an event and unjudged steps."""
    rng = np.random.default_rng(seed)
    contributions = rng.random((STEPS, len(CHANNELS))).astype(np.float32)
    contributions[:2] = np.nan
    clock = kind is TimeKind.TIMESTAMP
    grid = TimeGrid(kind, START if clock else 5, MINUTE if clock else 7, STEPS, zone)
    event_id = np.full(STEPS, -1)
    event_id[5:8] = 4
    return SeriesScores(
        entity=entity,
        channels=CHANNELS,
        grid=grid,
        row_times=Times.of(np.delete(grid.times(), [3, 4]) + (clock * 10**9)),
        score=contributions.sum(axis=1),
        threshold=1.5,
        event_id=event_id,
        quality=rng.integers(0, len(StepQuality), STEPS).astype(np.int8),
        contributions=contributions,
        events=(),
    )


def event(number=4, entity="=A1", **options):
    """An event with two channels and one similar period."""
    return Event(
        id=number,
        entity=entity,
        start_step=5,
        end_step=8,
        start_time=START + 5 * MINUTE,
        end_time=START + 8 * MINUTE,
        severity=2.5,
        peak_step=6,
        peak_score=3.75,
        channels=(ChannelReading("@flow", 0.75, 9.0, 2.0), ChannelReading("温度", 0.25, float("nan"), 3.0)),
        **options,
    )


def assert_same_rows(one, other):
    """Two readings of the rows agree in every field."""
    for field in fields(one):
        np.testing.assert_array_equal(
            getattr(one, field.name), getattr(other, field.name), err_msg=field.name
        )


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("entities", [("",), ("=A1", "'-2", "pump / 3")])
@pytest.mark.parametrize(
    ("kind", "zone"),
    [(TimeKind.TIMESTAMP, None), (TimeKind.TIMESTAMP, "Asia/Tokyo"), (TimeKind.INTEGER, None)],
)
def test_round_trip(tmp_path, suffix, entities, kind, zone):
    """What was written is read back, one row per input time."""
    written = [scores(entity, kind=kind, zone=zone, seed=place) for place, entity in enumerate(entities)]
    path = tmp_path / f"scores{suffix}"
    write_scores(path, written, metadata={"logscan.model_id": "m1"}, log_kind=LogKind.SAMPLES)
    table = read_scores(path)
    steps = np.delete(np.arange(STEPS), [3, 4])
    np.testing.assert_array_equal(table.time, np.concatenate([one.row_times for one in written]))
    assert table.time_kind is kind
    assert table.timezone == (zone if suffix == ".parquet" or zone is None else "+09:00")
    assert [table.entities[place] for place in table.entity] == [entity for entity in entities for _ in steps]
    np.testing.assert_array_equal(table.score, np.concatenate([one.score[steps] for one in written]))
    np.testing.assert_array_equal(
        np.concatenate(list(read_contributions(path))),
        np.concatenate([one.contributions[steps] for one in written]),
    )
    np.testing.assert_array_equal(table.event, np.concatenate([one.event_id[steps] for one in written]))
    assert table.channels == CHANNELS
    np.testing.assert_array_equal(table.alarm, np.concatenate([one.event_id[steps] >= 0 for one in written]))
    np.testing.assert_array_equal(table.quality, np.concatenate([one.quality[steps] for one in written]))
    if suffix == ".parquet":
        assert table.metadata["logscan.model_id"] == "m1"
        assert pq.read_schema(path).field("alarm").type == "bool"


def test_events_logs_have_a_row_per_step(tmp_path):
    """A log of counted events is scored per grid step, row times or not."""
    write_scores(tmp_path / "s.csv", [scores()], metadata={}, log_kind=LogKind.EVENTS)
    np.testing.assert_array_equal(read_scores(tmp_path / "s.csv").time, scores().grid.times())


def test_csv_text_is_the_file(tmp_path):
    """The text for the standard output is the CSV file; empty means not judged, no cell is a formula."""
    write_scores(tmp_path / "s.csv", [scores("=A1")], metadata={}, log_kind=LogKind.SAMPLES)
    file = io.BytesIO()
    stream_scores(file, [scores("=A1")], log_kind=LogKind.SAMPLES)
    text = file.getvalue().decode()
    assert (tmp_path / "s.csv").read_text(encoding="utf-8") == text
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0][:7] == ["time", "entity", "score", "threshold", "alarm", "event", "quality"]
    assert rows[1][:6] == ["2024-01-02 03:04:01", "'=A1", "", "1.5", "false", ""]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_other_suffixes_are_refused(tmp_path):
    """An unknown format is a usage error before anything is written."""
    with pytest.raises(UsageError, match=r"unknown format '.xlsx'; end the name in .parquet, .csv or .jsonl"):
        write_scores(tmp_path / "s.xlsx", [scores()], metadata={}, log_kind=LogKind.SAMPLES)
    with pytest.raises(UsageError, match=r"end the name in .parquet, .csv, .jsonl or .json"):
        write_events(tmp_path / "e.txt", [], scores().grid)
    with pytest.raises(OutputError, match="does not exist; create it first"):
        write_scores(tmp_path / "no" / "s.parquet", [scores()], metadata={}, log_kind=LogKind.SAMPLES)
    assert not list(tmp_path.iterdir())


def test_other_files_are_no_scores(tmp_path):
    """Missing, foreign and damaged files are refused with a remedy."""
    (tmp_path / "a.csv").write_text("time,x\n1,2\n")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 nothing")
    (tmp_path / "c.csv").write_text("time,score,threshold,event,quality\nnow,1,2,,ok\n")
    (tmp_path / "d.csv").write_text("time,score,threshold,event,quality\n1,high,2,,ok\n")
    row = '{"time": 1, "score": "high", "threshold": 2, "event": null, "quality": "ok"}\n'
    (tmp_path / "e.jsonl").write_text('{"time": 1}\n')
    (tmp_path / "f.jsonl").write_text(row)
    (tmp_path / "g.jsonl").write_text(row.replace('"high"', "1.5") + '{"time": 2, "sco')
    expected = {
        "x.csv": "no such file",
        "a.csv": "not a scores file: column 'score' is missing",
        "b.parquet": "damaged",
        "c.csv": "a time does not parse",
        "d.csv": "a column of numbers holds text",
        "e.jsonl": "not a scores file: column 'score' is missing",
        "f.jsonl": "a column of numbers holds text",
        "g.jsonl": "damaged",
    }
    for name, text in expected.items():
        with pytest.raises(InputError, match=text):
            read_scores(tmp_path / name)


def test_events_file_has_one_row_per_event(tmp_path):
    """CSV, Parquet and JSON tell the same; CSV cells are no formulas."""
    events = [event(similar=(SimilarPeriod(START, START + MINUTE, 0.5),)), event(9, "")]
    for suffix in (".csv", ".parquet", ".json", ".jsonl"):
        write_events(tmp_path / f"e{suffix}", events, scores().grid)
    with (tmp_path / "e.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["entity"] for row in rows] == ["'=A1", ""]
    assert rows[0]["channel_1"] == "'@flow"
    assert rows[0]["start"] == "2024-01-02 03:09:00"
    assert rows[0]["peak_time"] == "2024-01-02 03:10:00"
    assert float(rows[0]["duration_seconds"]) == 180
    assert rows[0]["similar_end"] == "2024-01-02 03:05:00"
    assert rows[1]["similar_end"] == ""
    assert rows[0]["channel_3"] == ""
    document = json.loads((tmp_path / "e.json").read_text(encoding="utf-8"))
    assert document[0]["entity"] == "=A1"
    assert document[0]["observed_2"] is None
    lines = (tmp_path / "e.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == document
    table = pq.read_table(tmp_path / "e.parquet")
    assert table.column_names == list(rows[0])
    assert table["severity"].to_pylist() == [2.5, 2.5]


def test_no_event_is_an_empty_file_with_a_header(tmp_path):
    """Nothing found still leaves a file that can be read."""
    write_events(tmp_path / "e.csv", [], scores().grid)
    write_events(tmp_path / "e.json", [], scores(kind=TimeKind.INTEGER).grid)
    assert (tmp_path / "e.csv").read_text().startswith('"event","entity","start"')
    assert json.loads((tmp_path / "e.json").read_text()) == []


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_many_rows_are_written_in_pieces_that_read_as_one(tmp_path, monkeypatch, suffix):
    """However few rows a piece holds, the file reads back the same, and a CSV is the same to the byte."""
    made = [scores("a"), scores("b", seed=5)]
    write_scores(tmp_path / f"whole{suffix}", made, metadata={}, log_kind=LogKind.SAMPLES)
    monkeypatch.setattr(write_module, "_TABLE_ROWS", 3)
    write_scores(tmp_path / f"pieces{suffix}", made, metadata={}, log_kind=LogKind.SAMPLES)
    whole, pieces = (read_scores(tmp_path / f"{name}{suffix}") for name in ("whole", "pieces"))
    assert_same_rows(whole, pieces)
    np.testing.assert_array_equal(
        *(
            np.concatenate(list(read_contributions(tmp_path / f"{name}{suffix}")))
            for name in ("whole", "pieces")
        )
    )
    if suffix == ".csv":
        assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "pieces.csv").read_bytes()


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
@pytest.mark.parametrize("kind", [TimeKind.TIMESTAMP, TimeKind.INTEGER])
def test_reading_batch_by_batch_is_reading_at_once(tmp_path, monkeypatch, suffix, kind):
    """However few rows are in memory at a time, and whatever entity a batch starts with, the rows are the same."""
    path = tmp_path / f"scores{suffix}"
    made = [
        scores(entity, kind=kind, zone="Asia/Tokyo" if kind is TimeKind.TIMESTAMP else None, seed=place)
        for place, entity in enumerate(("=A1", "", "pump / 3"))
    ]
    write_scores(path, made, metadata={}, log_kind=LogKind.SAMPLES)
    whole, parts = read_scores(path), list(read_contributions(path))
    monkeypatch.setattr(formats, "BATCH_ROWS", 2)
    monkeypatch.setattr(formats, "BLOCK_BYTES", 257)
    assert_same_rows(read_scores(path), whole)
    pieces = list(read_contributions(path))
    assert len(pieces) > 5 > len(parts)
    np.testing.assert_array_equal(np.concatenate(pieces), np.concatenate(parts))


def test_a_csv_that_changes_between_batches_is_read_as_a_whole(tmp_path, monkeypatch):
    """Several offsets are UTC, a number after empty cells counts; times of two kinds or a late text are refused."""
    monkeypatch.setattr(formats, "BLOCK_BYTES", 150)
    head = "time,score,threshold,event,quality\n"
    row = "2024-03-31 0{}:00:00{},{},1.5,,ok\n"
    early = "".join(row.format(0, "+01:00", "") for _ in range(7))
    path = tmp_path / "s.csv"
    path.write_text(head + early + row.format(4, "+02:00", "7"))
    table = read_scores(path)
    assert (table.timezone, table.score[-1]) == ("UTC", 7.0)
    assert np.isnan(table.score[:-1]).all()
    assert table.time[-1] - table.time[0] == 3 * 60 * MINUTE
    for last, message in (
        (row.format(4, "", "7"), "a time does not parse"),
        ("5,7,1.5,,ok\n", "a time does not parse"),
        (row.format(4, "+01:00", "high"), "a column of numbers holds text"),
    ):
        path.write_text(head + early + last)
        with pytest.raises(InputError, match=message):
            read_scores(path)


def test_every_line_of_json_lines_is_a_json_object(tmp_path):
    """Quotes, line ends and other letters in names are escaped; what was not judged is null."""
    entity = 'a "b"\n\\ 温度 \x01'
    write_scores(tmp_path / "s.jsonl", [scores(entity)], metadata={}, log_kind=LogKind.SAMPLES)
    rows = [json.loads(line) for line in (tmp_path / "s.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == STEPS - 2
    assert {row["entity"] for row in rows} == {entity}
    assert [row["score"] for row in rows[:2]] == [None, None]
    assert [row["event"] for row in rows if row["alarm"]] == [4, 4, 4]
    assert rows[0]["time"] == "2024-01-02 03:04:01"


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_scores_without_a_row_read_back_as_none(tmp_path, suffix):
    """A run that found nothing new leaves such a file."""
    empty = replace(scores(), grid=replace(scores().grid, steps=0), row_times=None)
    write_scores(tmp_path / f"s{suffix}", [empty], metadata={}, log_kind=LogKind.EVENTS)
    assert len(read_scores(tmp_path / f"s{suffix}").time) == 0
