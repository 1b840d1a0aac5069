"""Twenty made-up logs that raise every note, and what is left of English in their Japanese reports."""

import io
import json
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from logscan.alarms.promise import parse_false_alarms
from logscan.config import InputConfig
from logscan.messages import MESSAGES, text
from logscan.notes import Note, note
from logscan.quality.grades import channel_qualities
from logscan.quality.hints import hints
from logscan.read import read_log
from logscan.read.formats import json_lines as json_lines_format
from logscan.read.grid import event_rows, memory_limit
from logscan.report.content import content
from logscan.report.html import page
from logscan.results.build_record import input_record, quality_records
from logscan.results.run_record import NoteRecord
from tests.read.formats.workbooks import write_xlsx
from tests.report import samples

ROWS = 1_009
DRAW = np.random.default_rng(7)
NOISE = (DRAW.standard_normal(ROWS) + 50).round(4)
PLACE = np.arange(ROWS)


def clock(row, step=60, start="2024-03-04T00:00:00"):
    """The time of a row, as text."""
    return str(np.datetime64(start) + np.timedelta64(int(row * step), "s")).replace("T", " ")


def table(columns, *, step=60, start="2024-03-04T00:00:00"):
    """A CSV of a time and some columns; NaN is an empty cell."""
    cells = [[("" if one != one else one) for one in column] for column in columns.values()]  # noqa: PLR0124
    lines = [",".join(["time", *columns])]
    lines += [
        f"{clock(row, step, start)},{','.join(map(str, rest))}"
        for row, rest in enumerate(zip(*cells, strict=True))
    ]
    return ("\n".join(lines) + "\n").encode()


def log_of(data, keep=(), **config):
    """The log of some bytes."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data), keep=keep)


def shapes():
    """Channels of every fault."""
    level = NOISE.copy()
    level[:401] = 1.5
    return log_of(
        table(
            {
                "flat": np.full(ROWS, 3.0),
                "gap": np.where(PLACE < 503, np.nan, NOISE),
                "stuck": level,
                "jump": NOISE + np.where(PLACE < 503, 0.0, 900.0),
                "unit": NOISE * np.where(PLACE < 503, 1.0, 100.0),
                "stretch": NOISE * np.where(np.abs(PLACE - 503) < 61, 100.0, 1.0),
                "switch": np.where(DRAW.random(ROWS) < 0.5, 0, 1),
                "far": np.where(PLACE == 7, 999.0, NOISE),
                "coded": np.where(PLACE % 9 == 0, -999.0, NOISE),
                "coarse": np.round(NOISE),
                "meter": np.cumsum(np.abs(NOISE)).round(3),
                "drift": NOISE + np.linspace(0, 9, ROWS),
                "twin": NOISE,
                "same": NOISE,
                "multiple": NOISE * 2,
            }
        )
    )


def stopping(entity=False, telling=True):
    """A machine that stands still for a while."""
    still = (PLACE >= 100) & (PLACE < 300)
    speed = np.where(still, 0.0 if telling else 50.0, NOISE)
    heat = np.where(still, 50.1, NOISE[::-1])
    names = {"machine": ["p"] * ROWS} if entity else {}
    return log_of(
        table(names | {"speed": speed, "heat": heat}), **({"entity": ("machine",)} if entity else {})
    )


def orders(rows=600, times=1, twins=False, negative=False):
    """Order lines at irregular times, perhaps imported again."""
    draw = np.random.default_rng(3)
    minutes = np.cumsum(draw.exponential(3, rows)).astype(int)
    lines = [
        f"{clock(minute)},{'tea' if row % 3 else 'bread'},{-3 if negative and row % 9 == 0 else draw.integers(1, 9)}"
        for row, minute in enumerate(minutes)
    ]
    if twins:
        lines = [line for line in lines for _ in range(2)]
    return "\n".join(["ordered,item,quantity", *(lines * times), ""]).encode()


def readings(sensor="sensor", value="value"):
    """Two sensors in turn, in long format."""
    lines = [f"time,{sensor},{value}"]
    for row in range(300):
        lines += [f"{clock(row)},flow,{NOISE[row]}", f"{clock(row)},level,{NOISE[row] * 20}"]
    return ("\n".join(lines) + "\n").encode()


def alternating():
    """Two things in turn under names that tell nothing."""
    lines = ["time,thing,number"]
    lines += [
        f"{clock(row)},{'flow' if row % 2 else 'level'},{NOISE[row] * (1 if row % 2 else 90):.3f}"
        for row in range(400)
    ]
    return ("\n".join(lines) + "\n").encode()


def shared(apart=True):
    """Rows that share their time; the columns a and b tell them apart, or nothing does."""
    lines = ["date,a,b,x" if apart else "date,x"]
    for day in range(60):
        for one in range(4):
            rest = f"{one % 2},{one // 2}," if apart else ""
            lines.append(f"{clock(day * 1440)[:10]},{rest}{NOISE[day * 4 + one]}")
    return ("\n".join(lines) + "\n").encode()


def wide(names, days=40):
    """A row per day or thing, times across."""
    draw = np.random.default_rng(2)
    rows = [
        f"{clock(day * 1440)[:10]}," + ",".join(map(str, draw.normal(5, 1, len(names)).round(3)))
        for day in range(days)
    ]
    return "\n".join([",".join(["date", *names]), *rows, ""]).encode()


def months():
    """A row per year, its months across."""
    names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    rows = [f"{year}," + ",".join(f"{NOISE[year % 50 + m]}" for m in range(12)) for year in range(1990, 2024)]
    return "\n".join([",".join(["Year", *names]), *rows, ""]).encode()


def dated():
    """A row per thing, dates across."""
    days = [clock(day * 86_400, 1)[:10] for day in range(90)]
    rows = [f"{name}," + ",".join(map(str, NOISE[k : k + 90])) for k, name in enumerate(("p", "q", "r"))]
    return "\n".join([",".join(["name", *days]), *rows, ""]).encode()


def odd_columns():
    """Columns that are no channels, each for its own reason."""
    lines = ["n,time,x,y,label,state,z,again,unit,alarm,kept,品質情報,empty"]
    for row in range(200):
        words = ["on" if row % 2 else "off", "7", clock(row), f"{row} kPa", "", "1", "8", ""]
        lines.append(",".join([str(row), clock(row), str(NOISE[row]), "5", str(row % 2), *words]))
    return ("\n".join(lines) + "\n").encode()


def events_by(names, rows=400, regular=False):
    """Things that happen, with more or fewer columns of words."""
    draw = np.random.default_rng(11)
    minutes = np.cumsum(draw.exponential(30, rows)).astype(int)
    if regular:
        minutes = np.repeat(np.arange(rows), draw.integers(1, 9, rows))[:rows] * 1440
    made = {
        "word": [f"w{k}" for k in draw.integers(0, 5, rows)],
        "order_id": draw.integers(10_001, 99_999, rows),
        "quantity": draw.integers(1, 9, rows),
        "latitude": draw.uniform(35, 36, rows).round(4),
    }
    lines = [",".join(["date" if regular else "ordered", *names])]
    for row, minute in enumerate(minutes.tolist()):
        moment = clock(minute)[: 10 if regular else 19]
        lines.append(",".join([moment, *(str(made[name][row]) for name in names)]))
    return ("\n".join(lines) + "\n").encode()


def rows_of_all_kinds():
    """Rows that are not used, and columns that hold nothing."""
    lines = ["Time,A,label,column 4"]
    for row in range(200):
        lines.append(f"{clock(row)},{NOISE[row]},,")
        lines += ["Time,A,label,column 4"] if row == 20 else []
        lines += [",,,", "# restart", "1,2"] if row == 40 else []
    return ("\n".join([*lines, "Total,7,,", "1970-01-01 00:00:00,5,,"]) + "\n").encode()


def nameless(entity):
    """A machine or sensor whose name is empty in one row."""
    lines = ["time,sensor,value" if entity == "sensor" else "time,machine,value"]
    for row in range(300):
        lines += [f"{clock(row)},{name},{NOISE[row]}" for name in ("flow", "level")]
    return ("\n".join([*lines, f"{clock(301)},,5"]) + "\n").encode()


def json_lines(folder, patch):
    """JSON lines with a broken one, and a key that comes late."""
    lines = [json.dumps({"time": clock(row), "x": NOISE[row]}) for row in range(400)]
    lines += ["{broken", *(json.dumps({"time": clock(row), "x": 5, "late": 7}) for row in range(400, 450))]
    (folder / "log.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
    with patch.context() as patched:
        patched.setattr(json_lines_format, "LOOK_BYTES", 2_000)
        patched.setattr(json_lines_format, "BLOCK_BYTES", 2_000)
        return read_log([folder / "log.jsonl"], InputConfig())


def partitions(folder):
    """A Parquet file in a folder that says which part it is, with columns that are no numbers."""
    (folder / "year=2024").mkdir()
    moments = pa.array([np.datetime64(clock(row), "us") for row in range(200)])
    columns = {"time": moments, "x": NOISE[:200], "day": moments.cast(pa.date32()), "again": NOISE[:200]}
    pq.write_table(pa.table(columns), folder / "year=2024" / "a.parquet")
    return read_log([folder], InputConfig())


def no_readings():
    """Numbers that measure nothing: a code, a status, a name of a machine, a quality."""
    lines = ["time,temp,power,lot,status,machine_id,quality"]
    for row in range(400):
        power = f"{row / 100 + 1:.2f}k" if row % 7 == 0 else f"{row * 10 + 1_000}"
        words = [
            f"{row % 40:05d}",
            str(row // 100),
            "7",
            "Bad" if row == 9 else "Good",
        ]
        lines.append(",".join([clock(row), str(NOISE[row]), power, *words]))
    return ("\n".join(lines) + "\n").encode()


def machine_folders(folder):
    """A folder for each machine, named as a partition."""
    for name in ("p", "q"):
        (folder / f"machine={name}").mkdir(parents=True)
        (folder / f"machine={name}" / "a.csv").write_bytes(table({"x": NOISE}))
    return read_log([folder], InputConfig())


def elapsed():
    """A time in fractions that only grows."""
    return ("time,x\n" + "".join(f"{row * 0.37:.3f},{NOISE[row]}\n" for row in range(99))).encode()


def twice_the_time():
    """The time a second time, as a number."""
    lines = ["time,epoch,x"]
    for row in range(300):
        moment = int(np.datetime64(clock(row)).astype("datetime64[s]").astype(np.int64))
        lines.append(f"{clock(row)},{moment},{NOISE[row]}")
    return ("\n".join(lines) + "\n").encode()


def shared_orders():
    """Order lines of which several share their moment."""
    lines = orders().decode().splitlines()
    return "\n".join([lines[0], *(line for line in lines[1:] for _ in range(2))]).encode()


def machines():
    """A fast machine, a slow one and one that is hardly read at all."""
    lines = ["time,machine,x"]
    for name, step, rows in (("fast", 1, 9_000), ("slow", 10, 900), ("rare", 3_600, 70)):
        lines += [f"{clock(row, step)},{name},{NOISE[row % ROWS]}" for row in range(rows)]
    return log_of(("\n".join(lines) + "\n").encode(), entity=("machine",))


def preambles(folder):
    """Lines around the header, a header of another length, and files of all kinds."""
    body = "".join(f"{clock(row)},{NOISE[row]},{row % 7}\n" for row in range(100))
    yield log_of(f"Logger 7\n\nTime,A,B\n{body}".encode())
    yield log_of(f"Logger 7\nSerial 12\nTime,A,B\n{body}".encode())
    units = '"TIMESTAMP","A","B"\n"TS","Deg C","hPa"\n"","Avg","Smp"\n'
    yield log_of(f'"TOA5","CR1000","CR1000"\n{units}{body}'.encode())
    yield log_of(f"Time,A,B,Extra\n{body}".encode())
    yield log_of("".join(f'"{line}"\n' for line in ["Time,A,B", *body.splitlines()]).encode())
    yield log_of("".join(f"flow,4,{line}\n" for line in ["Time,A,B", *body.splitlines()]).encode())
    yield log_of(("Time,A\n" + body.replace("\n", ",1.5\n")).encode())
    yield log_of(body.encode())
    yield log_of(f"Time,A,B\n{body}".encode() + bytes(64))
    yield log_of(
        f"Time,A,B,C\n{body}".encode().replace(b"\n", b",\xe6\xb8\xa9\n", 90) + b"2024-04-01,1,2,\xff\n"
    )
    yield log_of(
        ("Time,A\n" + "".join(f"{clock(r)},{NOISE[r]:.1f} °C\n" for r in range(99))).encode(), units=True
    )
    yield log_of(
        ("d,p\n" + "".join(f"{clock(r)[:16]},{r}{'*' if r % 5 else ''}\n" for r in range(99))).encode()
    )
    rows = [["time", "x"], *([clock(row), float(NOISE[row])] for row in range(99))]
    write_xlsx(folder / "book.xlsx", {"data": rows, "limits": rows})
    yield read_log([folder / "book.xlsx"], InputConfig())
    path = folder / "growing.csv"
    path.write_text(f"Time,A,B\n{body}2024-03-05 01:4", encoding="utf-8")
    yield read_log([path], InputConfig())
    with zipfile.ZipFile(folder / "packed.zip", "w") as whole:
        whole.writestr("a.csv", f"Time,A,B\n{body}")
        whole.writestr("readme.md", "no table")
    yield read_log([folder / "packed.zip"], InputConfig())
    parts = folder / "parts"
    parts.mkdir()
    (parts / "a.csv").write_text("", encoding="utf-8")
    (parts / "b.csv").write_text(f"Time,A,B\n{body}", encoding="utf-8")
    yield read_log([parts], InputConfig())


def summer_time(text_of_hour):
    """An hour that a change of clocks repeats or leaves out."""
    hours = [f"{text_of_hour} {hour:02d}:30" for hour in range(24)]
    lines = ["time,x", *(f"{hour},{NOISE[k]}" for k, hour in enumerate(hours))]
    return log_of(("\n".join(lines) + "\n").encode(), timezone="Europe/Berlin")


def set_aside(folder):
    """Stops, holidays and days of a plant's calendar."""
    status = table({"status": ["STOP" if 100 <= k < 200 else "RUN" for k in range(ROWS)], "x": NOISE})
    yield log_of(status)
    yield log_of(status, status="status", running=("RUN",))
    (folder / "days.csv").write_text("date\n2024-03-05\n", encoding="utf-8")
    hourly = table({"x": NOISE}, step=3_600)
    yield log_of(hourly, holidays="JP")
    yield log_of(hourly, calendar=str(folder / "days.csv"))
    yield log_of(hourly, holidays="JP", calendar=str(folder / "days.csv"))


def every_log(folder, monkeypatch):
    """Logs that raise every note of reading and quality between them."""
    yield shapes()
    yield log_of(table({"x": NOISE[:101], "y": [np.nan] * 101}))
    yield log_of(table({"x": NOISE[:23], "y": NOISE[:23]}))
    for entity in (False, True):
        for telling in (False, True):
            yield stopping(entity, telling)
    yield log_of(orders(), kind="events", every="1h")
    yield log_of(orders(times=2), kind="events", every="1h")
    yield log_of(orders(twins=True), kind="events", every="1h")
    yield log_of(orders(negative=True), kind="events", every="1h")
    with monkeypatch.context() as patched:
        patched.setattr(event_rows, "_MOST_HELD_BYTES", 10)
        yield log_of(orders(), kind="events", every="1h")
    yield log_of(readings())
    yield log_of(alternating())
    yield log_of(shared())
    yield log_of(shared(apart=False))
    yield log_of(wide([str(hour) for hour in range(24)]))
    yield log_of(wide([f"{k // 2}:{k % 2 * 30:02d}" for k in range(48)]))
    yield log_of(months())
    yield log_of(dated())
    yield log_of(odd_columns(), ignore=("z",))
    yield log_of(odd_columns(), channels=("x",))
    for names in (["word", "quantity"], ["order_id", "quantity", "latitude"]):
        for regular in (False, True):
            yield log_of(events_by(names, regular=regular))
    yield machines()
    yield log_of(rows_of_all_kinds())
    yield log_of(nameless("sensor"))
    yield log_of(nameless("machine"), entity=("machine",))
    (folder / "partitions").mkdir()
    yield partitions(folder / "partitions")
    yield log_of(no_readings(), units=True)
    lines = [f"{clock(row)}.{row * 37 % 1_000:03d},{row * 37 % 1_000},{NOISE[row]}" for row in range(300)]
    yield log_of("\n".join(["time,ms,x", *lines, ""]).encode())
    yield machine_folders(folder / "machines")
    yield json_lines(folder, monkeypatch)
    yield log_of(elapsed())
    campbell = (
        '"TOA5","CR1000","CR1000","1234"\n"TIMESTAMP","AirT_Avg","BP"\n"TS","Deg C","hPa"\n"","Avg","Smp"\n'
    )
    yield log_of((campbell + "".join(f"{clock(row)},{NOISE[row]},{row % 7}\n" for row in range(97))).encode())
    yield log_of(events_by(["word", "order_id", "quantity"]), kind="events", every="1h")
    silent = table({"machine": ["p", "q"] * 504 + ["p"], "x": np.where(PLACE % 2, np.nan, NOISE), "y": NOISE})
    yield log_of(silent, entity=("machine",))
    yield log_of(twice_the_time())
    yield log_of(shared_orders())
    yield log_of(table({"x": NOISE, "fault": np.where(PLACE == 5, 1, 0)}), keep=("fault",))
    yield log_of(wide([f"{hour}:00" for hour in range(24)]))
    yield log_of(
        ("Time (s) and two flows, all of them\n" + "".join(f"{k} {NOISE[k]} 5\n" for k in range(60))).encode()
    )
    two = "Logger of two flows, all\nTime (s) and two flows, all of them\n"
    yield log_of((two + "".join(f"{k} {NOISE[k]} 5\n" for k in range(60))).encode())
    head = "TIMESTAMP,A\nTS,Deg C\n,Avg\n"
    yield log_of(
        ('"TOA5","CR1000"\n' + head + "".join(f"{clock(k)},{NOISE[k]}\n" for k in range(60))).encode()
    )
    yield log_of(table({"x": NOISE, "empty": ["word" if k == 1 else "" for k in range(ROWS)]}))
    yield from preambles(folder)
    yield summer_time("2024-10-27")
    yield summer_time("2024-03-31")
    yield from set_aside(folder)
    yield log_of(table({"x": np.where(PLACE % 9 == 0, -999.0, NOISE)}), missing=("-999",))
    yield log_of(b"x,y\n" + b"".join(f"{value},{value * 2}\n".encode() for value in NOISE))
    with monkeypatch.context() as patched:
        patched.setattr(memory_limit, "MOST_VALUES", 100)
        yield log_of(table({"x": NOISE}))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """All of them."""
    with pytest.MonkeyPatch.context() as patch:
        return list(every_log(tmp_path_factory.mktemp("logs"), patch))


def with_inner(found):
    """A note and the notes in its fields."""
    yield found
    for _, value in found.fields:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Note):
                yield from with_inner(one)


def raised(logs):
    """Every note of the logs: of reading, columns, rows, grades and hints."""
    for log in logs:
        reasons = (reason for quality in channel_qualities(log) for reason in quality.reasons)
        for one in (*log.notes, *log.schema.ignored.values(), *log.counts.dropped, *reasons, *hints(log)):
            yield from with_inner(one)


# Raised by training and scoring, or by reading a record of schema 1: made here, without a model. The last one is
# what is said where a column of text has no example, which no log is known to reach.
BESIDE_READING = (
    note("channels-unknown", names=("extra",)),
    note("channels-dead", names=("flow",)),
    parse_false_alarms("1/week").note(None),
    note("as-written", text="古い記録"),
    note("holds-no-numbers"),
)
# What may stand in Latin letters: names, options and their values, formats, encodings, units and signs.
ALLOWED = re.compile(
    r"--[a-z-]+( '?[\w>.'-]+)?|1/rows:10000|column \d+|NUL|UTC|\b(csv|parquet|cpu|logscan|JavaScript|CSV|JSON|JP)\b"
    r"|\b(utf-8|cp932|cp1252|ascii|GB|MB|timestamp\S*|date32\S*|bool|standard input)\b|\d(ms|min|s|h|d|month)\b|°C|kPa"
)


class Visible(HTMLParser):
    """The text of a page that a reader sees."""

    def __init__(self):
        super().__init__()
        self.texts = []
        self._hidden = 0

    def handle_starttag(self, tag, _):
        """Scripts and styles are not read."""
        self._hidden += tag in {"script", "style"}

    def handle_endtag(self, tag):
        """As above."""
        self._hidden -= tag in {"script", "style"}

    def handle_data(self, data):
        """One piece of text."""
        if not self._hidden and data.strip():
            self.texts.append(data)


def japanese_page(log):
    """The report on a log in Japanese, without a path."""
    made = samples.quiet()
    fresh = made.run.model_copy(
        update={
            "input": input_record(
                replace(log, notes=(*log.notes, *BESIDE_READING, *hints(log))), read_as=InputConfig()
            ),
            "quality": quality_records(channel_qualities(log)),
        }
    )
    parser = Visible()
    parser.feed(page(content(replace(made, run=fresh)), "ja"))
    return parser.texts


def english_left(texts, names):
    """Runs of two Latin words or more that are neither names nor allowed."""
    found = []
    for one in texts:
        bare = ALLOWED.sub("", one)
        for name in sorted(names, key=len, reverse=True):
            bare = bare.replace(name, "")
        found += re.findall(r"[A-Za-z]{2,}[ ,;]+[A-Za-z]{2,}", bare)
    return found


def names_of(log):
    """Everything that a report may quote from the data."""
    schema = log.schema
    quoted = [
        *schema.files,
        *schema.channels,
        *schema.ignored,
        *schema.entity_columns,
        schema.time_column or "",
    ]
    for one in raised([log]):
        for _, value in one.fields:
            quoted += [
                part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, str)
            ]
    return {name for name in quoted if name} | set(samples.ENGLISH)


def test_every_note_is_raised(logs):
    """Reading, columns, rows, grades and hints: no message is left that these logs do not show."""
    keys = {one.key for one in (*raised(logs), *BESIDE_READING)}
    assert set(MESSAGES) - keys == set()


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_note_has_words(logs, lang):
    """No template lacks a field of its note, and no brace is left."""
    for one in (*raised(logs), *BESIDE_READING):
        words = text(one, lang)
        assert words.strip()
        assert not re.search(r"\{\w+[:#}]", words), one.key


def test_the_japanese_report_has_no_english_sentence(logs):
    """Only names, options, formats and units stand in Latin letters."""
    left = {
        (words, log.schema.files) for log in logs for words in english_left(japanese_page(log), names_of(log))
    }
    assert left == set()


def test_an_english_sentence_would_be_found():
    """The test above is able to fail."""
    assert english_left(["列：the rows are not used"], set())
    assert not english_left(["--kind samples を指定"], set())


def test_records_keep_notes(logs):
    """A note that was written down and read again is the same."""
    for one in raised(logs):
        assert NoteRecord.model_validate_json(NoteRecord.of(one).model_dump_json()).note() == one
