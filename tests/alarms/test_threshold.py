import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from logscan.alarms.events import alarm_events
from logscan.alarms.promise import FalseAlarms, false_alarms_per_step, parse_false_alarms
from logscan.alarms.threshold import pot_threshold
from logscan.errors import UsageError

PROMISE = 1 / 10_080  # once a week of minutes
GAP = 5


def _normal(random, steps):
    return random.normal(size=steps)


def _exponential(random, steps):
    return random.exponential(size=steps)


def _heavy(random, steps):
    return random.standard_t(3, size=steps)


def _correlated(random, steps):
    return lfilter([1.0], [1.0, -0.9], random.normal(size=steps))


def _events(scores, threshold):
    found = alarm_events(scores.astype(np.float32), threshold, merge_gap_steps=GAP, min_event_steps=1)
    return len(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/week", FalseAlarms(1, 604_800, None)),
        ("2/day", FalseAlarms(2, 86_400, None)),
        ("0.5/month", FalseAlarms(0.5, 2_629_800, None)),
        ("3/hour", FalseAlarms(3, 3_600, None)),
        (" .25/Week ", FalseAlarms(0.25, 604_800, None)),
        ("1/rows:10000", FalseAlarms(1, None, 10_000)),
    ],
)
def test_parse_false_alarms_reads_count_and_unit(text, expected):
    """A promise is a count per hour, day, week, month or number of rows."""
    assert parse_false_alarms(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "week", "1/year", "-1/day", "1/rows:0", "1/rows", "one/day", "1/day/2"]
)
def test_parse_false_alarms_nonsense_is_refused_with_a_remedy(text):
    """Another form ends in a usage error that shows the right one."""
    with pytest.raises(UsageError) as caught:
        parse_false_alarms(text)
    assert str(caught.value) == (
        f"--false-alarms: '{text}' is not COUNT/UNIT; "
        "write it like 1/week (hour, day, week, month) or 1/rows:10000"
    )


def test_parse_false_alarms_zero_is_refused():
    """No detector can promise no false alarm at all."""
    with pytest.raises(UsageError, match="promises no false alarm at all; give a small number"):
        parse_false_alarms("0/day")


@pytest.mark.parametrize(
    ("text", "step_seconds", "rate", "noted"),
    [
        ("1/week", 60.0, 1 / 10_080, False),
        ("3/hour", 1.0, 3 / 3600, False),
        ("2/rows:500", 60.0, 2 / 500, False),
        ("2/rows:500", None, 2 / 500, False),
        ("1/week", None, 1e-4, True),
        ("5/hour", None, 1e-4, True),
    ],
)
def test_false_alarms_per_step_needs_clock_time_for_units_of_time(text, step_seconds, rate, noted):
    """Time units become steps by the grid; without clock time the rate is 1 per 10,000 steps, with a note."""
    promise = parse_false_alarms(text)
    assert false_alarms_per_step(promise, step_seconds) == pytest.approx(rate)
    assert bool(promise.note(step_seconds)) is noted


@pytest.mark.parametrize("noise", [_normal, _exponential, _heavy, _correlated])
@pytest.mark.parametrize(("calibration_steps", "fewest"), [(600, 0.0), (5000, 1 / 3)])
def test_pot_threshold_keeps_the_promise_on_new_scores(noise, calibration_steps, fewest):
    """Averaged over calibrations events come at most 3 times as often as promised, extrapolating or not."""
    random = np.random.default_rng(7)
    unseen = np.sort(noise(random, 1_000_000))  # sorted: the rate of exceedances bounds that of events
    rates = []
    for _ in range(23):
        scores = noise(random, calibration_steps)
        value = pot_threshold(scores, false_alarms_per_step=PROMISE, merge_gap_steps=GAP).value
        rates.append((len(unseen) - np.searchsorted(unseen, value, side="right")) / len(unseen))
    cluster = 3.5 if noise is _correlated else 1.0  # exceedances per event of this process, at this level
    assert fewest * PROMISE <= np.mean(rates) / cluster <= 3 * PROMISE


@pytest.mark.parametrize("noise", [_normal, _exponential, _heavy, _correlated])
def test_pot_threshold_counts_where_the_calibration_part_is_long_enough(noise):
    """A promise met many times within the calibration part is read off, not extrapolated."""
    scores = noise(np.random.default_rng(11), 20_011)
    threshold = pot_threshold(scores, false_alarms_per_step=1 / 500, merge_gap_steps=GAP)
    assert threshold.method == "empirical"
    assert _events(scores, threshold.value) == pytest.approx(20_011 / 500, rel=0.2)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 701), st.floats(1e-6, 0.1))
def test_pot_threshold_never_falls_when_the_promise_gets_stricter(seed, steps, rate):
    """Fewer promised false alarms never mean a lower threshold over the same tail."""
    scores = np.random.default_rng(seed).exponential(size=steps)
    loose = pot_threshold(scores, false_alarms_per_step=rate, merge_gap_steps=GAP)
    strict = pot_threshold(scores, false_alarms_per_step=rate / 3, merge_gap_steps=GAP)
    assert strict.value >= loose.value or strict.tail_start != loose.tail_start


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(2, 701), st.sampled_from([0.25, 4.0]), st.sampled_from([-8.0, 2.0])
)
def test_pot_threshold_moves_with_the_scores(seed, steps, factor, shift):
    """Scaling and shifting the scores scales and shifts the threshold."""
    scores = np.random.default_rng(seed).exponential(size=steps)
    plain = pot_threshold(scores, false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    moved = pot_threshold(scores * factor + shift, false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    assert moved.value == pytest.approx(plain.value * factor + shift, rel=1e-6)


def test_pot_threshold_ignores_steps_that_were_not_judged():
    """NaN steps at the end change nothing, and the scores are not written to."""
    scores = np.random.default_rng(3).normal(size=1009)
    padded = np.concatenate((scores, np.full(97, np.nan)))
    copy = padded.copy()
    options = {"false_alarms_per_step": PROMISE, "merge_gap_steps": GAP}
    assert pot_threshold(padded, **options) == pot_threshold(scores, **options)
    np.testing.assert_array_equal(padded, copy)


def test_pot_threshold_finds_the_shape_of_a_long_tail():
    """With many peaks the posterior mean shape and scale are those of the law the peaks came from."""
    random = np.random.default_rng(5)
    scores = np.zeros(300_000)
    scores[::100] = random.pareto(4.0, size=3000) + 1  # a Pareto law of index 4 has shape 1/4
    threshold = pot_threshold(scores, false_alarms_per_step=1e-5, merge_gap_steps=GAP)
    assert threshold.method == "generalised-pareto"
    assert threshold.exceedances >= 50
    assert threshold.shape == pytest.approx(0.25, abs=0.2)


def test_pot_threshold_tolerates_one_anomaly_in_the_calibration_part():
    """One outlier does not lift the threshold above itself: the next like it is found."""
    scores = np.random.default_rng(13).normal(size=5003)
    scores[1500:1510] = 30.0
    threshold = pot_threshold(scores, false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    assert 4.0 < threshold.value < 30.0


def test_pot_threshold_takes_bursts_that_keep_coming_back_for_normal():
    """What happened many times while all was well is no alarm."""
    scores = np.random.default_rng(17).normal(size=5003)
    scores[250::500] = 30.0
    threshold = pot_threshold(scores, false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    assert _events(scores, threshold.value) <= 3


@pytest.mark.parametrize("value", [0.0, 0.4, -2.0])
@pytest.mark.parametrize("steps", [1, 2, 701])
def test_pot_threshold_of_a_constant_lies_one_unit_above(value, steps):
    """Without spread the threshold is log 2 above the constant."""
    threshold = pot_threshold(np.full(steps, value), false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    assert threshold.method == "constant"
    assert threshold.value == value + math.log(2)


@pytest.mark.parametrize("steps", [0, 1, 19])
def test_pot_threshold_without_a_judged_score_never_alarms(steps):
    """Nothing judged: the threshold is infinite."""
    threshold = pot_threshold(np.full(steps, np.nan), false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    assert threshold.method == "none"
    assert threshold.value == math.inf


@pytest.mark.parametrize("steps", [2, 3, 5, 11, 31])
def test_pot_threshold_of_a_tiny_sample_is_finite_and_above_all_of_it(steps):
    """So few scores promise little: the threshold is finite, and above every one of them."""
    scores = np.random.default_rng(steps).exponential(size=steps)
    threshold = pot_threshold(scores, false_alarms_per_step=PROMISE, merge_gap_steps=GAP)
    assert threshold.method == "exponential"
    assert scores.max() < threshold.value < 100
