"""What the user named, resolved to files, and their bytes, unpacked."""

from __future__ import annotations

import glob
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from logscan.errors import InputError

STDIN = "-"
TABLE_SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".txt", ".tsv", ".parquet")

_PACKED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_FOREIGN = {  # magic bytes of what people feed by mistake -> (what it is, remedy)
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"%PDF": ("a PDF document", "pass the CSV or Parquet file behind it"),
    b"\xfd7zXZ": ("an xz archive", "unpack it, or pack it with gzip or zstd"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it first"),
}
BINARY_REMEDY = "pass CSV (plain, .gz, .zst) or Parquet"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the input, or the standard input."""

    name: str  # as shown
    path: Path | None  # None: the standard input


def resolved_sources(inputs: Sequence[str | Path]) -> tuple[Source, ...]:
    """The files behind files, globs, folders and `-`, each once, folders and globs in sorted order.

    Raises:
        InputError: a file that does not exist, a glob or folder without a table, or nothing at all.
    """
    sources: dict[str, Source] = {}
    for item in inputs:
        for source in _behind(str(item)):
            sources.setdefault(source.name, source)
    if not sources:
        raise InputError("", "no input", "name a CSV or Parquet file, a folder or -")
    return tuple(sources.values())


def _behind(item: str) -> list[Source]:
    if item == STDIN:
        return [Source("standard input", None)]
    path = Path(item)
    if path.is_dir():
        files = sorted(child for child in path.rglob("*") if _is_table(child, path))
        if not files:
            raise InputError(item, "no table in this folder", f"it should hold {', '.join(TABLE_SUFFIXES)}")
        return [Source(str(file), file) for file in files]
    if path.exists():
        return [Source(item, path)]
    if glob.has_magic(item):
        matches = sorted(Path(match) for match in glob.glob(item, recursive=True))  # noqa: PTH207  as in a shell
        files = [match for match in matches if match.is_file()]
        if not files:
            raise InputError(item, "no file matches", "check the pattern")
        return [Source(str(file), file) for file in files]
    raise InputError(item, "no such file", "check the path")


def _is_table(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    return not hidden and file.name.lower().endswith(TABLE_SUFFIXES) and file.is_file()


def opened(source: Source, stdin: BinaryIO) -> BinaryIO:
    """The raw bytes of a source; raises InputError where it cannot be opened."""
    if source.path is None:
        return stdin
    try:
        return source.path.open("rb")
    except OSError as error:
        raise InputError(
            source.name, f"cannot be read ({error.strerror})", "check its permissions"
        ) from error


def is_parquet(raw: BinaryIO) -> bool:
    """Whether a file that was just opened is Parquet."""
    if not raw.seekable():
        return False
    magic = raw.read(4)
    raw.seek(0)
    return magic == b"PAR1"


class Unpacked(io.RawIOBase):
    """Bytes of a file with gzip, zstd or bzip2 undone, told by its first bytes, not by its name."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        self._name = name
        head = raw.read(8)
        for magic, (what, remedy) in _FOREIGN.items():
            if head.startswith(magic):
                raise InputError(name, f"this is {what}, not a table", remedy)
        codec = next((codec for magic, codec in _PACKED.items() if head.startswith(magic)), None)
        whole = _Rejoined(head, raw)
        self._stream: Any = (
            whole if codec is None else pa.CompressedInputStream(pa.PythonFile(whole, "r"), codec)
        )

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; raises InputError where the packing is damaged."""
        try:
            data = self._stream.read(size if size >= 0 else None)
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                self._name, "the packed data are damaged or cut off", "pack the file again"
            ) from error
        return bytes(data)


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were already taken, whole again."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._head:
            size = len(self._head) if size < 0 else size
            data, self._head = self._head[:size], self._head[size:]
            return data + (self._rest.read(size - len(data)) or b"" if size > len(data) else b"")
        return self._rest.read(size) or b""
