"""The step of the grid: sampling intervals, steps of events, rows too far away."""

import io

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.grid.step import event_step, far_rows, sample_step
from logscan.records import TimeKind
from logscan.time_units import MINUTE_NS, SECOND_NS
from logscan.times import Times
from tests.words import words

START = pd.Timestamp("2024-01-29 22:10:00")


def read(rows, **config):
    """A log of CSV lines."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO("\n".join(rows).encode()))


def test_jitter_does_not_move_the_step():
    """Times that tremble around a minute are a grid of minutes with every row on it."""
    rng = np.random.default_rng(3)
    jitter = START.value + np.arange(223) * MINUTE_NS + rng.integers(-9, 10, 223) * 10**8
    times = pd.to_datetime(jitter).strftime("%Y-%m-%d %H:%M:%S.%f")
    log = read(["time,x", *(f"{time},{row % 5}" for row, time in enumerate(times))])
    assert log.schema.step == MINUTE_NS
    assert np.isfinite(log.series[0].values).all()
    assert log.series[0].grid.steps == 223


def test_steps_are_inferred():
    """The usual distance, not the smallest or the largest; ten rows a step for events."""
    times = np.delete(np.arange(101) * 5 * MINUTE_NS, [7, 8, 31, 50])
    assert sample_step([Times.of(times)], TimeKind.TIMESTAMP) == 5 * MINUTE_NS
    assert event_step([(times, np.ones(len(times), dtype=np.int64))], TimeKind.TIMESTAMP) == 60 * MINUTE_NS


def test_far_rows_keep_the_bulk():
    """A few lonely ends are cut, a long gap in the middle of the rows is not."""
    key = np.r_[-(10**9), np.arange(2000), 10**8]
    assert far_rows(key, np.ones(2002, dtype=np.int64)) == (1, 2001)
    key = np.r_[np.arange(1000), 90_000 + np.arange(1000)]
    assert far_rows(key, np.ones(2000, dtype=np.int64)) == (0, 2000)
    assert far_rows(np.array([0, 10**9]), np.ones(2, dtype=np.int64)) == "too long"


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([1, 10, 60, 600]),
    st.integers(0, 999),
    st.sampled_from(["plain", "jitter", "gaps", "bursts", "twice"]),
)
def test_the_interval_survives_what_logs_do(step, seed, fault):
    """Jitter, gaps, bursts and repeated rows do not move the interval that is found."""
    draw = np.random.default_rng(seed)
    moments = np.arange(300) * step * 1000
    if fault == "jitter":
        moments = moments + draw.normal(0, 0.02 * step * 1000, 300).astype(int)
    elif fault == "gaps":
        moments = moments[draw.random(300) < 0.8]
    elif fault == "bursts":
        moments = np.sort(np.r_[moments, moments[100] + np.arange(60) * 7])
    elif fault == "twice":
        moments = np.sort(np.r_[moments, moments])
    base = np.datetime64("2024-01-01T00:00:00.000")
    rows = [
        "time,x",
        *(f"{str(base + int(ms)).replace('T', ' ')},{place % 7}" for place, ms in enumerate(moments)),
    ]
    assert read(rows).schema.step == step * SECOND_NS


def sampled(name, step, count):
    """Rows of one machine that is read every `step` seconds."""
    base = np.datetime64("2024-01-01T00:00:00")
    return [f"{str(base + place * step).replace('T', ' ')},{name},{place % 11}" for place in range(count)]


def test_the_longest_interval_of_several_machines_counts():
    """A slow machine is not lost on a fast one's grid; a fast one is averaged, and that is said."""
    rows = ["time,machine,x", *sampled("fast", 1, 900), *sampled("slow", 10, 90)]
    log = read(rows, entity=("machine",))
    assert log.schema.step == 10 * SECOND_NS
    assert all(np.isfinite(series.values).all() for series in log.series)
    assert any("averages 'fast' over it" in note for note in words(log.notes))


def test_a_machine_read_very_rarely_does_not_set_the_step():
    """More than 100 times the usual interval is passed over and named; a few rows have no say."""
    rows = ["time,machine,x", *sampled("a", 1, 9000), *sampled("rare", 3600, 70), *sampled("odd", 9, 5)]
    log = read(rows, entity=("machine",))
    assert log.schema.step == SECOND_NS
    assert any(note.startswith("'rare': sampled so much more rarely") for note in words(log.notes))
