"""Packed files undone one piece ahead."""

from __future__ import annotations

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscan.read.files.compressed import ReadAhead


@given(st.binary(max_size=500), st.integers(1, 60))
def test_what_is_read_ahead_is_what_is_there(data: bytes, size: int) -> None:
    """Pieces put together are the stream, and behind its end there is nothing, however often one asks."""
    ahead = ReadAhead(io.BytesIO(data))
    pieces = []
    while piece := ahead.read(size):
        pieces.append(piece)

    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= size for piece in pieces)
    assert ahead.read(size) == b""
    ahead.close()


def test_an_error_is_raised_where_its_piece_is_wanted() -> None:
    """What was whole before the damage is given first."""
    pieces = iter([b"good"])

    class Damaged(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            if (piece := next(pieces, None)) is None:
                raise EOFError
            return piece[:size]

    ahead = ReadAhead(Damaged())
    assert ahead.read(4) == b"good"
    with pytest.raises(EOFError):
        ahead.read(4)
    ahead.close()


def test_closing_leaves_no_thread_behind() -> None:
    """A file given up half-way is not read on."""
    before = set(threading.enumerate())
    ahead = ReadAhead(io.BytesIO(bytes(100)))
    ahead.read(10)
    ahead.close()

    assert set(threading.enumerate()) <= before
