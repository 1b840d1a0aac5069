"""Readings that share a step."""

import io
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.errors import UsageError
from logscan.read import read_log

WAYS = {
    "mean": lambda some: sum(some) / len(some),
    "last": lambda some: some[-1],
    "first": lambda some: some[0],
    "min": min,
    "max": max,
    "sum": sum,
    "count": len,
}


def read(rows, **config):
    """A log of CSV lines."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO("\n".join(rows).encode()))


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(WAYS)), st.integers(0, 999))
def test_readings_of_a_step_become_one_as_in_the_loop(way, seed):
    """Every way to aggregate readings equals a plain loop; steps without a reading are missing."""
    draw = random.Random(seed)
    seconds = sorted(draw.sample(range(1, 3000), 150))
    known = {second: draw.choice([draw.uniform(-9, 9), math.nan]) for second in seconds}
    rows = ["step,x"]
    lines = [f"{second},{'' if math.isnan(cell) else repr(cell)}" for second, cell in known.items()]
    draw.shuffle(lines)
    # A row that is there twice is still one reading.
    log = read(
        [*rows, *lines, *(lines[:11] if way != "mean" else [])], time="step", every="60", aggregate=(way,)
    )
    series = log.series[0]
    groups = [[] for _ in range(series.grid.steps)]
    for second, cell in sorted(known.items()):
        if not math.isnan(cell):
            groups[int(series.grid.index(np.array([second]))[0])].append(cell)
    had = {int(series.grid.index(np.array([second]))[0]) for second in known}
    expected = [
        WAYS[way](some) if some else (0.0 if way == "count" and step in had else math.nan)
        for step, some in enumerate(groups)
    ]
    np.testing.assert_allclose(series.values[:, 0], expected, rtol=1e-12)


def test_a_way_for_one_channel():
    """A channel can have its own way; an unknown one, or two for one channel, is refused."""
    rows = ["step,a,b", *(f"{step},{step},{step}" for step in range(120))]
    log = read(rows, time="step", every="10", aggregate=("last", "b=min"))
    assert log.series[0].values[3].tolist() == [34.0, 25.0]
    with pytest.raises(UsageError, match="is no way to aggregate samples; use mean, last"):
        read(rows, aggregate=("median",))
    with pytest.raises(UsageError, match="'a' is given twice"):
        read(rows, aggregate=("a=last", "a=min"))
