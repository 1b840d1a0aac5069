"""Laws of reading a CSV in blocks: however it is cut and converted, it is what logscan's own rules read."""

import csv
import io
import re

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log
from logscan.read.formats import csv as csv_format
from logscan.read.formats.csv.dialect import Dialect
from logscan.read.formats.csv.lines import Block, blocks_of_lines
from logscan.read.formats.csv.parser import Parser
from logscan.read.formats.csv.reader import CsvRows
from logscan.read.formats.table import ColumnsToRead
from logscan.read.plan.time_plan import TimePlan
from logscan.read.values.numbers import numbers
from logscan.read.values.time_formats import TimeForm
from logscan.read.values.time_parser import text_times
from logscan.records import TimeKind
from tests.words import words

QUICK = settings(max_examples=150, deadline=None)
FORMS = [
    "",
    " ",
    "  ",
    "nan",
    "-nan",
    "+nan",
    "NaN",
    "nan(1)",
    " nan(1)",
    "inf",
    "+inf",
    "-inf",
    " inf",
    "Infinity",
]
FORMS += [
    "+1",
    "++1",
    "+-1",
    "-+1",
    "+ 1",
    " 1",
    "1 ",
    "\t1",
    "1.",
    ".5",
    ".",
    "+",
    "-",
    "e5",
    "1e",
    "1e5",
    "1e+000",
]
FORMS += [
    "1E-7",
    "1e400",
    "-1e400",
    "1e-400",
    "9" * 400,
    "0x1F",
    "0b1",
    "1_0",
    "1d",
    "1f",
    "TRUE",
    "ERR",
    "#N/A",
]
FORMS += [
    "1,5",
    "1.5",
    "1.234,5",
    "1,234.5",
    "1,234",
    "1.234",
    "-,5",
    ",5",
    "5%",
    "-0",
    "-0.0",
    "007",
    "１２",
    "1 000",
]
FORMS += [
    "0.1",
    "123456789012345678901234567890",
    "4.9e-324",
    "1.7976931348623157e308",
    "1.8e308",
    "null",
    "−4",
]
CELL = st.one_of(
    st.sampled_from(FORMS),
    st.floats().map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.from_regex(r"[ \t]?[+-]?[0-9]{0,3}[.,]?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?[ ]?", fullmatch=True),
    st.text("0123456789+-.,eEinfa ()xX_", max_size=6),
)
CELLS = st.lists(CELL, min_size=1, max_size=5)


def dialect(names, delimiter=";", quote='"', written=()):
    """How the texts here are taken apart."""
    return Dialect(delimiter, quote, ".", names, None, None, written, 0, ())


def written_as(rows, *, quoting=csv.QUOTE_MINIMAL, end="\n"):
    """Rows as CSV with semicolons."""
    out = io.StringIO()
    csv.writer(out, delimiter=";", quoting=quoting, lineterminator=end).writerows(rows)
    return out.getvalue().encode()


def both_ways(cells, kind, decimal=".", quoting=csv.QUOTE_MINIMAL):
    """A column as pyarrow converts it, None where it does not, and as text."""
    parser = Parser(dialect(("key", "x")), "log.csv")
    block = Block(written_as([("k", cell) for cell in cells], quoting=quoting), last=True)
    typed = parser.parsed(block, ColumnsToRead(("key", "x"), {"x": kind}, decimal))
    plain = parser.parsed(block, None)
    assert typed.dropped == plain.dropped
    found = typed.batches[0].column("x")
    return found if found.type == kind else None, plain.batches[0].column("x")


@QUICK
@given(CELLS, st.sampled_from([".", ","]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
@example([" 1", "nan(1)", "+nan"], ".", csv.QUOTE_MINIMAL)
@example([" 1", " -inf", "inf"], ".", csv.QUOTE_MINIMAL)
def test_numbers_that_are_converted_at_once_are_those_of_the_rules(cells, decimal, quoting):
    """What pyarrow converts is the same number to the bit, with the same failures; the rest stays text."""
    typed, text = both_ways(cells, pa.float64(), decimal, quoting)
    if typed is not None:
        one, other = numbers(typed, "."), numbers(text, decimal)
        missing = np.isnan(other.cells)
        np.testing.assert_array_equal(np.isnan(one.cells), missing)
        np.testing.assert_array_equal(
            one.cells[~missing].view(np.uint64), other.cells[~missing].view(np.uint64)
        )
        assert (one.failures, one.example) == (other.failures, other.example)


@pytest.mark.parametrize("decimal", [".", ","])
def test_every_odd_form_alone_is_read_the_same(decimal):
    """Blanks, signs, nan, inf, exponents, huge numbers: converted as by the rules, or left to them."""
    converted = 0
    for cell in FORMS:
        typed, text = both_ways([cell], pa.float64(), decimal)
        if typed is not None:
            converted += 1
            one, other = numbers(typed, "."), numbers(text, decimal)
            np.testing.assert_array_equal(one.cells, other.cells, err_msg=cell)
            assert (one.failures, one.example) == (other.failures, other.example), cell
    assert converted > 20


MOMENT = st.one_of(
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: moment.isoformat()),
    st.from_regex(
        r" ?[0-9]{4}-[01][0-9]-[0-3][0-9]([ T][0-2][0-9](:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,10})?)?)?"
        r"(Z|[+-][01][0-9](:?[0-6][0-9])?)?)? ?",
        fullmatch=True,
    ),
    st.sampled_from(
        ["", "1500-01-01", "9999-12-31", "2262-04-12", "2024-02-30", "2024-1-2", "20240102", "x"]
    ),
)


@QUICK
@given(st.lists(MOMENT, min_size=1, max_size=3), st.booleans())
@example(["2024-01-02 03:04:05.123456789", "2024-01-02"], False)
def test_times_that_are_converted_at_once_are_those_of_the_rules(cells, aware):
    """What pyarrow converts is the same time; the rest stays text."""
    typed, text = both_ways(cells, pa.timestamp("ns", tz="UTC" if aware else None))
    if typed is not None:
        form = TimeForm("year first", aware=aware, clocked=True)
        plan = TimePlan(TimeKind.TIMESTAMP, ("x",), None, None, localise=False, form=form)
        np.testing.assert_array_equal(plan.times([typed]), text_times(text, form))


class Pieces:
    """A text that comes in pieces."""

    def __init__(self, text, sizes):
        self._text, self._sizes, self._turn = text, sizes, 0

    def piece(self, size):
        """The next piece."""
        self._turn += 1
        take = min(size, self._sizes[self._turn % len(self._sizes)])
        given_, self._text = self._text[:take], self._text[take:]
        return given_


SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=4)


@QUICK
@given(st.text('ab"\r\n', max_size=200), st.integers(3, 60), SIZES)
def test_blocks_are_the_text_and_end_with_lines(text, size, sizes):
    """Blocks one behind the other are the text; all but the last end behind a line end; too long lines are refused."""
    data = text.encode()
    cut = blocks_of_lines(Pieces(data, sizes), size, '"', "log.csv", lambda: None, [])
    longest = max(map(len, re.split(rb"[\r\n]", data)))
    if longest > 2 * size:
        with pytest.raises(InputError, match=f"a line is longer than {size} bytes"):
            list(cut)
        return
    assume(longest < size)
    blocks = list(cut)
    assert b"".join(bytes(block.text) for block in blocks) == data
    assert [block.last for block in blocks] == [False] * (len(blocks) - 1) + [True]
    assert all(bytes(block.text).endswith((b"\n", b"\r")) for block in blocks[:-1])


WORDS = st.text('ab;"\n ', max_size=8)


@QUICK
@given(
    st.lists(st.tuples(st.just("k"), WORDS, WORDS), min_size=1, max_size=30),
    st.integers(60, 300),
    SIZES,
    st.sampled_from(["\n", "\r\n"]),
)
def test_quoted_cells_are_whole_however_the_text_is_cut(rows, size, sizes, end):
    """Cells that hold line ends, delimiters and quotes are the same in blocks of any size."""
    data = written_as(rows, end=end)
    csv_rows = CsvRows(Pieces(data, sizes), dialect(("key", "x", "y")), "log.csv", lambda: None)
    found = pa.Table.from_batches(list(csv_rows.batches(size))).to_pydict()
    for position, name in enumerate(("key", "x", "y")):
        assert found[name] == [row[position] or None for row in rows]
    assert not csv_rows.dropped


def test_a_stray_quote_moves_no_cut_into_a_cell():
    """Quotes that open nothing do not hide where a quoted cell goes on behind the end of a block."""
    rows = [f'k;5" pipe {row};x' if row % 5 == 0 else f'k;"a\nb {row}";y' for row in range(97)]
    for size in (61, 101, 199):
        text = Pieces(("\n".join(rows) + "\n").encode(), [17])
        csv_rows = CsvRows(text, dialect(("key", "x", "y")), "log.csv", lambda: None)
        found = pa.Table.from_batches(list(csv_rows.batches(size)))
        assert found["x"].to_pylist() == [
            f'5" pipe {row}' if row % 5 == 0 else f"a\nb {row}" for row in range(97)
        ]


def test_a_byte_order_mark_at_the_begin_of_a_block_stays_part_of_its_cell():
    """Files put one behind the other may hold one in the middle; where blocks begin does not matter."""
    data = "a;1\n\ufeffb;2\nc;3;\n".encode()
    for size in (6, 100):
        csv_rows = CsvRows(Pieces(data, [4]), dialect(("key", "x")), "log.csv", lambda: None)
        found = pa.Table.from_batches(list(csv_rows.batches(size))).to_pydict()
        assert found == {"key": ["a", "\ufeffb", "c"], "x": ["1", "2", "3"]}


ODD_LINES = st.sampled_from(
    [
        "time,x,y,z",
        ",,,",
        " ,,,",
        "",
        "# restart",
        "2024-01-01 00:00:01,1,2,3,",
        "1,2,3,4,5",
        "x",
        '"time",x,y,z',
    ]
)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(5, 59), st.one_of(ODD_LINES, CELL)), max_size=12), st.integers(90, 1500)
)
def test_conversion_at_once_changes_no_series_and_no_count(odd, block):
    """A log is the same where all columns are read as text to its end."""
    lines = [f"2024-01-01 00:{row:02d}:00,{row}.5,{row % 7},{'ok' if row % 3 else ''}" for row in range(60)]
    for place, text in odd:
        if text.count(",") >= 3 or not set(text) <= set("0123456789+-.eEinfa "):
            lines.insert(place, text)
        else:
            lines[place] = lines[place].replace(",", f",{text},", 1).rsplit(",", 1)[0]
    data = ("time,x,y,z\n" + "\n".join(lines) + "\n").encode()

    def log():
        try:
            return read_log(["-"], InputConfig(channels=("x", "y")), stdin=io.BytesIO(data))
        except InputError as error:
            return str(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_format, "BLOCK_BYTES", block)
        patch.setattr("logscan.read.sampling.SAMPLE_ROWS", 5)
        one = log()
        patch.setattr(csv_format.CsvTable, "read_only", lambda *_: None)
        other = log()
    if isinstance(one, str) or isinstance(other, str):
        assert one == other
        return
    assert (one.schema, one.counts, words(one.notes)) == (other.schema, other.counts, words(other.notes))
    for first, second in zip(one.series, other.series, strict=True):
        np.testing.assert_array_equal(first.values, second.values)


def test_columns_that_keep_failing_are_no_longer_converted(monkeypatch):
    """After a few blocks a column is read as text only, and the others go on."""
    tried = []
    read = pa_csv.read_csv

    def watched(*args, convert_options, **options):
        tried.append({name for name, kind in convert_options.column_types.items() if kind == pa.float64()})
        return read(*args, convert_options=convert_options, **options)

    monkeypatch.setattr("logscan.read.formats.csv.parser.pa_csv.read_csv", watched)
    data = written_as([("k", row, "ERR", row) for row in range(1000)])
    csv_rows = CsvRows(Pieces(data, [97]), dialect(("key", "x", "y", "z")), "log.csv", lambda: None)
    csv_rows.wanted = ColumnsToRead(("key", "x", "y", "z"), dict.fromkeys(("x", "y", "z"), pa.float64()), ".")
    found = pa.concat_tables(
        [pa.table({"x": numbers(batch.column("x"), ".").cells}) for batch in csv_rows.batches(300)]
    )
    np.testing.assert_array_equal(found["x"].to_numpy(), np.arange(1000.0))
    assert {"x", "y", "z"} in tried
    assert all(names == {"x", "z"} for names in tried[-20:])
