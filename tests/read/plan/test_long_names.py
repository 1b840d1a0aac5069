"""Rows of one reading each, as historians and home automation write them; files that are no tables."""

import io
import shlex

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log
from tests.words import words

TIMES = pd.date_range("2024-01-29 10:00:00", periods=60, freq="1min")


def read(text, **config):
    """The log of a text or a frame."""
    data = text if isinstance(text, (bytes, str)) else text.to_csv(index=False)
    return read_log(
        ["-"], InputConfig(**config), stdin=io.BytesIO(data if isinstance(data, bytes) else data.encode())
    )


def readings(sensor, value, **beside):
    """Two sensors in turn, with constants beside them."""
    rows = [
        {"time": f"{time:%Y-%m-%d %H:%M:%S}", sensor: name, value: number, **beside}
        for row, time in enumerate(TIMES)
        for name, number in (("flow", row % 5 + 0.25), ("pressure", 500 + row % 3))
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("sensor", "value", "beside"),
    [
        ("TagName", "Value", {"Quality": 0, "QualityDetail": 192, "OPCQuality": 192}),
        ("_NAME", "_VALUE", {"_NUMERICID": 0, "_QUALITY": 192}),
        ("VarName", "VarValue", {"Validity": 1, "Time_ms": 44256000000}),
        ("_field", "_value", {"result": "", "table": 0, "_measurement": "pump"}),
        ("entity_id", "state", {}),
        ("topic", "payload", {"_msgid": "10a.9"}),
        ("Parameter", "Value", {"Latitude": 48.25, "Station height": 110.5}),
    ],
)
def test_names_of_historians_and_flags_beside_the_reading_are_known(sensor, value, beside):
    """How good a reading is and where it was taken measure nothing: the log is still in long format."""
    log = read(readings(sensor, value, **beside))
    assert log.schema.shaping.sensor == sensor
    assert log.series[0].channels == ("flow", "pressure")
    (series,) = log.series
    np.testing.assert_array_equal(np.asarray(series.values)[:, 1], 500 + np.arange(60) % 3)


@pytest.mark.parametrize("beside", ["humid", "UV index", "temperature"])
def test_a_second_measurement_beside_the_value_is_no_long_format(beside):
    """Where two columns measure, a word beside them tells machines or states."""
    frame = readings("tag", "value")
    assert read(frame.assign(**{beside: np.arange(120) % 11 + 0.5})).schema.shaping.sensor is None


def test_long_format_with_decimal_commas_is_found():
    """The decimal mark of the file counts, not the point."""
    frame = readings("VarName", "VarValue")
    text = frame.to_csv(index=False, sep=";", decimal=",")
    assert read(text).series[0].channels == ("flow", "pressure")


def test_numbers_name_sensors_where_their_column_says_so():
    """A tag may be told by its number."""
    frame = readings("TagIndex", "Value").replace({"flow": 0, "pressure": 1})
    assert read(frame).series[0].channels == ("0", "1")


def test_sensors_under_unknown_names_that_alternate_are_told():
    """One column of numbers that reads differently under two words in turn is not taken without a word."""
    frame = readings("what is it", "number")
    frame["time"] = pd.date_range("2024-01-29", periods=120, freq="1min").strftime("%Y-%m-%d %H:%M:%S")
    (note,) = [note for note in words(read(frame).notes) if "alternate" in note]
    assert "--sensor 'what is it' --value number" in note
    options = shlex.split(note[note.index("--sensor") :].split(",")[0])
    log = read(frame, sensor=options[1], value=options[3])
    assert log.series[0].channels == ("flow", "pressure")


def test_a_status_that_changes_now_and_then_is_no_sensor():
    """Words that stay for a while tell the state of a machine."""
    rpm = np.r_[np.arange(30) % 3 + 1500, np.arange(30) % 3]
    frame = pd.DataFrame({"time": TIMES, "phase": ["on"] * 30 + ["off"] * 30, "rpm": rpm})
    assert not any("alternate" in note for note in words(read(frame).notes))


@pytest.mark.parametrize(
    ("data", "fact"),
    [
        (b'[\n  {"time": 1, "v": 2},\n  {"time": 2, "v": 3}\n]\n', "this is JSON"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}" + bytes(90), "a NumPy file"),
        (b"MATLAB 5.0 MAT-file, Platform: PCWIN64" + bytes(90), "a MATLAB file"),
        (b"TDSm\x0e\x00\x00\x00" + bytes(90), "a TDMS file"),
        (b"@problemName x\n@data\n" + b"1,2,3:1\n" * 9, "lines such as @relation"),
    ],
)  # fmt: skip
def test_files_that_are_no_tables_are_named(data, fact):
    """The message says what the file is."""
    with pytest.raises(InputError, match=fact):
        read(data)


def test_the_remedy_of_an_attribute_relation_file_reads_its_rows():
    """Taken at its word, it does."""
    rows = "".join(f"{row % 5}.5,{row % 3},ok\n" for row in range(70))
    text = f"% a comment\n@RELATION pump\n@ATTRIBUTE a NUMERIC\n@ATTRIBUTE b REAL\n@DATA\n{rows}"
    with pytest.raises(InputError, match=r"--header none --data-from 6") as told:
        read(text)
    assert told.value.exit_code == 4
    log = read(text, header="none", data_from=6)
    assert log.counts.rows_used == 70


def test_text_with_commas_is_sent_to_csv_not_to_events():
    """Counting the rows of a text log needs a time that it does not have."""
    text = "".join(f"10.0.0.{row} - - [01/Mar/2021:10:00:{row % 60:02d}] GET (a, b)\n" for row in range(80))
    with pytest.raises(InputError, match="turn it into CSV"):
        read(text)
