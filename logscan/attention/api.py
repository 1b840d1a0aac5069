"""`sparse_attention`: the one entry; checks its arguments, chooses an implementation, handles batches."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Literal

import torch
from torch import Tensor

from logscan.attention.arguments import head_arguments, refuse_counts
from logscan.attention.dense import dense_attention
from logscan.attention.problem import AttentionResult, Problem, attention_problem, nothing_to_attend
from logscan.attention.sparse import SparseOptions, attend_selected
from logscan.attention.tree import ContentTree, content_tree
from logscan.errors import UsageError

# Up to here exact costs at most about twice what sparse does (benchmarks/attention.py: equal at 4,096
# keys, 1.6 times at 8,192, 1.6 to 2.6 at 16,384), and exactness is worth that.
DENSE_MAX_KEYS = 16384
Implementation = Literal["auto", "dense", "sparse"]


def sparse_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor | None,
    *,
    scale: float | None = None,
    key_bias: Tensor | None = None,
    key_mask: Tensor | None = None,
    query_time: Tensor | None = None,
    key_time: Tensor | None = None,
    exclusion: int = 0,
    is_causal: bool = False,
    budget: int = 256,
    anchor_every: int = 4,
    search_leaves: int = 32,
    group_offset: int = 0,
    stride: int | None = None,
    tree: ContentTree | None = None,
    return_log_partition: bool = False,
    return_neighbors: int = 0,
    implementation: Implementation = "auto",
    chunk_queries: int | None = None,
) -> AttentionResult:
    """Attention `softmax(scale query keyᵀ + key_bias) value`, at a cost that need not grow with every key.

    `"auto"` is exact and dense up to `DENSE_MAX_KEYS` keys and sparse above: the choice depends on the
    number of keys alone, so a query's result does not depend on how many queries come with it. Sparse,
    a query's result depends on the first query of its group of `anchor_every` and on no later one. Which
    keys are selected does depend on all keys, later ones included: score against a fixed history.

    Args:
        query: (..., Nq, d) float32 or float64, finite.
        key: (..., Nk, d), same dtype and leading dimensions.
        value: (..., Nk, dv), or `None` when only log-partition or neighbours are wanted.
        scale: factor of the dot product; `None` is `1 / sqrt(d)`.
        key_bias: (Nk,) or (..., Nk) added to every query's logit of that key; `-scale ‖k‖² / 2` makes
            the attention one of Euclidean distance. Finite; to leave keys out use `key_mask`.
        key_mask: (Nk,) or (..., Nk) bool, true for keys that take part.
        query_time: (Nq,) or (..., Nq) int64; `None` is the token's index.
        key_time: (Nk,) or (..., Nk) int64, any order, gaps allowed; `None` is the token's index.
        exclusion: keys with `|query_time - key_time| < exclusion` are left out; 0 leaves out none.
        is_causal: keep only keys with `key_time <= query_time - exclusion`.
        budget: sparse: keys per query, about; at least the number of keys means all of them.
        anchor_every: sparse: one query in so many searches for its neighbours in time; 1 when the
            order of the tokens means nothing. Anchors should stay well closer than the shortest shape
            in the data: on heartbeats of 25 tokens the nearest key is found for 0.45 of the queries
            with 16, 0.72 with 8 and 0.88 with 4.
        search_leaves: sparse: leaves of the tree whose keys are compared with an anchor.
        group_offset: sparse: absolute index of the first query. Hand in whole groups (a multiple of
            `anchor_every`) to get the same result in parts as at once.
        stride: time between consecutive tokens; `None` is the commonest difference of `key_time`.
        tree: sparse: the tree of `key` from `content_tree`; `None` builds it. Not for batches.
        return_log_partition: also return `log sum exp(logits)`, sparse over the selected keys only.
        return_neighbors: also return so many of the heaviest keys of every query.
        implementation: "dense" or "sparse" to insist on one; it never falls back.
        chunk_queries: queries (dense) or groups (sparse) computed at once; `None` fits the cache.

    Returns:
        What was asked for. A query without an allowed key: output NaN, log-partition -inf, neighbours -1.

    Raises:
        UsageError: arguments whose shapes or values contradict each other.
        InputError: NaN or infinite numbers in query, key, value or bias.

    Differentiable in query, key, value and bias; the selection is constant.
    """
    if implementation not in ("auto", "dense", "sparse"):
        raise UsageError(
            "attention", f"unknown implementation {implementation!r}", "use auto, dense or sparse"
        )
    refuse_counts(
        exclusion=(exclusion, 0),
        budget=(budget, 1),
        anchor_every=(anchor_every, 1),
        search_leaves=(search_leaves, 1),
        group_offset=(group_offset, 0),
        return_neighbors=(return_neighbors, 0),
    )
    leading = query.shape[:-2]
    if tree is not None and leading:
        raise UsageError("attention tree", "a tree belongs to one head", "call once per head, or pass none")
    query_time, key_time = _times(query, key, query_time, key_time, needed=exclusion > 0 or is_causal)
    heads = head_arguments(
        query,
        key,
        value,
        key_bias=key_bias,
        key_mask=key_mask,
        query_time=query_time,
        key_time=key_time,
    )
    results = []
    for head in heads:
        problem = attention_problem(
            head,
            scale=1.0 / math.sqrt(query.shape[-1]) if scale is None else scale,
            exclusion=exclusion,
            is_causal=is_causal,
        )
        if not len(problem.query) or not len(problem.key):
            result = nothing_to_attend(problem, neighbors=return_neighbors)
        elif implementation == "dense" or (implementation == "auto" and len(head.key) <= DENSE_MAX_KEYS):
            result = dense_attention(problem, neighbors=return_neighbors, chunk_queries=chunk_queries)
        else:
            options = SparseOptions(
                budget=budget,
                anchor_every=anchor_every,
                group_offset=group_offset,
                stride=_commonest_step(problem.key_time) if stride is None else stride,
                search_leaves=search_leaves,
                local=exclusion == 0,
            )
            result = _sparse(
                head.key,
                problem,
                tree,
                options,
                neighbors=return_neighbors,
                chunk_groups=chunk_queries,
            )
        results.append(result if return_log_partition else replace(result, log_partition=None))
    return results[0] if not leading else _stacked(results, leading)


def _times(
    query: Tensor, key: Tensor, query_time: Tensor | None, key_time: Tensor | None, *, needed: bool
) -> tuple[Tensor, Tensor]:
    """The times, token indices where none are given; raises UsageError when that would mean nothing."""
    n_query, n_key = query.shape[-2], key.shape[-2]
    if needed and (query_time is None or key_time is None) and n_query != n_key:
        raise UsageError(
            "attention",
            f"exclusion and is_causal need times when {n_query} queries meet {n_key} keys",
            "pass query_time and key_time",
        )
    if query_time is None:
        query_time = torch.arange(n_query, device=query.device)
    if key_time is None:
        key_time = torch.arange(n_key, device=key.device)
    return query_time, key_time


def _commonest_step(key_time: Tensor) -> int:
    """The commonest positive difference of ascending times, 1 when there is none."""
    steps = key_time.diff()
    steps = steps[steps > 0]
    return int(steps.mode().values) if len(steps) else 1


def _sparse(
    key: Tensor,
    problem: Problem,
    tree: ContentTree | None,
    options: SparseOptions,
    *,
    neighbors: int,
    chunk_groups: int | None,
) -> AttentionResult:
    """The sparse path; queries whose selection holds no allowed key are answered by the dense one."""
    if tree is None:
        tree = content_tree(key.detach())
    elif tree.key_count != len(key):
        raise UsageError(
            "attention tree", f"built over {tree.key_count} keys, got {len(key)}", "build it again"
        )
    result = attend_selected(problem, tree, options, neighbors=neighbors, chunk_groups=chunk_groups)
    assert result.log_partition is not None
    rows = torch.nonzero((result.log_partition == -torch.inf) & ~problem.without_key).squeeze(1)
    if not len(rows):
        return result
    exact = dense_attention(problem.for_queries(rows), neighbors=neighbors)
    return AttentionResult(
        *(_patched(getattr(result, f.name), rows, getattr(exact, f.name)) for f in fields(result))
    )


def _patched(whole: Tensor | None, rows: Tensor, part: Tensor | None) -> Tensor | None:
    """`whole` with `rows` replaced."""
    return whole if whole is None or part is None else whole.index_copy(0, rows, part)


def _stacked(results: list[AttentionResult], leading: torch.Size) -> AttentionResult:
    """The heads' results in the caller's leading dimensions."""

    def stack(name: str) -> Tensor | None:
        parts = [part for part in (getattr(result, name) for result in results) if part is not None]
        return torch.stack(parts).reshape(*leading, *parts[0].shape) if parts else None

    return AttentionResult(*(stack(f.name) for f in fields(AttentionResult)))
