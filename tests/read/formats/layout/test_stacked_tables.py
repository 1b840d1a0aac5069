"""Names over several lines, two tables in one file, quotes around lines: read, or refused with an option that works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log
from logscan.records import Log

READINGS = [
    f"2024-03-01 {row // 60:02}:{row % 60:02}:00,{row % 7}.5,{row % 11}.3,{row % 3}.25" for row in range(1200)
]
SUMMARY = [
    "Day,Energy,Runtime,Starts",
    *(f"2024-01-0{day} 00:00:00,{day}.5,{day},2.5" for day in range(1, 9)),
]


def log_of(folder: Path, lines: list[str], **config: str | int) -> Log:
    """The log of some lines."""
    path = folder / "log.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_log([path], InputConfig.model_validate(config))


@pytest.mark.parametrize(
    "above",
    [
        [",temp,temp,flow", "time,in,out,main"],
        [",temp,temp,flow", ",in,out,main", "time,,,"],
        ["kind,temp,temp,flow", "place,in,out,main", "time,,,"],
    ],
)
def test_names_over_several_lines_are_joined(tmp_path: Path, above: list[str]) -> None:
    """The first words stand above, the name of the time may stand alone below."""
    log = log_of(tmp_path, above + READINGS[:60])
    assert log.schema.time_column == "time"
    assert log.schema.channels == ("temp in", "temp out", "flow main")


@pytest.mark.parametrize("above", [",Boiler,,Chiller", ",north,north,north"])
def test_groups_above_names_that_differ_stay_out(tmp_path: Path, above: str) -> None:
    """The names tell the columns apart without them."""
    log = log_of(tmp_path, [above, "time,T1,T2,P1", *READINGS[:60]])
    assert log.schema.channels == ("T1", "T2", "P1")


def test_a_second_table_is_refused_and_the_option_reads_it(tmp_path: Path) -> None:
    """The refusal tells the lines of both tables."""
    lines = ["Time,a,b,c", *READINGS[:100], "", "Daily", *SUMMARY]
    with pytest.raises(InputError, match="two tables: one from line 1, and one from line 104") as raised:
        log_of(tmp_path, lines)
    found = re.search(r"--header (\d+) --data-from (\d+)", raised.value.remedy)
    assert found is not None
    log = log_of(tmp_path, lines, header=found[1], data_from=int(found[2]))
    assert log.schema.channels == ("Energy", "Runtime", "Starts")
    assert log.counts.rows_used == len(SUMMARY) - 1


def test_a_second_table_far_below_is_refused(tmp_path: Path) -> None:
    """Beyond the sample too; all rows are read as the first where the user says so."""
    lines = ["Time,a,b,c", *READINGS, "", *SUMMARY]
    with pytest.raises(InputError, match="one far below with the columns Day, Energy") as raised:
        log_of(tmp_path, lines)
    assert "--header 1 " in raised.value.remedy
    assert log_of(tmp_path, lines, header="1").schema.channels == ("a", "b", "c")


@pytest.mark.parametrize("between", ["TIME,A,B , c", "logger,restarted,by,hand"])
def test_a_header_again_and_a_remark_are_no_second_table(tmp_path: Path, between: str) -> None:
    """Names in other letters, or words of which none is the time."""
    log = log_of(tmp_path, ["Time,a,b,c", *READINGS[:100], between, *READINGS[100:200]])
    assert log.counts.rows_used == 200


def test_quotes_around_lines_come_off(tmp_path: Path) -> None:
    """Quotes within are doubled, and a delimiter may stand between them."""
    lines = ["Time,a,b,c,remark", *(f'{line},""ok, fine""' for line in READINGS[:60])]
    log = log_of(tmp_path, [f'"{line}"' for line in lines])
    assert log.schema.channels == ("a", "b", "c")
    assert [one.key for one in log.notes] == ["lines-quoted"]


@pytest.mark.parametrize("mark", [" ", "^"])
def test_a_rare_delimiter_is_named(tmp_path: Path, mark: str) -> None:
    """The option that the refusal names reads the log."""
    lines = [mark.join([f"2024-03-01T06:{row:02}:00", "pump", f"{row}.5"]) for row in range(60)]
    with pytest.raises(InputError) as raised:
        log_of(tmp_path, lines)
    option = re.search(r"--delimiter (\S+)", raised.value.remedy)
    assert option is not None
    log = log_of(tmp_path, lines, delimiter=option[1].strip("'"))
    assert log.schema.channels == ("column 3",)


def test_a_version_in_all_rows_and_the_header_is_no_channel(tmp_path: Path) -> None:
    """The user may still ask for it."""
    lines = ["price,4,Time,a,b,c", *(f"price,4,{line}" for line in READINGS[:60])]
    assert log_of(tmp_path, lines).schema.channels == ("a", "b", "c")
    assert "4" in read_log([tmp_path / "log.csv"], InputConfig(channels=("4", "a"))).schema.channels
