"""Machines told apart by columns, folders and files, and the question where nothing tells."""

import io
import zipfile

import numpy as np
import pytest

from logscan.config import InputConfig
from logscan.errors import InputError
from logscan.read import read_log

DRAW = np.random.default_rng(5)
VALUES = {name: DRAW.normal(level, 1, 200).round(3) for name, level in (("p", 20), ("q", 70))}


def clock(row):
    """A minute, as text."""
    return str(np.datetime64("2024-03-04T00:00:00") + np.timedelta64(int(row), "m")).replace("T", " ")


def long(column="machine", names=("p", "q")):
    """Two machines, a row each at every moment."""
    lines = [f"time,{column},x"]
    for row in range(200):
        lines += [f"{clock(row)},{shown},{VALUES[one][row]}" for shown, one in zip(names, "pq", strict=True)]
    return ("\n".join(lines) + "\n").encode()


def of_bytes(data, **config):
    """The log of some bytes."""
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(data))


def written(folder, pattern):
    """A file for each machine."""
    for name, values in VALUES.items():
        path = folder / pattern.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = "".join(f"{clock(row)},{value}\n" for row, value in enumerate(values))
        path.write_text("time,x\n" + rows, encoding="utf-8")
    return folder


def series_of(log):
    """Values by entity."""
    return {one.entity: np.asarray(one.values)[:, 0].round(3).tolist() for one in log.series}


def whole(names=("p", "q")):
    """What every reading of the two machines must come to."""
    return {shown: VALUES[one].tolist() for shown, one in zip(names, "pq", strict=True)}


@pytest.mark.parametrize(
    ("column", "names"), [("machine", ("p", "q")), ("machine_id", ("3", "4")), ("設備", ("P1", "P2"))]
)
def test_a_column_that_tells_rows_of_one_time_apart_is_the_entity(column, names):
    """Words always; numbers under the name of a thing."""
    log = of_bytes(long(column, names))
    assert log.schema.entity_columns == (column,)
    assert series_of(log) == whole(names)
    assert "entity-found" in {one.key for one in log.notes}


def test_the_found_entity_reads_as_the_named_one():
    """Detection and `--entity machine` give the same series."""
    assert series_of(of_bytes(long())) == series_of(of_bytes(long(), entity=("machine",)))


def test_entity_none_averages_and_says_so():
    """Nobody is told apart, and the note names the share of the rows."""
    log = of_bytes(long(), entity=("none",))
    assert log.schema.entity_columns == ()
    assert "rows-averaged-told-apart" in {one.key for one in log.notes}


def test_rows_that_are_there_twice_are_no_machines():
    """Each row of a log of one machine, doubled, stays one machine."""
    lines = long().decode().splitlines()
    once = [line for line in lines[1:] if ",p," in line]
    log = of_bytes("\n".join([lines[0], *(line for line in once for _ in range(2)), ""]).encode())
    assert [one.entity for one in log.series] == [""]


def test_a_partition_of_folders_names_the_machines(tmp_path):
    """`machine=p/` and `machine=q/` are two machines."""
    log = read_log([written(tmp_path, "machine={}/a.csv")], InputConfig())
    assert log.schema.entity_columns == ("machine",)
    assert series_of(log) == whole()


@pytest.mark.parametrize(("key", "pattern"), [("folder", "{}/log.csv"), ("file", "{}.csv")])
def test_folders_and_files_name_the_machines_where_asked(tmp_path, key, pattern):
    """`--entity folder` and `--entity file` read one series each."""
    assert series_of(read_log([written(tmp_path, pattern)], InputConfig(entity=(key,)))) == whole()


@pytest.mark.parametrize(("key", "pattern"), [("folder", "{}/log.csv"), ("file", "{}.csv")])
def test_files_of_two_machines_are_a_question(tmp_path, key, pattern):
    """Different readings at the same times are never averaged unasked; the remedy names the option."""
    with pytest.raises(InputError, match=f"--entity {key}"):
        read_log([written(tmp_path, pattern)], InputConfig())


def test_members_of_an_archive_are_compared_as_files_are(tmp_path):
    """Two machines in one zip are a question too."""
    written(tmp_path, "{}.csv")
    with zipfile.ZipFile(tmp_path / "both.zip", "w") as archive:
        for name in VALUES:
            archive.write(tmp_path / f"{name}.csv", f"{name}.csv")
    with pytest.raises(InputError, match="--entity file"):
        read_log([tmp_path / "both.zip"], InputConfig())


def test_files_of_one_machine_are_read_as_one(tmp_path):
    """The same rows in two files are no two machines."""
    for name in ("a", "b"):
        rows = "".join(f"{clock(row)},{value}\n" for row, value in enumerate(VALUES["p"]))
        (tmp_path / f"{name}.csv").write_text("time,x\n" + rows, encoding="utf-8")
    log = read_log([tmp_path], InputConfig())
    assert len(log.series) == 1


def test_readings_of_bad_quality_are_missing():
    """A quality column is obeyed, and --ignore reads the readings again."""
    rows = [f"{clock(row)},{VALUES['p'][row]},{'Bad' if row == 9 else 'Good'}" for row in range(200)]
    data = "\n".join(["time,x,quality", *rows, ""]).encode()
    assert np.flatnonzero(np.isnan(np.asarray(of_bytes(data).series[0].values)[:, 0])).tolist() == [9]
    assert not np.isnan(np.asarray(of_bytes(data, ignore=("quality",)).series[0].values)).any()


def test_a_time_for_each_channel_is_a_question():
    """Two columns named time with different times are never read under the first."""
    rows = [
        f"{clock(row)},{VALUES['p'][row]},{clock(row * 2)},{VALUES['q'][row]}"
        if row < 100
        else f"{clock(row)},{VALUES['p'][row]},,"
        for row in range(200)
    ]
    with pytest.raises(InputError, match="each channel has its own"):
        of_bytes("\n".join(["Time,A,Time,B", *rows, ""]).encode())
