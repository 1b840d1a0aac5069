"""One opened file as text: decompressed, up to its last whole line, in UTF-8."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import BinaryIO

from logscan.notes import Note, note
from logscan.read.files.compressed import ReadAhead, Unpacked, packed_as
from logscan.read.files.encoding import Utf8Stream, found_encoding, known_encoding
from logscan.read.files.growing import UpTo, whole_bytes
from logscan.read.files.inputs import Source, opened

SAMPLE_BYTES = 1 << 18
_HEAD_BYTES = 1 << 12


class OpenedFile:
    """One opened file.

    Attributes:
        source: which.
        raw: its bytes.
        remedy: what to pass instead, for messages about a file that cannot be read.
    """

    def __init__(self, source: Source, stdin: BinaryIO, encoding: str | None, remedy: str) -> None:
        """Open it; raises InputError where it cannot be opened and UsageError for an unknown encoding.

        Args:
            source: which.
            stdin: read where the source is the standard input.
            encoding: of its text as the user set it; None where it is to be found.
            remedy: what to pass instead, for messages.
        """
        self.source = source
        self.raw = opened(source, stdin)
        self.remedy = remedy
        self._owned = self.raw if source.path is not None else None  # the standard input stays open
        self._encoding = encoding

    @property
    def place(self) -> str:
        """Its name, for messages."""
        return self.source.name

    @property
    def position(self) -> int | None:
        """How far it was read, in bytes; None where that cannot be told."""
        with suppress(OSError, ValueError):
            return self._owned.tell() if self._owned is not None else None
        return None

    def starts_with(self, *magic: bytes) -> bool:
        """Whether a file of its own, no member of an archive and no stream, begins with one of these bytes."""
        if self._owned is None or self.source.member is not None or not self.raw.seekable():
            return False
        head = self.raw.read(max(map(len, magic)))
        self.raw.seek(0)
        return head.startswith(magic)

    @cached_property
    def text(self) -> Text:
        """Its text; raises InputError where its first bytes are those of something that holds none."""
        return Text(self.source, self.raw, self._encoding)

    def close(self) -> None:
        """Close it."""
        if "text" in self.__dict__:
            self.text.close()
        if self._owned is not None:
            self._owned.close()


class Text:
    """The text of a file.

    Attributes:
        stream: as UTF-8.
        line_left: the last line is not whole and was left for the next run.
    """

    def __init__(self, source: Source, raw: BinaryIO, encoding: str | None) -> None:
        known = known_encoding(encoding) if encoding else None
        whole, self.line_left = _whole_lines(source, raw, known)
        unpacked = Unpacked(whole, source.name)
        self._ahead = ReadAhead(unpacked) if _is_packed_file(source, unpacked) else None
        self.stream = Utf8Stream(self._ahead or unpacked, known)

    @property
    def encoding(self) -> str:
        """The encoding as far as it is known now."""
        return "utf-8" if self.stream.encoding == "ascii" else self.stream.encoding

    @property
    def sample(self) -> bytes:
        """Its first bytes, not taken; fewer than `SAMPLE_BYTES` only where that is all of it."""
        return self.stream.sample(SAMPLE_BYTES)

    def notes(self) -> list[Note]:
        """What a user should know about the text, complete at its end."""
        found = []
        if self.line_left:
            found.append(note("last-line-left"))
        if self.stream.replaced:
            found.append(note("characters-replaced", count=self.stream.replaced, encoding=self.encoding))
        if self.stream.removed:
            found.append(note("bytes-removed", count=self.stream.removed))
        return found

    def close(self) -> None:
        """Undo no more of the packing."""
        if self._ahead is not None:
            self._ahead.close()


def _is_packed_file(source: Source, unpacked: Unpacked) -> bool:
    """Whether undoing the packing is work for another thread, and nothing that it has to wait for."""
    packed = source.member is not None or unpacked.codec is not None
    return packed and source.path is not None and source.path.is_file()


def _whole_lines(source: Source, raw: BinaryIO, encoding: str | None) -> tuple[BinaryIO | UpTo, bool]:
    """The file up to its last whole line, and whether a line is left out; only plain files still grow."""
    if source.path is None or source.member is not None or not raw.seekable():
        return raw, False
    head = raw.read(_HEAD_BYTES)
    raw.seek(0)
    if packed_as(head) is not None:
        return raw, False
    size, left = whole_bytes(raw, encoding or found_encoding(head))
    return UpTo(raw, size), left
