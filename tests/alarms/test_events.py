import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.alarms.events import alarm_events, causal_alarm_events
from logscan.core.intervals import merged, overlapping, true_intervals
from tests.oracles import alarm_events_oracle, runs_oracle

NAN = float("nan")
FLAGS = st.lists(st.booleans(), max_size=29).map(lambda flags: np.array(flags, dtype=np.bool_))
SCORES = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.0, NAN]), max_size=37).map(
    lambda values: np.array(values, dtype=np.float32)
)


@settings(deadline=None)
@given(FLAGS)
def test_runs_equal_the_walk_over_the_steps(flags):
    """Runs are the maximal stretches of true steps, half-open."""
    assert [tuple(run) for run in true_intervals(flags).tolist()] == runs_oracle(flags)


@settings(deadline=None)
@given(FLAGS, st.integers(0, 7))
def test_merged_closes_gaps_up_to_the_given_length_and_no_others(flags, gap_steps):
    """After merging every gap is longer than allowed, and merging again changes nothing."""
    groups = merged(true_intervals(flags), gap_steps)
    assert (groups[1:, 0] - groups[:-1, 1] > gap_steps).all()
    np.testing.assert_array_equal(merged(groups, gap_steps), groups)


@settings(deadline=None)
@given(FLAGS, st.data())
def test_overlapping_equals_sharing_a_step(flags, data):
    """An interval overlaps when one of its steps is in one of the others."""
    others = data.draw(st.lists(st.booleans(), min_size=len(flags), max_size=len(flags)))
    intervals = true_intervals(flags)
    found = overlapping(intervals, true_intervals(np.array(others, dtype=np.bool_)))
    assert found.tolist() == [any(others[start:end]) for start, end in intervals.tolist()]


@settings(max_examples=200, deadline=None)
@given(SCORES, st.integers(0, 7), st.integers(1, 5))
def test_alarm_events_equal_the_walk_over_the_steps(score, merge_gap_steps, min_event_steps):
    """Events, their ends and their peaks are those of the plain walk."""
    events = alarm_events(score, 1.0, merge_gap_steps=merge_gap_steps, min_event_steps=min_event_steps)
    assert events == alarm_events_oracle(score.tolist(), 1.0, merge_gap_steps, min_event_steps)


@settings(max_examples=200, deadline=None)
@given(SCORES, SCORES, st.integers(0, 7), st.integers(1, 5))
def test_alarm_events_never_move_a_start_when_later_steps_come(
    score, later, merge_gap_steps, min_event_steps
):
    """What was reported stays: appended steps remove no event, move no start and shorten none."""
    options = {"merge_gap_steps": merge_gap_steps, "min_event_steps": min_event_steps}
    before = alarm_events(score, 1.0, **options)
    after = {start: end for start, end, _ in alarm_events(np.concatenate((score, later)), 1.0, **options)}
    assert all(start in after and after[start] >= end for start, end, _ in before)


@settings(deadline=None)
@given(SCORES, st.integers(0, 7))
def test_alarm_events_shift_with_the_steps_put_before(score, merge_gap_steps):
    """Quiet or unjudged steps in front move every event by their number and change nothing else."""
    options = {"merge_gap_steps": merge_gap_steps, "min_event_steps": 1}
    moved = alarm_events(np.concatenate((np.array([0, NAN, 0], dtype=np.float32), score)), 1.0, **options)
    plain = alarm_events(score, 1.0, **options)
    assert moved == [(start + 3, end + 3, peak + 3) for start, end, peak in plain]


@pytest.mark.parametrize("score", [[], [NAN] * 5, [1.0] * 5])
def test_alarm_events_empty_unjudged_or_at_the_threshold_raise_nothing(score):
    """Only a score strictly above the threshold opens an event, never NaN."""
    values = np.array(score, dtype=np.float32)
    assert alarm_events(values, 1.0, merge_gap_steps=2, min_event_steps=1) == []


def test_alarm_events_infinite_threshold_raises_nothing():
    """A model that never judged its calibration part never alarms."""
    score = np.array([1e30, 2.0], dtype=np.float32)
    assert alarm_events(score, float("inf"), merge_gap_steps=0, min_event_steps=1) == []


def test_alarm_events_leave_the_scores_as_they_were():
    """The input is not written to."""
    score = np.array([0, 3, NAN, 2, 0], dtype=np.float32)
    copy = score.copy()
    assert alarm_events(score, 1.0, merge_gap_steps=1, min_event_steps=1) == [(1, 4, 1)]
    np.testing.assert_array_equal(score, copy)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=1, max_size=61),
    st.integers(0, 5),
    st.integers(1, 5),
)
def test_a_causal_alarm_is_never_switched_afterwards(scores: list[float], gap: int, least: int) -> None:
    """Whether a step lies in a causal event is the same when every later step is cut off."""

    def inside(part: list[float]) -> list[bool]:
        events = causal_alarm_events(
            np.array(part, dtype=np.float32), 0.5, merge_gap_steps=gap, min_event_steps=least
        )
        return [any(start <= step < end for start, end, _ in events) for step in range(len(part))]

    whole = inside(scores)
    for cut in range(1, len(scores)):
        assert inside(scores[:cut]) == whole[:cut]


def test_a_causal_event_opens_when_it_has_lasted_and_latches_for_the_gap() -> None:
    """It opens at the third step of the excursion and stays for two quiet steps after the last one above."""
    score = np.array([0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0], dtype=np.float32)
    assert causal_alarm_events(score, 0.5, merge_gap_steps=2, min_event_steps=3) == [(3, 8, 3)]
