"""Zip archives: their members as streams; nothing is extracted."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

from logscan.errors import InputError
from logscan.notes import Note, note
from logscan.read.files.compressed import refuse_bomb

MOST_MEMBERS = 10_000
_END = b"PK\x05\x06"
_END_BYTES = 22 + 65_535  # the end record with the longest comment
_MOST_DIRECTORY_BYTES = 16 << 20
_DAMAGED = "the archive is damaged or cut off"


def is_zip(file: BinaryIO) -> bool:
    """Whether a file that was just opened is a zip archive."""
    if not file.seekable():
        return False
    magic = file.read(4)
    file.seek(0)
    return magic in {b"PK\x03\x04", _END}


def table_members(
    file: BinaryIO, place: str, suffixes: tuple[str, ...]
) -> tuple[list[tuple[str, str]], tuple[Note, ...]]:
    """The tables in an archive, sorted, and a note on what was skipped, if anything was.

    Args:
        file: the archive.
        place: its name, for messages.
        suffixes: what the names of tables end in, in order of preference.

    Returns:
        Per table its name in the archive and the name to show; the sentence.

    Raises:
        InputError: damaged, too many members, encrypted, an Excel workbook, or no table in it.
    """
    size = _checked_size(file, place)
    try:
        with zipfile.ZipFile(file) as whole:
            infos = [info for info in whole.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(place, _DAMAGED, "pack the files again") from error
    if any(info.filename == "[Content_Types].xml" for info in infos):
        raise InputError(place, "this is an Excel workbook, not a table", "save the sheet as CSV")
    shown = [info for info in infos if not _is_hidden(info.filename)]
    tables = [info for info in shown if info.filename.lower().endswith(suffixes)]
    # Beside a CSV a .txt is a readme.
    preferred = [info for info in tables if not info.filename.lower().endswith(".txt")]
    tables = preferred or tables
    if not tables:
        raise InputError(place, "no table in this archive", f"it should hold {', '.join(suffixes)}")
    if any(info.flag_bits & 0x1 for info in tables):
        raise InputError(place, "the archive is encrypted", "unpack it, or pack it without a password")
    # A member never gives more than the size it declares, so the sum is a cap on all of them.
    refuse_bomb(place, sum(info.file_size for info in tables), size)
    names = sorted({(info.filename, _shown_name(info)) for info in tables})
    passed = len(shown) - len(tables)
    told = (note("archive-members-skipped", count=passed).at(place),) if passed else ()
    return names, told


def _shown_name(info: zipfile.ZipInfo) -> str:
    """The name of a member; one without the UTF-8 flag is most likely written on a Japanese Windows."""
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        return info.filename.encode("cp437").decode("cp932")
    except UnicodeError:
        return info.filename


def _is_hidden(name: str) -> bool:
    return any(part.strip(".") and part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _checked_size(file: BinaryIO, place: str) -> int:
    """The size of the archive; its end record is looked at before Python loads every entry into memory."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _END_BYTES))
    tail = file.read(_END_BYTES)
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise InputError(place, _DAMAGED, "pack the files again")
    entries, directory_bytes = struct.unpack("<HI", tail[at + 10 : at + 16])
    if entries > MOST_MEMBERS or _MOST_DIRECTORY_BYTES < directory_bytes < 0xFFFFFFFF:
        fact = f"the archive holds more than {MOST_MEMBERS:,} files"
        raise InputError(place, fact, "unpack it and pass the folder")
    return size


def opened_member(path: Path, member: str, place: str) -> BinaryIO:
    """The bytes of one member as a stream; raises InputError where it cannot be opened."""
    try:
        with zipfile.ZipFile(path) as whole:
            # Closing the archive leaves its file open until the member is closed.
            return whole.open(member)  # type: ignore[return-value]
    except (zipfile.BadZipFile, OSError, KeyError, ValueError) as error:
        raise InputError(place, _DAMAGED, "pack the files again") from error
    except (RuntimeError, NotImplementedError) as error:
        raise InputError(place, f"cannot be unpacked ({error})", "unpack it first") from error
