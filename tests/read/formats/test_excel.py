"""Laws of reading workbooks: a sheet is the log that its CSV is, and nothing is lost in silence."""

from __future__ import annotations

import csv
import datetime as dt
import sys
from pathlib import Path

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.errors import EmptyInputError, InputError, UsageError
from logscan.read import read_log
from logscan.read.formats import excel
from logscan.records import LogKind, TimeKind
from tests.read.formats.workbooks import EPOCH, CellError, write_ods, write_xlsx

START = dt.datetime(2024, 1, 31, 23, 0)  # noqa: DTZ001  cells know no zone
HERE = Path(__file__).parent


def minutes(rows: int) -> list[list[object]]:
    """A header and one row a minute."""
    data = [[START + dt.timedelta(minutes=row), 20.5 + row % 7, row % 3] for row in range(rows)]
    return [["time", "temp [°C]", "load"], *data]


def as_csv(path: Path, rows: list[list[object]]) -> Path:
    """The same cells as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(["" if cell is None else cell for cell in row] for row in rows)
    return path


def read(path: Path, **options: object):
    """A log."""
    return read_log([path], InputConfig(**options))


def test_a_sheet_is_the_log_that_its_csv_is(tmp_path: Path) -> None:
    """Times, numbers and gaps are the same to the bit; title lines above the header are skipped in both."""
    table = minutes(200)
    table[40][1] = None
    sheet = [["Plant 3, line A"], *table]
    book = read(write_xlsx(tmp_path / "log.xlsx", {"Data": sheet}))
    text = read(as_csv(tmp_path / "log.csv", sheet))

    assert book.schema.format == "excel"
    assert (book.schema.header_line, book.schema.data_line) == (2, 3)
    assert book.series[0].channels == text.series[0].channels
    assert book.series[0].grid == text.series[0].grid
    np.testing.assert_array_equal(book.series[0].values, text.series[0].values)
    assert [one.key for one in book.notes] == [one.key for one in text.notes]


def test_times_of_computed_cells_stand_on_the_grid(tmp_path: Path) -> None:
    """A column filled as `=A1+1/1440` drifts by parts of a microsecond, which are no time."""
    rows: list[list[object]] = [["time", "x"]]
    day = 45_322.0
    for row in range(500):
        rows.append([EPOCH + dt.timedelta(days=day), float(row)])
        day += 1 / 1440
    log = read(write_xlsx(tmp_path / "log.xlsx", {"Data": rows}))

    assert log.series[0].grid.step == 60 * 10**9
    assert log.series[0].grid.steps == 500


def test_dates_beside_times_of_day_are_one_time(tmp_path: Path) -> None:
    """Loggers write them into two columns."""
    rows: list[list[object]] = [["Date", "Time", "x"]]
    for row in range(100):
        moment = START + dt.timedelta(minutes=row)
        rows.append([moment.date(), moment.time(), float(row)])
    log = read(write_xlsx(tmp_path / "log.xlsx", {"Data": rows}))

    assert log.schema.time_kind is TimeKind.TIMESTAMP
    assert log.series[0].grid.steps == 100


def test_errors_are_missing_and_words_among_numbers_are_counted(tmp_path: Path) -> None:
    """`#N/A` and `#DIV/0!` are no reading; a word is reported as in a CSV; booleans are 0 and 1."""
    rows = [[*row, row[2] == 1] for row in minutes(100)]
    rows[0][3] = "on"
    rows[5][1], rows[6][1] = CellError("#N/A"), CellError("#DIV/0!")
    rows[7][2] = "broken"
    log = read(write_xlsx(tmp_path / "log.xlsx", {"Data": rows}), bridge_steps=0)
    values = log.series[0].values

    assert np.isnan(values[4:6, 0]).all()
    assert np.isfinite(values[[3, 6], 0]).all()
    assert (log.counts.not_numeric["load"].count, log.counts.not_numeric["load"].example) == (1, "broken")
    assert set(np.unique(values[:, 2])) == {0.0, 1.0}


def test_empty_rows_and_repeated_headers_are_counted(tmp_path: Path) -> None:
    """They are no data, wherever they stand."""
    table = minutes(50)
    rows = [*table[:20], [None], table[0], *table[20:]]
    log = read(write_xlsx(tmp_path / "log.xlsx", {"Data": rows}))

    assert {reason.key: count for reason, count in log.counts.dropped.items()} == {
        "row-empty": 1,
        "header-repeats": 1,
    }
    assert log.counts.rows_read == 52


def test_the_first_sheet_that_is_seen_is_read_and_the_others_are_named(tmp_path: Path) -> None:
    """A hidden sheet is neither read nor named; --sheet reads any."""
    other = [["time", "flow"], *[[START + dt.timedelta(hours=row), row / 2] for row in range(50)]]
    sheets = {"Hidden": other, "Data": minutes(50), "Pump 2": other}
    path = write_xlsx(tmp_path / "log.xlsx", sheets, hidden=["Hidden"])
    log = read(path)

    assert log.series[0].channels == ("temp [°C]", "load")
    told = next(one for one in log.notes if one.key == "sheets-not-read")
    assert (told["count"], told["names"]) == (1, ("Pump 2",))
    assert read(path, sheet="Pump 2").series[0].channels == ("flow",)
    assert read(path, sheet="Hidden").series[0].channels == ("flow",)
    with pytest.raises(UsageError, match=r"there is no sheet 'Pump2' in .*Pump 2"):
        read(path, sheet="Pump2")


def test_ods_and_old_excel_are_read_too(tmp_path: Path) -> None:
    """Whatever the kind of workbook, times are times and numbers are numbers."""
    ods = read(write_ods(tmp_path / "log.ods", "Data", minutes(60)))
    old = read(HERE / "old_excel.xls")

    assert ods.series[0].channels == ("temp [°C]", "load")
    assert old.series[0].channels == ("temp",)
    assert (ods.series[0].grid.steps, old.series[0].grid.steps) == (60, 30)


def test_events_of_a_workbook_are_counted(tmp_path: Path) -> None:
    """Orders in a sheet are a log of events."""
    rows: list[list[object]] = [["order", "time", "amount"]]
    seconds = np.random.default_rng(0).exponential(600, 400).cumsum().round().tolist()
    rows += [
        [f"A{row:05d}", START + dt.timedelta(seconds=second), 100 + row % 9]
        for row, second in enumerate(seconds)
    ]
    log = read(write_xlsx(tmp_path / "orders.xlsx", {"Orders": rows}))

    assert log.schema.kind is LogKind.EVENTS
    assert log.counts.rows_used == 400


def test_workbooks_of_a_folder_are_one_log(tmp_path: Path) -> None:
    """Lock files beside them are passed over."""
    table = minutes(100)
    write_xlsx(tmp_path / "1.xlsx", {"Data": table[:51]})
    write_xlsx(tmp_path / "2.xlsx", {"Data": [table[0], *table[51:]]})
    (tmp_path / "~$1.xlsx").write_bytes(b"\x05owner")

    assert read(tmp_path).series[0].grid.steps == 100


@pytest.mark.parametrize(
    ("sheets", "message"),
    [
        ({"Data": []}, "the sheet 'Data' holds no rows; pass a workbook"),
        ({"Data": [], "Log": [["time"]]}, "the sheet 'Data' holds no rows; pass --sheet with one of: Log"),
        ({"Data": [["time", "x"]]}, "there is a header line but no rows of data"),
    ],
)
def test_a_sheet_without_rows_is_refused(tmp_path: Path, sheets: dict[str, list], message: str) -> None:
    """The message names the sheet and what to do."""
    with pytest.raises(EmptyInputError, match=message):
        read(write_xlsx(tmp_path / "log.xlsx", sheets))


def test_a_workbook_with_a_password_or_damage_is_refused(tmp_path: Path) -> None:
    """Place, fact and remedy."""
    whole = write_xlsx(tmp_path / "log.xlsx", {"Data": minutes(50)}).read_bytes()
    (tmp_path / "cut.xlsx").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InputError, match="the workbook has a password; save it without one"):
        read(HERE / "encrypted.xlsx")
    with pytest.raises(InputError, match="the workbook is damaged, or it is none; save it again"):
        read(tmp_path / "cut.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sheet is in memory whole, so its size has a cap."""
    path = write_xlsx(tmp_path / "log.xlsx", {"Data": minutes(50)})
    monkeypatch.setattr(excel, "MOST_BYTES", 1 << 10)

    with pytest.raises(InputError, match="more than 0 MiB when it is unpacked; save the sheet as CSV"):
        read(path)


def test_without_the_extra_the_message_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that reads workbooks is optional."""
    path = write_xlsx(tmp_path / "log.xlsx", {"Data": minutes(50)})
    monkeypatch.setitem(sys.modules, "python_calamine", None)

    with pytest.raises(InputError, match=r"this is an Excel workbook; pip install 'logscan\[excel\]'"):
        read(path)


def test_text_that_is_called_a_workbook_is_read_as_text(tmp_path: Path) -> None:
    """Many instruments write tables of text and call them .xls."""
    path = tmp_path / "log.xls"
    as_csv(path, minutes(50))

    assert read(path).schema.format == "csv"
