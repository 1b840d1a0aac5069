"""Compression (gzip, zstd, bzip2, xz) undone as a stream, one piece ahead, with a cap against bombs."""

from __future__ import annotations

import io
import lzma
import zipfile
import zlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, BinaryIO, Literal, cast

import pyarrow as pa
from isal import igzip
from isal.igzip_lib import IsalError

from logscan.errors import InputError

FREE_BYTES = 256 << 20  # any file may unpack to this much
MOST_TIMES = 200  # beyond, to this many times its packed size

_XZ_MEMORY_BYTES = 256 << 20
_XZ_READ_BYTES = 1 << 16
_PACKED: dict[bytes, Literal["gzip", "zstd", "bz2", "xz"]] = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
_FOREIGN = {  # magic bytes of what people feed by mistake -> (what it is, remedy)
    b"PK\x03\x04": (
        "a zip archive",
        "pass it as a file of its own, not inside another one or through a pipe",
    ),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save the sheet as CSV"),
    b"%PDF": ("a PDF document", "pass the CSV or Parquet file behind it"),
    b"7z\xbc\xaf": ("a 7z archive", "unpack it first"),
    b"Rar!": ("a RAR archive", "unpack it first"),
    b"PAR1": ("a Parquet file", "pass it as a file of its own, not inside another one or through a pipe"),
    b"ARROW1": ("an Arrow file", "write it as Parquet"),
    b"\x89HDF": ("an HDF5 file", "write its table as CSV or Parquet"),
    b"SQLite": ("an SQLite database", "write its table as CSV"),
    b"MATLAB": ("a MATLAB file", "write its table as CSV or Parquet"),
    b"\x93NUMPY": ("a NumPy file", "write its table as CSV or Parquet"),
    b"TDSm": ("a TDMS file", "write its channels as CSV"),
}
_DAMAGE = (
    OSError,
    EOFError,
    pa.ArrowException,
    lzma.LZMAError,
    zlib.error,
    cast("type[Exception]", IsalError),
    zipfile.BadZipFile,
)


def packed_as(head: bytes) -> Literal["gzip", "zstd", "bz2", "xz"] | None:
    """How a file that begins with `head` is packed; None if it is not."""
    return next((codec for magic, codec in _PACKED.items() if head.startswith(magic)), None)


def refuse_bomb(place: str, unpacked_bytes: int, packed_bytes: int) -> None:
    """Raise InputError where so few packed bytes become so many."""
    if unpacked_bytes > FREE_BYTES + MOST_TIMES * packed_bytes:
        raise InputError(
            place,
            f"it unpacks to more than {MOST_TIMES} times its size",
            "if that is right, unpack it and pass the plain file",
        )


class Unpacked(io.RawIOBase):
    """Bytes of a file with gzip, zstd, bzip2 or xz undone, told by its first bytes, not by its name."""

    def __init__(self, raw: BinaryIO | io.RawIOBase, name: str) -> None:
        self._name = name
        self._counted = _Counted(raw)
        self._given = 0
        head = self._first_bytes(8)
        for magic, (what, remedy) in _FOREIGN.items():
            if head.startswith(magic):
                raise InputError(name, f"this is {what}, not a table", remedy)
        self.codec = packed_as(head)
        whole = _Rejoined(head, self._counted)
        self._stream: Any = whole
        if self.codec == "xz":
            self._stream = _Xz(whole)
        elif self.codec == "gzip":
            self._stream = igzip.open(whole, "rb")  # type: ignore[no-untyped-call]
        elif self.codec is not None:
            self._stream = pa.CompressedInputStream(pa.PythonFile(whole, "r"), self.codec)

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; raises InputError where the packing is damaged or a bomb."""
        try:
            data = bytes(self._stream.read(size if size >= 0 else None))
        except _DAMAGE as error:
            raise self._damaged() from error
        self._given += len(data)
        if self.codec is not None:
            refuse_bomb(self._name, self._given, self._counted.taken)
        return data

    def _first_bytes(self, size: int) -> bytes:
        try:
            return self._counted.read(size)
        except _DAMAGE as error:
            raise self._damaged() from error

    def _damaged(self) -> InputError:
        return InputError(self._name, "the packed data are damaged or cut off", "pack the file again")


class ReadAhead(io.RawIOBase):
    """Bytes of a stream, the next of which are made while the last are used.

    Not for streams that may wait for somebody else, as pipes: the thread cannot be called back from there.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._worker = ThreadPoolExecutor(1)
        self._coming: Future[bytes] | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as were asked for the time before; raises what reading them raises."""
        coming = self._coming or self._worker.submit(self._next, size)
        data = coming.result()
        self._coming = self._worker.submit(self._next, size) if data else None
        return data

    def close(self) -> None:
        """Wait for what is on its way, and make nothing more; what it raises is nobody's business."""
        self._worker.shutdown(wait=True)
        super().close()

    def _next(self, size: int) -> bytes:
        return self._raw.read(size) or b""


class _Counted(io.RawIOBase):
    """A stream that counts the bytes taken from it."""

    def __init__(self, raw: BinaryIO | io.RawIOBase) -> None:
        self._raw = raw
        self.taken = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._raw.read(size) or b""
        self.taken += len(data)
        return data


class _Xz(io.RawIOBase):
    """An xz stream undone with bounded memory; streams one behind the other are one."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._undo = self._fresh()
        self._left = b""

    @staticmethod
    def _fresh() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_BYTES)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while True:
            if self._undo.eof:
                self._left = (self._undo.unused_data or self._raw.read(_XZ_READ_BYTES) or b"").lstrip(b"\0")
                if not self._left:
                    return b""
                self._undo = self._fresh()
            if self._undo.needs_input and not self._left:
                self._left = self._raw.read(_XZ_READ_BYTES) or b""
                if not self._left:
                    raise EOFError
            data = self._undo.decompress(self._left, size)
            self._left = b""
            if data:
                return data


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were already taken, whole again."""

    def __init__(self, head: bytes, rest: io.RawIOBase) -> None:
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

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
