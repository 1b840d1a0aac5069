"""Columns that are set apart by runs of blanks and tabs, as a stream with one blank between cells."""

from __future__ import annotations

import io
import re

_BLANKS = re.compile(rb"[ \t]+")
_EDGES = re.compile(rb"(?m)^ | (?=\r?$)")


class Squeezed(io.RawIOBase):
    """UTF-8 text in which every run of blanks is one, and none stands at the ends of a line."""

    def __init__(self, text: io.RawIOBase) -> None:
        self._text = text
        self._rest = b""  # the line that is not whole yet
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; nothing only at the end."""
        while not self._ready:
            data = self._text.read(size if size > 0 else -1) or b""
            if not data and not self._rest:
                return b""
            whole, self._rest = self._rest + data, b""
            if data:
                end = whole.rfind(b"\n") + 1
                whole, self._rest = whole[:end], whole[end:]
            self._ready = _EDGES.sub(b"", _BLANKS.sub(b" ", whole))
        size = len(self._ready) if size < 0 else size
        given, self._ready = self._ready[:size], self._ready[size:]
        return given
