"""Columns that are set apart by runs of blanks and tabs, as a stream with one blank between cells."""

from __future__ import annotations

import re

from logscan.read.files.encoding import Utf8Stream

_BLANKS = re.compile(rb"[ \t]+")
_EDGES = re.compile(rb"(?m)^ | (?=\r?$)")


class Squeezed:
    """UTF-8 text in which every run of blanks is one, and none stands at the ends of a line."""

    def __init__(self, text: Utf8Stream) -> None:
        self._text = text
        self._rest = b""  # the line that is not whole yet

    def piece(self, size: int) -> bytes:
        """Some text, of about up to `size` bytes; nothing only at the end."""
        while data := self._text.piece(size):
            whole = self._rest + data
            end = whole.rfind(b"\n") + 1
            whole, self._rest = whole[:end], whole[end:]
            if squeezed := _squeezed(whole):
                return squeezed
        whole, self._rest = self._rest, b""
        return _squeezed(whole)


def _squeezed(text: bytes) -> bytes:
    return _EDGES.sub(b"", _BLANKS.sub(b" ", text))
