"""Cells of a group of rows added up per step of a grid, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from logscan.read.grid.cells import Cells, Keyed
from logscan.read.grid.sums import EntitySums
from logscan.records import I64, TimeGrid


def on_steps(mine: EntitySums, low: int, high: int, grid: TimeGrid, *, events: bool) -> Iterator[Cells]:
    """The cells between two keys, added up per step: steps are their keys.

    The last step of a piece waits for the next piece, so that the sums do not depend on where pieces end. The
    cells of the entity are let go of on the way.
    """
    held: Keyed | None = None
    for block in mine.taken():
        piece = next(within(block, low, high), None)
        if piece is None:
            continue
        step = (piece.key - grid.start) // grid.step if events else grid.index(piece.key)
        piece = replace(piece, key=step)
        if held is not None and held.key[-1] == piece.key[0]:
            piece = held.then(piece)
        elif held is not None:
            yield held.summed()
        last = int(np.searchsorted(piece.key, piece.key[-1]))
        if last:
            yield piece.part(0, last).summed()
        held = piece.part(last, len(piece.key))
    if held is not None:
        yield held.summed()


def rows_of(cells: Cells) -> slice | I64:
    """The steps of cells, which are their keys, for an assignment; a slice where none is left out."""
    first, last = cells.key.first, cells.key.last
    return slice(first, last + 1) if last - first + 1 == cells.key.count else cells.key.times()


def within(block: Keyed, low: int, high: int) -> Iterator[Keyed]:
    """The part of a block between two keys, both included; nothing where there is none."""
    first, end = (int(place) for place in np.searchsorted(block.key, [low, high + 1]))
    if first < end:
        yield block.part(first, end)
