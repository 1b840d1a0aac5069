"""Rows of a CSV that are no data: empty ones, and the header once more. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.notes import Note, note

EMPTY = note("row-empty")
REPEATS_HEADER = note("header-repeats")


def without_blank_rows(batch: Any, dropped: Counter[Note]) -> Any:
    """A batch of text without rows of empty cells, which spreadsheets leave at the end; they are counted."""
    if batch.num_columns == 0 or batch.column(0).null_count == 0:
        return batch
    blank = pa.array(np.ones(batch.num_rows, dtype=np.bool_))
    for column in batch.columns:
        blank = pc.and_(blank, pc.equal(pc.utf8_trim_whitespace(column.fill_null("")), ""))
    if not blank.true_count:
        return batch
    dropped[EMPTY] += blank.true_count
    return batch.filter(pc.invert(blank))


def header_column(written: Sequence[str]) -> int | None:
    """The first column that the header has a cell for; None where it has none."""
    return next((position for position, cell in enumerate(written) if cell), None)


def without_repeated_header(batch: Any, written: Sequence[str], dropped: Counter[Note]) -> Any:
    """A batch of text without rows that are the header again, as in exports put one under the other.

    Args:
        batch: all columns, as text.
        written: the header's cells, as many as there are columns or fewer.
        dropped: rows taken out are counted here.
    """
    first = header_column(written)
    if first is None or not pc.any(pc.equal(batch.column(first), written[first])).as_py():
        return batch
    same = pc.equal(batch.column(first), written[first]).fill_null(False)
    for column, cell in zip(batch.columns, written, strict=False):
        same = pc.and_(same, pc.equal(pc.utf8_trim_whitespace(column.fill_null("")), cell))
    if not same.true_count:
        return batch
    dropped[REPEATS_HEADER] += same.true_count
    return batch.filter(pc.invert(same))
