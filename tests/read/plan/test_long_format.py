"""Long format: one reading a row, several sensors."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan import pipeline
from logscan.config import Config, InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from tests.conftest import Run
from tests.synthetic import CHANNELS, times, values
from tests.words import words

ROWS = 211


def read(rows, **config):
    """A log of CSV lines."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO("\n".join(rows).encode()))


def wide(cells, names=CHANNELS):
    """A log with a column for every sensor."""
    rows = [",".join(["time", *names])]
    for time, row in zip(times(len(cells)), cells, strict=True):
        rows.append(",".join([time, *("" if math.isnan(cell) else f"{cell:.4f}" for cell in row)]))
    return rows


def long(cells, names=CHANNELS, header="time,sensor,value"):
    """The same with a row for every reading."""
    rows = [header]
    for time, row in zip(times(len(cells)), cells, strict=True):
        rows += [
            f"{time},{name},{cell:.4f}" for name, cell in zip(names, row, strict=True) if not math.isnan(cell)
        ]
    return rows


def same(one, other):
    """Both logs hold the same series."""
    assert [series.entity for series in one.series] == [series.entity for series in other.series]
    for mine, its in zip(one.series, other.series, strict=True):
        assert mine.channels == its.channels
        assert mine.grid == its.grid
        np.testing.assert_allclose(mine.values, its.values)
        np.testing.assert_array_equal(mine.row_times, its.row_times)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.randoms(use_true_random=False))
def test_long_format_is_the_wide_log(seed, draw):
    """A row for every reading, in any order, gives the series that a column for every sensor gives."""
    cells = values(ROWS, seed)
    cells[:, 1:][np.random.default_rng(seed).random((ROWS, 2)) < 0.1] = np.nan
    header, *rows = long(cells)
    draw.shuffle(rows)
    found = read([header, *rows])
    same(found, read(wide(cells)))
    assert found.schema.shaping.sensor == "sensor"
    assert any(note.startswith("Long format: 'sensor' names") for note in words(found.notes))


@pytest.mark.parametrize(
    ("header", "config"),
    [
        ("time,tag_name,value", {}),
        ("日時,計測点,値", {}),
        ("time,what,amount", {"sensor": "what", "value": "amount"}),
        ("time,what,value", {"sensor": "what"}),
    ],
)
def test_long_format_by_evidence_or_option(header, config):
    """Columns called tag and value are found, others are named."""
    cells = values(ROWS)
    same(read(long(cells, header=header), **config), read(wide(cells)))


@pytest.mark.parametrize("header", ["time,operator,value", "time,sensor,price"])
def test_other_names_are_no_long_format(header):
    """Columns that are called otherwise are not taken for sensors and readings."""
    assert read(long(values(ROWS), header=header)).schema.shaping.sensor is None


def test_several_machines_in_long_format():
    """Entity and sensor together; a sensor that one machine lacks is missing there."""
    cells = values(ROWS)
    rows = ["time,machine,sensor,value"]
    for machine, names in (("m1", CHANNELS), ("m2", CHANNELS[:2])):
        for line in long(cells[:, : len(names)], names)[1:]:
            time, rest = line.split(",", 1)
            rows.append(f"{time},{machine},{rest}")
    log = read(rows, entity=("machine",))
    assert [series.entity for series in log.series] == ["m1", "m2"]
    assert log.schema.channels == CHANNELS
    np.testing.assert_allclose(log.series[0].values, cells, atol=1e-4)
    np.testing.assert_allclose(log.series[1].values[:, :2], cells[:, :2], atol=1e-4)
    assert np.isnan(log.series[1].values[:, 2]).all()


def test_a_sensor_that_is_only_read_far_away_is_missing():
    """Its rows are dropped as too far from all others, the others stay."""
    rows = [*long(values(1501)), *["2150-01-01 00:00,lost,1"]]
    log = read(rows, sensor="sensor")
    assert words(log.counts.dropped) == {"time too far from all others": 1}
    assert log.schema.channels == ("flow", "lost", "press", "temp")
    assert np.isnan(log.series[0].values[:, 1]).all()


def test_sensors_are_chosen_with_channels():
    """--channels names sensors, in their order; an unknown one gets the nearest name."""
    rows = long(values(ROWS))
    assert read(rows, channels=("temp", "flow")).schema.channels == ("temp", "flow")
    with pytest.raises(UsageError, match="no sensor 'flw' in column 'sensor'; did you mean 'flow'"):
        read(rows, channels=("flw",))


def test_rows_without_a_sensor_are_counted():
    """An empty sensor is a row that is not used."""
    rows = [*long(values(ROWS)), "2024-01-01 00:07,,3.5"]
    log = read(rows)
    assert words(log.counts.dropped) == {"entity or sensor is empty": 1}
    assert log.counts.rows_read == log.counts.rows_used + 1


@pytest.mark.usefixtures("single")
def test_a_model_of_a_long_log_scores_it_and_the_wide_one_alike(small_config: Config):
    """Long or wide, the scores are the same; the model remembers its columns."""
    cells = values(401)
    tall = read(long(cells, header="time,what,amount"), sensor="what", value="amount")
    model = pipeline.train(tall, small_config, device="cpu")
    given = pipeline.scoring_input(InputConfig(), model)
    assert (given.sensor, given.value) == ("what", "amount")
    again = read_log(
        ["-"], given, stdin=io.BytesIO("\n".join(long(cells, header="time,what,amount")).encode())
    )
    scores = [pipeline.score(log, model, device="cpu").series[0].score for log in (again, read(wide(cells)))]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_thousands_of_channels_are_refused():
    """More channels than a model can hold: a message with what to do, wide or long."""
    names = [f"s{place}" for place in range(1201)]
    wide_rows = [",".join(["time", *names]), *(f"{time}" + ",1" * 1201 for time in times(3))]
    long_rows = ["time,sensor,value", *(f"{time},{name},1" for time in times(12) for name in names)]
    for rows in (wide_rows, long_rows):
        with pytest.raises(InputError, match="1,201 channels are more than the 500") as refused:
            read(rows)
        assert "choose some with --channels" in str(refused.value)


@pytest.mark.parametrize(
    ("config", "fact"),
    [
        ({"sensor": "sensr"}, "no column 'sensr'"),
        ({"sensor": "value", "value": "value"}, "--sensor: contradicts"),
        ({"sensor": "sensor", "value": "value", "split": "sensor"}, "--sensor: contradicts"),
    ],
)
def test_long_format_that_cannot_be_read_is_refused(config, fact):
    """Wrong and contradicting columns are named."""
    with pytest.raises(UsageError) as refused:
        read(long(values(ROWS)), **config)
    assert fact in str(refused.value)
    with pytest.raises(UsageError, match="one of values; name it with --value"):
        read(long(values(ROWS), header="time,sensor,price"), sensor="sensor")


def test_evaluate_reads_the_input_of_a_long_log_again(bench: Path, logscan: Run) -> None:
    """The period that VUS is measured with comes from the first sensor, long or wide."""
    cells = values(401)
    (bench / "long.csv").write_text("\n".join(long(cells, header="time,what,amount")))
    (bench / "wide.csv").write_text("\n".join(wide(cells)))
    (bench / "labels.csv").write_text("start,end\n2024-01-01 05:00,2024-01-01 05:20\n")
    windows = []
    for name, shape in (("wide", []), ("long", ["--sensor", "what", "--value", "amount"])):
        assert logscan("train", f"{name}.csv", "--model", name, "--no-fit", *shape).code == 0
        assert logscan("score", f"{name}.csv", "--model", name, "--out", f"{name}.parquet").code == 0
        found = logscan("evaluate", f"{name}.parquet", "--labels", "labels.csv", "--json")
        windows.append(json.loads(found.out))
    assert windows[0] == windows[1]
