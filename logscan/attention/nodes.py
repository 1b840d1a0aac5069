"""Statistics of every node of a content tree, and which nodes lie near which leaf.

Nodes are numbered as in a heap: the root is 0, the children of `i` are `2 i + 1` and `2 i + 2`; the leaves come
last, in tree order.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.layout import KeyBlocks

CHUNK_BYTES = 2 << 20  # statistics of the candidate nodes of one chunk


def node_sums(by_leaf: Tensor) -> Tensor:
    """Sums over every node, (nodes, d), from sums over the leaves (leaves, d)."""
    levels = [by_leaf]
    while len(levels[-1]) > 1:
        levels.append(levels[-1].view(len(levels[-1]) // 2, 2, by_leaf.shape[1]).sum(dim=1))
    return torch.cat(levels[::-1])


@dataclass(frozen=True, slots=True)
class Nodes:
    """What the coarse terms need of every node; differentiable in keys and values."""

    key: Tensor  # (nodes, d') mean key, its last column the mean bias
    value: Tensor  # (nodes, dv)
    variance: Tensor  # (nodes,) of the keys, mean over the dimensions
    count: Tensor  # (nodes,) floating

    @staticmethod
    def of(by_leaf: KeyBlocks) -> Nodes:
        """From keys and values laid out by leaf."""
        empty = by_leaf.position[:-1] < 0
        count = node_sums((~empty).sum(dim=1, keepdim=True).to(by_leaf.key.dtype))
        held = count.clamp(min=1)
        keys, values = by_leaf.rows()
        if bool(empty.any()):
            keys, values = (rows.masked_fill(empty[:, :, None], 0.0) for rows in (keys, values))
        key = node_sums(keys.sum(dim=1)) / held
        # around the leaf's own mean, then around the node's: sums of squares of far-away keys would cancel
        centre = keys.sum(dim=1) / (~empty).sum(dim=1, keepdim=True).clamp(min=1)
        offset = (keys - centre[:, None])[:, :, :-1].masked_fill(empty[:, :, None], 0.0)
        inside = offset.square().sum(dim=(1, 2))[:, None]
        variance = _pooled(inside, centre[:, :-1], count) / held / (keys.shape[2] - 1)
        return Nodes(key, node_sums(values.sum(dim=1)) / held, variance.squeeze(1), count.squeeze(1))


def _pooled(inside: Tensor, centre: Tensor, count: Tensor) -> Tensor:
    """Sums of squared distances from each node's mean, (nodes, 1), by Chan's rule for joining two samples."""
    n = count[-len(inside) :]
    levels = [inside]
    while len(inside) > 1:
        left, right = n[::2], n[1::2]
        share = left * right / (left + right).clamp(min=1)
        gap = (centre[::2] - centre[1::2]).square().sum(dim=1, keepdim=True)
        inside = inside[::2] + inside[1::2] + share * gap
        centre = (centre[::2] * left + centre[1::2] * right) / (left + right).clamp(min=1)
        n = left + right
        levels.append(inside)
    return torch.cat(levels[::-1])


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the nodes lie: what nearness is judged by. Without gradients."""

    mean: Tensor  # (nodes, d)
    spread: Tensor  # (nodes,) rms distance of a key from the mean
    empty: Tensor  # (nodes,) bool

    @staticmethod
    def of(nodes: Nodes) -> Geometry:
        """The nodes' places and sizes."""
        mean = nodes.key.detach()[:, :-1]
        return Geometry(mean, (nodes.variance.detach() * mean.shape[1]).sqrt(), nodes.count == 0)


@torch.no_grad()
def surroundings(
    geometry: Geometry, levels: int, width: int, *, by_distance: bool, with_rest: bool
) -> tuple[Tensor, Tensor]:
    """Go down the tree, for every node at once, keeping the `width` nearest nodes of its level.

    A child looks only at the children of the nodes its parent kept, so the whole costs O(leaves * width).

    Args:
        geometry: of the nodes.
        levels: of the tree.
        width: nodes kept per node; all of a level while there are no more.
        by_distance: nearness is Euclidean distance (less the node's own spread), else the dot product.
        with_rest: also list the nodes that cover the rest; else that list has no columns.

    Returns:
        near (leaves, n) int64, leaf indices in no order; rest (leaves, m) int64, numbers of nodes that, with the
        near leaves, hold every key once.
    """
    device = geometry.mean.device
    kept = torch.zeros(1, 1, dtype=torch.int64, device=device)  # within the level
    dropped: list[Tensor] = []
    for level in range(1, levels + 1):
        candidates = (2 * kept[:, :, None] + torch.arange(2, device=device)).flatten(1)  # of both children
        if candidates.shape[1] <= width:
            kept = candidates.repeat_interleave(2, dim=0)
            continue
        ranked = _ranked(geometry, level, kept, candidates, width, by_distance=by_distance, all_=with_rest)
        kept = ranked[:, :width]
        if with_rest:
            below = ranked[:, width:] + (1 << level) - 1
            dropped.append(below.repeat_interleave(1 << (levels - level), dim=0))
    rest = torch.cat(dropped, dim=1) if dropped else kept.new_zeros(len(kept), 0)
    return kept, rest


def _ranked(
    geometry: Geometry,
    level: int,
    kept: Tensor,
    candidates: Tensor,
    width: int,
    *,
    by_distance: bool,
    all_: bool,
) -> Tensor:
    """For every node of a level its `width` nearest candidates, then (`all_`) the others."""
    of_level = slice((1 << level) - 1, (2 << level) - 1)
    mean, spread, empty = (part[of_level] for part in (geometry.mean, geometry.spread, geometry.empty))
    size = mean.square().sum(dim=1)
    # mean, |mean|^2, spread of two siblings side by side: one copy brings both
    both = torch.cat([mean, size[:, None], spread[:, None], empty[:, None].to(mean.dtype)], dim=1)
    both = both.view(len(kept), -1)
    among, d = candidates.shape[1], mean.shape[1]
    count = max(1, CHUNK_BYTES // (among * (d + 3) * mean.element_size()))
    own = mean.view(len(kept), 2, d)
    ranked = []
    for part, nodes, at in zip(
        torch.split(kept, count), torch.split(candidates, count), torch.split(own, count), strict=True
    ):
        rows = both.index_select(0, part.flatten()).view(len(part), among, d + 3)
        product = torch.bmm(at, rows[:, :, :d].transpose(1, 2))
        if by_distance:
            squared = at.square().sum(dim=2, keepdim=True) - 2 * product + rows[:, None, :, d]
            near = rows[:, None, :, d + 1] - squared.clamp_(min=0.0).sqrt_()
        else:
            near = product + at.norm(dim=2, keepdim=True) * rows[:, None, :, d + 1]
        near = near.masked_fill_(rows[:, None, :, d + 2] > 0, -torch.inf)
        if all_:
            order = near.sort(dim=2, descending=True, stable=True).indices
        else:
            order = near.topk(width, dim=2, sorted=False).indices
        ranked.append(nodes[:, None].expand(-1, 2, -1).gather(2, order).flatten(0, 1))
    return torch.cat(ranked)
