"""A packed file undone on a thread of its own, one piece ahead of whoever reads it."""

from __future__ import annotations

import io
from concurrent.futures import Future, ThreadPoolExecutor


class ReadAhead(io.RawIOBase):
    """Bytes of a stream, the next of which are made while the last are used.

    Not for streams that may wait for somebody else, as pipes: the thread cannot be called back from there.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._worker = ThreadPoolExecutor(1)
        self._coming: Future[bytes] | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, as many as were asked for the time before; raises what reading them raises."""
        coming = self._coming or self._worker.submit(self._next, size)
        data = coming.result()
        self._coming = self._worker.submit(self._next, size) if data else None
        return data

    def close(self) -> None:
        """Wait for what is on its way, and make nothing more; what it raises is nobody's business."""
        self._worker.shutdown(wait=True)
        super().close()

    def _next(self, size: int) -> bytes:
        return self._raw.read(size) or b""
