"""What is kept of a status that is told very often."""

from __future__ import annotations

import io
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.grid import collector
from logscan.read.grid.bins import KeyedRows
from logscan.read.grid.set_aside import around_changes, stopped_on
from logscan.read.grid.sums import EntitySums
from logscan.records import TimeGrid, TimeKind

STATES = st.lists(
    st.tuples(st.integers(1, 30), st.sampled_from([0.0, 0.0, 0.5, 1.0, np.nan])), min_size=1, max_size=60
)


@given(STATES, st.integers(1, 40), st.integers(0, 39), st.integers(1, 20))
def test_readings_between_changes_add_nothing(
    readings: list[tuple[int, float]], step: int, start: int, pieces: int
) -> None:
    """On every grid the same steps are in a stop, whether all readings are there or those beside changes."""
    time = np.cumsum([distance for distance, _ in readings])
    state = np.array([state for _, state in readings])
    grid = TimeGrid(TimeKind.INTEGER, start, step, int(time[-1]) // step + 2, None)

    def whole() -> EntitySums:
        parts = [part for part in np.array_split(np.arange(len(time)), pieces) if len(part)]
        return EntitySums(KeyedRows(time[part], None, [state[part]], None).summed() for part in parts)

    thin = around_changes(whole())

    np.testing.assert_array_equal(stopped_on(grid, [thin]), stopped_on(grid, [whole()]))
    np.testing.assert_array_equal(stopped_on(grid, [around_changes(thin)]), stopped_on(grid, [thin]))
    assert thin.bins <= 2 * (1 + np.count_nonzero(np.diff(state[np.isfinite(state)] > 0)))


def test_a_log_with_many_readings_of_a_status_has_the_same_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are forgotten while a log is read, and its stops stay where they are."""
    chance = random.Random(0)
    rows, state = [], "RUN"
    for minute in range(6_000):
        state = chance.choice(["RUN", "STOP"]) if chance.random() < 0.01 else state
        told = state if chance.random() < 0.9 else ""
        day, clock = 1 + minute // 1440, minute % 1440
        rows.append(f"2024-01-{day:02d} {clock // 60:02d}:{clock % 60:02d}:00,{told},{minute % 7}")
    text = "\n".join(["time,status,x", *rows]).encode()

    def stops() -> list[bool]:
        log = read_log(["-"], InputConfig(every="7min"), stdin=io.BytesIO(text))
        assert log.series[0].set_aside is not None
        return list(log.series[0].set_aside.tolist())

    usual = stops()
    monkeypatch.setattr(collector, "_MANY_STATES", 10)
    monkeypatch.setattr("logscan.read.formats.csv.BLOCK_BYTES", 1 << 13)

    assert stops() == usual
    assert 0.1 < np.mean(usual) < 0.9
