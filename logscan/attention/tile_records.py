"""Records of a tile of queries: its plan, the nodes that stand for the rest, and what its arithmetic reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Cover:
    """The nodes that stand for everything, seen from every leaf, in tree order."""

    node: Tensor  # (leaves, n) int32 node numbers
    start: Tensor  # (leaves, n) int32 first leaf under the node, ascending

    @staticmethod
    def of(node: Tensor, levels: int) -> Cover:
        """The cover made of these nodes."""
        # the level of a heap number is the position of the highest bit of the number plus one
        level = (node + 1).to(torch.float64).log2().floor().long()
        start = (node + 1 - (1 << level)) << (levels - level)
        start, order = start.sort(dim=1)
        return Cover(node.gather(1, order).int(), start.int())


@dataclass(frozen=True, slots=True)
class Standing:
    """How many keys every node stands for, and where the taken ones are."""

    count: Tensor  # (tiles, 1 or rows, n) keys neither taken nor forbidden
    taken: Tensor  # (tiles, 1 or rows, n) keys taken in stretches of time
    node: Tensor  # (tiles, s) int64 the node of every such key, n for an empty slot


@dataclass(frozen=True, slots=True)
class Plan:
    """One row per tile of queries."""

    slots: Tensor  # (tiles, rows) int64 query indices; a short tile repeats its first
    taken: Tensor  # (tiles, rows) bool, false where repeated
    time_blocks: Tensor  # (tiles, s) int64 blocks that the cover's nodes hold too: see `by_leaf`
    since: Tensor | None  # (tiles, s) int64, first row that may use the block; None: all may
    leaves: Tensor  # (tiles, l) int64 leaves taken whole, ascending
    home: Tensor  # (tiles,) int64 the leaf whose cover stands for all other keys
    cover: Cover  # of every leaf; its nodes hold the keys of `time_blocks` too
    exactly: Tensor  # (tiles,) bool, tiles whose queries must be answered by the dense path
    found: Tensor  # (tiles, rows, m) int64 positions that each query's own search found, -1 for none
    by_leaf: bool  # `time_blocks` are leaves, else blocks of consecutive keys

    def pieces(self, step: int) -> Iterator[Plan]:
        """The plan in pieces of `step` tiles."""
        for begin in range(0, len(self.slots), step):
            part = slice(begin, begin + step)
            tensors = {field.name: getattr(self, field.name) for field in fields(self)}
            tensors = {name: table[part] for name, table in tensors.items() if isinstance(table, Tensor)}
            yield replace(self, **tensors)


@dataclass(frozen=True, slots=True)
class TileRows:
    """What a chunk of tiles is computed from; gradients flow to all of these."""

    query: Tensor  # (tiles, rows, d')
    time_key: Tensor  # (tiles, s, d') consecutive keys
    time_value: Tensor  # (tiles, s, dv)
    leaf_key: Tensor  # (tiles, l, d') keys of leaves taken whole
    leaf_value: Tensor  # (tiles, l, dv)
    node_key: Tensor  # (tiles, n, d') nodes that stand for the rest
    node_value: Tensor  # (tiles, n, dv)
    node_variance: Tensor  # (tiles, n)

    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in order."""
        exact = (self.time_key, self.time_value, self.leaf_key, self.leaf_value)
        return (self.query, *exact, self.node_key, self.node_value, self.node_variance)


@dataclass(frozen=True, slots=True)
class TileFacts:
    """What is constant for a chunk of tiles."""

    slots: Tensor  # (tiles, rows) query indices
    band: tuple[Tensor, Tensor] | None  # `Problem.band`
    time_position: Tensor  # (tiles, s) floating, -1 for none
    leaf_position: Tensor  # (tiles, l) floating, -1 for none
    since: Tensor | None  # (tiles, s) first row that may use the key
    standing: Standing  # what each node stands for
    total: Tensor  # (tiles, n) keys under each node
    curvature: float
    coarse: Literal["auto", "none", "mean", "second"]
