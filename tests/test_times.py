"""Packed times: they are the array they were made of."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.times import TimeBlock, Times

LIMIT = 2**63 - 1
ANY = st.sets(st.integers(-LIMIT, LIMIT), min_size=1, max_size=23).map(sorted)
DISTANCES = st.lists(st.sampled_from([1, 7, 60, 61, 3600, 10**9]), max_size=37)
BEATS = st.builds(
    lambda first, gaps: np.cumsum([first, *gaps]).tolist(), st.integers(-(10**9), 10**9), DISTANCES
)
TIMES = st.one_of(ANY, BEATS).map(lambda times: np.array(times, dtype=np.int64))


def packed(times, size=5):
    """The times in blocks of a few."""
    return Times(TimeBlock.of(times[begin : begin + size]) for begin in range(0, len(times), size))


@given(times=TIMES)
def test_packed_times_are_the_array(times):
    """As a whole, one by one, from the end and in pieces."""
    for one in (packed(times), Times.of(times)):
        np.testing.assert_array_equal(np.asarray(one), times)
        np.testing.assert_array_equal(np.concatenate(list(one.chunks())), times)
        assert len(one) == len(times)
        assert [one[place] for place in range(len(times))] == times.tolist()
        assert one[-1] == times[-1]
        np.testing.assert_array_equal(one[1:3], times[1:3])


@settings(max_examples=200)
@given(times=TIMES, data=st.data())
def test_a_span_of_packed_times_is_that_of_the_array(times, data):
    """Half-open, whether its ends are times or not."""
    bounds = st.one_of(st.sampled_from(times.tolist()), st.integers(-LIMIT, LIMIT))
    low, high = data.draw(bounds), data.draw(bounds)
    np.testing.assert_array_equal(
        np.asarray(packed(times).within(low, high)), times[(times >= low) & (times < high)]
    )


def test_regular_times_take_no_room():
    """A beat with a gap costs a byte a time at most, a beat without one nothing."""
    beat = np.arange(10_007, dtype=np.int64) * 10**9
    assert TimeBlock.of(beat).beyond is None
    with_gap = TimeBlock.of(np.delete(beat, slice(100, 3700)))
    assert with_gap.beyond is not None
    assert with_gap.beyond.dtype == np.uint8


def test_no_place_beyond_the_end():
    """As with a list."""
    with pytest.raises(IndexError):
        Times.of(np.arange(3))[3]
    assert len(Times([])) == 0
    assert np.asarray(Times([])).shape == (0,)
