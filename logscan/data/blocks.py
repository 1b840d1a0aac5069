"""Text cut into blocks of whole lines, so that each can be parsed alone and several at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from logscan.errors import InputError


class Pieces(Protocol):
    """UTF-8 text as it comes."""

    def piece(self, size: int) -> bytes:
        """About up to `size` bytes; nothing only at the end."""


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
    text: Pieces, size: int, quote: str, place: str, position: Callable[[], int | None]
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
    parts: list[bytes] = []
    held = 0
    while piece := text.piece(size):
        parts.append(piece)
        held += len(piece)
        if held < size:
            continue
        block, rest = _cut(parts, quote.encode())
        if not block and held > size:
            refuse_long_line(place, size)
        if block:
            yield Block(block, last=False, position=position())
        parts, held = [rest], len(rest)
    yield Block(b"".join(parts), last=True, position=position())


def refuse_long_line(place: str, size: int) -> None:
    """Raise InputError for a line of more than `size` bytes."""
    remedy = "look for a quote that is not closed, or pass --quote none"
    raise InputError(place, f"a line is longer than {size:,} bytes", remedy)


def _cut(parts: list[bytes], quote: bytes) -> tuple[bytes, bytes]:
    """The lines of a text up to the last one that no quoted cell seems to go on behind, and the rest."""
    plain = not quote or not any(quote in part for part in parts)
    end = _line_end(parts[-1], len(parts[-1])) if plain else 0
    if end:  # the usual case: all is copied once
        return b"".join([*parts[:-1], parts[-1][:end]]), parts[-1][end:]
    text = b"".join(parts)
    end = last = _line_end(text, len(text))
    odd = not plain and text.count(quote, 0, end) % 2
    while end and odd:
        before = _line_end(text, end - 1)
        odd ^= text.count(quote, before, end) % 2
        end = before
    end = end or last
    return text[:end], text[end:]


def _line_end(text: bytes, end: int) -> int:
    """Behind the last line end before `end`; 0 where there is none. CR, LF and CRLF end a line."""
    found = text.rfind(b"\n", 0, end) + 1
    # A CR that comes last may be the first half of CRLF.
    return found or text.rfind(b"\r", 0, min(end, len(text) - 1)) + 1
