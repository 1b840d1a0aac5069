# ruff: noqa: PD011  `Series.values` is logscan's own
"""Laws of reading: whatever is done to the bytes of a log that does not touch its readings, the series stays."""

import bz2
import csv
import gzip
import io
import lzma
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.formats import csv as csv_format
from tests.words import words

CONFIG = InputConfig(date_order="dmy")  # dates of one day alone are open
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Content:
    """Rows of times, machines and readings, as texts with a decimal point."""

    rows: tuple[tuple[str, ...], ...]

    @property
    def names(self):
        """The header."""
        return ("日時", "machine", "Temp", "圧力", "count")


@st.composite
def contents(draw):
    """A log of one to three machines with gaps, missing cells and numbers of every size."""
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    steps = draw(st.integers(20, 40))
    start = pd.Timestamp("2024-01-13") + pd.Timedelta(int(rng.integers(0, 10**6)), "min")
    rows = []
    for machine in ("A", "B", "C")[: draw(st.integers(1, 3))]:
        for step in range(steps):
            if rng.random() < 0.1 and step:
                continue
            time = start + pd.Timedelta(step, "min")
            readings = [f"{rng.normal(20, 5):.2f}", f"{rng.normal(1e5, 1e4):.1f}", str(rng.integers(0, 50))]
            rows.append((str(time), machine, *("" if rng.random() < 0.05 else cell for cell in readings)))
    return Content(tuple(rows))


def text(content, rows=None, *, sep=",", decimal=".", end="\n", quoting=csv.QUOTE_MINIMAL, form=None):
    """The log as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=sep, lineterminator=end, quoting=quoting)
    writer.writerow(content.names)
    for time, machine, *cells in content.rows if rows is None else rows:
        shown = time if form is None else pd.Timestamp(time).strftime(form)
        writer.writerow([shown, machine, *(cell.replace(".", decimal) for cell in cells)])
    return out.getvalue()


def read(data):
    """The log of bytes."""
    return read_log(["-"], CONFIG.model_copy(update={"entity": ("machine",)}), stdin=io.BytesIO(data))


def plain(content):
    """The log as it is first written."""
    return read(text(content).encode())


def assert_same(one, other, *, row_times=True):
    """The two logs hold the same series, bit for bit."""
    assert one.schema.channels == other.schema.channels
    assert one.schema.step == other.schema.step
    assert [series.entity for series in one.series] == [series.entity for series in other.series]
    for first, second in zip(one.series, other.series, strict=True):
        assert first.grid == second.grid
        np.testing.assert_array_equal(first.values, second.values)
        if row_times:
            np.testing.assert_array_equal(first.row_times, second.row_times)


def assert_adds_up(log):
    """Every row is used or dropped."""
    assert log.counts.rows_read == log.counts.rows_used + sum(log.counts.dropped.values())


@FEW
@given(contents(), st.randoms(use_true_random=False))
def test_shuffled(content, random):
    """The order of rows does not matter."""
    rows = list(content.rows)
    random.shuffle(rows)
    log = read(text(content, rows).encode())
    assert_same(plain(content), log)
    assert_adds_up(log)


@FEW
@given(contents(), st.data())
def test_duplicated(content, data):
    """Rows imported twice are counted and change nothing."""
    twice = data.draw(st.lists(st.sampled_from(content.rows), min_size=1, max_size=30))
    once = plain(content)
    log = read(text(content, [*content.rows, *twice]).encode())
    assert log.counts.duplicates == len(twice)
    for first, second in zip(once.series, log.series, strict=True):
        np.testing.assert_allclose(first.values, second.values, rtol=1e-13)


@FEW
@given(contents(), st.data())
def test_split_into_files(tmp_path_factory, content, data):
    """Files of the log in any order, packed or not, are the log."""
    folder = tmp_path_factory.mktemp("split")
    cuts = sorted(
        data.draw(st.lists(st.integers(1, len(content.rows) - 1), min_size=1, max_size=4, unique=True))
    )
    packings = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    files = []
    for place, (first, end) in enumerate(zip([0, *cuts], [*cuts, len(content.rows)], strict=True)):
        suffix = data.draw(st.sampled_from(sorted(packings)))
        file = folder / f"{place}.csv{suffix}"
        file.write_bytes(packings[suffix](text(content, content.rows[first:end]).encode()))
        files.append(file)
    config = CONFIG.model_copy(update={"entity": ("machine",)})
    for inputs in (data.draw(st.permutations(files)), [folder]):
        log = read_log(inputs, config)
        assert_same(plain(content), log)
        assert log.counts.rows_read == len(content.rows)


@FEW
@given(
    contents(),
    st.sampled_from(
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp932", "euc_jp", "iso2022_jp"]
    ),
)
def test_re_encoded(content, encoding):
    """Every encoding that knows the characters gives the same names and readings."""
    assert_same(plain(content), read(text(content).encode(encoding)))


@FEW
@given(
    contents(),
    st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","), ("|", ".")]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(
        [None, "%d.%m.%Y %H:%M", "%Y/%m/%d %H:%M:%S", "%d-%b-%Y %H:%M", "%Y年%m月%d日 %H時%M分", "%Y%m%d%H%M"]
    ),
    st.sampled_from(["", "sep\n", "Logger 7\nSerial: 42\n\n", "# one, two\n"]),
)
def test_re_delimited(content, marks, end, quoting, form, preamble):
    """Separator, decimal mark, line ends, quotes, form of time and preamble are found by evidence."""
    sep, decimal = marks
    written = text(content, sep=sep, decimal=decimal, end=end, quoting=quoting, form=form)
    before = f"sep={sep}{end}" if preamble == "sep\n" else preamble.replace("\n", end)
    assert_same(plain(content), read((before + written).encode()))


@FEW
@given(contents(), st.integers(64, 4000))
def test_read_in_any_chunks(content, block):
    """Any size of block gives the same series and the same account of rows."""
    lines = text(content).splitlines()
    lines.insert(len(lines) // 2, "# restart")
    lines.insert(len(lines) // 3, "x,y")
    data = ("\n".join(lines) + "\n").encode()
    whole = read(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_format, "BLOCK_BYTES", block)
        log = read(data)
    assert_same(whole, log)
    assert whole.counts == log.counts
    assert words(whole.counts.dropped)["comment"] == 1


class _Drip(io.RawIOBase):
    """A stream that gives as few bytes at a time as it likes."""

    def __init__(self, data, sizes):
        self._data, self._sizes, self._turn = data, sizes, 0

    def readable(self):
        """Always."""
        return True

    def read(self, size=-1):
        """Some bytes; nothing only at the end."""
        self._turn += 1
        take = min(size, self._sizes[self._turn % len(self._sizes)]) if size >= 0 else len(self._data)
        given_, self._data = self._data[:take], self._data[take:]
        return given_


@FEW
@given(
    contents(),
    st.lists(st.integers(1, 700), min_size=1, max_size=5),
    st.sampled_from(["utf-8", "cp932", "utf-16"]),
)
def test_read_from_a_slow_stream(content, sizes, encoding):
    """Bytes that arrive in pieces, cut inside characters too, give the same series."""
    data = text(content).encode(encoding)
    config = CONFIG.model_copy(update={"entity": ("machine",), "encoding": encoding})
    log = read_log(["-"], config, stdin=_Drip(data, sizes))
    assert_same(plain(content), log)


@FEW
@given(contents(), st.data())
def test_appended_in_pieces(tmp_path_factory, content, data):
    """However a file grows, each reading of it is a beginning of the whole, and the last one is the whole."""
    file = tmp_path_factory.mktemp("grown") / "log.csv"
    rows = [row for row in content.rows if row[1] == "A"]
    written = text(content, rows).encode()
    least = len(text(content, rows[:10]).encode())
    config = CONFIG.model_copy(update={"entity": ("machine",), "every": "1min"})
    whole = read_log(["-"], config, stdin=io.BytesIO(written))
    for cut in sorted(data.draw(st.lists(st.integers(least, len(written) - 1), max_size=5))):
        file.write_bytes(written[:cut])
        log = read_log([file], config)
        complete = written[:cut].count(b"\n") - 1
        assert log.counts.rows_read in {complete, complete + 1}
        steps = log.series[0].grid.steps
        assert log.series[0].grid.start == whole.series[0].grid.start
        np.testing.assert_array_equal(log.series[0].values, whole.series[0].values[:steps])
    file.write_bytes(written)
    assert_same(whole, read_log([file], config))
