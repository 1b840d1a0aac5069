# ruff: noqa: PD011  `Series.values` is logscan's own
"""Readings and events told apart, and a word on rows that share their time."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.records import LogKind
from tests.words import words

ROWS = 601
DRAW = np.random.default_rng(11)
CHANCE = pd.Timestamp("2024-03-01 06:00") + pd.to_timedelta(
    np.cumsum(DRAW.exponential(400, ROWS) + 1).round(), "s"
)
BEAT = pd.date_range("2024-03-01", freq="10min", periods=ROWS)
WORDS = DRAW.choice(["pump", "valve", "belt"], ROWS)
FLOATS = DRAW.normal(20, 3, (ROWS, 3)).round(2)


def read(data, **config):
    """The log of a frame."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data.to_csv(index=False).encode()))


EVENTS = {
    "orders": {"order_id": DRAW.permutation(ROWS) + 10_000, "item": WORDS, "price": FLOATS[:, 0]},
    "alarms": {"警報": WORDS, "level": DRAW.integers(1, 4, ROWS)},
    "steps of a process": {"case_id": np.arange(ROWS) // 5, "activity": WORDS, "resource": WORDS[::-1]},
    "calls": {"lat": FLOATS[:, 0], "lng": FLOATS[:, 1], "title": WORDS},
}
READINGS = {
    "a device that reports by chance": {"device": WORDS, "temp": FLOATS[:, 0], "humidity": FLOATS[:, 1]},
    "positions of a ship": {
        "CallSign": WORDS,
        "speed": FLOATS[:, 0],
        "course": FLOATS[:, 1],
        "draft": FLOATS[:, 2],
    },
}


@pytest.mark.parametrize("name", EVENTS)
def test_what_happens_by_chance_and_names_things_is_read_as_events(name):
    """Orders, alarms and calls are counted even where no two share a time, and a note says why."""
    log = read(pd.DataFrame({"time": CHANCE} | EVENTS[name]))
    assert log.schema.kind is LogKind.EVENTS
    assert "Read as events: times are irregular" in words(log.notes)[0]
    assert log.series[0].channels[0] == "count"
    assert not {"order_id", "case_id", "lat", "lng"} & set(log.schema.channels)


@pytest.mark.parametrize("name", EVENTS)
def test_what_has_a_beat_is_no_event(name):
    """The same columns every ten minutes are readings, or refused where nothing is read."""
    data = pd.DataFrame({"time": BEAT} | EVENTS[name]).assign(x=FLOATS[:, 2])
    assert read(data).schema.kind is LogKind.SAMPLES


@pytest.mark.parametrize("name", READINGS)
def test_readings_at_irregular_times_stay_readings(name):
    """Where most columns measure something and no name speaks of events, times may come as by chance."""
    assert read(pd.DataFrame({"time": CHANCE} | READINGS[name])).schema.kind is LogKind.SAMPLES


def test_dates_whose_rows_vary_are_events():
    """Order lines that know only their day are counted by the day."""
    days = np.sort(DRAW.integers(0, 90, ROWS))
    date = (pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D")).strftime("%Y/%m/%d")
    log = read(pd.DataFrame({"受注日": date, "品番": WORDS, "数量": DRAW.integers(1, 9, ROWS)}))
    assert log.schema.kind is LogKind.EVENTS
    assert any("the number of rows per time varies" in note for note in words(log.notes))


def test_two_columns_that_tell_rows_apart_are_named():
    """Rows of stores and items that share their day are series of their own; `--entity none` averages them."""
    table = pd.DataFrame(
        [
            (day, store, item)
            for day in pd.date_range("2024-01-01", periods=71)
            for store in (1, 2, 3)
            for item in (1, 2)
        ],
        columns=["date", "store", "item"],
    )
    table["sales"] = DRAW.normal(50, 9, len(table)).round(1)
    log = read(table)
    assert log.schema.entity_columns == ("store", "item")
    assert any("tells rows of one time apart" in note for note in words(log.notes))
    assert len(log.series) == len(read(table, entity=("store", "item")).series) == 6
    averaged = read(table, entity=("none",))
    assert len(averaged.series) == 1
    assert any("pass --entity store --entity item" in note for note in words(averaged.notes))


def test_rows_that_nothing_tells_apart_are_said():
    """Where many rows share their time and no column tells them apart, the note still says so."""
    data = pd.DataFrame({"time": BEAT.repeat(2)[:ROWS], "x": FLOATS[:, 0]})
    assert any(
        "share their time with another one and were averaged" in note for note in words(read(data).notes)
    )


def test_a_short_log_of_events_gets_shorter_intervals():
    """Fifteen days of alarms are enough intervals for a model; dates alone stay days."""
    time = pd.Timestamp("2024-02-01") + pd.to_timedelta(
        np.sort(DRAW.uniform(0, 15 * 86_400, 1500)).round(), "s"
    )
    alarms = pd.DataFrame({"time": time, "alarm": DRAW.choice(["a", "b"], 1500)})
    log = read(alarms, kind="events")
    assert log.schema.step == 2 * 3600 * 10**9
    assert log.series[0].values[:, 0].sum() == 1500
    dates = alarms.assign(time=alarms["time"].dt.strftime("%Y-%m-%d"))
    assert read(dates, kind="events").schema.step == 86_400 * 10**9
