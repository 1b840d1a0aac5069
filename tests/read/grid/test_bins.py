"""Rows in order of time as segments that share a key, and their bins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from logscan.read.grid.bins import KeyedRows, KeyGrid, Segments
from logscan.records import I64

ASCENDING = st.lists(st.integers(0, 400), min_size=1, max_size=200).map(lambda found: np.array(sorted(found)))


@given(ASCENDING, st.integers(1, 50), st.integers(0, 49), st.booleans())
def test_bins_found_by_their_edges_are_those_found_by_the_key_of_every_row(
    times: I64, step: int, phase: int, centred: bool
) -> None:
    """A grid cuts ascending times where their keys change, however many rows a bin has."""
    grid = KeyGrid(step, phase, step // 2 if centred else 0)
    repeated = np.repeat(times, 20)  # enough rows in a bin for its edges to be looked for

    for some in (times, repeated):
        segments, expected = grid.segments(some), Segments.of(grid.keys(some))

        assert np.array_equal(segments.key, expected.key)
        assert np.array_equal(segments.lengths(), expected.lengths())
        assert segments.rows == len(some) == segments.lengths().sum()


@given(st.integers(1, 12), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_segments_of_one_length_are_added_up_to_the_bit_as_all_others_are(
    length: int, segments: int, seed: int
) -> None:
    """The quick way for short segments gives what `reduceat` gives, NaN and signs of zero included."""
    random = np.random.default_rng(seed)
    column = random.standard_normal(length * segments) * 10.0 ** random.uniform(-8, 8, length * segments)
    column[random.random(len(column)) < 0.02] = np.nan
    column[random.random(len(column)) < 0.2] = -0.0
    starts = np.arange(0, len(column), length)

    added = Segments(np.arange(segments), starts, len(column)).adder()(column)

    expected = np.add.reduceat(column, starts)
    assert np.array_equal(added, expected, equal_nan=True)
    assert np.array_equal(np.signbit(added), np.signbit(expected))


@given(ASCENDING, st.data())
def test_what_is_added_up_in_two_steps_is_what_is_added_up_at_once(times: I64, data: st.DataObject) -> None:
    """Sums, rows and readings of whole numbers do not depend on sums taken in between, missing ones included."""
    cells = st.sampled_from([np.nan, 0.0, 1.0, 2.0, 3.0])
    column: npt.NDArray[np.float64] = np.array(
        data.draw(st.lists(cells, min_size=len(times), max_size=len(times)))
    )
    rows = KeyedRows(times, None, [column], None)

    once = KeyedRows(times // 10, None, [column], None).summed()
    first = rows.summed().unpacked()
    twice = KeyedRows(first.key // 10, first.rows, first.sums, first.counts).summed()

    assert np.array_equal(once.key.times(), twice.key.times())
    assert np.array_equal(once.row_counts(), twice.row_counts())
    assert np.array_equal(once.reading_counts()[0], twice.reading_counts()[0])
    assert np.array_equal(once.sums[0], twice.sums[0], equal_nan=True)
    assert np.array_equal(once.means(0), twice.means(0), equal_nan=True)
