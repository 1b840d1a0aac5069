import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from logscan.evaluation.metrics import auc_pr, auc_roc, best_f1, evaluation, period_length, vus_pr, vus_roc
from tests.oracles import curve_areas_oracle, event_figures_oracle, period_oracle, vus_oracle

# Labels and scores of the foreign vectors below.
INSIDE = np.array([0] * 7 + [1] * 5 + [0] * 11 + [1] * 3 + [0] * 2 + [1] * 2 + [0] * 7, dtype=np.int8)
AT_EDGES = np.array([1] * 3 + [0] * 13 + [1] + [0] + [1] * 2 + [0] * 5 + [1] * 4, dtype=np.int8)
LONG = (np.arange(1009) % 211 > 190).astype(np.int8)


def _distinct(labels):
    return (np.arange(len(labels)) * 37 + 11) % 101 / 10 + 3.0 * labels


def _tied(labels):
    return np.floor(_distinct(labels) / 3)


def _constant(labels):
    return np.zeros(len(labels))


def _long(labels):
    steps = np.arange(len(labels))
    return (steps * steps * 7 + 3 * steps) % 523 + 100.0 * labels


@st.composite
def _cases(draw):
    labels = draw(st.lists(st.booleans(), min_size=2, max_size=31))
    assume(any(labels) and not all(labels))
    scores = draw(
        st.lists(
            st.one_of(st.integers(0, 3).map(float), st.floats(-5, 5)),
            min_size=len(labels),
            max_size=len(labels),
        )
    )
    return np.array(labels), np.array(scores)


# Frozen answers of the TSB-AD package 1.5, `generate_curve(label, score, window, "opt", 250)`: the published
# figures are only comparable with ours if the two agree, and the package is too heavy for a test dependency.
@pytest.mark.parametrize(
    ("labels", "scores", "window", "expected_roc", "expected_pr"),
    [
        (INSIDE, _distinct, 0, 0.7592592592592592, 0.628015392015392),
        (INSIDE, _distinct, 7, 0.8330897808112411, 0.7055515530009382),
        (INSIDE, _distinct, 8, 0.8420843073635915, 0.716521647922234),
        (INSIDE, _tied, 0, 0.7462962962962963, 0.4698348304839177),
        (INSIDE, _tied, 7, 0.8163162947879633, 0.5777521977127099),
        (INSIDE, _tied, 8, 0.8258406934872755, 0.5932916376939585),
        (INSIDE, _constant, 7, 0.5703056181886096, 0.4390667389215253),
        (AT_EDGES, _distinct, 0, 0.6960526315789474, 0.6361904761904762),
        (AT_EDGES, _distinct, 4, 0.762417700286618, 0.6896388602104788),
        (AT_EDGES, _distinct, 5, 0.7781891213097483, 0.7033468533327416),
        (AT_EDGES, _tied, 5, 0.7881275746888217, 0.6489996616526653),
        (AT_EDGES, _constant, 0, 0.5, 0.3448275862068966),
        (LONG, _long, 25, 0.7476514961886724, 0.333661631801206),
    ],
)
def test_vus_equals_the_published_package(labels, scores, window, expected_roc, expected_pr):
    """VUS is TSB-AD's to rounding, for distinct, tied and constant scores and events at both ends."""
    assert vus_roc(labels, scores(labels), window=window) == pytest.approx(expected_roc, abs=1e-12)
    assert vus_pr(labels, scores(labels), window=window) == pytest.approx(expected_pr, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(_cases(), st.integers(0, 5))
def test_vus_equals_the_definition_in_loops(case, window):
    """The histogram per width gives what the definition gives row by row."""
    labels, scores = case
    expected_pr, expected_roc = vus_oracle(labels.tolist(), scores.tolist(), window)
    assert vus_pr(labels, scores, window=window) == pytest.approx(expected_pr, abs=1e-9)
    assert vus_roc(labels, scores, window=window) == pytest.approx(expected_roc, abs=1e-9)


@settings(deadline=None)
@given(_cases(), st.integers(0, 11))
def test_vus_depends_on_the_order_of_the_scores_only(case, window):
    """A strictly increasing map of the scores changes nothing."""
    labels, scores = case
    coarse = np.round(scores, 3)
    assert vus_pr(labels, coarse, window=window) == vus_pr(labels, np.exp(coarse), window=window)


@settings(deadline=None)
@given(_cases(), st.integers(0, 11))
def test_vus_is_the_same_read_backwards(case, window):
    """Buffers are symmetric in time."""
    labels, scores = case
    forward = vus_pr(labels, scores, window=window)
    assert vus_pr(labels[::-1], scores[::-1], window=window) == pytest.approx(forward, abs=1e-12)


@settings(deadline=None)
@given(_cases())
def test_areas_and_f1_equal_the_definitions_in_loops(case):
    """AUC-PR, AUC-ROC and best F1 are those of all distinct thresholds and all pairs."""
    labels, scores = case
    expected = curve_areas_oracle(labels.tolist(), scores.tolist())
    assert (auc_pr(labels, scores), auc_roc(labels, scores), best_f1(labels, scores)) == pytest.approx(
        expected
    )


@settings(deadline=None)
@given(_cases(), st.data())
def test_event_figures_equal_the_walk_over_the_events(case, data):
    """Recall, precision, false alarms and delay are those counted event by event."""
    labels, scores = case
    alarms = data.draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels)))
    figures = evaluation(labels, scores, np.array(alarms), window=3, steps_per_day=5.0)
    detected, false_alarms, delays = event_figures_oracle(labels.tolist(), alarms)
    assert figures.event_recall == detected / figures.events
    assert figures.false_alarms == false_alarms
    assert figures.false_alarms_per_day == pytest.approx(false_alarms * 5.0 / len(labels))
    if figures.alarm_events:
        assert figures.event_precision == pytest.approx(1 - false_alarms / figures.alarm_events)
    else:
        assert math.isnan(figures.event_precision)
    if delays:
        assert figures.detection_delay_steps == np.median(delays)
    else:
        assert math.isnan(figures.detection_delay_steps)


def test_evaluation_of_a_perfect_detector_is_one_everywhere():
    """Scores and alarms equal to the labels give 1, no false alarm and no delay."""
    figures = evaluation(INSIDE, INSIDE.astype(np.float64), INSIDE != 0, window=0, steps_per_day=7.0)
    ones = ("auc_pr", "auc_roc", "best_f1", "event_recall", "event_precision", "vus_pr", "vus_roc")
    assert {name: getattr(figures, name) for name in ones} == dict.fromkeys(ones, pytest.approx(1.0))
    assert (figures.false_alarms, figures.false_alarms_per_day, figures.detection_delay_steps) == (
        0,
        0.0,
        0.0,
    )


def test_evaluation_counts_unjudged_rows_as_the_lowest_scores():
    """NaN scores rank below every number, so an event that was not judged was not found."""
    scores = _distinct(INSIDE)
    unjudged = np.where(np.arange(len(scores)) % 5 == 0, np.nan, scores)
    lowest = np.where(np.isnan(unjudged), -1e9, unjudged)
    alarms = scores > 9
    mine = evaluation(INSIDE, unjudged, alarms, window=7, steps_per_day=None)
    theirs = evaluation(INSIDE, lowest, alarms, window=7, steps_per_day=None)
    assert repr(mine) == repr(theirs)  # as text, because NaN is not equal to NaN


@pytest.mark.parametrize(
    ("labels", "undefined"),
    [
        (
            np.zeros(13, dtype=np.int8),
            {"vus_pr", "vus_roc", "auc_pr", "auc_roc", "best_f1", "event_recall", "detection_delay_steps"},
        ),
        (np.ones(13, dtype=np.int8), {"vus_roc", "auc_roc"}),
    ],
)
def test_evaluation_with_one_kind_of_label_leaves_undefined_figures_nan(labels, undefined):
    """Without anomalous or without normal rows the figures that need them are NaN, the others are not."""
    scores = np.arange(13.0)
    figures = asdict(evaluation(labels, scores, scores > 10, window=3, steps_per_day=1.0))
    assert {name for name, value in figures.items() if math.isnan(value)} == undefined


def test_evaluation_of_no_rows_is_undefined():
    """An empty log gives counts of zero and no figure."""
    figures = evaluation(np.zeros(0, np.int8), np.zeros(0), None, window=3, steps_per_day=1.0)
    assert (figures.rows, figures.events, figures.false_alarms) == (0, 0, 0)
    assert math.isnan(figures.vus_pr)
    assert math.isnan(figures.false_alarms_per_day)


def test_evaluation_leaves_its_inputs_as_they_were():
    """Labels, scores and alarms are not written to."""
    labels, scores = INSIDE.copy(), np.where(INSIDE != 0, np.nan, _distinct(INSIDE))
    alarms, before = scores > 4, scores.copy()
    evaluation(labels, scores, alarms, window=7, steps_per_day=1.0)
    np.testing.assert_array_equal(labels, INSIDE)
    np.testing.assert_array_equal(scores, before)
    np.testing.assert_array_equal(alarms, before > 4)


# Frozen answers of the TSB-AD package 1.5, `find_length_rank(x, rank=1)`, for the reason given above.
@pytest.mark.parametrize(("steps", "period", "expected"), [(701, 41, 41), (701, 300, 125), (61, 7, 7)])
def test_period_length_equals_the_published_package(steps, period, expected):
    """The period is found where there is one, and 125 stands for none."""
    series = np.sin(2 * np.pi * np.arange(steps) / period) + (np.arange(steps) * 37 % 11) / 40
    assert period_length(series) == expected


@pytest.mark.parametrize("seed", range(5))
def test_period_length_equals_the_sums_in_loops(seed):
    """The Fourier transform finds the lag that the plain sums find."""
    random = np.random.default_rng(seed)
    series = np.sin(np.arange(211) / random.uniform(0.5, 9)) + random.normal(size=211)
    assert period_length(series) == period_oracle(series.tolist())


@pytest.mark.parametrize("series", [[], [1.0], [1.0, 2.0, 3.0, 4.0, 3.0], [2.0] * 31, [1.0, math.nan] * 29])
def test_period_length_of_short_constant_or_missing_data_is_the_default(series):
    """Where no autocorrelation exists the answer is 125."""
    assert period_length(np.array(series)) == 125
