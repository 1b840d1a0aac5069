"""Logs that are too long for memory at their own step, and reading that does not depend on how a file comes."""

import io

import numpy as np
import pandas as pd
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log, sampling
from logscan.read.formats import csv as csv_format
from logscan.read.formats import parquet
from logscan.read.grid import memory_limit, sums
from logscan.records import LogKind
from tests.words import words

SECOND = 10**9
ROWS = 3_001


def csv(rows=ROWS, *, freq="1s", order=None, entities=1):
    """A CSV of two channels with some missing cells, every entity on the same times."""
    random = np.random.default_rng(7)
    times = pd.date_range("2024-01-02 03:04:05", periods=rows, freq=freq).repeat(entities)
    frame = pd.DataFrame(
        {
            "time": times.strftime("%Y-%m-%d %H:%M:%S"),
            "unit": np.tile([f"u{number}" for number in range(entities)], rows),
            "a": random.normal(size=rows * entities).round(3),
            "b": np.where(random.random(rows * entities) < 0.1, np.nan, random.normal(size=rows * entities)),
        }
    )
    frame = frame if order is None else frame.iloc[order]
    return frame.to_csv(index=False).encode()


def log_of(data, **config):
    """The log of a CSV on the standard input."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data))


def same(one, other):
    """Both logs hold the same series to the bit."""
    assert [series.entity for series in one.series] == [series.entity for series in other.series]
    for first, second in zip(one.series, other.series, strict=True):
        assert (first.grid, first.channels) == (second.grid, second.channels)
        np.testing.assert_array_equal(first.values, second.values)
        np.testing.assert_array_equal(np.asarray(first.row_times), np.asarray(second.row_times))
    assert one.counts == other.counts


@pytest.mark.parametrize("every", [None, "10s"])
@pytest.mark.parametrize("entities", [1, 3])
def test_blocks_of_a_file_and_of_sums_change_nothing(monkeypatch, every, entities):
    """Read in small blocks the log is the same to the bit."""
    data = csv(entities=entities)
    config = {"every": every, "entity": ("unit",)}
    whole = log_of(data, **config)
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 1009)
    same(log_of(data, **config), whole)
    assert whole.counts.rows_used == ROWS * entities


@pytest.mark.parametrize("every", [None, "10s"])
def test_order_of_rows_changes_no_value(monkeypatch, every):
    """Shuffled or backwards, with a buffer far smaller than the file: the same means and times."""
    whole = log_of(csv(), every=every, ignore=("unit",))
    monkeypatch.setattr(sums, "_MOST_BUFFER_ROWS", 101)
    monkeypatch.setattr(sums, "BLOCK_TIMES", 64)
    shuffled = np.random.default_rng(0).permutation(ROWS)
    for order in (shuffled, np.arange(ROWS)[::-1]):
        log = log_of(csv(order=order), every=every, ignore=("unit",))
        np.testing.assert_allclose(log.series[0].values, whole.series[0].values, rtol=1e-12)
        np.testing.assert_array_equal(
            np.asarray(log.series[0].row_times), np.asarray(whole.series[0].row_times)
        )
        assert log.counts.out_of_order > 0


@pytest.mark.parametrize("rows_of_buffer", [97, 1 << 19])
def test_a_log_too_long_for_its_own_step_is_read_at_a_longer_one(monkeypatch, rows_of_buffer):
    """Its values are those of --every with that step; every row time is kept, and a note tells."""
    data = csv(entities=1)
    monkeypatch.setattr(sums, "_MOST_BUFFER_ROWS", rows_of_buffer)
    monkeypatch.setattr(memory_limit, "MOST_VALUES", 100)
    coarse = log_of(data, ignore=("unit",))
    step = coarse.schema.step
    assert step > SECOND
    assert words(coarse.notes)[0].startswith(
        "The log is too long to be kept at its own step of 1s: read as means of"
    )
    assert coarse.series[0].grid.steps * 2 <= 100
    monkeypatch.setattr(memory_limit, "MOST_VALUES", 1 << 24)
    asked = log_of(data, ignore=("unit",), every=f"{step}ns")
    assert coarse.series[0].grid == asked.series[0].grid
    np.testing.assert_allclose(coarse.series[0].values, asked.series[0].values, rtol=1e-12)
    np.testing.assert_array_equal(
        np.asarray(coarse.series[0].row_times), np.asarray(asked.series[0].row_times)
    )
    assert coarse.counts == asked.counts


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_longer_step_is_chosen_by_the_size_of_the_files(tmp_path, monkeypatch, suffix):
    """A file tells how much is to come, so that the step is no longer than need be."""
    path = tmp_path / "log.csv"
    path.write_bytes(csv())
    if suffix == ".parquet":
        table = pa_csv.read_csv(path)
        path = tmp_path / "log.parquet"
        pq.write_table(table, path, row_group_size=1_000)
    monkeypatch.setattr(memory_limit, "MOST_VALUES", 1_500)
    monkeypatch.setattr(sampling, "SAMPLE_ROWS", 500)
    monkeypatch.setattr(parquet, "_MOST_ROWS", 500)
    monkeypatch.setattr(sums, "_MOST_BUFFER_ROWS", 1_000)
    monkeypatch.setattr(csv_format, "BLOCK_BYTES", 30_011)
    log = read_log([path], InputConfig(ignore=("unit",)))
    assert log.schema.step < 60 * SECOND


@pytest.mark.parametrize("buffer", [97, 1 << 19])
def test_a_step_asked_for_that_does_not_fit_is_refused(monkeypatch, buffer):
    """With the fact and the step that would fit, as soon as it is known."""
    monkeypatch.setattr(sums, "_MOST_BUFFER_ROWS", buffer)
    monkeypatch.setattr(memory_limit, "MOST_VALUES", 100)
    with pytest.raises(InputError, match=r"at a step of 1s .* pass --every \d+(s|min) or longer"):
        log_of(csv(), every="1s", ignore=("unit",))
    with pytest.raises(InputError, match=r"at a step of 1?[01]min .* pass --every \d+(min|h) or longer"):
        log_of(csv(2_001, freq="1min"), kind=LogKind.EVENTS.value, ignore=("unit",))
