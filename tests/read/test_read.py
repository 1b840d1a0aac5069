# ruff: noqa: PD011  `Series.values` is logscan's own
"""Laws of the reader: the order, the packing and the pieces of the input do not change the series."""

import gzip
import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.read.formats import csv as csv_format
from logscan.records import LogKind, TimeKind
from tests.words import words

ROWS, CHANNELS = 211, 3
MINUTE = 60_000_000_000


def frame(rows=ROWS, *, seed=5):
    """A small log with Japanese names, gaps and missing cells."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(np.round(rng.normal(50, 7, (rows, CHANNELS)), 3), columns=["温度", "圧力", "流量"])
    data.loc[rng.integers(0, rows, 17), "圧力"] = np.nan
    times = pd.date_range("2024-05-30 22:00", periods=rows + 13, freq="1min")
    data.insert(0, "日時", times.delete(rng.choice(np.arange(1, rows), 13, replace=False)))
    return data


def csv_bytes(data, **options):
    """CSV of a frame as bytes."""
    encoding = options.pop("encoding", "utf-8")
    return data.to_csv(index=False, **options).encode(encoding)


def read_bytes(data, **config):
    """Read CSV bytes as standard input."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data))


def assert_same(one, other):
    """Two logs hold the same series."""
    assert [series.entity for series in one.series] == [series.entity for series in other.series]
    for first, second in zip(one.series, other.series, strict=True):
        assert first.channels == second.channels
        assert first.grid == second.grid
        np.testing.assert_allclose(first.values, second.values, rtol=1e-12)
        if first.row_times is not None:
            np.testing.assert_array_equal(first.row_times, second.row_times)


def assert_adds_up(log):
    """Every row is used or dropped."""
    assert log.counts.rows_read == log.counts.rows_used + sum(log.counts.dropped.values())


@pytest.fixture(name="plain")
def plain_log():
    """The small log, read from plain UTF-8."""
    return read_bytes(csv_bytes(frame()))


def test_values_land_on_the_grid(plain):
    """Every cell of the input is found at its time, gaps are NaN."""
    data = frame()
    series = plain.series[0]
    expected = data.set_index("日時").resample("1min").mean()
    assert series.grid.step == MINUTE
    assert series.grid.steps == ROWS + 13
    np.testing.assert_allclose(series.values, expected.to_numpy())
    np.testing.assert_array_equal(series.row_times, data["日時"].astype("datetime64[ns]").astype(np.int64))
    assert_adds_up(plain)


def test_shuffled_rows_give_the_same_series(plain):
    """The order of rows does not matter, and is counted."""
    shuffled = read_bytes(csv_bytes(frame().sample(frac=1, random_state=3)))
    assert_same(plain, shuffled)
    assert plain.counts.out_of_order == 0
    assert shuffled.counts.out_of_order > 50


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_give_the_same_series(plain, encoding):
    """The encoding is found by evidence."""
    log = read_bytes(csv_bytes(frame(), encoding=encoding))
    assert_same(plain, log)
    assert log.schema.encoding == encoding


@pytest.mark.parametrize(
    "options",
    [
        {"sep": ";"},
        {"sep": "\t"},
        {"sep": "|"},
        {"lineterminator": "\r\n"},
        {"sep": ";", "decimal": ","},
        {"quoting": 1},
    ],
)
def test_dialects_give_the_same_series(plain, options):
    """Delimiter, decimal mark, quotes and line ends are found by evidence."""
    assert_same(plain, read_bytes(csv_bytes(frame(), **options)))


def test_packed_and_parquet_give_the_same_series(plain, tmp_path):
    """gzip, zstd and Parquet hold the same log."""
    data = csv_bytes(frame())
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(data))
    (tmp_path / "a.csv.zst").write_bytes(pa.Codec("zstd").compress(data, asbytes=True))
    frame().to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv.gz", "a.csv.zst", "a.parquet"):
        assert_same(plain, read_log([tmp_path / name], InputConfig()))


def test_files_folder_and_glob_are_one_log(plain, tmp_path):
    """A log cut into files is the same log, however the files are named and ordered."""
    data = frame()
    for place, part in enumerate(np.array_split(np.arange(ROWS), 5)):
        (tmp_path / f"part{place}.csv").write_bytes(csv_bytes(data.iloc[part]))
    files = sorted(tmp_path.iterdir())
    (tmp_path / "notes.md").write_text("not a table")
    for inputs in (files, files[::-1], [tmp_path], [str(tmp_path / "part*.csv")]):
        log = read_log(inputs, InputConfig())
        assert_same(plain, log)
        assert log.counts.rows_read == ROWS
        assert len(log.schema.files) == 5


@settings(max_examples=12, deadline=None)
@given(st.integers(min_value=90, max_value=5000))
def test_block_size_does_not_matter(block):
    """Any block size gives the same series and counts, ragged rows included."""
    lines = csv_bytes(frame()).splitlines()
    lines[20] += b","  # mended
    lines[31] += b",7"  # dropped
    data = b"\n".join(lines) + b"\n"
    whole = read_bytes(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_format, "BLOCK_BYTES", block)
        log = read_bytes(data)
    assert_same(whole, log)
    assert whole.counts == log.counts
    assert words(whole.counts.dropped) == {"another number of cells than the header (4)": 1}


def test_mended_rows_keep_their_place_without_a_time():
    """A trailing delimiter does not move a row where the row number is the time."""
    lines = [f"{row},5" for row in range(29)]
    lines[3], lines[7], lines[11] = "3,5,", "7,5,,", "11,5,9"
    log = read_bytes(("a,b\n" + "\n".join(lines)).encode(), channels=("a",))
    assert log.schema.time_kind is TimeKind.ROW
    np.testing.assert_array_equal(log.series[0].values[:, 0], [row for row in range(29) if row != 11])


def test_parquet_row_groups_do_not_matter(plain, tmp_path):
    """Small row groups and batches give the same series."""
    pq.write_table(pa.Table.from_pandas(frame()), tmp_path / "a.parquet", row_group_size=7)
    assert_same(plain, read_log([tmp_path / "a.parquet"], InputConfig()))


def test_duplicate_times_are_averaged_and_counted():
    """Rows that share a time are one step, the mean of their finite values."""
    log = read_bytes(b"t,x,y\n0,1,5\n1,2,\n1,4,6\n1,6,8\n2,3,7\n", time="t")
    np.testing.assert_array_equal(log.series[0].values, [[1, 5], [4, 7], [3, 7]])
    assert log.counts.duplicates == 2
    np.testing.assert_array_equal(log.series[0].row_times, [0, 1, 2])


def test_cells_that_are_no_numbers_are_counted_with_an_example():
    """ERR, - and infinities are failures, empty and NA-like cells are just missing."""
    data = b"t,x,y\n0,1,inf\n1,ERR,2\n2,,3\n3,NA,4\n4,-,5\n5,#N/A,6\n6, 7 ,7\n"
    data += b"7,+8,8\n8,\xef\xbc\x99,9\n9,ERR,-inf\n"
    log = read_bytes(data, time="t")
    np.testing.assert_array_equal(log.series[0].values[:, 0], [1, *[np.nan] * 5, 7, 8, 9, np.nan])
    assert log.counts.not_numeric["x"].count == 3
    assert log.counts.not_numeric["x"].example == "-"
    assert log.counts.not_numeric["y"].count == 2
    assert np.isnan(log.series[0].values[[0, 9], 1]).all()


def test_thousands_and_percent_are_read():
    """Separators in quoted numbers and percent signs do not make a number text."""
    log = read_bytes(b'd,p,q\n2024-01-13,"6,460.26",-0.64%\n2024-01-14,"1,234,567",1%\n2024-01-15,7,2%\n')
    np.testing.assert_array_equal(log.series[0].values, [[6460.26, -0.64], [1234567, 1], [7, 2]])


def test_signs_behind_numbers_are_taken_off_and_told():
    """What a sign means only its writer knows: the number is read, and a note counts such cells."""
    log = read_bytes(b"d,p,q\n2024-01-13,12.3*,(5)\n2024-01-14,120.1#,4\n2024-01-15,7 ),2\n2024-01-16,8,*\n")
    np.testing.assert_array_equal(log.series[0].values, [[12.3, -5], [120.1, 4], [7, 2], [8, np.nan]])
    assert [note for note in words(log.notes) if "quality flag" in note] == [
        "3 cells carry a quality flag such as * or # after their number, in 'p'; read as the number."
    ]


def test_decimal_comma_with_points_for_thousands():
    """In a decimal-comma file 1.234,5 is 1234.5."""
    log = read_bytes(b"t;x\n0;1.234,5\n1;0,25\n2;12.345\n3;7\n", time="t")
    assert log.schema.decimal == ","
    np.testing.assert_array_equal(log.series[0].values[:, 0], [1234.5, 0.25, 12345, 7])


def test_preamble_is_skipped():
    """Junk above the header is found by evidence."""
    log = read_bytes(
        "2020/1/1 18:10 UPDATE\n\nDATE,TIME,実績(万kW)\n2018/1/1,0:00,2962\n2018/1/1,1:00,27\n".encode(
            "cp932"
        )
    )
    assert log.schema.header_line == 3
    assert log.schema.channels == ("実績(万kW)",)
    assert log.schema.time_column == "DATE + TIME"
    assert log.series[0].grid.step == 60 * MINUTE


def test_latin1_is_not_taken_for_cp932():
    """Accents between Latin letters are Western text although the bytes decode as CP932."""
    log = read_bytes("Date;Brébeuf;Température °C\n2024-01-15;1;2\n2024-01-16;1;3\n".encode("latin-1"))
    assert log.schema.encoding == "cp1252"
    assert log.schema.channels == ("Brébeuf", "Température °C")


def test_index_label_and_text_are_ignored_with_the_reason():
    """Columns that are no channels are named with the reason."""
    data = b",time,x,label,state,z\n0,2024-01-15,5,0,on,1\n1,2024-01-16,6,1,off,1\n2,2024-01-17,7,0,on,1\n"
    log = read_bytes(data, ignore=("z",))
    assert log.schema.channels == ("x",)
    assert words(log.schema.ignored) == {
        "column 1": "is a row index",
        "label": "looks like a label (use --channels to read it)",
        "state": "holds text, such as 'off'",
        "z": "is ignored as asked",
    }


def test_keep_and_channels_choose():
    """`keep` takes a column out, `channels` picks and orders, a constant stays a channel."""
    data = b"t,a,b,c,failed\n0,1,5,9,0\n1,2,5,8,1\n2,3,5,7,0\n"
    assert read_log(["-"], InputConfig(), stdin=io.BytesIO(data), keep=("failed",)).schema.channels == (
        "a",
        "b",
        "c",
    )
    chosen = read_bytes(data, channels=("c", "a"))
    assert chosen.schema.channels == ("c", "a")
    np.testing.assert_array_equal(chosen.series[0].values[0], [9, 1])


def test_entities_are_series_of_their_own():
    """Columns joined by a slash name the series, each on its own grid; rows without a name are dropped."""
    data = b"time,line,no,x\n2024-01-15 00:00,B,1,1\n2024-01-15 00:00,A,2,2\n2024-01-15 00:01,B,1,3\n"
    data += b"2024-01-15 00:02,A,2,4\n2024-01-15 00:01,A,2,3\n2024-01-15 00:01,,2,3\n"
    log = read_bytes(data, entity=("line", "no"))
    assert [series.entity for series in log.series] == ["A / 2", "B / 1"]
    np.testing.assert_array_equal(log.series[0].values[:, 0], [2, 3, 4])
    np.testing.assert_array_equal(log.series[1].values[:, 0], [1, 3])
    assert words(log.counts.dropped) == {"entity is empty": 1}
    assert log.counts.out_of_order == 1
    assert_adds_up(log)


def test_events_are_counted_and_summed():
    """Order lines become counts and sums per step, zero where nothing happened, without identifiers."""
    rng = np.random.default_rng(7)
    minutes = np.sort(rng.integers(0, 3 * 1440, 1009))
    orders = pd.DataFrame(
        {
            "OrderDate": pd.Timestamp("2024-03-15") + pd.to_timedelta(minutes, unit="min"),
            "OrderNo": 10_000 + np.arange(1009) // 2,
            "Item": rng.choice(["tea", "cake", "bread"], 1009),
            "Quantity": rng.integers(1, 5, 1009),
        }
    )
    log = read_bytes(csv_bytes(orders))
    assert log.schema.kind is LogKind.EVENTS
    assert log.schema.channels == ("count", "Quantity")
    assert log.schema.step == 60 * MINUTE
    assert words(log.schema.ignored)["OrderNo"] == "looks like an identifier, a sum of it means nothing"
    hourly = orders.set_index("OrderDate")["Quantity"].resample("1h")
    np.testing.assert_array_equal(log.series[0].values[:, 0], hourly.count())
    np.testing.assert_array_equal(log.series[0].values[:, 1], hourly.sum())
    assert log.series[0].row_times is None
    assert any("Read as events" in note for note in words(log.notes))
    shuffled = read_bytes(csv_bytes(orders.sample(frac=1, random_state=1)))
    assert_same(log, shuffled)
    np.testing.assert_array_equal(
        read_bytes(csv_bytes(orders), every="1d").series[0].values[:, 0],
        orders.groupby(orders["OrderDate"].dt.date).size(),
    )


def test_every_resamples_to_the_nearest_step():
    """A given step averages the rows nearest to each step, and row times stay those of the input."""
    log = read_bytes(csv_bytes(frame()), every="10min")
    series = log.series[0]
    data = frame()
    assert series.grid.step == 10 * MINUTE
    index = series.grid.index(data["日時"].astype("datetime64[ns]").astype(np.int64).to_numpy())
    expected = data.drop(columns="日時").groupby(index).mean()
    np.testing.assert_allclose(series.values[expected.index], expected.to_numpy())
    assert len(series.row_times) == ROWS


def test_a_far_timestamp_does_not_make_a_gigantic_grid():
    """One row of 1970 is dropped and counted, the rest stays."""
    data = frame()
    data.loc[100, "日時"] = pd.Timestamp("1970-01-01")
    log = read_bytes(csv_bytes(data))
    assert log.series[0].grid.steps == ROWS + 13
    assert words(log.counts.dropped) == {"time too far from all others": 1}
    assert log.counts.rows_used == ROWS - 1
    assert len(log.series[0].row_times) == ROWS - 1
    assert_adds_up(log)


def test_rows_whose_time_does_not_parse_are_dropped_and_counted():
    """A broken time costs its row only."""
    lines = csv_bytes(frame()).splitlines()
    lines[50] = b"yesterday,1,2,3"
    log = read_bytes(b"\n".join(lines))
    assert words(log.counts.dropped) == {"time does not parse": 1}
    assert_adds_up(log)


def test_progress_is_told_the_rows():
    """The callback hears the number of rows so far."""
    heard = []
    read_log(["-"], InputConfig(), stdin=io.BytesIO(csv_bytes(frame())), progress=heard.append)
    assert heard[-1] == ROWS
