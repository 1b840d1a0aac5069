"""The CSV reader: blocks in order, parsed on several threads."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pyarrow as pa

from logscan.notes import Note
from logscan.read.formats.csv.dialect import Dialect
from logscan.read.formats.csv.lines import Block, Pieces, blocks_of_lines, refuse_long_line
from logscan.read.formats.csv.parser import Parsed, Parser
from logscan.read.formats.table import ColumnsToRead

_MOST_THREADS = 4
_PATIENCE = 3  # blocks with a column that does not convert, before it is not tried again
_MOST_CUTS = 2  # blocks put together because of a quoted cell


class CsvRows:
    """Reads the text on the caller's thread and parses it on others.

    Attributes:
        wanted: what the blocks to come are read as; None: all columns as text. May be set at any time.
        dropped: reason -> rows that are in no batch, so far.
        position: how far the file was read for the batches so far, in bytes; None where that is not told.
    """

    def __init__(
        self, text: Pieces, dialect: Dialect, place: str, position: Callable[[], int | None]
    ) -> None:
        self.wanted: ColumnsToRead | None = None
        self.dropped: Counter[Note] = Counter()
        self.position: int | None = None
        self._text, self._dialect, self._place = text, dialect, place
        self._told_position = position
        self._parser = Parser(dialect, place)
        self._failed: Counter[str] = Counter()  # column -> blocks
        self._pool: ThreadPoolExecutor | None = None

    def batches(self, block_bytes: int) -> Iterator[pa.RecordBatch]:
        """The record batches, in order.

        Raises:
            InputError: a line is too long, a quote swallows lines, or the text cannot be read as CSV.
        """
        threads = max(min(pa.cpu_count(), _MOST_THREADS), 1)
        free: list[bytearray] = []
        blocks = blocks_of_lines(
            self._text, block_bytes, self._dialect.quote, self._place, self._told_position, free
        )
        ahead: deque[tuple[Block, Future[Parsed], int]] = deque()
        with ThreadPoolExecutor(threads) as self._pool:
            while True:
                while len(ahead) <= threads and (block := next(blocks, None)) is not None:
                    ahead.append(self._begun(block))
                if not ahead:
                    return
                block, future, cuts = ahead.popleft()
                parsed = future.result()
                if parsed.cut:
                    following = ahead.popleft()[0] if ahead else next(blocks)
                    if cuts == _MOST_CUTS:
                        refuse_long_line(self._place, block_bytes)
                    ahead.appendleft(self._begun(block.then(following), cuts + 1))
                    continue
                self._account(block, parsed)
                if block.buffer is not None:
                    free.append(block.buffer)
                yield from parsed.batches

    def close(self) -> None:
        """Begin nothing more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _begun(self, block: Block, cuts: int = 0) -> tuple[Block, Future[Parsed], int]:
        assert self._pool is not None
        return block, self._pool.submit(self._parser.parsed, block, self.wanted), cuts

    def _account(self, block: Block, parsed: Parsed) -> None:
        self.position = block.position
        self.dropped += parsed.dropped
        if self.wanted is not None and parsed.failed:
            self._failed.update(parsed.failed)
            hopeless = {name for name, blocks in self._failed.items() if blocks >= _PATIENCE}
            self.wanted = self.wanted.without_types(hopeless)
