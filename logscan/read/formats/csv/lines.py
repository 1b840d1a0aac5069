"""CSV text cut into blocks of whole lines, for parallel parsing; whitespace-separated tables squeezed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from logscan.errors import InputError

_PIECE_BYTES = 1 << 20
_BLANKS = re.compile(rb"[ \t]+")
_QUOTED_LINE = re.compile(rb'^"((?:[^"\r\n]|"")*)"(?=\r?$)', re.MULTILINE)
_EDGES = re.compile(rb"(?m)^ | (?=\r?$)")


class Pieces(Protocol):
    """UTF-8 text as it comes."""

    def piece(self, size: int) -> bytes:
        """About up to `size` bytes; nothing only at the end."""


class ChangedLines:
    """UTF-8 text whose lines are changed as they come."""

    def __init__(self, text: Pieces, changed: Callable[[bytes], bytes]) -> None:
        self._text = text
        self._changed = changed  # whole lines -> whole lines
        self._rest = b""  # the line that is not whole yet

    def piece(self, size: int) -> bytes:
        """Some text, of about up to `size` bytes; nothing only at the end."""
        while data := self._text.piece(size):
            whole = self._rest + data
            end = whole.rfind(b"\n") + 1
            whole, self._rest = whole[:end], whole[end:]
            if found := self._changed(whole):
                return found
        whole, self._rest = self._rest, b""
        return self._changed(whole)


def squeezed(text: bytes) -> bytes:
    """Lines in which every run of blanks is one, and none stands at the ends."""
    return _EDGES.sub(b"", _BLANKS.sub(b" ", text))


def unquoted(text: bytes) -> bytes:
    """Lines without the quotes around them, where a line was written as one cell.

    A line whose cells are quoted one by one stays: within a cell, quotes are doubled.
    """
    return _QUOTED_LINE.sub(lambda line: line[1].replace(b'""', b'"'), text)


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a text.

    Attributes:
        text: UTF-8, ends behind a line end but for the last block.
        last: whether nothing comes behind it.
        position: how far the file behind the text was read when it was cut, in bytes; None where that is not told.
        quoted: whether there may be quotes in it.
        buffer: holds the text, and may hold another one when this is done with.
    """

    text: bytes | memoryview
    last: bool
    position: int | None = None
    quoted: bool = True
    buffer: bytearray | None = None

    def then(self, following: Block) -> Block:
        """This block and the one behind it as one."""
        return Block(b"".join([self.text, following.text]), following.last, following.position)


def blocks_of_lines(
    text: Pieces, size: int, quote: str, place: str, position: Callable[[], int | None], free: list[bytearray]
) -> Iterator[Block]:
    """Cut a text into blocks of about `size` bytes, none but the last empty.

    Lines are cut where no quoted cell should go on, judged by the number of quotes: the parser knows better and says
    where that was wrong.

    Args:
        text: the stream.
        size: of the blocks, also the longest line that is read, in bytes.
        quote: what cells are quoted with, "" for nothing.
        place: file name, for the message.
        position: tells how far the file was read.
        free: buffers to use again; memory that is new to the process costs more than the copying.

    Raises:
        InputError: a line is longer than a block.
    """
    mark = quote.encode()
    buffer, held, quoted = _buffer(free, 2 * size), 0, False
    while piece := text.piece(min(size, _PIECE_BYTES)):
        end = held + len(piece)
        if end > len(buffer):
            buffer = buffer[:held] + bytearray(2 * end)
        memoryview(buffer)[held:end] = piece
        held, quoted = end, quoted or (bool(mark) and mark in piece)
        if held < size:
            continue
        cut = _cut(buffer, held, mark if quoted else b"")
        if not cut and held > size:
            refuse_long_line(place, size)
        if cut:
            rest = bytes(memoryview(buffer)[cut:held])
            yield Block(
                memoryview(buffer)[:cut], last=False, position=position(), quoted=quoted, buffer=buffer
            )
            buffer, held, quoted = (
                _buffer(free, 2 * max(size, len(rest))),
                len(rest),
                bool(mark) and mark in rest,
            )
            memoryview(buffer)[:held] = rest
    yield Block(bytes(memoryview(buffer)[:held]), last=True, position=position(), quoted=quoted)


def _buffer(free: list[bytearray], size: int) -> bytearray:
    """A buffer that is free, or a new one; free ones that are too small are let go of."""
    while free:
        buffer = free.pop()
        if len(buffer) >= size:
            return buffer
    return bytearray(size)


def refuse_long_line(place: str, size: int) -> None:
    """Raise InputError for a line of more than `size` bytes."""
    remedy = "look for a quote that is not closed, or pass --quote none"
    raise InputError(place, f"a line is longer than {size:,} bytes", remedy)


def _cut(text: bytearray, held: int, quote: bytes) -> int:
    """Where the last line ends that no quoted cell seems to go on behind, in the first bytes; 0 where none ends."""
    end = last = _line_end(text, held, held)
    odd = bool(quote) and text.count(quote, 0, end) % 2
    while end and odd:
        before = _line_end(text, end - 1, held)
        odd ^= text.count(quote, before, end) % 2
        end = before
    return end or last


def _line_end(text: bytearray, end: int, held: int) -> int:
    """Behind the last line end before `end`; 0 where there is none. CR, LF and CRLF end a line."""
    found = text.rfind(b"\n", 0, end) + 1
    # A CR that comes last may be the first half of CRLF.
    return found or text.rfind(b"\r", 0, min(end, held - 1)) + 1
