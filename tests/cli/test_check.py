"""`logscan check`: reasons of grades, hints, counts, and the settings it suggests."""

import io
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.cli.jobs.check import found_gaps
from logscan.cli.jobs.toml_text import toml_text
from logscan.config import InputConfig, parse_config
from logscan.quality.duplicate_channels import twin_channels
from logscan.quality.grades import channel_qualities
from logscan.quality.hints import flat_together, hints
from logscan.read import read_log
from logscan.read_settings import written_settings
from logscan.records import Grade, Log, Series, TimeGrid, TimeKind
from tests.conftest import Run
from tests.synthetic import CHANNELS, values, write_log
from tests.words import words

STEPS = 997


def log_of(**columns: np.ndarray) -> Log:
    """A log of integer steps with these channels."""
    rows = [",".join(["step", *columns])]
    for step, cells in enumerate(zip(*columns.values(), strict=True)):
        rows.append(",".join([str(step), *("" if np.isnan(cell) else repr(float(cell)) for cell in cells)]))
    return read_log(["-"], InputConfig(), stdin=io.BytesIO("\n".join(rows).encode()))


def noise(seed=2):
    """A healthy sensor."""
    return np.random.default_rng(seed).normal(20, 1, STEPS).round(3)


def quality(column):
    """Grade, codes and reasons of one channel."""
    found = channel_qualities(log_of(x=column))[0]
    return found.grade, found.codes, words(found.reasons)


def coded(code, every=7):
    """A sensor whose logger writes a code where there is no reading."""
    column = noise()
    column[::every] = code
    return column


@pytest.mark.parametrize(
    ("column", "grade", "code", "reason"),
    [
        (np.round(noise()), Grade.USABLE, "quantised", "quantised in steps of 1"),
        (np.round(noise() / 0.7) * 0.7, Grade.USABLE, "quantised", "quantised in steps of 0.7"),
        (
            coded(-999.0),
            Grade.POOR,
            "out of range",
            "-999 in 143 steps, a sentinel value for missing readings?",
        ),
        (
            coded(9999.0),
            Grade.POOR,
            "out of range",
            "9999 in 143 steps, a sentinel value for missing readings?",
        ),
        (noise() + np.linspace(0, 9, STEPS), Grade.USABLE, "drift", "drifts from about 2"),
        (np.cumsum(np.abs(noise())), Grade.USABLE, "meter", "only rises, like a meter"),
    ],
)
def test_each_shape_has_its_reason(column, grade, code, reason):
    """Coarse steps, codes for no reading, drift and meters are named."""
    found = quality(column)
    assert (found[0], found[1]) == (grade, (code,))
    assert found[2][0].startswith(reason)


@pytest.mark.parametrize(
    "column",
    [
        noise(),
        np.random.default_rng(1).poisson(1.3, STEPS).astype(float),  # a few things at a time
        20 + 5 * np.sin(np.arange(STEPS) / 9) + noise(3) / 9,
        coded(-999.0, every=300),  # four of them are slips
        np.random.default_rng(4).normal(0, 40, STEPS).round(),  # 99 is a number like others
        np.cumsum(np.random.default_rng(5).normal(0, 1, STEPS)) * 0.01 + noise(6),
    ],
)
def test_what_is_ordinary_has_none_of_these_reasons(column):
    """Noise, counts, waves, and numbers that only look like codes are left alone."""
    assert not {"quantised", "drift", "meter", "duplicate"} & set(quality(column)[1])
    assert "code for no reading" not in " ".join(quality(column)[2])


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.01, 100),
    st.floats(-50, 50),
    st.booleans(),
    st.integers(0, 99),
)
def test_twins_are_found_and_only_twins(scale, offset, negative, seed):
    """A channel in another unit is a twin, one with its own noise is none."""
    draw = np.random.default_rng(seed)
    first = draw.normal(20, 1, STEPS)
    first[draw.random(STEPS) < 0.1] = np.nan
    other = first * (-scale if negative else scale) + offset
    table = np.stack([first, noise(), other, first, first + draw.normal(0, 0.01, STEPS)], axis=1)
    assert twin_channels(table) == {2: (0, False), 3: (0, True)}


def test_twins_are_told_in_the_grade():
    """The later of two channels names the earlier."""
    one = noise()
    found = channel_qualities(log_of(a=one, b=one, c=one * 1.8 + 32))
    assert [words(quality.reasons) for quality in found] == [(), ("the same as a",), ("moves exactly as a",)]


def stopping(level=0.0):
    """Speed and heat of a machine that stands twice."""
    stands = np.zeros(STEPS, dtype=bool)
    stands[100:180] = stands[600:671] = True
    speed = np.where(stands, level, noise() + 1480)
    heat = np.where(stands, 35.0, noise(3) + 40)
    return stands, log_of(speed=speed, heat=heat)


def test_a_machine_that_stands_gets_a_hint_that_works():
    """Channels that stand still together are told, with the option that sets these steps aside."""
    stands, log = stopping()
    (hint,) = words(hints(log))
    assert "stand still together for 151 steps in 2 stretches" in hint
    assert "pass --status 'speed' --running '>0'" in hint
    table = np.column_stack([np.arange(STEPS), log.series[0].values])
    rows = ["step,speed,heat", *(f"{step:.0f},{speed},{heat}" for step, speed, heat in table)]
    told = read_log(
        ["-"], InputConfig(status="speed", running=(">0",)), stdin=io.BytesIO("\n".join(rows).encode())
    )
    np.testing.assert_array_equal(told.series[0].set_aside, stands)
    assert hints(told) == []


def test_codes_for_no_reading_get_a_hint():
    """One option for all channels; codes are no standstill."""
    assert words(hints(log_of(a=coded(-999.0), b=noise()))) == [
        "If -999 stands for no reading, pass --missing -999."
    ]


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_what_never_or_mostly_stands_gets_no_hint(share):
    """Without long stretches, or with little else, there is nothing to tell."""
    column = noise()
    column[: int(share * STEPS)] = 3.0
    assert not flat_together(column[:, None]).any()


def cells(rows):
    """CSV bytes."""
    return "\n".join(rows).encode()


def order_rows():
    """Order lines with returns."""
    draw = np.random.default_rng(3)
    base = np.datetime64("2024-03-01T08:00")
    rows = ["日時;商品;数量;金額"]
    for place in range(500):
        stamp = str(base + int(place * 7)).replace("T", " ")
        amount = f"{draw.normal(30, 3):.2f}".replace(".", ",")
        rows.append(f"{stamp};{draw.choice(['茶', 'パン', '菓子'])};{draw.choice([1, 2, 3, -1])};{amount}")
        if place % 3 == 0:
            rows.append(f"{stamp};茶;{place % 5 + 1};{amount}")
    return rows


def sensor_rows(header="time,flow,press,temp", sep=","):
    """A plain log."""
    rows = [header]
    for place, row in enumerate(values(211)):
        stamp = str(np.datetime64("2024-01-01T00:00") + place).replace("T", " ")
        rows.append(sep.join([stamp, *(f"{cell:.4f}" for cell in row)]))
    return rows


def long_rows():
    """The same in long format, with a status."""
    rows = ["time,status,tag,value"]
    for line in sensor_rows()[1:]:
        stamp, *row = line.split(",")
        state = "STOP" if ":3" in stamp else "RUN"
        rows += [f"{stamp},{state},{name},{cell}" for name, cell in zip(CHANNELS, row, strict=True)]
    return rows


LOGS = {
    "plain": (cells(sensor_rows()), {}),
    "commas": ("\n".join(line.replace(",", ";").replace(".", ",") for line in sensor_rows()).encode(), {}),
    "tabs": (cells(line.replace(",", "\t") for line in sensor_rows()), {}),
    "quotes": (cells(['"time","a ""b""","c\\d","e,f"', *sensor_rows()[1:]]), {}),
    "steps": (cells(["step,x", *(f"{place * 5},{place % 9}" for place in range(101))]), {}),
    "rows": (cells(["x,y", *(f"{place % 7},{place % 9}" for place in range(101))]), {}),
    "orders": (
        "\n".join(order_rows()).encode("cp932"),
        {"split": "商品", "top": 2, "aggregate": ("商品=distinct",)},
    ),
    "long": (cells(long_rows()), {}),
    "zone": (cells(sensor_rows()), {"timezone": "Asia/Tokyo", "every": "5min", "aggregate": ("temp=max",)}),
    "chosen": (cells(sensor_rows()), {"channels": ("temp", "flow"), "missing": ("-999",)}),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_suggested_settings_read_the_same_series(name, tmp_path):
    """Written out, loaded again: the same channels, grid, values and stops, and nothing left to evidence."""
    data, config = LOGS[name]
    path = tmp_path / "log.csv"
    path.write_bytes(data)
    given = InputConfig(**config)
    log = read_log([path], given)
    text = toml_text(written_settings(log.schema, given), channel_qualities(log))
    loaded = parse_config(tomllib.loads(text), "logscan.toml").input
    again = read_log([path], loaded)
    assert again.schema == log.schema
    for mine, its in zip(again.series, log.series, strict=True):
        assert (mine.entity, mine.channels, mine.grid) == (its.entity, its.channels, its.grid)
        np.testing.assert_allclose(mine.values, its.values, rtol=1e-12)
        if its.set_aside is not None:
            np.testing.assert_array_equal(mine.set_aside, its.set_aside)
    assert toml_text(written_settings(again.schema, loaded), channel_qualities(again)) == text


def test_channels_that_cannot_be_used_are_named_in_a_comment():
    """The suggestion changes nothing by itself, but says what to leave out."""
    log = log_of(x=noise(), dead=np.full(STEPS, 3.0))
    text = toml_text(written_settings(log.schema, InputConfig()), channel_qualities(log))
    assert '# ignore = ["dead"]' in text
    assert tomllib.loads(text)["input"]["channels"] == ["x", "dead"]


def test_a_written_config_is_used_by_the_next_run(bench: Path, logscan: Run) -> None:
    """`--write-config` writes what the next run finds by itself; `-` prints it and nothing else."""
    (bench / "logscan.toml").unlink()
    (bench / "odd.csv").write_bytes(LOGS["commas"][0])
    first = logscan("check", "odd.csv", "--json")
    outcome = logscan("check", "odd.csv", "--write-config", "logscan.toml")
    assert outcome.code == 0
    assert outcome.err.endswith("settings: logscan.toml\n")
    text = (bench / "logscan.toml").read_text()
    assert tomllib.loads(text)["input"]["decimal"] == ","
    assert logscan("check", "odd.csv", "--json").out == first.out
    assert logscan("check", "odd.csv", "--write-config", "-").out == text
    refused = logscan("check", "odd.csv", "--write-config", "odd.csv")
    assert refused.code == 2
    assert (bench / "odd.csv").read_bytes() == LOGS["commas"][0]


def test_json_counts_grades_reasons_and_gaps(bench: Path, logscan: Run) -> None:
    """What the table shows is in the JSON, with reasons as codes that can be counted."""
    table = values(401)
    table[:, 2] = 7.0
    table[50:60] = np.nan
    table[90:93] = np.nan
    table[200:340, 1] = np.nan
    write_log(bench / "odd.csv", table)
    document = json.loads(logscan("check", "odd.csv", "--json").out)
    assert document["grades"] == {"good": 1, "usable": 0, "poor": 1, "unusable": 1}
    assert document["reasons"] == {"constant": 1, "gap": 1, "missing": 1}
    assert document["gaps"] == [
        {"entity": "", "gaps": 2, "longest_steps": 10, "missing_steps": 13, "set_aside_steps": 0}
    ]
    assert [one["codes"] for one in document["quality"]] == [[], ["missing", "gap"], ["constant"]]
    assert document["hints"] == []
    assert tomllib.loads(document["suggested_config"])["input"]["every"] == "1min"
    shown = logscan("check", "odd.csv").out
    assert "gaps         2 (13 steps, the longest 10)" in shown
    assert "grades       1 good, 1 poor, 1 unusable" in shown
    assert "reasons      constant 1, gap 1, missing 1" in shown


@pytest.mark.parametrize("columns", [80, 120])
def test_the_table_fits_the_terminal(columns, bench: Path) -> None:
    """No line of the tables is wider than the terminal."""
    table = values(401)
    table[:, 0] = 7.0
    names = ("inlet pressure of the second pump (bar)", "設備二号機の出口温度（℃）", "flow")
    write_log(bench / "wide.csv", np.c_[table, coded(-999.0)[:401]], (*names, "coded"))
    environment = {**os.environ, "COLUMNS": str(columns), "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-m", "logscan", "check", "wide.csv"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert max(len(line) for line in ended.stdout.splitlines()) <= columns


def test_gaps_of_a_series_without_any():
    """A series that is whole has no gap."""
    log = log_of(x=noise())
    (one,) = found_gaps(log)
    assert (one.gaps, one.longest_steps, one.missing_steps) == (0, 0, 0)
    grid = TimeGrid(TimeKind.ROW, 0, 1, 5)
    column = np.array([np.nan, 1.0, np.nan, np.nan, 2.0])[:, None]
    aside = np.array([True, False, False, True, False])
    odd = Log(log.schema, (Series("a", ("x",), grid, column, None, aside),), log.counts)
    (one,) = found_gaps(odd)
    assert (one.gaps, one.longest_steps, one.missing_steps, one.set_aside_steps) == (2, 2, 3, 2)
