"""Laws of reading JSON lines: they are the log that their CSV is, and no line or key is lost in silence."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.errors import EmptyInputError, InputError
from logscan.read import read_log, sampling
from logscan.read.formats import json_lines

ROWS = 400


def records(rows: int = ROWS) -> list[dict[str, object]]:
    """One object a minute."""
    return [
        {
            "time": f"2024-01-01T{row // 60:02d}:{row % 60:02d}:00",
            "temp": 20.5 + row % 7,
            "motor": {"current": row % 3, "on": row % 2 == 0},
            "note": "ok",
        }
        for row in range(rows)
    ]


def as_lines(rows: list[dict[str, object]]) -> bytes:
    """Objects as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def read(data: bytes, **options: object):
    """The log of some bytes on the standard input."""
    return read_log(["-"], InputConfig(**options), stdin=io.BytesIO(data))


def test_json_lines_are_the_log_that_their_csv_is() -> None:
    """Objects inside objects are columns, booleans are 0 and 1, and the numbers are the same to the bit."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["time", "temp", "motor.current", "motor.on", "note"])
    for row in records():
        motor = row["motor"]
        writer.writerow([row["time"], row["temp"], motor["current"], int(motor["on"]), row["note"]])
    one, other = read(as_lines(records())), read(out.getvalue().encode())

    assert one.schema.format == "jsonl"
    assert one.schema.time_format == other.schema.time_format
    assert one.schema.ignored.keys() == other.schema.ignored.keys()
    assert one.series[0].channels == other.series[0].channels == ("temp", "motor.current", "motor.on")
    np.testing.assert_array_equal(one.series[0].values, other.series[0].values)


@pytest.mark.parametrize("name", ["log.jsonl", "log.ndjson", "log.jsonl.gz", "log.txt"])
def test_files_are_known_by_name_or_by_their_first_line(tmp_path: Path, name: str) -> None:
    """Packed or plain."""
    data = as_lines(records())
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)

    assert read_log([tmp_path / name], InputConfig()).schema.format == "jsonl"
    assert read_log([tmp_path], InputConfig()).counts.rows_used == ROWS


VALUE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["", " 5", "5.1", "1,5", "NA", "x", "1e3", "ＮＡ"]),
)
BROKEN = st.sampled_from(
    ["", "  ", "{", '{"time": 1', "[1, 2]", "3", "null", '{"time": "2024-01-01T00:00:00"} x']
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(30, ROWS - 1), st.sampled_from(["temp", "note", "new"]), VALUE), max_size=6
    ),
    st.lists(st.tuples(st.integers(30, ROWS - 1), BROKEN), max_size=3),
    st.integers(600, 4000),
)
def test_converted_blocks_are_what_the_lines_say(odd, broken, block) -> None:
    """A log is the same where every line is read by itself; lines without an object are counted."""
    rows = records()
    for place, key, value in odd:
        rows[place][key] = value
    lines = as_lines(rows).decode().splitlines()
    for place, text in broken:
        lines.insert(place, text)
    data = "\n".join(lines).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "BLOCK_BYTES", block)
        patch.setattr(sampling, "SAMPLE_ROWS", 20)
        one = read(data, channels=("temp", "motor.current"))
        patch.setattr(json_lines.JsonLinesTable, "_converted", lambda *_: None)
        other = read(data, channels=("temp", "motor.current"))

    assert (one.schema, one.counts, one.notes) == (other.schema, other.counts, other.notes)
    np.testing.assert_array_equal(one.series[0].values, other.series[0].values)
    lost = sum(bool(text.strip()) for _, text in broken)
    assert sum(rows for reason, rows in one.counts.dropped.items() if reason.key == "json-broken") == lost


def test_keys_that_come_late_are_columns_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the part that is looked at is a column, missing before; a later one is named in a note."""
    rows = records()
    for row in rows[200:]:
        row["flow"] = 1.5
    early = read(as_lines(rows))
    assert "flow" in early.series[0].channels
    assert np.isnan(early.series[0].values[:200, early.series[0].channels.index("flow")]).all()
    monkeypatch.setattr(json_lines, "LOOK_BYTES", 5000)
    late = read(as_lines(rows))
    assert "flow" not in late.series[0].channels
    assert [one["names"] for one in late.notes if one.key == "keys-not-read"] == [("flow",)]


def test_big_whole_numbers_keep_their_digits() -> None:
    """Times in nanoseconds do not fit into a float."""
    start = 1_704_067_200_000_000_001
    rows = [{"time": start + row * 10**9, "x": row % 9 / 2} for row in range(ROWS)]
    log = read(as_lines(rows))

    assert log.series[0].grid.start == start
    assert log.series[0].grid.steps == ROWS


def test_lists_and_deeper_objects_are_refused_by_name() -> None:
    """Nothing says which of their values a column should hold; --ignore leaves the key out."""
    rows = records()
    rows[3]["tags"] = ["a", "b"]
    rows[3]["a"] = {"b": {"c": 1}}
    with pytest.raises(InputError, match=r"the key 'tags' holds a list; .* or pass --ignore 'tags'"):
        read(as_lines(rows))
    with pytest.raises(InputError, match=r"the key 'a.b' holds objects inside objects"):
        read(as_lines(rows), ignore=("tags",))

    assert read(as_lines(rows), ignore=("tags", "a.b")).series[0].channels[0] == "temp"


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"", EmptyInputError, "the file is empty"),
        (b'{\n "time": 1,\n "x": 2\n}\n', InputError, "4 of the first 4 lines are no JSON object"),
        (b"[1]\n[2]\n", InputError, "2 of the first 2 lines are no JSON object; write one object a line"),
    ],
)
def test_other_json_is_refused(tmp_path: Path, data: bytes, error: type[Exception], message: str) -> None:
    """Place, fact and remedy."""
    (tmp_path / "log.jsonl").write_bytes(data)
    with pytest.raises(error, match=message):
        read_log([tmp_path / "log.jsonl"], InputConfig())


def test_a_last_line_without_an_end_is_read_where_it_is_whole(tmp_path: Path) -> None:
    """An object that is cut off is left for the next run."""
    data = as_lines(records()).rstrip(b"\n")
    path = tmp_path / "log.jsonl"
    path.write_bytes(data)
    assert read_log([path], InputConfig()).counts.rows_used == ROWS
    path.write_bytes(data[:-4])
    cut = read_log([path], InputConfig())

    assert (cut.counts.rows_read, [one.key for one in cut.notes]) == (ROWS - 1, ["last-line-left"])


def test_a_line_beyond_the_longest_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that memory has a bound."""
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(json_lines, "LOOK_BYTES", 500)
    row = {"time": "2024-01-01", "x": 1, "text": "y" * 3000}
    with pytest.raises(InputError, match="a line is longer than 1,000 bytes"):
        read(as_lines([*records(10), row, *records(10)]))
