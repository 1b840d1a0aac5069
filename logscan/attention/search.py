"""Nearest-neighbour search: every query looks at the leaves near the leaf it falls into.

Queries that fall into one leaf share their candidate leaves, so the keys are copied once for 16 queries and
compared in one product. A query's candidates depend on the tree and on itself alone, never on which other
queries come along.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.layout import DEAD, KeyBlocks, forbid, taken
from logscan.attention.parts import Parts
from logscan.attention.problem import Problem

TILE_ROWS = 16  # queries of one leaf that are compared at once
CHUNK_BYTES = 1 << 20  # logits of one chunk of tiles


@dataclass(frozen=True, slots=True)
class Tiles:
    """Queries of one leaf, side by side."""

    slots: Tensor  # (tiles, rows) int64 query indices; a short tile repeats its first
    taken: Tensor  # (tiles, rows) bool, false where repeated
    leaf: Tensor  # (tiles,) int64


def tiles_by_leaf(query: Tensor, leaf_of_query: Tensor, rows: int = TILE_ROWS) -> Tiles:
    """Queries (indices) grouped by the leaf they fall into, at most `rows` to a tile."""
    leaf, order = leaf_of_query.sort(stable=True)
    query = query.index_select(0, order)
    index = torch.arange(len(query), device=query.device)
    new_leaf = torch.ones_like(leaf, dtype=torch.bool)
    new_leaf[1:] = leaf[1:] != leaf[:-1]
    within = index - index.where(new_leaf, torch.zeros_like(index)).cummax(dim=0).values
    first = torch.nonzero(within % rows == 0).squeeze(1)
    size = torch.diff(first, append=first.new_tensor([len(query)]))
    along = torch.arange(rows, device=query.device)
    own = along < size[:, None]
    at = torch.where(own, first[:, None] + along, first[:, None])
    return Tiles(query.index_select(0, at.flatten()).view_as(at), own, leaf.index_select(0, first))


@torch.no_grad()
def analogues_beside(
    problem: Problem, leaves: KeyBlocks, near: Tensor, home: Tensor, beside: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """The best keys each query finds in single leaves beside the ones that are near its own.

    Args:
        problem: the uniform problem.
        leaves: keys laid out by leaf.
        near: (leaves, n) int64, the leaves near each leaf: where the query has been already.
        home: (queries,) int64, the leaf each query falls into.
        beside: (queries, m) int64, leaves to look into.
        count: keys per query and leaf.

    Returns:
        position (queries, m, count) int64, -1 for none; logit, the same shape.
    """
    alone = torch.arange(leaves.none, device=near.device)[:, None]
    count = min(count, leaves.block_keys)
    found, logit = [], []
    for leaf in beside.unbind(1):
        known = torch.cat(
            [
                (near.index_select(0, own) == other[:, None]).any(dim=1)
                for own, other in zip(torch.split(home, 1 << 16), torch.split(leaf, 1 << 16), strict=True)
            ]
        )
        query = torch.nonzero(~known).squeeze(1)
        one = analogues(problem, leaves, alone, tiles_by_leaf(query, leaf[query]), count)
        found.append(one[0])
        logit.append(one[1])
    return torch.stack(found, dim=1), torch.stack(logit, dim=1)


@torch.no_grad()
def analogues(
    problem: Problem, leaves: KeyBlocks, near: Tensor, tiles: Tiles, count: int
) -> tuple[Tensor, Tensor]:
    """The best keys each query finds.

    Args:
        problem: the uniform problem.
        leaves: keys laid out by leaf.
        near: (leaves, n) int64, the leaves near each leaf.
        tiles: queries, by leaf; the others find nothing.
        count: keys per query.

    Returns:
        position (queries, count) int64, best first, -1 for none; logit, the same shape.
    """
    rows = tiles.slots.shape[1]
    columns = near.shape[1] * leaves.block_keys
    count = min(count, columns)
    found = problem.key_index.new_full((len(problem.query), count), -1)
    logit = problem.query.new_full((len(problem.query), count), DEAD)
    if not len(tiles.slots):
        return found, logit
    step = max(1, CHUNK_BYTES // (rows * columns * problem.query.element_size()))
    band = problem.band()
    parts = Parts(len(tiles.slots))
    for slots, leaf in zip(torch.split(tiles.slots, step), torch.split(tiles.leaf, step), strict=True):
        blocks = near.index_select(0, leaf)
        keys, position = taken(leaves.key, blocks, leaves.block_keys), leaves.positions(blocks)
        query = problem.query.index_select(0, slots.flatten()).view(len(slots), rows, -1)
        logits = torch.bmm(query, keys.transpose(1, 2))
        if band is not None:
            forbid(logits, band, slots, position)
        top = logits.topk(count, dim=2)
        parts.add(position.gather(1, top.indices.flatten(1)).view_as(top.indices), top.values)
    place, value = parts.whole()
    assert place is not None
    assert value is not None
    place = place.masked_fill_(value < DEAD / 10, -1).long()
    # a repeated slot writes its query's own result again
    found.index_copy_(0, tiles.slots.flatten(), place.flatten(0, 1))
    logit.index_copy_(0, tiles.slots.flatten(), value.flatten(0, 1))
    return found, logit
