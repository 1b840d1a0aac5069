"""Causal sparse attention: the past in dyadic blocks, each attended to as a whole.

A query that may see the first `f` keys sees the blocks of the binary representation of `f`, from the largest to
the smallest, and a remainder of less than one block, exactly. Every block has a tree of its own, so no later key
has a say in what a query selects. A key lies in O(log N) blocks: the whole costs O(N log² N).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, replace

import torch
from torch import Tensor

from logscan.attention.problem import AttentionResult, Problem

BLOCK_KEYS = 2048  # of the remainder; smaller blocks cost more calls, larger ones more exact products

Attend = Callable[[Problem, int], AttentionResult]  # of a block, and the index of its first query


def attend_causal(problem: Problem, past: Attend, present: Attend, *, neighbors: int) -> AttentionResult:
    """Attention of queries that see a prefix of the keys, put together from blocks.

    Args:
        problem: with at least one query; every query's forbidden interval reaches to the last key.
        past: attention over one block, all of whose keys are allowed.
        present: attention over the block in which the prefix ends.
        neighbors: how many of the heaviest keys the results hold per query; 0 for none.
    """
    total: AttentionResult | None = None
    for rows, begin, block, whole in _blocks(problem):
        part = _named((past if whole else present)(block, int(rows[0])), problem.key_index[begin:])
        total = _nothing(len(problem.query), part) if total is None else total
        total = _put(total, rows, _joined(_rows(total, rows), part, neighbors))
    assert total is not None
    assert total.log_partition is not None
    if total.output is None:
        return total
    blind = total.log_partition == -torch.inf
    return replace(total, output=total.output.masked_fill(blind[:, None], torch.nan))


def _blocks(problem: Problem) -> Iterator[tuple[Tensor, int, Problem, bool]]:
    """Which queries see which block of keys, where it begins, and whether they see all of it."""
    n_key, seen = len(problem.key), problem.blocked_from
    full = torch.div(seen, BLOCK_KEYS, rounding_mode="floor")
    for start in range(0, n_key, BLOCK_KEYS):
        rows = torch.nonzero(full == start // BLOCK_KEYS).squeeze(1)
        if len(rows):
            yield rows, start, _block(problem, rows, start, start + BLOCK_KEYS), False
    bit = 0
    while (1 << bit) * BLOCK_KEYS <= n_key:
        above = (full >> (bit + 1)) << (bit + 1)
        for first in torch.unique(above[(full >> bit) & 1 == 1]).tolist():
            rows = torch.nonzero((above == first) & ((full >> bit) & 1 == 1)).squeeze(1)
            begin = first * BLOCK_KEYS
            yield rows, begin, _block(problem, rows, begin, begin + (1 << bit) * BLOCK_KEYS), True
        bit += 1


def _block(problem: Problem, rows: Tensor, begin: int, end: int) -> Problem:
    """The queries `rows` over the keys of one block."""
    end = min(end, len(problem.key))
    some = problem.for_queries(rows)
    return replace(
        some,
        key=problem.key[begin:end],
        value=None if problem.value is None else problem.value[begin:end],
        key_index=torch.arange(end - begin, device=rows.device),
        key_time=problem.key_time[begin:end],
        blocked_from=(some.blocked_from - begin).clamp(max=end - begin),
        blocked_to=torch.full_like(rows, end - begin),
    )


def _nothing(queries: int, like: AttentionResult) -> AttentionResult:
    """A result of no keys at all, with the fields and shapes of another."""
    fill = {"output": 0.0, "log_partition": -torch.inf, "neighbors": -1}

    def empty(name: str) -> Tensor | None:
        part = getattr(like, name)
        return None if part is None else part.new_full((queries, *part.shape[1:]), fill.get(name, 0.0))

    return AttentionResult(*(empty(field.name) for field in fields(AttentionResult)))


def _named(part: AttentionResult, key_index: Tensor) -> AttentionResult:
    """A block's result with its neighbours as the caller counts them."""
    if part.neighbors is None:
        return part
    named = key_index[part.neighbors.clamp(min=0)].masked_fill(part.neighbors < 0, -1)
    return replace(part, neighbors=named)


def _rows(result: AttentionResult, rows: Tensor) -> AttentionResult:
    """Some rows of a result."""
    parts = (getattr(result, field.name) for field in fields(AttentionResult))
    return AttentionResult(*(None if part is None else part.index_select(0, rows) for part in parts))


def _put(total: AttentionResult, rows: Tensor, part: AttentionResult) -> AttentionResult:
    """The result with these rows replaced; in place where no gradient forbids it."""

    def put(whole: Tensor | None, piece: Tensor | None) -> Tensor | None:
        if whole is None or piece is None:
            return None
        if piece.requires_grad or whole.requires_grad:
            return whole.index_copy(0, rows, piece)
        return whole.index_copy_(0, rows, piece)

    names = [field.name for field in fields(AttentionResult)]
    return AttentionResult(*(put(getattr(total, name), getattr(part, name)) for name in names))


def _joined(one: AttentionResult, two: AttentionResult, neighbors: int) -> AttentionResult:
    """Attention over two disjoint sets of keys, from attention over each."""
    assert one.log_partition is not None
    assert two.log_partition is not None
    first, second = one.log_partition, two.log_partition
    top = torch.maximum(first, second).detach()
    top = top.masked_fill(top == -torch.inf, 0.0)
    mass = (first - top).exp() + (second - top).exp()
    shares = ((first - top).exp() / mass.clamp(min=0.5), (second - top).exp() / mass.clamp(min=0.5))
    output = found = weights = log_bound = output_bound = None
    outputs: list[Tensor] = []
    if one.output is not None and two.output is not None:
        blind = (first == -torch.inf, second == -torch.inf)
        outputs = [
            one.output.masked_fill(blind[0][:, None], 0.0),
            two.output.masked_fill(blind[1][:, None], 0.0),
        ]
        output = outputs[0] * shares[0][:, None] + outputs[1] * shares[1][:, None]
    if neighbors and one.neighbor_weights is not None and two.neighbor_weights is not None:
        assert one.neighbors is not None
        assert two.neighbors is not None
        both = torch.cat(
            [one.neighbor_weights * shares[0][:, None], two.neighbor_weights * shares[1][:, None]], 1
        )
        column = both.detach().topk(neighbors, dim=1).indices
        found, weights = (
            torch.cat([one.neighbors, two.neighbors], 1).gather(1, column),
            both.gather(1, column),
        )
    if one.log_partition_bound is not None and two.log_partition_bound is not None:
        log_bound = torch.maximum(one.log_partition_bound, two.log_partition_bound)
    if one.output_bound is not None and two.output_bound is not None:
        assert output is not None
        assert log_bound is not None
        # a part's true share is within exp(±2 δ) of the one used, δ the bound of the log-partitions
        off = torch.expm1(2 * log_bound)
        output_bound = torch.zeros_like(off)
        for share, part, own in zip(shares, outputs, (one, two), strict=True):
            assert own.output_bound is not None
            away = (part - output).double().norm(dim=1)
            reached = share * (own.output_bound * (1 + off) + off * away)
            output_bound = output_bound + torch.where(share > 0, reached, 0.0)
    log_partition = (top + mass.log()).masked_fill(mass <= 0.0, -torch.inf)
    return AttentionResult(output, log_partition, found, weights, log_bound, output_bound)
