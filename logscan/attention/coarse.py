"""The coarse correction: keys that were not selected count through nodes of the content tree.

The nodes of a tile's cover hold every key once, or with the leaves the tile takes whole. A node `B` stands for
those of its keys that the tile does not take, `n` of them, at their mean logit:

    mass   n exp(mean over them of (q·k + b) + v/2)     v: variance of the logit in the node, isotropic, saturating
    value  v̄, the mean of the node

The mean logit of all keys under the node is the logit of their mean; the logits that were taken are known, so that
of the rest follows. What is forbidden to a query lies near it and would pull the mean of a small node towards it:
a node with more than a few of those is left out, and the error bound counts it. Far nodes are large and near ones
are leaves, so a cover has O(log N) nodes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from logscan.attention.layout import DEAD
from logscan.attention.problem import Problem
from logscan.attention.tile_records import Plan, Standing, TileFacts, TileRows

ALLOWED_ENOUGH = 0.75  # of a node's keys that are not taken; below, the node is left out
SATURATION = 2.0  # half the variance at which the second-order term bends: beyond, a node is not Gaussian


@torch.no_grad()
def standing(
    problem: Problem,
    plan: Plan,
    node_start: Tensor,
    total: Tensor,
    position: Tensor,
    since: Tensor | None,
    leaf_of_key: Tensor,
    block_keys: int,
    *,
    banded: bool,
) -> Standing:
    """Count for every node the keys that it stands for.

    Args:
        problem: the uniform problem.
        plan: of the tiles.
        node_start: (tiles, n) int32 first leaf under each node of the cover, ascending.
        total: (tiles, n) keys under the nodes.
        position: (tiles, s) int32 positions of the keys in `plan.time_blocks`, -1 for none.
        since: (tiles, s) the first row that takes them; `None` means all rows do.
        leaf_of_key: (Nk,) int32.
        block_keys: of the stretches.
        banded: whether any query has a forbidden interval.
    """
    rows, n = plan.slots.shape[1], total.shape[1]

    def node_of(keys: Tensor) -> Tensor:
        leaf = leaf_of_key.index_select(0, keys.clamp(min=0).flatten()).view_as(keys)
        at = (torch.searchsorted(node_start, leaf, right=True) - 1).clamp_(min=0)
        return at.masked_fill_(keys < 0, n)

    def counted(node: Tensor, row: Tensor | None) -> Tensor:
        one = total.new_ones(1, 1).expand_as(node)
        if row is None:
            return total.new_zeros(len(total), n + 1).scatter_add_(1, node, one)[:, None, :n]
        count = total.new_zeros(len(total), rows, n + 1)
        count.flatten(1).scatter_add_(1, row * (n + 1) + node, one)
        return count[:, :, :n]

    taken, count = total.new_zeros(len(total), 1, n), total[:, None]
    node = torch.full_like(position, n, dtype=torch.int64)
    if n and plan.time_blocks.shape[1]:
        node = node_of(position)
        taken = counted(node, since)
        taken = taken if since is None else taken.cumsum(dim=1)
        count = count - taken
    if n and banded:
        if plan.by_leaf:
            keys, row = _forbidden_by_row(problem, plan, leaf_of_key)
            count = count - counted(node_of(keys), row)
        else:
            keys = _forbidden_to_all(problem, plan.slots, plan.time_blocks, block_keys)
            count = count - counted(node_of(keys), None)
    return Standing(count, taken, node)


def _forbidden_to_all(problem: Problem, slots: Tensor, blocks: Tensor, block_keys: int) -> Tensor:
    """Positions forbidden to a whole group that lie in no block it takes, (groups, n), -1 for none.

    Keys forbidden to a part of the group lie in blocks it takes (`selection.straddling` sees to the others).
    """
    first = problem.blocked_from.index_select(0, slots.flatten()).view_as(slots).amin(dim=1)
    last = problem.blocked_to.index_select(0, slots.flatten()).view_as(slots).amax(dim=1)
    begin = torch.div(first, block_keys, rounding_mode="floor")
    end = torch.div(last + block_keys - 1, block_keys, rounding_mode="floor")
    most = int((end - begin).clamp(min=0).amax())
    block = begin[:, None] + torch.arange(most, device=slots.device)
    held = blocks.sort(dim=1).values
    at = torch.searchsorted(held, block).clamp_(max=held.shape[1] - 1)
    skip = (block >= end[:, None]) | (held.gather(1, at) == block)
    position = (block[:, :, None] * block_keys + torch.arange(block_keys, device=slots.device)).flatten(1)
    outside = (position < first[:, None]) | (position >= last[:, None])
    return position.masked_fill(outside | skip.repeat_interleave(block_keys, dim=1), -1)


def _forbidden_by_row(problem: Problem, plan: Plan, leaf_of_key: Tensor) -> tuple[Tensor, Tensor]:
    """Positions forbidden to a row that lie in no leaf its tile takes, and the row, (tiles, rows * n) each."""
    first = problem.blocked_from.index_select(0, plan.slots.flatten())
    last = problem.blocked_to.index_select(0, plan.slots.flatten())
    most = int((last - first).clamp(min=0).amax())
    position = first[:, None] + torch.arange(most, device=first.device)
    position = position.masked_fill(position >= last[:, None], -1).view(len(plan.slots), -1)
    leaf = leaf_of_key.index_select(0, position.clamp(min=0).flatten()).view_as(position)
    held = torch.cat([plan.leaves, plan.time_blocks], dim=1).sort(dim=1).values
    at = torch.searchsorted(held, leaf.long()).clamp_(max=held.shape[1] - 1)
    position = position.masked_fill(held.gather(1, at) == leaf, -1)
    row = torch.arange(plan.slots.shape[1], device=first.device).repeat_interleave(most)
    return position, row.expand_as(position)


def coarse_logits(rows: TileRows, facts: TileFacts, time_logits: Tensor) -> Tensor:
    """Logarithm of the mass of every node, (tiles, rows, n).

    Args:
        rows: queries and nodes.
        facts: what the nodes stand for.
        time_logits: (tiles, rows, s) logits of the keys taken in stretches, forbidden ones among them.
    """
    mean = torch.bmm(rows.query, rows.node_key.transpose(1, 2))
    if facts.coarse == "none":
        return torch.full_like(mean, DEAD)
    standing = facts.standing
    logits = mean
    if time_logits.shape[2]:
        if facts.since is not None:
            row = torch.arange(mean.shape[1], device=mean.device)[:, None]
            time_logits = time_logits.masked_fill(facts.since[:, None] > row, 0.0)
        n = mean.shape[2]
        node = standing.node[:, None].expand(-1, mean.shape[1], -1)
        taken = mean.new_zeros(*mean.shape[:2], n + 1).scatter_add(2, node, time_logits)[:, :, :n]
        # of all keys under the node, less those that were taken
        left = facts.total[:, None] - standing.taken
        logits = (facts.total[:, None] * mean - taken) / left.clamp(min=1)
    count = standing.count
    if facts.band is not None:
        count = count.masked_fill(count < ALLOWED_ENOUGH * (facts.total[:, None] - standing.taken), 0.0)
    logits = logits + count.log().clamp_(min=DEAD)
    if facts.coarse == "mean":
        return logits
    # c of the bias b ≈ c ‖k‖² / 2: the logit's slope inside a node is q + c k̄
    c = facts.curvature
    q, k = rows.query[:, :, :-1], rows.node_key[:, :, :-1]
    slope = q.square().sum(dim=2, keepdim=True)
    if c:
        product = mean - rows.node_key[:, None, :, -1]
        slope = slope + 2 * c * product + (c * c * k.square().sum(dim=2))[:, None]
    half = 0.5 * slope.clamp(0.0, -DEAD) * rows.node_variance[:, None]
    return logits + half / (1 + half / SATURATION)
