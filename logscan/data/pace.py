"""A reader that looks ahead, held back: pyarrow reads up to 32 blocks ahead of what is asked for."""

from __future__ import annotations

import io
from collections.abc import Iterator
from threading import Condition
from typing import Any

_MOST_AHEAD = 4  # reads
_PATIENCE_SECONDS = 1.0


class Paced(io.RawIOBase):
    """A stream that is read on another thread, but only a few reads ahead of the batches made of it."""

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self._change = Condition()
        self._ahead = 0
        self._wanted = False  # someone waits for a batch
        self._ended = False  # nobody will want another one

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """As the stream's, when it is time."""
        with self._change:
            while self._ahead >= _MOST_AHEAD and not self._ended:
                if not self._change.wait(_PATIENCE_SECONDS) and self._wanted:
                    self._ahead = 0  # what was read makes no batch yet
            self._ahead += 1
        return self._stream.read(size) or b""

    def batches(self, reader: Iterator[Any]) -> Iterator[Any]:
        """The batches that are made of what is read."""
        try:
            while True:
                self._wanted = True
                batch = next(reader, None)
                if batch is None:
                    return
                with self._change:
                    self._wanted = False
                    self._ahead = max(self._ahead - 1, 0)
                    self._change.notify_all()
                yield batch
        finally:
            with self._change:
                self._ended = True
                self._change.notify_all()
