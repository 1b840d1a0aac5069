"""Grades of channels, and gaps that are bridged."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.core.gaps import bridged
from logscan.quality.grades import channel_qualities, longest_flat, longest_gap
from logscan.read import read_log
from logscan.records import Grade
from tests.oracles import bridge_oracle
from tests.words import words

STEPS = 997
NAN = float("nan")


def quality(values):
    """The quality of one channel, read from CSV."""
    lines = ["t,x,y", *(f"{step},{'' if np.isnan(v) else v},0" for step, v in enumerate(values))]
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO("\n".join(lines).encode()))
    return channel_qualities(log)[0]


def noise(steps=STEPS):
    """A healthy sensor."""
    return np.random.default_rng(2).normal(20, 1, steps).round(3)


def changed(**changes):
    """A healthy sensor with stretches replaced: `first_last=value`, or a factor with a leading `times_`."""
    values = noise()
    for span, value in changes.items():
        first, last = (int(part) for part in span.lstrip("s").split("_"))
        values[first:last] = value(values[first:last]) if callable(value) else value
    return values


@pytest.mark.parametrize(
    ("values", "grade", "reason"),
    [
        (noise(), Grade.GOOD, ()),
        (np.full(STEPS, 7.0), Grade.UNUSABLE, ("constant at 7",)),
        (noise(23), Grade.UNUSABLE, ("too short: 23 readings",)),
        (noise(101), Grade.POOR, ("short: 101 readings",)),
        (changed(s100_200=NAN), Grade.USABLE, ("10% missing", "longest gap 100 steps")),
        (changed(s100_600=NAN), Grade.POOR, ("50% missing", "longest gap 500 steps")),
        (changed(s300_400=21.5), Grade.USABLE, ("stuck for 100 steps",)),
        (changed(s300_700=21.5), Grade.POOR, ("stuck for 400 steps",)),
        (changed(s300_400=0.0), Grade.GOOD, ()),
        (changed(s500_997=lambda x: x * 1000), Grade.POOR, ("unit jump by 1000",)),
        (
            changed(s500_997=lambda x: x + 60),
            Grade.POOR,
            ("lasting jump of level from about 19.9492 to 79.7322",),
        ),
        (changed(s500_501=900.0), Grade.USABLE, ("1 extreme outlier, such as 900",)),
    ],
)
def test_each_fault_has_its_grade_and_reason(values, grade, reason):
    """Every fault of a sensor is named; a healthy one and one that is switched off are good."""
    found = quality(values)
    assert found.grade is grade
    assert tuple(text.split(", from about")[0] for text in words(found.reasons)) == reason


def test_a_stretch_in_another_unit_is_found():
    """A hundred times the usual value for a while is a change of unit."""
    found = quality(changed(s300_400=lambda x: x * 100))
    assert found.grade is Grade.POOR
    assert words(found.reasons)[0].startswith("unit jump by 100, from about 2")
    assert words(found.reasons)[0].endswith("for 100 steps")


def test_figures_ignore_missing_cells():
    """Minimum, median, maximum and the observed share are those of what was seen."""
    values = changed(s10_30=NAN)
    found = quality(values)
    known = values[~np.isnan(values)]
    assert (found.minimum, found.median, found.maximum) == (known.min(), np.median(known), known.max())
    assert found.observed_fraction == pytest.approx(len(known) / STEPS)
    assert found.longest_gap_steps == 20


def test_runs():
    """Longest gap and longest flat run, at the edges too."""
    values = np.array([NAN, NAN, 1, 1, 1, NAN, 2, 2, NAN, NAN, NAN])
    assert longest_gap(values) == 3
    assert longest_flat(values) == 3
    assert longest_flat(np.array([NAN])) == 0
    assert longest_gap(np.array([1.0])) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([NAN, NAN, 1.0, 2.0, -5.0]), max_size=23), st.integers(0, 5), st.booleans())
def test_bridging_equals_the_loop(column, bridge_steps, causal):
    """Short gaps are filled as a plain loop would, the input stays as it was."""
    values = np.array(column, dtype=np.float64).reshape(-1, 1)
    before = values.copy()
    filled, marks = bridged(values, bridge_steps, causal=causal)
    expected, expected_marks = bridge_oracle(column, bridge_steps, causal=causal)
    np.testing.assert_allclose(filled[:, 0], expected)
    np.testing.assert_array_equal(marks[:, 0], np.array(expected_marks, dtype=bool))
    np.testing.assert_array_equal(values, before)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([NAN, 1.0, 3.0]), min_size=5, max_size=23), st.integers(1, 4))
def test_causal_bridging_ignores_later_rows(column, cut):
    """What was filled up to a row does not change when rows follow."""
    values = np.array(column).reshape(-1, 1)
    whole, _ = bridged(values, 2, causal=True)
    part, _ = bridged(values[:-cut], 2, causal=True)
    np.testing.assert_array_equal(whole[: len(part)], part)
