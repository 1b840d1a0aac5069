"""Growing files: the incomplete last line of a file that is still being written."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from typing import BinaryIO

_FIRST_LOOK_BYTES = 1 << 16
_LONGEST_LOOK_BYTES = 4 << 20
_LINES = 200
_MARKS = ",;\t|"
_DECIMALS = re.compile(r"[+-]?\d+[.,](\d+)")
_WIDE = {"utf-16", "utf-16-le", "utf-16-be"}


class UpTo(io.RawIOBase):
    """The first bytes of a file, up to a size: what is written to it while it is read comes next time."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._left = size

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes."""
        data = self._file.read(self._left if size < 0 else min(size, self._left)) or b""
        self._left -= len(data)
        return data


def whole_bytes(file: BinaryIO, encoding: str) -> tuple[int, bool]:
    """How much of a plain text file to read.

    Args:
        file: seekable; its position does not matter and is left at the beginning.
        encoding: of its beginning.

    Returns:
        The bytes up to the end of the last whole line, and whether a line behind it is left out. A last
        line without a line end is whole where its cells are as many and its last cell is as long as in
        the lines before it, or a word or text in quotes that they hold too.
    """
    size = file.seek(0, 2)
    codec = _tail_codec(file, encoding)
    width = 2 if codec.startswith("utf-16") else 1
    look = _FIRST_LOOK_BYTES
    while True:
        begin = max(0, size - look) // width * width
        file.seek(begin)
        text = file.read(size - begin).decode(codec, errors="replace")
        end = max(text.rfind("\n"), text.rfind("\r")) + 1
        if end or begin == 0 or look >= _LONGEST_LOOK_BYTES:
            break
        look = _LONGEST_LOOK_BYTES
    file.seek(0)
    tail = text[end:]
    if not end or not tail.strip("\0\x1a \t") or _is_whole(tail, text[:end].splitlines()[-_LINES:]):
        return size, False
    return begin + len(text[:end].encode(codec, errors="replace")), True


def _tail_codec(file: BinaryIO, encoding: str) -> str:
    """How to look at the tail: UTF-16 in its byte order, all else byte by byte."""
    if encoding not in _WIDE:
        return "latin-1"
    file.seek(0)
    big = encoding == "utf-16-be" or (encoding == "utf-16" and file.read(2) == b"\xfe\xff")
    return "utf-16-be" if big else "utf-16-le"


def _is_whole(line: str, before: list[str]) -> bool:
    lines = [text for text in before if text.strip()]
    if line.lstrip().startswith("{") and all(text.lstrip().startswith("{") for text in lines):
        return _is_object(line)
    if not lines:
        return False
    usual = {mark: Counter(text.count(mark) for text in lines).most_common(1)[0][0] for mark in _MARKS}
    mark = max(_MARKS, key=lambda one: usual[one])
    if line.count(mark) != usual[mark]:
        return False
    cells = [text.rsplit(mark, 1)[-1].strip() for text in lines if text.count(mark) == usual[mark]]
    cell = line.rsplit(mark, 1)[-1].strip()
    # The header's cell is no reading, and one line tells nothing.
    cells = cells[1:] if len(cells) < _LINES else cells
    if not cell or len(cells) < 3:
        return False
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "\"'":
        return True
    if cell in cells and not any(letter.isdigit() for letter in cell):
        return True
    if {len(other) for other in cells} == {len(cell)}:
        return True
    decimals = {len(match[1]) if (match := _DECIMALS.fullmatch(other)) else 0 for other in (*cells, cell)}
    return len(decimals) == 1 and 0 not in decimals


def _is_object(line: str) -> bool:
    """Whether a line is one whole JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
