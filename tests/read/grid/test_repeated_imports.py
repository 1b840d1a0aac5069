"""Hashes of cells and rows, and stretches of rows that come again."""

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.read.grid import repeated_imports
from logscan.read.grid.repeated_imports import cell_hashes, repeated_rows, row_hashes, text_hashes

BASE, MODULUS = 0x9E3779B97F4A7C15, 1 << 64
TEXTS = st.lists(st.text(max_size=9), max_size=41)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(0, 5))
def test_a_hash_is_the_polynomial_of_its_bytes(texts, first):
    """Equal to plain Python, wherever the text lies in the buffer."""
    column = pa.array(texts, pa.string())[first:]
    expected = [
        sum((byte + 1) * pow(BASE, place, MODULUS) for place, byte in enumerate(text.encode())) % MODULUS
        for text in texts[first:]
    ]
    assert text_hashes(column).tolist() == expected


@settings(max_examples=30, deadline=None)
@given(TEXTS)
def test_pieces_give_the_same_hashes(texts):
    """Long columns are hashed in pieces; where they are cut changes nothing."""
    column = pa.array(texts, pa.string())
    whole = text_hashes(column).tolist()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeated_imports, "_PIECE_BYTES", 7)
        assert text_hashes(column).tolist() == whole


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 2, None, 1, -5]),
        pa.array([0.5, None, 0.25, 0.5, 7.0]),
        pa.array([1, None, 2, 1, 3], pa.timestamp("ms")),
        pa.array(["a", "b", "", "a", "ab"]),
        pa.array([True, False, None, True, True], pa.bool_()),
        pa.array([1, 2, None, 1, 3], pa.uint8()),
    ],
)
def test_equal_cells_have_equal_hashes(column):
    """Whatever the type; a missing cell is like no number, and an empty text is 0."""
    found = cell_hashes(column).tolist()
    cells = column.to_pylist()
    for mine, one in zip(found, cells, strict=True):
        for its, other in zip(found, cells, strict=True):
            assert (mine == its) == (one == other)
    assert cell_hashes(pa.array(["", None], pa.string())).tolist() == [0, 0]
    assert cell_hashes(pa.array([0.0, -0.0])).tolist() == [0, 0]


def test_rows_differ_when_cells_change_places():
    """The order of columns counts; columns of lists and bytes are left out."""
    rows = {"a": ["x", "y", "x"], "b": ["y", "x", "y"], "list": [[1], [2], [3]], "raw": [b"1", b"2", b"3"]}
    found = row_hashes(pa.RecordBatch.from_pydict(rows)).tolist()
    assert found[0] == found[2] != found[1]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 1.0, 4.0]))
def test_chance_repeats_are_never_dropped(seed, rate):
    """Rows that repeat by chance, at any rate, are no import that came twice."""
    draw = np.random.default_rng(seed)
    number = draw.poisson(rate, 500)
    times = np.repeat(np.arange(500), number)
    order = draw.permutation(len(times))
    found = repeated_rows(times[order].astype(np.uint64), times[order])
    assert not found.surplus.any()
    assert found.copies == sum(count - 1 for count in Counter(times.tolist()).values())
