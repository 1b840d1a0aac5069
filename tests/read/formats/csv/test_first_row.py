"""Headers as instruments, weather services and historians write them: titles, settings, signs of comments."""

import io

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.read import read_log
from logscan.records import TimeKind
from tests.words import words


def read(lines, **config):
    """The log of lines of text."""
    text = "\n".join(lines) + "\n"
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(text.encode()))


def numbers(rows, sep, form="{:.3f}"):
    """Lines of readings, the first a running second."""
    return [
        sep.join([f"{row / 7:.4f}", *(form.format(row % 5 + place) for place in range(2))])
        for row in range(rows)
    ]


def assert_channels(log, names):
    """The channels, and readings as `numbers` writes them."""
    assert log.series[0].channels == names
    np.testing.assert_array_equal(log.series[0].values[:, -2], np.arange(len(log.series[0].values)) % 5)


def test_a_header_with_one_name_more_than_the_data_ends_the_settings():
    """LabVIEW writes settings in as many cells as the data, and names a comment that no row has."""
    settings = [
        "Y_Unit_Label\tVolts\tVolts",
        "X0\t0.000\t0.000",
        "Delta_X\t0.001\t0.001",
        "***End_of_Header***",
    ]
    log = read([*settings, "X_Value\tVoltage_0\tVoltage_1\tComment", *numbers(60, "\t")])
    assert_channels(log, ("Voltage_0", "Voltage_1"))
    assert any("without cells: 'Comment'" in note for note in words(log.notes))


@pytest.mark.parametrize("head", ["# time a b", "#time a b", "time a b", "# time   a   b"])
def test_a_sign_of_comment_before_blanks_names_no_column(head):
    """Programs for science write the names behind `#`."""
    assert_channels(read([head, *numbers(60, " ")]), ("a", "b"))


def test_names_that_hold_blanks_are_parted_by_wider_ones_or_by_commas():
    """The names of a table that blanks part may hold blanks themselves."""
    for head in ("Time   Flow in   Flow out", "Time (s), Flow in, Flow out"):
        assert_channels(read([head, *numbers(60, "  ")]), ("Flow in", "Flow out"))


def test_names_that_do_not_pair_with_columns_parted_by_blanks_are_none():
    """Shifted names would be worse than none."""
    log = read(["Time (s) and two flows, all of them in litres", *numbers(60, " ")])
    assert log.series[0].channels == ("column 1", "column 2", "column 3")
    assert any("Line 1 above the data skipped" in note for note in words(log.notes))


def test_a_sentence_of_more_words_than_columns_is_no_header():
    """The line of names has as many cells as the data, even with a shorter line of units under it."""
    title = "Estimated data is marked with a * after the value."
    log = read(["Bradford", title, "   time  a    b", "   degC   days", *numbers(60, "   ")])
    assert_channels(log, ("a", "b"))


def test_settings_of_numbers_far_above_the_data_are_no_names():
    """Weather files for buildings hold soil temperatures in their preamble and no names."""
    rows = [f"2024,1,{1 + hour // 24},{hour % 24},{hour % 5},{hour % 3}.5" for hour in range(72)]
    log = read(["LOCATION,Amsterdam", "GROUND TEMPERATURES,3,.5,,,,6.5,4.4,3.9", "DATA PERIODS,1", *rows])
    assert log.schema.header_line is None
    assert log.schema.time_format == "year + month + day + hour"
    assert log.series[0].channels == ("column 5", "column 6")


def test_names_in_single_quotes_lose_them_above_bare_numbers():
    """PhysioNet quotes the names and the units only."""
    log = read(["'Elapsed time','MLII','V5'", "'seconds','mV','mV'", *numbers(60, ",")])
    assert_channels(log, ("MLII [mV]", "V5 [mV]"))


def test_a_word_above_running_numbers_is_still_a_setting():
    """A sampling time that stands above elapsed times is no first row of data."""
    rows = [f"{10 * row}\t{row % 5}.5\t{row % 3}" for row in range(60)]
    log = read(["Name\tMain.fPos\tMain.fVel", "SampleTime[ms]\t10\t10", *rows])
    assert log.schema.data_line == 3
    assert log.counts.rows_read == 60


def test_a_short_word_in_several_columns_stands_for_no_reading():
    """Data buoys write MM where nothing was measured, in blanks."""
    rows = [
        f"2024 01 {1 + hour // 24:02d} {hour % 24:02d} {hour % 5} MM MM MM {hour % 3}.5 MM"
        for hour in range(72)
    ]
    log = read(["#YY MM DD hh WDIR WVHT DPD APD ATMP TIDE", "#yr mo dy hr degT m sec sec degC ft", *rows])
    assert log.schema.time_kind is TimeKind.TIMESTAMP
    assert log.series[0].channels == ("WDIR", "ATMP [degC]")


def test_years_and_months_without_names_are_months():
    """Long series of climate and sun come without a header."""
    rows = [f"{1958 + month // 12} {month % 12 + 1:2d} {315 + month % 7}.25" for month in range(80)]
    log = read(["# CO2 expressed as a mole fraction in dry air", *rows])
    assert log.schema.time_format == "year + month"
    assert log.series[0].grid.steps == 80


def test_a_comma_behind_four_digits_is_a_decimal_mark():
    """Thousands are not parted where four digits stand together, whatever follows."""
    rows = [f"2024-01-01 00:{row:02d};{15_000 + row},{954 - row}" for row in range(60)]
    log = read(["time;load", *rows])
    assert log.schema.decimal == ","
    assert log.series[0].values[0, 0] == 15_000.954


def test_quotes_around_names_above_blanks_are_taken_off():
    """Blanks part the cells, quotes stand around names only."""
    assert_channels(read(["'time' 'a' \"b\"", *numbers(60, " ")]), ("a", "b"))


def test_lines_of_comment_far_above_the_data_are_no_header():
    """A sentence that happens to have as many words as columns names none of them."""
    preamble = [
        "* FileName = C:\\Data\\x.hex",
        *(f"# name {number} = tv290C: Temperature" for number in range(5)),
    ]
    rows = [f"{row / 7:.3f} {row % 5}.5 {row % 3} 0.25" for row in range(60)]
    assert read([*preamble, "*END*", *rows]).schema.header_line is None


@pytest.mark.parametrize("day", ["2024年11月25日", "令和6年11月25日", "25 Nov 2024", "2024-11-25"])
def test_a_date_does_not_reach_over_a_tab(day):
    """Beside decimal commas, tabs part the cells whatever the dates are written with."""
    lines = ["time\tx", *(f"{day} {hour:02d}:00\t2{hour % 7},{hour % 5}3" for hour in range(24))]
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO("\n".join(lines).encode()))
    assert (log.schema.delimiter, log.schema.decimal, log.schema.time_column) == ("\t", ",", "time")
    assert log.series[0].values[1, 0] == 21.13


def test_names_merged_downwards_are_names():
    """Where the line of names leaves columns out, the line above it names them; a title does not."""
    days = [f"2024/4/{1 + hour // 24},{hour % 24}:00,{2500 + hour},{hour},{hour % 7}.5" for hour in range(72)]
    two = ["DATE,TIME,需要,供給,", ",,,火力,水力", *days]
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO("\n".join(two).encode()))
    assert log.schema.time_column == "DATE + TIME"
    assert log.schema.channels == ("需要", "火力", "水力")
    titled = ["Report", ",a,b", *(f"r{row},{row},{row % 5}.5" for row in range(40))]
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO("\n".join(titled).encode()))
    assert log.schema.channels == ("a", "b")
