"""Numbers in text: the quick way and the careful way agree, whatever the cells and however they come."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.read.values.numbers import numbers

PLAIN = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**18), 10**18).map(str),
    st.from_regex(r"[+-]?([0-9]{1,4}\.?[0-9]{0,3}|\.[0-9]{1,3})([eE][+-]?[0-9]{1,3})?", fullmatch=True),
)
ODD = st.sampled_from(
    [
        *("", " ", "ERR", "-", "#N/A", "NULL", "nan", "inf", "-inf", "1e999", "１２３", "１，２３４．５"),
        *(" 7", "8 ", "5%", "1,234", "1.234", "1.234.567", "1,234,567.8", "1.234,5", "0,5", ",5", "+3"),
        *("−4", "1_0", "0x1F", "12 kW"),
    ]
)
CELLS = st.lists(st.one_of(PLAIN, ODD, ODD.map(str.lower), st.none(), st.text(max_size=5)), max_size=23)


def one_by_one(cells, decimal):
    """The reading of every cell alone, and the failures."""
    found = [numbers(pa.array([cell], pa.string()), decimal) for cell in cells]
    return [float(one.cells[0]) for one in found], sum(one.failures for one in found)


@settings(max_examples=300, deadline=None)
@given(cells=CELLS, decimal=st.sampled_from([".", ","]))
def test_a_column_reads_like_its_cells(cells, decimal):
    """Clean or not, a column gives to the bit what each of its cells gives, and as many failures."""
    values, failures = one_by_one(cells, decimal)
    found = numbers(pa.array(cells, pa.string()), decimal)
    np.testing.assert_array_equal(found.cells, np.array(values, dtype=np.float64))
    assert found.failures == failures


@settings(max_examples=300, deadline=None)
@given(cells=st.lists(PLAIN, min_size=1, max_size=23), odd=st.sampled_from(["ERR", "５", "7 %", "1,234"]))
def test_one_odd_cell_changes_no_other(cells, odd):
    """A column that must be read with care gives its plain cells as a plain column does, to the bit."""
    plain = numbers(pa.array(cells, pa.string()), ".")
    careful = numbers(pa.array([*cells, odd], pa.string()), ".")
    np.testing.assert_array_equal(careful.cells[:-1], plain.cells)


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_text_is_the_number_python_reads(value):
    """Both marks: what Python writes is read back to the bit."""
    text = repr(value)
    assert numbers(pa.array([text]), ".").cells[0] == value
    assert numbers(pa.array([text.replace(".", ",")]), ",").cells[0] == value


@pytest.mark.parametrize("column", [pa.array([1, None, 3]), pa.array([True, False, None])])
def test_typed_columns_are_read_as_they_are(column):
    """Numbers and booleans of Parquet need no text; null is missing and no failure."""
    found = numbers(column, ".")
    expected = [np.nan if cell is None else float(cell) for cell in column.to_pylist()]
    np.testing.assert_array_equal(found.cells, expected)
    assert (found.failures, found.present) == (0, 2)


@pytest.mark.parametrize("sign", [")", " )", "*", " *", "#", ";"])
def test_a_sign_behind_a_number_does_not_hide_it(sign):
    """Weather services mark estimated values; some loggers end records with a semicolon."""
    found = numbers(pa.array([f"-12.3{sign}", f"1.5e3{sign}", f"x{sign}"]), ".")
    np.testing.assert_array_equal(found.cells, [-12.3, 1500, np.nan])
    assert found.failures == 1
