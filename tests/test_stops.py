"""Stops of a machine and days of a calendar: set aside, neither judged nor learned from."""

import io
import sys
from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from logscan import pipeline
from logscan.config import Config, InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from logscan.records import StepQuality
from logscan.results.write_scores import stream_scores
from tests.synthetic import times, values
from tests.words import words as note_words

ROWS = 601
STOPS = ((101, 140), (333, 401))
QUALITIES = tuple(StepQuality)


def standing():
    """(rows,) bool: when the machine stands."""
    mask = np.zeros(ROWS, dtype=bool)
    for first, end in STOPS:
        mask[first:end] = True
    return mask


def text(cells, status, name="status"):
    """A log with a status column."""
    rows = [f"time,{name},flow,press,temp"]
    rows += [
        f"{time},{word},{row[0]:.4f},{row[1]:.4f},{row[2]:.4f}"
        for time, word, row in zip(times(len(cells)), status, cells, strict=True)
    ]
    return "\n".join(rows).encode()


def read(data, **config):
    """The log of some bytes."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data))


def words(run="RUN", stop="STOP"):
    """One word a row."""
    return [stop if stands else run for stands in standing()]


@pytest.mark.parametrize(
    ("name", "run", "stop", "config"),
    [
        ("status", "RUN", "STOP", {}),
        ("運転状態", "運転中", "停止", {}),
        ("Machine_State", " running ", "Maintenance", {}),
        ("x9", "17", "3", {"status": "x9", "running": ("17.0",)}),
        ("x9", "cut", "tool change", {"status": "x9", "running": ("CUT", "drill")}),
        ("speed", "1500", "0", {"status": "speed", "running": (">0",)}),
        ("speed", "1500", "12.5", {"status": "speed", "running": (">= 100",)}),
        ("state", "on", "off", {"status": "state"}),
    ],
)
def test_a_status_column_tells_stops(name, run, stop, config):
    """Known words are taken by themselves, others and conditions as the user says; steps in a stop are set aside."""
    log = read(text(values(ROWS), words(run, stop), name), **config)
    np.testing.assert_array_equal(log.series[0].set_aside, standing())
    assert log.schema.shaping.status == name
    assert any(
        f"'{name}' tells when the machine stands: {standing().sum()} of {ROWS}" in note
        for note in note_words(log.notes)
    )
    # A measurement that is compared stays a channel, a state is none.
    assert (name in log.schema.channels) == (name == "speed")


@pytest.mark.parametrize(
    ("name", "run", "stop", "config"),
    [
        ("status", "RUN", "bent", {}),  # not all are known words
        ("quality", "running", "stop", {}),  # not called a status
        ("state", "on", "off", {}),  # perhaps of a heater
        ("status", "RUN", "STOP", {"ignore": ("status",)}),
    ],
)
def test_weak_evidence_sets_nothing_aside(name, run, stop, config):
    """Words that need not be a machine's state are left alone."""
    log = read(text(values(ROWS), words(run, stop), name), **config)
    assert log.series[0].set_aside is None
    assert log.schema.shaping.status is None


def test_a_status_holds_until_the_next():
    """Where the status is only told when it changes, it holds in between, over steps without a row too."""
    told = words()
    sparse = [word if row == 0 or word != told[row - 1] else "" for row, word in enumerate(told)]
    data = text(values(ROWS), sparse).split(b"\n")
    for row in (120, 121, 350):
        data[1 + row] = b""
    log = read(b"\n".join(line for line in data if line), every="1min")
    np.testing.assert_array_equal(log.series[0].set_aside, standing())


@pytest.mark.usefixtures("single")
def test_what_happens_in_a_stop_has_no_influence(small_config: Config):
    """Whatever is read during stops, model and scores of the rest are the same, and stops have no score."""
    calm, wild = values(ROWS), values(ROWS)
    wild[standing()] = np.random.default_rng(1).normal(500, 300, wild[standing()].shape)
    outcomes = []
    for cells in (calm, wild):
        log = read(text(cells, words()))
        model = pipeline.train(log, small_config, device="cpu")
        assert (model.set_aside_steps, model.excluded_steps) == (standing().sum(), 0)
        result = pipeline.score(log, model, device="cpu")
        causal = pipeline.score(log, model, causal=True, device="cpu")
        outcomes.append((model.fingerprint, result.series[0], causal.series[0]))
    (first, one, one_causal), (second, other, other_causal) = outcomes
    assert first == second
    for mine, its in ((one, other), (one_causal, other_causal)):
        np.testing.assert_array_equal(mine.score, its.score)
        assert np.isnan(mine.score[standing()]).all()
        assert np.isnan(mine.contributions[standing()]).all()
        stops = mine.quality[standing()]
        assert (stops == QUALITIES.index(StepQuality.NOT_JUDGED)).all()
    assert np.isfinite(one.score[~standing()]).all()
    written = io.BytesIO()
    stream_scores(written, [one], log_kind=log.schema.kind)
    assert written.getvalue().count(b"not_judged") == standing().sum()


@pytest.mark.usefixtures("single")
def test_scoring_reads_the_status_as_training_did(small_config: Config):
    """A model knows its status column and what running is; the options need not be given again."""
    data = text(values(ROWS), words("cut", "tool change"), "x9")
    config = small_config.model_copy(update={"input": InputConfig(status="x9", running=("cut",))})
    model = pipeline.train(read(data, status="x9", running=("cut",)), config, device="cpu")
    given = pipeline.scoring_input(InputConfig(), model)
    log = read_log(["-"], given, stdin=io.BytesIO(data))
    np.testing.assert_array_equal(log.series[0].set_aside, standing())


def test_a_log_of_stops_alone_is_refused(small_config: Config):
    """Nothing to learn from is said, with what to do."""
    log = read(text(values(ROWS), ["STOP"] * (ROWS - 20) + ["RUN"] * 20))
    with pytest.raises(InputError, match="stops and days set aside cover 581 of the 601"):
        pipeline.train(log, small_config, device="cpu")


@pytest.mark.parametrize(
    ("config", "fact"),
    [
        ({"status": "stats"}, "no column 'stats'"),
        ({"running": ("1",)}, "--running: given without a column"),
        ({"status": "status"}, "do not tell when the machine runs; say which do with --running"),
        ({"status": "flow", "running": (">fast",)}, "--running >fast: 'fast' is not a number"),
    ],
)
def test_a_status_that_cannot_be_read_is_refused(config, fact):
    """A wrong name, unknown words and a wrong condition each say what to do."""
    with pytest.raises(UsageError) as refused:
        read(text(values(ROWS), words("A", "B")), **config)
    assert fact in str(refused.value)


def days(count=30, zone=None, **config):
    """An hourly log that begins on 2024-04-20."""
    hours = np.datetime64("2024-04-20T00") + np.arange(24 * count)
    rows = ["time,x", *(f"{str(hour).replace('T', ' ')}:00,{place % 24}" for place, hour in enumerate(hours))]
    return read("\n".join(rows).encode(), timezone=zone, **config)


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_days_of_the_plants_calendar_are_set_aside(tmp_path, zone):
    """Dates are whole local days; start and end are half-open; entity and an old encoding are read."""
    (tmp_path / "days.csv").write_bytes("日付,名称\n2024/04/29,昭和の日\n2024-05-03,\n".encode("cp932"))
    log = days(zone=zone, calendar=str(tmp_path / "days.csv"))
    marked = log.series[0].set_aside.reshape(-1, 24)
    assert [place for place, day in enumerate(marked) if day.all()] == [9, 13]
    assert marked.sum() == 48
    assert any("48 of 720 steps are set aside" in note for note in note_words(log.notes))
    (tmp_path / "spans.csv").write_text("start,end\n2024-04-21 06:00,2024-04-21 09:00\n")
    spans = days(zone=zone, calendar=str(tmp_path / "spans.csv")).series[0].set_aside
    np.testing.assert_array_equal(np.flatnonzero(spans), [30, 31, 32])


def test_public_holidays_are_set_aside(monkeypatch):
    """The days that the table of a country and region names, and no other."""
    asked = []

    def table(code, subdiv, years):
        asked.append((code, subdiv, list(years)))
        return {date(2024, 4, 29): "a day off", date(2024, 5, 25): "outside"}

    monkeypatch.setitem(sys.modules, "holidays", SimpleNamespace(country_holidays=table))
    log = days(holidays="de-by")
    assert asked == [("DE", "BY", [2024])]
    assert list(np.flatnonzero(log.series[0].set_aside)) == list(range(9 * 24, 10 * 24))


def test_real_tables_of_holidays():
    """Golden Week is known, an unknown country is refused."""
    marked = days(holidays="JP").series[0].set_aside.reshape(-1, 24).all(axis=1)
    first = np.datetime64("2024-04-20")
    assert [str(first + int(day)) for day in np.flatnonzero(marked)] == [
        "2024-04-29",
        "2024-05-03",
        "2024-05-04",
        "2024-05-05",
        "2024-05-06",
    ]
    with pytest.raises(UsageError, match="no such country or region is known"):
        days(holidays="XX")


@pytest.mark.parametrize(
    ("body", "fact"),
    [
        (None, "no such calendar file"),
        ("when\n2024-05-01\n", "no column 'date', nor 'start' and 'end'"),
        ("date\nsoon\n", "'soon' is not a time"),
        ("start,end\n2024-05-02,2024-05-01\n", "not after its start"),
    ],
)
def test_a_calendar_that_cannot_be_read_is_refused(tmp_path, body, fact):
    """A missing file, missing columns and wrong dates are named."""
    path = tmp_path / "days.csv"
    if body is not None:
        path.write_text(body)
    with pytest.raises((InputError, UsageError)) as refused:
        days(calendar=str(path))
    assert fact in str(refused.value)


def test_a_log_without_dates_has_no_holidays(tmp_path):
    """Integer steps have no calendar."""
    data = b"step,x\n" + b"".join(b"%d,%d\n" % (step, step % 7) for step in range(101))
    with pytest.raises(UsageError, match="counts steps and has no dates"):
        read(data, holidays="JP")
    (tmp_path / "days.csv").write_text("date\n2024-05-01\n")
    with pytest.raises(InputError, match="counts steps and has no dates"):
        read(data, calendar=str(tmp_path / "days.csv"))
