"""Fuzzing of reader and configuration: whatever bytes and options come in, only named errors come out.

The gate runs a few hundred examples (`tests/test_fuzz.py`). For longer:

    python -m tests.fuzz --seconds 300
"""

import argparse
import bz2
import gzip
import io
import lzma
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from logscan.cli.settings import merged_config
from logscan.config import Config, InputConfig, parse_config
from logscan.errors import LogscanError
from logscan.quality.grades import channel_qualities
from logscan.read import read_log
from logscan.results.build_record import input_record, quality_records

OUTCOMES: Counter[str] = Counter()  # how examples ended, for the report of a long run


def _zip(members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, data in members.items():
            whole.writestr(name, data)
    return packed.getvalue()


def _parquet(columns):
    packed = io.BytesIO()
    pq.write_table(pa.table(columns), packed)
    return packed.getvalue()


def _good():
    """Good files of every kind to damage."""
    rows = [
        (f"2024-01-{1 + row // 12:02d} {row % 12 * 2:02d}:00", row % 7 * 1.5, row % 3) for row in range(60)
    ]
    comma = "time,温度,count\n" + "".join(f"{one},{two},{three}\n" for one, two, three in rows)
    german = "Zeit;Druck [bar];n\r\n" + "".join(
        f"{one[8:10]}.{one[5:7]}.{one[:4]} {one[11:]};{str(two).replace('.', ',')};{three}\r\n"
        for one, two, three in rows
    )
    orders = "date,order,item,price\n" + "".join(
        f'2024-02-{1 + row // 9:02d} 1{row % 9 // 2}:{row * 7 % 60:02d},{1000 + row},"tea, {row}","1,{row:03d}.50"\n'
        for row in range(90)
    )
    blanks = "".join(f"{place}   {two:8.2f}   {three:5d}\n" for place, (_, two, three) in enumerate(rows))
    loggers = '"TOA5","CR1000","1"\n"TIMESTAMP","T_Avg","P"\n"TS","Deg C","hPa"\n"","Avg","Smp"\n' + "".join(
        f'"{one}:00",{two},{three}\n' for one, two, three in rows
    )
    era = "日付,時刻,値\n" + "".join(
        f"令和6年1月{1 + row // 24}日,{row % 24}時5分,{row}\n" for row in range(50)
    )
    data = comma.encode()
    return [
        data,
        comma.encode("cp932"),
        comma.encode("utf-16"),
        comma.encode("iso2022_jp"),
        era.encode("euc_jp"),
        german.encode("cp1252"),
        orders.encode(),
        blanks.encode(),
        loggers.encode(),
        gzip.compress(data),
        bz2.compress(data),
        lzma.compress(data),
        pa.Codec("zstd").compress(data, asbytes=True),
        _zip({"a.csv": data, "b.txt": "about"}),
        _parquet({"time": [row[0] for row in rows], "x": [row[1] for row in rows]}),
        _parquet({"when": pa.array(range(60), pa.timestamp("s")), "x": [[1.0]] * 60, "y": [True, None] * 30}),
    ]


GOOD = _good()
TOKENS = [
    b"", b"\n", b"\r", b"\r\n", b"\x00", b"\x00" * 300, b"\x1a", b"\x1b$B", b"\x1b(B", b"\xef\xbb\xbf", b"\xff\xfe",
    b"\xfe\xff", b'"', b'""', b"'", b",", b";", b"\t", b"|", b" ", b"   ", b"#", b"sep=;\n", b"-", b"ERR", b"NaN",
    b"inf", b"-inf", b"1e999", b"1e-999", b"9" * 400, b"0x1F", b"1,234", b"1.234", b"1.234,5", b"1'000", b"12 kPa",
    b"(5)", b"5-", b'="7"', b"2024-02-30", b"0000-00-00", b"9999-99-99 99:99", b"1677-01-01", b"2262-12-31",
    b"01/02/03", b"13/13/2024", b"24:00", b"2024-03-31 02:30", b"1704164645", b"1704164645123456789",
    b"-9223372036854775808", b"99999999999999999999", b"45292.5", b"{", b"<", b"PK\x03\x04", b"PK\x05\x06", b"PAR1",
    "令和元年".encode(), "１２３".encode(), "\u202e".encode(), "欠測".encode("cp932"), "ﾎﾟﾝﾌﾟ".encode("cp932"),
    "é".encode("cp1252"), "温度".encode("euc_jp"), b"\xed\xa0\x80", b"x" * 5000, b",".join([b"1"] * 400), b"\n" * 400,
]  # fmt: skip


@st.composite
def damaged(draw):
    """A good file with pieces cut out, doubled, moved, flipped or put in."""
    data = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(0, 12))):
        place = draw(st.integers(0, max(len(data) - 1, 0)))
        length = draw(st.integers(0, 60))
        piece = bytes(data[place : place + length])
        match draw(st.sampled_from(["put", "cut", "double", "flip", "move", "end"])):
            case "put":
                data[place:place] = draw(st.sampled_from(TOKENS))
            case "cut":
                del data[place : place + length]
            case "double":
                data[place:place] = piece * draw(st.integers(1, 8))
            case "flip" if data:
                data[place] ^= draw(st.integers(1, 255))
            case "move":
                del data[place : place + length]
                data += piece
            case "end":
                del data[max(place, 20) :]
            case _:
                pass
    return bytes(data)


@st.composite
def tables(draw):
    """Rows of odd cells under odd names."""
    cell = st.one_of(
        st.sampled_from(TOKENS[:-3]), st.binary(max_size=8), st.integers().map(lambda n: b"%d" % n)
    )
    width = draw(st.integers(1, 5))
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=12))
    names = draw(
        st.lists(
            st.sampled_from(
                [b"time", b"date", b"Date", b"hour", b"year", b"month", b"day", b"x", b"id", b"", b"label"]
            ),
            min_size=width,
            max_size=width,
        )
    )
    sep = draw(st.sampled_from([b",", b";", b"\t", b"|", b"  "]))
    end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    repeats = draw(st.integers(1, 40))
    return end.join([sep.join(names), *(sep.join(row) for row in rows * repeats)])


def _some(good):
    """Good values of an option, and now and then bad ones."""
    return st.integers(0, 9).flatmap(
        lambda chance: st.text(max_size=6) | st.none() if chance == 0 else st.sampled_from(good)
    )


COLUMN = [
    "time",
    "date",
    "温度",
    "x",
    "row",
    "when",
    "count",
    "Zeit",
    "日付+時刻",
    "year+month+day",
    "column 1",
    "item",
    "+",
]
OPTION = {
    "time": _some(COLUMN),
    "entity": st.lists(_some(COLUMN), max_size=2),
    "channels": st.lists(_some(COLUMN), max_size=2),
    "ignore": st.lists(_some(COLUMN), max_size=2),
    "kind": _some(["samples", "events"]),
    "every": _some(["1min", "1h", "1d", "1ns", "10", "0s", "9999999999d", "1 week"]),
    "encoding": _some(
        [
            "utf-8",
            "cp932",
            "euc-jp",
            "iso-2022-jp",
            "utf-16",
            "utf-7",
            "idna",
            "rot13",
            "utf-32",
            "punycode",
        ]
    ),
    "delimiter": _some([",", ";", "tab", "space", "|", "\n", '"', "é"]),
    "decimal": _some([".", ","]),
    "quote": _some(["none", "single", "double", '"', "é"]),
    "header": _some(["1", "2", "1-3", "none", "0", "9-2", "99999"]),
    "data_from": st.one_of(st.integers(-1, 80), _some(["3"])),
    "units": st.one_of(st.booleans(), _some(["yes"])),
    "timezone": _some(
        ["UTC", "Asia/Tokyo", "Europe/Berlin", "America/New_York", "Mars/Base", "../etc/passwd", "+09:00"]
    ),
    "date_order": _some(["dmy", "mdy", "ymd"]),
    "bridge_steps": st.integers(-5, 10**30),
}


@st.composite
def options(draw):
    """A few options."""
    names = draw(st.lists(st.sampled_from(sorted(OPTION)), max_size=3, unique=True))
    return {name: draw(OPTION[name]) for name in names}


def _refused(error: LogscanError) -> None:
    """Count a named error, which says something."""
    OUTCOMES[type(error).__name__] += 1
    assert str(error)


def read_whatever(data: bytes, options: dict[str, object], *, as_file: bool) -> None:
    """Read bytes under options as `logscan check` does; only a named error may come out."""
    try:
        given_ = {name: value for name, value in options.items() if value is not None}
        config = parse_config({"input": given_}, "options").input
        log = _read(data, config, as_file=as_file)
        quality_records(channel_qualities(log))
        input_record(log, None).model_dump_json()
    except LogscanError as error:
        _refused(error)
        return
    OUTCOMES["read"] += 1
    counts = log.counts
    assert counts.rows_read == counts.rows_used + sum(counts.dropped.values())


def _read(data: bytes, config: InputConfig, *, as_file: bool):
    if not as_file:
        return read_log(["-"], config, stdin=io.BytesIO(data))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.csv"
        file.write_bytes(data)
        return read_log([file], config)


def configure_whatever(data: object) -> None:
    """Take any document as configuration; only a named error may come out."""
    try:
        config = parse_config(data, "logscan.toml")
    except LogscanError as error:
        _refused(error)
        return
    assert isinstance(config, Config)
    assert len(config.hash()) == 12


def configure_text(text: bytes, folder: Path) -> None:
    """Take any text as `logscan.toml`; only a named error may come out."""
    file = folder / "logscan.toml"
    file.write_bytes(text)
    try:
        merged_config(file, {"input": {"decimal": ","}})
    except LogscanError as error:
        _refused(error)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "input",
    "encoder",
    "alarm",
    "time",
    "scales",
    "seed",
    "false_alarms",
    "every",
    "bridge_steps",
    "epochs",
    "inptu",
]
DOCUMENTS = st.dictionaries(
    st.sampled_from(KEYS[:3]) | st.text(max_size=6),
    st.dictionaries(st.sampled_from(KEYS[3:]) | st.text(max_size=6), JSON, max_size=3) | JSON,
    max_size=3,
)
TOML = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from(
            [
                b"[input]\n", b"[encoder]\n", b"[alarm]\n", b'time = "t"\n', b"scales = [8]\n", b"every = 5\n",
                b"[[input]]\n", b"input = 3\n", b"seed = 99999999999999999999\n", b"units = true\n", b"a.b.c = 1\n",
                b"x = 1979-05-27\n", b"header = nan\n", b"\xff\n", b'[input.time]\n"\xc3\xa9" = inf\n', b"= 1\n",
                b'channels = ["a", 5]\n',
            ]
        ),
        max_size=5,
    ).map(b"".join),
)  # fmt: skip


def any_bytes(data: bytes, options: dict[str, object], as_file: bool) -> None:
    """Any bytes under any options."""
    read_whatever(data, options, as_file=as_file)


def any_text(text: bytes) -> None:
    """Any text as a configuration file."""
    with tempfile.TemporaryDirectory() as folder:
        configure_text(text, Path(folder))


TARGETS = {
    any_bytes: (
        st.one_of(damaged(), tables(), st.binary(max_size=300)),
        options(),
        st.booleans(),
    ),
    configure_whatever: (DOCUMENTS | JSON,),
    any_text: (TOML,),
}


def fuzz(target, how: settings, *, first: int | None = None) -> None:
    """Run one target under hypothesis settings, from a seed if one is given."""

    @given(st.tuples(*TARGETS[target]))
    def example(drawn):
        target(*drawn)

    (how(example) if first is None else seed(first)(how(example)))()


def main() -> None:
    """Fuzz for some time, a new seed every round."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("error")
    quick = settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    began, rounds = time.monotonic(), 0
    while time.monotonic() - began < options.seconds:
        # Four times out of five at the reader, where the work is.
        target = any_bytes if rounds % 5 else (configure_whatever, any_text)[rounds // 5 % 2]
        fuzz(target, quick, first=options.seed + rounds)
        rounds += 1
    print(f"{rounds} rounds, {sum(OUTCOMES.values()):,} examples: {dict(OUTCOMES)}")  # noqa: T201


if __name__ == "__main__":
    main()
