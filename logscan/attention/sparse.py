"""Sparse attention: exact softmax over the keys selected for each group of queries.

Cost per query: its share of one search over the leaves, and `budget` keys in one batched product.
Nothing is added yet for the keys left out, so the log-partition is a lower bound. Coarse terms for
them would join `logits` in `_attend`, before the softmax; an error bound would be computed beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.neighbors import named_neighbors
from logscan.attention.parts import Parts
from logscan.attention.problem import AttentionResult, Problem
from logscan.attention.selection import Groups, Segments, query_groups, segments, selected_blocks
from logscan.attention.tree import ContentTree

CHUNK_BYTES = 4 << 20  # gathered keys, values and logits of one chunk of groups
MOST_SUPPRESSED_KEYS = 8  # analogues of a long group may overlap: measured better than 16 on real tokens


@dataclass(frozen=True, slots=True)
class SparseOptions:
    """How much is searched and taken."""

    budget: int  # keys per query, about
    anchor_every: int  # queries per anchor
    group_offset: int  # absolute index of the first query
    stride: int  # time between consecutive tokens
    search_leaves: int  # leaves an anchor is compared with
    local: bool  # take the neighbourhood in time as well


def attend_selected(
    problem: Problem,
    tree: ContentTree,
    options: SparseOptions,
    *,
    neighbors: int = 0,
    chunk_groups: int | None = None,
) -> AttentionResult:
    """Attention over the selected keys.

    Args:
        problem: queries, keys and forbidden intervals.
        tree: content tree of the caller's keys.
        options: budget, anchors and search width.
        neighbors: how many of the heaviest selected keys to return per query; 0 for none.
        chunk_groups: groups computed at once; `None` fits them into the cache.

    Returns:
        As the dense path, with the softmax over the selected keys. A query none of whose selected
        keys is allowed has log-partition -inf.
    """
    groups = query_groups(
        problem.query_time,
        stride=options.stride,
        anchor_every=options.anchor_every,
        group_offset=options.group_offset,
    )
    cut = segments(options.anchor_every)
    blocks = selected_blocks(
        problem,
        tree,
        groups.slots[:, 0],
        cut=cut,
        budget=options.budget,
        search_leaves=options.search_leaves,
        local=options.local,
        suppress_keys=min(options.anchor_every, MOST_SUPPRESSED_KEYS),
    )
    layout = _layout(problem, cut)
    count = chunk_groups or _chunk_groups(problem, blocks.shape[1] * cut.block_keys, options.anchor_every)
    parts = Parts(len(groups.slots))
    for slots, chosen in zip(torch.split(groups.slots, count), torch.split(blocks, count), strict=True):
        parts.add(*_attend(problem, layout, cut, slots, chosen, neighbors=neighbors))
    return _joined(parts, problem, groups, neighbors)


_Layout = tuple[Tensor, Tensor | None]  # keys and values as rows of one block each, one empty block last
_Part = tuple[Tensor | None, Tensor, Tensor | None, Tensor | None]


def _layout(problem: Problem, cut: Segments) -> _Layout:
    """Keys and values by block, so that taking a block is one copy of contiguous memory."""
    padding = -len(problem.key) % cut.block_keys + cut.block_keys

    def by_block(rows: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(rows, (0, 0, 0, padding))
        return padded.view(-1, cut.block_keys * rows.shape[1])

    return by_block(problem.key), None if problem.value is None else by_block(problem.value)


def _chunk_groups(problem: Problem, keys: int, queries: int) -> int:
    """Groups whose temporaries fill about `CHUNK_BYTES`."""
    width = problem.key.shape[1] + (0 if problem.value is None else problem.value.shape[1])
    numbers = keys * width + 4 * keys * queries  # gathered keys and values; logits, weights, masks
    return max(1, CHUNK_BYTES * (16 if problem.key.is_cuda else 1) // (numbers * problem.key.element_size()))


def _attend(
    problem: Problem, layout: _Layout, cut: Segments, slots: Tensor, blocks: Tensor, *, neighbors: int
) -> _Part:
    """Exact attention of some groups over their blocks; (groups, queries, ...) each."""
    key_blocks, value_blocks = layout
    keys = blocks.shape[1] * cut.block_keys
    chosen = blocks.reshape(-1)
    key = key_blocks.index_select(0, chosen).view(len(blocks), keys, -1)
    within = torch.arange(cut.block_keys, device=blocks.device)
    position = (blocks[:, :, None] * cut.block_keys + within).flatten(1)
    logits = torch.bmm(problem.query[slots], key.transpose(1, 2))
    at = position[:, None, :]
    blocked = (at >= problem.blocked_from[slots][:, :, None]) & (at < problem.blocked_to[slots][:, :, None])
    blocked |= (position >= len(problem.key))[:, None, :]
    # a row without keys is computed unmasked and marked: NaN in softmax would poison gradients
    empty = blocked.all(dim=2)
    logits = logits.masked_fill(blocked & ~empty[:, :, None], -torch.inf)
    weights = torch.softmax(logits, dim=2)
    column = logits.detach().topk(max(1, min(neighbors, keys)), dim=2).indices
    # softmax has already summed: log Z = l_max - log p_max
    top = column[:, :, :1]
    log_partition = (logits.gather(2, top) - weights.gather(2, top).log()).squeeze(2)
    log_partition = log_partition.masked_fill(empty, -torch.inf)
    output = None
    if value_blocks is not None:
        output = torch.bmm(weights, value_blocks.index_select(0, chosen).view(len(blocks), keys, -1))
    if not neighbors:
        return output, log_partition, None, None
    found = position[:, None, :].expand_as(logits).gather(2, column)
    # a forbidden key among them is given a position past the end, which reads as none
    found = found.masked_fill(blocked.gather(2, column), len(problem.key))
    return output, log_partition, found, weights.gather(2, column)


def _joined(parts: Parts, problem: Problem, groups: Groups, neighbors: int) -> AttentionResult:
    """The chunks as one result in query order, with key indices as the caller counts them."""
    taken = groups.taken
    output, log_partition, found, weights = parts.whole()
    assert log_partition is not None
    log_partition = log_partition[taken]
    empty = log_partition == -torch.inf
    if output is not None:
        output = output[taken].masked_fill(empty[:, None], torch.nan)
    if found is not None and weights is not None:
        found, weights = named_neighbors(found[taken], weights[taken], empty, problem, neighbors)
    return AttentionResult(output, log_partition, found, weights)
