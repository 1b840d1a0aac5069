"""The one atomic writer: every output is the old one or the new one, never torn."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from logscan.errors import OutputError


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends well.

    Args:
        path: the file to write; what stands there is replaced in one step or stays as it is.

    Yields:
        A path in the same folder, with the same suffix, to be written by the caller.

    Raises:
        OutputError: the file cannot be written; nothing is left behind and the old file stands.
    """
    with _output_errors(path):
        _refuse_folder(path)
        temporary = _beside(path)
        # Made here, so that a folder that cannot be written is known before the caller's work.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            yield temporary
            _sync_file(temporary)
            temporary.replace(path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically; raises OutputError."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` as UTF-8, atomically and with its line ends as they are; raises OutputError."""
    write_bytes(path, text.encode("utf-8"))


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """Replace the folder `path` by one that holds exactly `files`.

    The new folder is written and synced beside the old one, the old one is moved aside, the new one
    takes its name and the old one is deleted. Where the exchange fails the old one is moved back.

    Args:
        path: the folder; its parent must exist.
        files: plain file name -> content.

    Raises:
        OutputError: the folder cannot be written; the old one stands.
    """
    with _output_errors(path):
        if path.exists() and not path.is_dir():
            raise OutputError(str(path), "is a file, not a folder", "name another folder")
        new = _beside(path)
        old = _beside(path)
        try:
            new.mkdir()
            for name, data in files.items():
                _write_synced(new / name, data)
            _sync_folder(new)
            _exchange(new, path, old)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise
        _sync_folder(path.parent)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(new: Path, path: Path, old: Path) -> None:
    """Put `new` in the place of `path`; what stood there is left at `old`."""
    if not path.exists():
        new.rename(path)
        return
    if _swapped(new, path):
        new.rename(old)
        return
    # Where the system cannot swap two names at once there is a moment without the folder.
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise


def _swapped(one: Path, other: Path) -> bool:
    """Exchange two names in one step (Linux renameat2); false where that cannot be done."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    at_working_folder, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    names = (os.fsencode(one), os.fsencode(other))
    return bool(swap(at_working_folder, names[0], at_working_folder, names[1], exchange) == 0)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _beside(path: Path) -> Path:
    """A name in the same folder that nobody else uses; the suffix stays, writers choose the format by it."""
    return path.parent / f".{path.stem[:60]}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}"


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(path: Path) -> None:
    """Make a rename survive a power cut; file systems that cannot sync a folder are left as they are."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _output_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into an OutputError that names `path`."""
    try:
        yield
    except OSError as error:
        fact, remedy = _explained(path, error)
        raise OutputError(str(path), fact, remedy) from error


def _explained(path: Path, error: OSError) -> tuple[str, str]:
    """Fact and remedy of a failed write."""
    folder = str(path.parent)
    if error.errno in {errno.ENOENT, errno.ENOTDIR} and not path.parent.is_dir():
        if path.parent.exists():
            return f"'{folder}' is not a folder", "name a folder that exists"
        return f"folder '{folder}' does not exist", "create it first"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "no space left on the disk", "free some space; what stood there before still stands"
    if error.errno == errno.EROFS:
        return "the file system is read-only", "write to another folder"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return (
            "permission denied",
            f"give yourself write permission on folder '{folder}' or choose another one",
        )
    if error.errno == errno.EISDIR:
        return "is a folder, not a file", "name a file"
    if error.errno == errno.ENAMETOOLONG:
        return "the name is too long", "choose a shorter one"
    return f"cannot be written ({error.strerror or error})", "choose another place"
