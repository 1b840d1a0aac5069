# ruff: noqa: PD011  `Series.values` is logscan's own
"""Files as instruments, spreadsheets and offices in Europe, Japan and America write them."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.read import read_log
from logscan.records import TimeKind
from tests.words import words

ROWS = 61
TIMES = pd.date_range("2024-03-27 22:00", periods=ROWS, freq="1min")
VALUES = np.round(np.random.default_rng(17).normal(20, 3, (ROWS, 2)), 2)


def rows(sep=",", form="%Y-%m-%d %H:%M:%S", decimal=".", end="\n"):
    """Rows of a time and two readings, without a header."""
    lines = (
        sep.join([time.strftime(form), *(f"{value:.2f}".replace(".", decimal) for value in line)])
        for time, line in zip(TIMES, VALUES, strict=True)
    )
    return "".join(line + end for line in lines)


def read(data, **config):
    """The log of bytes or text."""
    data = data.encode() if isinstance(data, str) else data
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data))


def assert_readings(log, channels=None):
    """The log is the one of `rows`."""
    series = log.series[0]
    np.testing.assert_array_equal(series.row_times, TIMES.as_unit("ns").asi8)
    np.testing.assert_allclose(series.values, VALUES)
    if channels is not None:
        assert log.schema.channels == channels


NAMES = ("Temp", "Druck")
FILES = {
    "Excel UTF-16": ("Time\tTemp\tDruck\r\n" + rows("\t", end="\r\n")).encode("utf-16"),
    "sep line": ("sep=;\r\nTime;Temp;Druck\r\n" + rows(";", end="\r\n")).encode(),
    "German": ("Zeitstempel;Temp;Druck\r\n" + rows(";", "%d.%m.%Y %H:%M:%S", ",", "\r\n")).encode("cp1252"),
    "American": "Date/Time,Temp,Druck\n" + rows(",", "%m/%d/%Y %I:%M:%S %p"),
    "preamble": (
        "Instrument: Logger 7, Serial 0042\nOperator;;\nSample rate, 1 min\n\nTime,Temp,Druck\n" + rows()
    ),
    "comments": "# device 7\n# started today, with, commas\n#Time,Temp,Druck\n" + rows(),
    "empty columns": "Time;Temp;Druck;;;\n" + rows(";").replace("\n", ";;;\n"),
    "quoted": "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n"
        for line in ("Time,Temp,Druck\n" + rows()).splitlines()
    ),
    "single quotes": "".join(
        ",".join(f"'{cell}'" for cell in line.split(",")) + "\n"
        for line in ("Time,Temp,Druck\n" + rows()).splitlines()
    ),
    "mixed ends": "Time,Temp,Druck\r\n" + rows(end="\r\n")[: len(rows(end="\r\n")) // 2 // 37 * 37] + "",
    "blank lines": "\n\nTime,Temp,Druck\n\n" + rows(end="\n\n"),
    "blanks": "date      clock      Temp   Druck\n" + rows(" ").replace(" ", "     "),
    "tabs and text": "Time\tTemp\tDruck\n" + rows("\t"),
    "bars": "Time|Temp|Druck\n" + rows("|"),
    "old Mac": "Time,Temp,Druck\r" + rows(end="\r"),
    "end of file byte": "Time,Temp,Druck\n" + rows() + "\x1a",
}
del FILES["mixed ends"]


@pytest.mark.parametrize("case", FILES)
def test_the_same_readings_however_they_are_written(case):
    """Separators, marks, quotes, preambles, comments and empty columns do not change a reading."""
    log = read(FILES[case])
    assert_readings(log, NAMES)
    assert sum(log.counts.dropped.values()) == 0


def test_mixed_line_ends_are_read():
    """LF and CRLF in one file end a line alike."""
    lines = ("Time,Temp,Druck\n" + rows()).splitlines()
    text = "".join(line + ("\r\n" if place % 3 else "\n") for place, line in enumerate(lines))
    assert_readings(read(text), NAMES)


@pytest.mark.parametrize("units", [",°C,kPa", "s,degC,bar", ",[°C],[m³/h]", "yyyy-mm-dd hh:mm,(℃),(L/min)"])
def test_a_line_of_units_goes_into_the_names(units):
    """Units under the names stand in brackets behind them, whatever is written in the time's place."""
    log = read(f"Time,Temp,Press\n{units}\n" + rows())
    bare = [unit.strip("[]()") for unit in units.split(",")[1:]]
    assert_readings(log, (f"Temp [{bare[0]}]", f"Press [{bare[1]}]"))
    assert (log.schema.header_line, log.schema.header_end, log.schema.data_line) == (1, 2, 3)


def test_a_logger_of_four_header_lines():
    """The names of a Campbell logger are found between its line of settings and its lines of units and kinds."""
    head = (
        '"TOA5","CR1000","CR1000","1234"\n"TIMESTAMP","AirT_Avg","BP"\n"TS","Deg C","hPa"\n"","Avg","Smp"\n'
    )
    log = read(head + rows())
    assert_readings(log, ("AirT_Avg [Deg C]", "BP [hPa]"))
    assert words(log.notes) == (
        "standard input: Line 1 above the header skipped.",
        "standard input: Line 4 below the header skipped.",
    )


def test_groups_over_repeated_names_tell_them_apart():
    """A name over several columns holds for the empty cells to its right."""
    log = read(",Pump 1,,Pump 2,\nTime,Temp,Flow,Temp,Flow\n" + rows().replace("\n", ",1.5,2.5\n"))
    assert log.schema.channels == ("Pump 1 Temp", "Pump 1 Flow", "Pump 2 Temp", "Pump 2 Flow")


def test_channels_called_by_numbers_keep_their_names():
    """A header of numbers under which times stand is a header all the same."""
    assert_readings(read("Time,101,102\n" + rows()), ("101", "102"))


def test_repeated_headers_comments_and_totals_are_counted():
    """What stands between the rows and is no reading is dropped under its own name."""
    lines = rows().splitlines()
    text = "\n".join(
        ["Time,Temp,Druck", *lines[:20], "Time,Temp,Druck", *lines[20:40], "# restart", *lines[40:], ",,"]
    )
    log = read(text + "\nTotal,123.4,567.8\n")
    assert_readings(log, NAMES)
    assert words(log.counts.dropped) == {
        "comment": 1,
        "repeats the header": 1,
        "row is empty": 1,
        "time does not parse": 1,
    }


def test_nul_bytes_are_left_out_and_told():
    """A block of zeros that a power failure left does not make a file binary."""
    lines = ("Time,Temp,Druck\n" + rows()).encode()
    log = read(lines[:500] + bytes(700) + lines[500:] + bytes(4096))
    assert_readings(log, NAMES)
    assert words(log.notes) == ("standard input: 4,796 NUL or end-of-file bytes were left out.",)


def test_quoted_text_with_delimiters_and_line_ends():
    """Remarks of operators may hold anything inside their quotes."""
    lines = rows(";").splitlines()
    remark = ['"pump; stopped"', '"said ""ok"""', '"two\nlines"', "plain"]
    body = "".join(f"{line};{remark[place % 4]}\n" for place, line in enumerate(lines))
    log = read("Time;Temp;Druck;Remark\n" + body)
    assert_readings(log, NAMES)
    assert log.counts.rows_read == ROWS


def test_a_stray_quote_does_not_swallow_lines():
    """A quote that opens a cell and never closes, as in inches, is text where that fits better."""
    body = "".join(f'{line},"5 inch\n' for line in rows().splitlines())
    log = read("Time,Temp,Druck,Size\n" + body)
    assert_readings(log, NAMES)
    assert log.schema.quote == ""


@pytest.mark.parametrize("cells", [2, 3])
def test_a_quote_far_down_that_never_closes_is_refused(cells):
    """Rows beyond the sample are not lost inside a cell: the file is refused, and can be read without quotes."""
    lines = [
        f"2024-01-{1 + row // 1440:02d} {row // 60 % 24:02d}:{row % 60:02d},{row},ok" for row in range(2900)
    ]
    lines[1500] = lines[1500].replace("ok", '"5 inch' + ",x" * (cells - 2))
    text = "time,x,state\n" + "\n".join(lines) + "\n"
    with pytest.raises(
        InputError, match="a quote that is not closed swallows lines, in the cell that begins with"
    ):
        read(text)
    assert read(text, quote="none").counts.rows_read == 2900


def test_header_first_line_and_quote_can_be_said():
    """What evidence decides can be decided by option."""
    text = "Title,of,it\nA,B,C\nTime,Temp,Druck\n1,2,3\n" + rows()
    log = read(text, header="2-3", data_from=5, quote="none")
    assert_readings(log, ("B", "C"))
    assert (log.schema.header_line, log.schema.data_line, log.schema.quote) == (2, 5, "")
    assert_readings(read(text, header="3", data_from=5), NAMES)
    bare = read(text, header="none", data_from=5)
    assert_readings(bare, ("column 2", "column 3"))
    assert bare.schema.header_line is None


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"header": "0"}, "--header: '0' is no line; use a line such as 3, lines such as 3-5, or none"),
        ({"header": "last"}, "--header: 'last' is no line; use a line such as 3, lines such as 3-5, or none"),
        ({"header": "900"}, "--header: there is no header and data below line 900; count its lines from 1"),
        ({"data_from": 900}, "--data-from: there is no row from line 900 on; the sample ends at line 62"),
        ({"quote": "ab"}, "--quote: 'ab' cannot quote a cell; use \" or ' or none"),
    ],
)
def test_options_that_fit_no_line_are_refused(config, text):
    """A header or a first line that is not there is a usage error."""
    with pytest.raises(UsageError) as caught:
        read("Time,Temp,Druck\n" + rows(), **config)
    assert str(caught.value) == text


def test_decimal_commas_split_into_cells_are_refused():
    """A file whose decimal commas became delimiters is never read with shifted readings."""
    values = np.random.default_rng(3).integers(0, 999, (200, 3))
    lines = []
    for hour, (one, two, three) in enumerate(values):
        tenths = f"{one // 10},{one % 10}" if one % 10 else f"{one // 10}"
        lines.append(
            f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00,{tenths},{two + 4000},{three // 10},{three % 10}"
        )
    for header in ("time,a,b,c", "time,a,b,c,col1,col2"):
        with pytest.raises(InputError, match="decimal commas were most likely split into cells"):
            read(header + "\n" + "\n".join(lines))
    assert read("time,a,b,c,d,e\n" + "\n".join(lines), decimal=".").counts.rows_used > 100


def test_one_column_of_decimal_commas_is_no_index():
    """A row that is one cell longer than the header has an index only where its first cell counts or names rows."""
    with pytest.raises(InputError, match="under 1 names the rows hold 2 cells"):
        read("value\n" + "".join(f"{20 + row % 3},{row % 10}\n" for row in range(60)))
    log = read('"x","y"\n' + "".join(f'"{row + 1}",{row % 7},{row % 5}\n' for row in range(60)))
    assert log.schema.channels == ("x", "y")


def test_an_optional_last_cell_is_no_split_decimal():
    """Whole numbers and rows without their last cell are an ordinary table."""
    rng = np.random.default_rng(5)
    lines = [
        f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00,{rng.integers(90, 99)},{rng.integers(40, 60)},"
        + (f"{rng.integers(1, 9)}" if hour % 3 else "")
        for hour in range(200)
    ]
    assert read("time,a,b,code\n" + "\n".join(lines) + "\n").counts.rows_used == 200


DECIMALS = {
    "thousands": (["1,234", "12", "999", "4,321"], ".", [1234, 12, 999, 4321]),
    "long": (["1,234", "2150", "1360", "4,321"], ",", [1.234, 2150, 1360, 4.321]),
    "millions": (["1,234,567", "4,321", "5,000", "1,000"], ".", [1234567, 4321, 5000, 1000]),
    "points": (["1.234.567,5", "4.321", "5,25", "12"], ",", [1234567.5, 4321, 5.25, 12]),
    "spaces": (["1 234,5", "12 345,75", "0,5", "7"], ",", [1234.5, 12345.75, 0.5, 7]),
    "Swiss": (["1'234.5", "12’345.75", "0.5", "7"], ".", [1234.5, 12345.75, 0.5, 7]),
}


@pytest.mark.parametrize("case", DECIMALS)
def test_decimal_mark_and_thousands_by_evidence(case):
    """Marks before groups of three are thousands or decimals by what stands beside them."""
    cells, mark, values = DECIMALS[case]
    text = "time;x;y\n" + "".join(f'2024-01-{17 + day};"{cell}";1\n' for day, cell in enumerate(cells))
    log = read(text)
    assert log.schema.decimal == mark
    np.testing.assert_allclose(log.series[0].values[:, 0], values)


@pytest.mark.parametrize(
    "cells",
    [["1,234", "2,345", "9,876"], ["1.234", "12", "3.456", "4.567", "7"], ["1.234", "2.345", "9.876"]],
)
def test_an_open_decimal_mark_is_asked_for(cells):
    """Where nothing tells thousands from decimals the file is refused with the option that decides."""
    text = "time;x\n" + "".join(f"2024-01-{17 + day};{cell}\n" for day, cell in enumerate(cells))
    with pytest.raises(InputError, match=r"cannot be told; pass --decimal \. or --decimal ,"):
        read(text)
    assert read(text, decimal=",").schema.decimal == ","
    assert read(text, decimal=".").schema.decimal == "."


@pytest.mark.parametrize("name", ["売上高(千円)", "金额", "매출"])
def test_commas_in_japanese_chinese_and_korean_tables_part_thousands(name):
    """Where these are written decimals stand behind a point; a semicolon speaks of an instrument from elsewhere."""
    lines = [
        f"time{{0}}{name}",
        *(f'2024-01-{17 + day}{{0}}"{cell}"' for day, cell in enumerate(["1,234", "2,345"])),
    ]
    log = read("\n".join(lines).format(","))
    np.testing.assert_array_equal(log.series[0].values[:, 0], [1234, 2345])
    with pytest.raises(InputError, match="cannot be told"):
        read("\n".join(lines).format(";"))


NUMBERS = {
    "１２３": 123,
    "－１．５": -1.5,
    "1.2e+000": 1.2,
    "-3E-01": -0.3,
    "12%": 12,
    "1.5 ％": 1.5,
    '="42"': 42,
    "$1,234.50": 1234.5,
    "¥980": 980,
    "12.5-": -12.5,
    "(3.25)": -3.25,
    "−7": -7,
    "+8": 8,
    ".5": 0.5,
    "5.": 5,
}


def test_numbers_of_unusual_form():
    """Full width, exponents, per cent, currency, and the minus where accountants put it."""
    frame = pd.DataFrame({"time": pd.date_range("2024-01-15", periods=len(NUMBERS)), "x": list(NUMBERS)})
    log = read(frame.to_csv(index=False), decimal=".")
    np.testing.assert_allclose(log.series[0].values[:, 0], list(NUMBERS.values()))
    assert not log.counts.not_numeric


def test_units_are_taken_off_where_asked():
    """A number with a unit is text unless the user says that units may follow; a column holds one unit."""
    body = "".join(
        f"{time},{value:.1f} °C,{value * 10:.0f}kPa,pump {place % 2}\n"
        for place, (time, value) in enumerate(zip(TIMES, VALUES[:, 0], strict=True))
    )
    with pytest.raises(InputError, match="no numeric channel"):
        read("time,temp,press,state\n" + body)
    log = read("time,temp,press,state\n" + body, units=True)
    assert log.schema.channels == ("temp", "press")
    np.testing.assert_allclose(log.series[0].values[:, 0], VALUES[:, 0], atol=0.051)
    assert "Units removed: 'temp' °C, 'press' kPa" in words(log.notes)[0]
    with pytest.raises(InputError, match="column 'press' holds the units 'Pa' and 'kPa'"):
        read("time,temp,press,state\n" + body.replace("kPa", "Pa", 1), units=True)


def test_text_that_is_no_table_is_refused():
    """Log lines, JSON and HTML each get a remedy."""
    for text, fact in {
        "081109 203615 148 INFO dfs: block terminating\n081109 203807 222 INFO dfs: more words\n"
        * 9: "is text",
        '[{"time": 1, "x": 2},\n{"time": 2, "x": 3}]\n': "is JSON",
        "<html><table><tr><td>1</td></tr></table></html>\n": "is HTML or XML",
    }.items():
        with pytest.raises(InputError, match=fact):
            read(text)


def test_names_and_cells_that_do_not_pair_are_told():
    """A header that is longer or shorter than its rows is named, not mended silently."""
    log = read("Time,Temp,Druck,Extra\n" + rows())
    assert words(log.notes) == (
        "standard input: The header names 4 columns, the rows hold 3; without cells: 'Extra'.",
    )
    log = read("Time,Temp\n" + rows().replace("\n", ",1.5\n"))
    assert log.schema.channels == ("Temp", "column 3", "column 4")
    assert words(log.notes) == (
        "standard input: The header names 2 columns, the rows hold 4; the last have no name.",
    )


def test_no_header_at_all():
    """Rows alone are read under made names, and that is told."""
    log = read(rows())
    assert_readings(log, ("column 2", "column 3"))
    assert words(log.notes)[0].startswith("There is no header line")
    assert log.schema.time_kind is TimeKind.TIMESTAMP


INSTRUMENTS = {
    "Graphtec": (
        "ベンダー,GRAPHTEC Corporation\r\nサンプリング間隔,1min\r\n開始時刻,2024-03-27,22:00:00\r\n\r\nアンプ設定\r\n"
        "CH,信号名,入力,レンジ\r\nCH1,温度,TEMP,TC_K\r\nCH2,圧力,DC,10V\r\nデータ\r\n"
        "日付 時間,CH1,CH2\r\nDate&Time,degC,kPa\r\n" + rows().replace(",", ",+ ")
    ).encode("cp932"),
    "oscilloscope": "Model,DPO\nInterval,60,\nRecord Length,61,\n,,\nTIMESTAMP,CH1,CH2\n" + rows(),
    "LabVIEW": (
        "LabVIEW Measurement\t\nSeparator\tTab\nDate\t2024/03/27\t2024/03/27\nX0\t0.0\t0.0\n***End_of_Header***\t\t\n"
        "Time\tCH1\tCH2\n" + rows("\t")
    ),
    "two tables": (
        "2024/3/27 23:55 UPDATE\nPeak,Slot,Day\n4820,17:00～18:00,3/27\n\nDATE,CH9\n2024/3/27 22:00,1\n"
        "2024/3/27 23:00,2\n\nTime,CH1,CH2\n" + rows()
    ),
}


@pytest.mark.parametrize("case", INSTRUMENTS)
def test_preambles_of_instruments(case):
    """Settings that look like rows are passed over and told; the table is the one that most rows belong to."""
    log = read(INSTRUMENTS[case])
    assert_readings(log)
    assert [name.split(" ")[0] for name in log.schema.channels] == ["CH1", "CH2"]
    assert "above the header skipped" in words(log.notes)[0]


def test_stations_above_repeated_names():
    """Quality columns of several stations keep apart, and flags are no channels."""
    head = "ダウンロードした時刻：2024/03/28\n\n,東京,東京,大阪,大阪\n"
    head += "年月日時,気温(℃),気温(℃),気温(℃),気温(℃)\n,,品質情報,,品質情報\n"
    body = "".join(
        f"{time:%Y/%m/%d %H:%M:%S},{one},8,{two},8\n" for time, (one, two) in zip(TIMES, VALUES, strict=True)
    )
    log = read((head + body).encode("cp932"))
    assert_readings(log, ("東京 気温(℃)", "大阪 気温(℃)"))
    assert (
        words(log.schema.ignored)["大阪 気温(℃) 品質情報"] == "is a quality flag (use --channels to read it)"
    )
    assert (log.schema.header_line, log.schema.header_end) == (3, 5)
