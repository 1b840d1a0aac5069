"""What a user feeds by mistake gets a named error with place, fact and remedy, never a traceback."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError, LogscanError, UsageError
from logscan.read import read_log

ROWS = "pass a file with a header line and rows of data"
GOOD = b"time,temp,press\n2024-01-15 00:00,1,2\n2024-01-15 00:01,2,3\n2024-01-15 00:02,3,4\n"


def message(folder, name, data, error=InputError, **config):
    """The text of the error that reading `data` raises, without the folder."""
    path = folder / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(error) as caught:
        read_log([path], InputConfig(**config))
    return str(caught.value).replace(f"{folder}/", "")


def zipped(members, **options):
    """A zip archive as bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


CASES = {
    "missing file": (None, "x.csv: no such file; check the path"),
    "empty file": (b"", f"x.csv: the file is empty; {ROWS}"),
    "blank file": (b"\n\n \n", f"x.csv: the file holds no rows; {ROWS}"),
    "header only": (
        b"time,temp\n",
        "x.csv: there is a header line but no rows of data; pass a file with rows of data",
    ),
    "binary": (
        bytes(range(256)) * 9,
        (
            "x.csv: this is a binary file, not a table; "
            "pass CSV, JSON lines (plain, .gz, .zst, .bz2, .xz, .zip), Excel or Parquet"
        ),
    ),
    "workbook": (
        zipped({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
        "x.csv: this is an Excel workbook, not a table; save the sheet as CSV",
    ),
    "damaged zip": (
        b"PK\x03\x04 and more",
        "x.csv: the archive is damaged or cut off; pack the files again",
    ),
    "zip without a table": (
        zipped({"a.bin": b"1"}),
        "x.csv: no table in this archive; it should hold .csv, .txt, .tsv, .jsonl, .ndjson",
    ),
    "damaged gzip": (
        gzip.compress(GOOD * 50)[:60],
        "x.csv: the packed data are damaged or cut off; pack the file again",
    ),
    "damaged Parquet": (
        b"PAR1 and nothing",
        "x.csv: the Parquet file is damaged or cut off; write the file again",
    ),
    "text log": (
        b"081109 203615 148 INFO block terminating\n081109 203807 222 INFO more words here\n" * 7,
        (
            "x.csv: this is text, not a table: no delimiter splits its lines into the same number of cells; "
            "turn it into CSV with a time column and one column per number"
        ),
    ),
    "no numeric channel": (
        b"time,state\n2024-01-15,on\n2024-01-16,off\n",
        (
            "x.csv: no numeric channel ('state' holds text, such as 'off'); a log needs at least one column "
            "of numbers, or --kind events to count its rows"
        ),
    ),
    "day or month": (
        b"date,x\n01/02/2024,1\n02/02/2024,2\n03/02/2024,3\n",
        (
            "x.csv: day and month of 'date' cannot be told apart: '01/02/2024'; pass --date-order dmy or "
            "--date-order mdy"
        ),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused_with_a_remedy(tmp_path, case):
    """Each kind of bad file has its own text."""
    data, expected = CASES[case]
    assert message(tmp_path, "x.csv", data) == expected


def test_a_time_column_that_does_not_parse_is_refused(tmp_path):
    """A named time column without a single time stops the run."""
    data = b"when,x\nearly,1\nlate,2\n"
    expected = (
        "x.csv: time column 'when' does not parse: 'early'; name another column with --time, or pass "
        "--time row to use the row number"
    )
    assert message(tmp_path, "x.csv", data, time="when") == expected


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"time": "tine"}, "--time: there is no column 'tine'; did you mean 'time'?"),
        ({"channels": ("tmp",)}, "--channels: there is no column 'tmp'; did you mean 'temp'?"),
        (
            {"entity": ("machine",)},
            "--entity: there is no column 'machine'; the columns are: time, temp, press",
        ),
        ({"ignore": ("pres",)}, "--ignore: there is no column 'pres'; did you mean 'press'?"),
        ({"every": "often"}, "--every: 'often' is not a duration; use 10s, 1min, 1h or 1d"),
        (
            {"timezone": "Asia/Tokio"},
            "--timezone: unknown time zone 'Asia/Tokio'; did you mean 'Asia/Tokyo'?",
        ),
        (
            {"encoding": "utf-9"},
            (
                "--encoding: unknown encoding 'utf-9'; try utf-8, cp932, euc-jp, iso-2022-jp, utf-16, cp1252, "
                "gb18030, big5, cp949 or cp1251"
            ),
        ),
        ({"delimiter": ";;"}, "--delimiter: ';;' is not one character; use one such as , ; tab space or |"),
        ({"decimal": ":"}, "--decimal: ':' is not a decimal mark; use . or ,"),
        (
            {"time": "row", "kind": "events"},
            "--kind: events need a time column and none was found; name it with --time",
        ),
    ],
)
def test_options_that_name_nothing_suggest_the_nearest(tmp_path, config, expected):
    """A wrong option is a usage error with the nearest match."""
    assert message(tmp_path, "x.csv", GOOD, UsageError, **config) == expected


def test_a_requested_channel_of_text_is_refused(tmp_path):
    """A channel that was asked for cannot be left out silently."""
    data = b"time,x,state\n2024-01-15,1,on\n2024-01-16,2,off\n"
    expected = "x.csv: channel 'state' holds text, such as 'off'; choose numeric columns with --channels"
    assert message(tmp_path, "x.csv", data, channels=("x", "state")) == expected


def test_files_of_other_columns_are_no_one_log(tmp_path):
    """A second file without a channel of the first is refused by name."""
    (tmp_path / "a.csv").write_bytes(GOOD)
    (tmp_path / "b.csv").write_bytes(GOOD.replace(b"press", b"presse"))
    with pytest.raises(InputError) as caught:
        read_log([tmp_path / "a.csv", tmp_path / "b.csv"], InputConfig())
    assert str(caught.value) == (
        f"{tmp_path}/b.csv: column 'press' of {tmp_path}/a.csv is missing; did you mean 'presse'?"
    )


def test_an_empty_folder_and_an_unmatched_glob_are_refused(tmp_path):
    """A folder or pattern without a table is an error, not an empty log."""
    for item in (tmp_path, tmp_path / "*.csv"):
        with pytest.raises(InputError, match=r"no table in this folder|no file matches"):
            read_log([item], InputConfig())


def test_times_all_over_the_place_are_refused():
    """A grid that would be gigantic names --every as the remedy."""
    lines = [f"{row * 10**12 if row % 3 == 0 else row},1" for row in range(97)]
    with pytest.raises(InputError, match=r"97 rows would make a grid of .* pass a longer step with --every"):
        read_log(["-"], InputConfig(time="t"), stdin=io.BytesIO(("t,x\n" + "\n".join(lines)).encode()))


def test_noise_never_ends_in_a_traceback():
    """Damaged copies of a good file are read or refused by name."""
    rng = np.random.default_rng(11)
    for _ in range(60):
        data = bytearray(GOOD * int(rng.integers(1, 5)))
        for position in rng.integers(0, len(data), rng.integers(1, 9)):
            data[position] = rng.choice(np.frombuffer(b'",;\n\r\t\x00\xff\xe3 19-:/', dtype=np.uint8))
        try:
            log = read_log(["-"], InputConfig(), stdin=io.BytesIO(bytes(data)))
        except LogscanError:
            continue
        assert log.counts.rows_read == log.counts.rows_used + sum(log.counts.dropped.values())
