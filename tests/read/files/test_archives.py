# ruff: noqa: PD011  `Series.values` is logscan's own
"""Packed files, archives, partitioned folders, and the caps on what they may grow to."""

import bz2
import gzip
import io
import lzma
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log
from logscan.read.files import compressed, zip_members
from logscan.read.formats import csv as csv_format
from tests.words import words

ROWS = 127
HEAD = "time,temp,press\n"


def lines(first=0, end=ROWS):
    """Rows of a log."""
    times = pd.date_range("2024-03-27 22:00", periods=end, freq="1min")[first:]
    return "".join(f"{time},{(row * 7) % 31},{row * 0.25}\n" for row, time in enumerate(times, start=first))


DATA = (HEAD + lines()).encode()


def zipped(members, method=zipfile.ZIP_DEFLATED):
    """A zip archive as bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as whole:
        for name, data in members.items():
            whole.writestr(name, data)
    return packed.getvalue()


def assert_same(log):
    """The log is the one of `DATA`."""
    expected = read_log(["-"], InputConfig(), stdin=io.BytesIO(DATA))
    np.testing.assert_array_equal(log.series[0].values, expected.series[0].values)
    np.testing.assert_array_equal(log.series[0].row_times, expected.series[0].row_times)
    assert log.counts.rows_read == ROWS


PACKED = {
    "gz": gzip.compress(DATA),
    "gz of two streams": gzip.compress(DATA[:900]) + gzip.compress(DATA[900:]),
    "bz2": bz2.compress(DATA),
    "xz": lzma.compress(DATA),
    "xz of two streams": lzma.compress(DATA[:900]) + lzma.compress(DATA[900:]),
    "zst": pa.Codec("zstd").compress(DATA, asbytes=True),
    "zip": zipped({"log.csv": DATA}),
    "zip of several": zipped(
        {"b/2.csv": HEAD + lines(60), "1.csv": HEAD + lines(0, 60), "readme.txt": "about", ".DS_Store": "x"}
    ),
    "zip of bzip2": zipped({"log.csv": DATA}, zipfile.ZIP_BZIP2),
    "zip of lzma": zipped({"log.csv": DATA}, zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("case", PACKED)
def test_packed_files_hold_the_same_log(tmp_path, case):
    """Every packing is undone, whatever the file is called."""
    (tmp_path / "x.csv").write_bytes(PACKED[case])
    assert_same(read_log([tmp_path / "x.csv"], InputConfig()))


@pytest.mark.parametrize("case", ["bz2", "xz", "gz", "zst"])
def test_packed_standard_input(case):
    """A packed stream is undone as it comes."""
    assert_same(read_log(["-"], InputConfig(), stdin=io.BytesIO(PACKED[case])))


def test_members_are_shown_and_what_is_passed_over_is_told(tmp_path):
    """Members are named behind the archive; a readme is passed over and counted."""
    (tmp_path / "x.zip").write_bytes(PACKED["zip of several"])
    log = read_log([tmp_path], InputConfig())
    assert log.schema.files == (f"{tmp_path}/x.zip: 1.csv", f"{tmp_path}/x.zip: b/2.csv")
    assert words(log.notes) == (f"{tmp_path}/x.zip: 1 file of the archive skipped: no table by name.",)


def test_names_of_members_never_become_paths(tmp_path):
    """A member that climbs out of its folder is read as a stream; nothing is written anywhere."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "x.zip").write_bytes(
        zipped({"../../evil.csv": HEAD + lines(), "/etc/b.csv": HEAD + lines(5, 9)})
    )
    log = read_log([inside / "x.zip"], InputConfig())
    assert log.counts.rows_read == ROWS + 4
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "x.zip"]


def test_a_japanese_name_of_an_old_archive_is_shown(tmp_path):
    """A name in CP932, as Windows writes it, is shown as it was meant."""
    data = zipped({"aaaa.csv": DATA}).replace(b"aaaa.csv", "設備".encode("cp932") + b".csv")
    (tmp_path / "x.zip").write_bytes(data)
    log = read_log([tmp_path / "x.zip"], InputConfig())
    assert log.schema.files == (f"{tmp_path}/x.zip: 設備.csv",)


def encrypted():
    """An archive that says it is encrypted."""
    data = bytearray(zipped({"log.csv": DATA}))
    for magic, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + flag] |= 1
    return bytes(data)


def damaged():
    """An archive with a flipped byte in its data."""
    data = bytearray(zipped({"log.csv": DATA}))
    data[200] ^= 0xFF
    return bytes(data)


REFUSED = {
    "encrypted": (encrypted(), "the archive is encrypted; unpack it, or pack it without a password"),
    "damaged": (damaged(), "the packed data are damaged or cut off; pack the file again"),
    "cut": (zipped({"log.csv": DATA})[:-30], "the archive is damaged or cut off; pack the files again"),
    "cut xz": (lzma.compress(DATA)[:-40], "the packed data are damaged or cut off; pack the file again"),
    "nested": (
        zipped({"a.csv": zipped({"b.csv": DATA})}),
        "this is a zip archive, not a table; pass it as a file of its own, not inside another one or through a pipe",
    ),
    "Parquet inside": (
        zipped({"a.parquet": b"PAR1"}),
        "no table in this archive; it should hold .csv, .txt, .tsv, .jsonl, .ndjson",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_archives_that_cannot_be_read_are_refused(tmp_path, case):
    """Each kind of bad archive has its own text and remedy."""
    data, text = REFUSED[case]
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_log([tmp_path / "x.zip"], InputConfig())
    assert str(caught.value).endswith(text)


@pytest.fixture
def small_caps(monkeypatch):
    """Caps small enough for a test to reach."""
    monkeypatch.setattr(compressed, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(compressed, "MOST_TIMES", 50)
    monkeypatch.setattr(zip_members, "MOST_MEMBERS", 7)


BOMB = HEAD.encode() + b"2024-01-01 00:00,1,1\n" * 400_000


@pytest.mark.usefixtures("small_caps")
@pytest.mark.parametrize(
    "data",
    [gzip.compress(BOMB), bz2.compress(BOMB), lzma.compress(BOMB), zipped({"a.csv": BOMB})],
    ids=["gz", "bz2", "xz", "zip"],
)
def test_compression_bombs_hit_a_cap(tmp_path, data):
    """A small file that unpacks to many times its size is refused with the remedy."""
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(
        InputError, match="unpacks to more than 50 times its size; if that is right, unpack it"
    ):
        read_log([tmp_path / "x.csv"], InputConfig())


@pytest.mark.usefixtures("small_caps")
def test_archives_of_too_many_files_are_refused(tmp_path):
    """The number of members is looked at before the list of them is loaded."""
    (tmp_path / "x.zip").write_bytes(zipped({f"{place}.csv": DATA for place in range(8)}))
    with pytest.raises(
        InputError, match="the archive holds more than 7 files; unpack it and pass the folder"
    ):
        read_log([tmp_path / "x.zip"], InputConfig())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"x" * 400_000, "the first line is longer than 262,144 bytes"),
        (DATA + b"2024-03-28 00:07," + b"9" * 9_000_000 + b"\n", "a line is longer than 4,194,304 bytes"),
        (b"1," * 140_000 + b"1\n", "the first line is longer than 262,144 bytes"),
        (
            b",".join(b"%d" % place for place in range(30_000)) + b"\n" + b"1," * 29_999 + b"1\n",
            "more than 20,000 columns",
        ),
    ],
    ids=["endless first line", "endless later line", "columns beyond the first line", "columns"],
)
def test_endless_lines_and_columns_are_refused(tmp_path, data, text):
    """Lines and columns beyond the caps are refused before they fill the memory."""
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(InputError, match=text):
        read_log([tmp_path / "x.csv"], InputConfig())
    assert csv_format.BLOCK_BYTES == 4 << 20


def test_folders_of_partitions_become_columns(tmp_path):
    """The parts of a partitioned data set are one log, and what their folders are called is a column."""
    frame = pd.concat(
        pd.DataFrame(
            {
                "time": pd.date_range("2024-01-15", periods=31, freq="h"),
                "x": np.arange(31) + 100.0 * place,
                "line": line,
                "year": 2024,
            }
        )
        for place, line in enumerate(["A/1", "B 2"])
    )
    ds.write_dataset(
        pa.Table.from_pandas(frame, preserve_index=False),
        tmp_path / "set",
        format="parquet",
        partitioning=ds.partitioning(pa.schema([("year", pa.int32()), ("line", pa.string())]), flavor="hive"),
    )
    log = read_log([tmp_path / "set"], InputConfig(entity=("line",)))
    assert [series.entity for series in log.series] == ["A/1", "B 2"]
    np.testing.assert_array_equal(log.series[1].values[:, 0], np.arange(31) + 100)
    assert log.schema.channels == ("x",)
    assert words(log.schema.ignored)["year"] == "is a partition, named by its folder"


def test_a_null_partition_is_empty_and_the_file_comes_first(tmp_path):
    """The name for no value is no value; a column in the file itself is not replaced."""
    for name, value in (("__HIVE_DEFAULT_PARTITION__", 1), ("a%2Fb", 2)):
        folder = tmp_path / f"line={name}" / "x=9"
        folder.mkdir(parents=True)
        (folder / "p.csv").write_text(f"time,x\n2024-01-1{value},5\n2024-01-2{value},6\n")
    log = read_log([tmp_path], InputConfig(entity=("line",)))
    assert [series.entity for series in log.series] == ["a/b"]
    assert words(log.counts.dropped) == {"entity is empty": 2}
    np.testing.assert_array_equal(log.series[0].values[[0, -1], 0], [5, 6])
