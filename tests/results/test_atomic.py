"""The atomic writer: the old output or the new one, never a torn one, and nothing left behind."""

import errno
import os
from pathlib import Path

import pytest

from logscan.errors import OutputError
from logscan.results import atomic as write_module
from logscan.results.atomic import atomic_path, write_bytes, write_folder, write_text


def names(folder):
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_bytes_and_text_are_written_and_replaced(tmp_path):
    """A second write replaces the first, and only the target remains."""
    write_bytes(tmp_path / "a.bin", b"old")
    write_text(tmp_path / "a.bin", "新しい\n")
    assert (tmp_path / "a.bin").read_bytes() == "新しい\n".encode()
    assert names(tmp_path) == ["a.bin"]


def test_a_failure_in_the_block_leaves_the_old_file(tmp_path):
    """Whatever ends the block, the old file stands and no temporary file stays."""
    write_text(tmp_path / "a.csv", "old")

    def write_half(error):
        with atomic_path(tmp_path / "a.csv") as temporary:
            temporary.write_text("half")
            assert temporary.suffix == ".csv"
            raise error

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            write_half(error)
    assert (tmp_path / "a.csv").read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.ENOSPC, "no space left on the disk; free some space; what stood there before still stands"),
        (errno.EROFS, "the file system is read-only; write to another folder"),
        (errno.EIO, "cannot be written (Input/output error); choose another place"),
    ],
)
def test_a_failing_disk_is_told_and_leaves_the_old_file(tmp_path, monkeypatch, number, text):
    """Each errno has its remedy; the old file stands."""
    target = tmp_path / "a.csv"
    write_text(target, "old")

    def full(_path, _data):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError) as caught:
        write_text(target, "new")
    assert str(caught.value) == f"{target}: {text}"
    assert caught.value.exit_code == 14
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_a_missing_folder_is_named(tmp_path):
    """The message names the folder to create."""
    target = tmp_path / "no" / "a.csv"
    with pytest.raises(OutputError) as caught:
        write_text(target, "new")
    assert str(caught.value) == f"{target}: folder '{tmp_path}/no' does not exist; create it first"


def test_a_folder_or_a_file_in_the_way_is_refused(tmp_path):
    """A folder is not overwritten by a file, and a file is no folder."""
    (tmp_path / "taken").mkdir()
    with pytest.raises(OutputError, match="is a folder, not a file; name a file"):
        write_text(tmp_path / "taken", "new")
    write_text(tmp_path / "file", "old")
    with pytest.raises(OutputError, match="is not a folder; name a folder that exists"):
        write_text(tmp_path / "file" / "a.csv", "new")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        write_folder(tmp_path / "file", {"a": b"1"})
    assert names(tmp_path) == ["file", "taken"]


def test_a_protected_folder_is_told(tmp_path, monkeypatch):
    """Without permission the message says so."""

    def denied(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(write_module.os, "open", denied)
    with pytest.raises(OutputError) as caught:
        write_text(tmp_path / "a.csv", "new")
    remedy = f"give yourself write permission on folder '{tmp_path}' or choose another one"
    assert str(caught.value) == f"{tmp_path}/a.csv: permission denied; {remedy}"


@pytest.mark.parametrize("swap", [True, False])
def test_a_folder_is_replaced_whole(tmp_path, monkeypatch, swap):
    """The new folder holds exactly the new files, with or without a swap by the system."""
    if not swap:
        monkeypatch.setattr(write_module, "_swapped", lambda *_: False)
    write_folder(tmp_path / "model", {"a.json": b"1", "b.json": b"2"})
    write_folder(tmp_path / "model", {"a.json": b"3"})
    assert names(tmp_path) == ["model"]
    assert names(tmp_path / "model") == ["a.json"]
    assert (tmp_path / "model" / "a.json").read_bytes() == b"3"


@pytest.mark.parametrize("step", ["_write_synced", "_swapped"])
def test_a_failed_folder_leaves_the_old_one(tmp_path, monkeypatch, step):
    """Whatever step fails, the old folder stands and nothing else stays."""
    write_folder(tmp_path / "model", {"a.json": b"old"})

    def broken(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(write_module, step, broken)
    with pytest.raises(OutputError, match="no space left"):
        write_folder(tmp_path / "model", {"a.json": b"new"})
    assert names(tmp_path) == ["model"]
    assert (tmp_path / "model" / "a.json").read_bytes() == b"old"
