"""Text cut into blocks of whole lines, so that each can be parsed alone and several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from logscan.errors import InputError


class Readable(Protocol):
    """A stream of UTF-8 text."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes; nothing only at the end."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a text.

    Attributes:
        text: UTF-8, ends behind a line end but for the last block.
        last: whether nothing comes behind it.
        position: how far the file behind the text was read when it was cut, in bytes; None where that is not told.
    """

    text: bytes
    last: bool
    position: int | None = None

    def then(self, following: Block) -> Block:
        """This block and the one behind it as one."""
        return Block(self.text + following.text, following.last, following.position)


def blocks_of_lines(
    text: Readable, size: int, quote: str, place: str, position: Callable[[], int | None]
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

    Raises:
        InputError: a line is longer than a block.
    """
    rest = b""
    while data := text.read(size):
        whole = rest + data if rest else data
        end = _cut(whole, quote.encode())
        if end == 0 and len(whole) > size:
            refuse_long_line(place, size)
        if end:
            yield Block(whole[:end], last=False, position=position())
        rest = whole[end:]
    yield Block(rest, last=True, position=position())


def refuse_long_line(place: str, size: int) -> None:
    """Raise InputError for a line of more than `size` bytes."""
    remedy = "look for a quote that is not closed, or pass --quote none"
    raise InputError(place, f"a line is longer than {size:,} bytes", remedy)


def _cut(text: bytes, quote: bytes) -> int:
    """Where the last line ends that a quoted cell does not seem to go on behind; 0 where no line ends."""
    end = last = _line_end(text, len(text))
    if not quote or quote not in text:
        return last
    odd = text.count(quote, 0, end) % 2
    while end and odd:
        before = _line_end(text, end - 1)
        odd ^= text.count(quote, before, end) % 2
        end = before
    return end or last


def _line_end(text: bytes, end: int) -> int:
    """Behind the last line end before `end`; 0 where there is none. CR, LF and CRLF end a line."""
    found = text.rfind(b"\n", 0, end) + 1
    # A CR that comes last may be the first half of CRLF.
    return found or text.rfind(b"\r", 0, min(end, len(text) - 1)) + 1
