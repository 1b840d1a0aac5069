"""`sparse_attention`: the one entry; checks its arguments, chooses an implementation, handles batches."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from logscan.attention.arguments import HeadArguments, checked_arguments, refuse_counts
from logscan.attention.bounds import rounding_bounds
from logscan.attention.causal import attend_causal
from logscan.attention.dense import dense_attention, dense_output
from logscan.attention.plan import SparseOptions
from logscan.attention.problem import (
    AttentionResult,
    Problem,
    attention_problem,
    curvature,
    nothing_to_attend,
    with_bias,
)
from logscan.attention.refine import attend_within
from logscan.attention.selection import GROUP_QUERIES
from logscan.attention.sparse import attend_selected
from logscan.attention.tree import ContentTree, content_tree
from logscan.errors import UsageError

# Up to here dense is as fast as sparse (benchmarks/attention/speed.py small), and exact.
DENSE_MAX_KEYS = 8192
Implementation = Literal["auto", "dense", "sparse"]
Coarse = Literal["auto", "none", "mean", "second"]


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
    search_leaves: int = 48,
    probes: int = 0,
    group_queries: int | None = None,
    look_ahead: bool = True,
    max_error: float | None = None,
    coarse: Coarse = "auto",
    tree: ContentTree | None = None,
    group_offset: int = 0,
    stride: int | None = None,
    return_log_partition: bool = False,
    return_neighbors: int = 0,
    return_error_bound: bool = False,
    implementation: Implementation = "auto",
    chunk_queries: int | None = None,
) -> AttentionResult:
    """Attention `softmax(scale query keyᵀ + key_bias) value`, at a cost that need not grow with every key.

    `"auto"` is exact and dense up to `DENSE_MAX_KEYS` keys and sparse above: the choice depends on the number of
    keys alone. Sparse, a query's result depends on the keys, on itself and on the queries of its group of 16; with
    `look_ahead=False` only on the earlier ones among them. Which keys are selected does depend on all keys, later
    ones included, but under `is_causal`, where every key that could have a say is one the query may see.

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
        budget: sparse: keys per query that are taken exactly, about; at least the number of keys means all.
        search_leaves: sparse: leaves of about 16 keys that a query is compared with.
        probes: sparse: further leaves that a query looks into, across the splits it lies nearest to. They find a
            lone analogue that fell on the other side of a split near the root (docs/attention.md has how many do).
            Queries that fall into one leaf share what they find so; not without `look_ahead`, nor causal.
        group_queries: sparse: 16 when consecutive queries share what they find, 1 when order means nothing;
            `None` looks at the keys: 16 where what follows an analogue of a key is an analogue of what follows it.
        look_ahead: sparse: a query may use what later queries of its group found. Off, and under `is_causal`,
            later queries change nothing.
        max_error: sparse: take more until the certified `output_bound` of every query is at most this (without
            value: the `log_partition_bound`). In the units of the value. Under `is_causal` it is kept for every
            block of the past, and the bound of the whole, made from theirs, can be larger. Below what rounding
            alone can do, the answer is exact and its bound larger.
        coarse: sparse: how keys that are not taken count: "mean" through the nodes of the tree, "second" with
            the logit's variance inside the nodes too, "none" not at all. "auto" is "mean", but "none" for distance
            attention so sharp that the nearest 1,024 keys carry 98 % of the weight (a sample of keys tells).
        tree: sparse: the tree of `key` from `content_tree`; `None` builds it. Not for batches, nor causal.
        group_offset: sparse: absolute index of the first query. Hand in whole groups (a multiple of 16) to get
            the same result in parts as at once.
        stride: time between consecutive tokens; `None` is the commonest difference of `key_time`.
        return_log_partition: also return `log sum exp(logits)`.
        return_neighbors: also return so many of the heaviest keys of every query.
        return_error_bound: also return certified bounds of the errors of the log-partition and of the output.
        implementation: "dense" or "sparse" to insist on one; it never falls back.
        chunk_queries: queries (dense) or groups (sparse) computed at once; `None` fits the cache.

    Returns:
        What was asked for. A query without an allowed key: output NaN, log-partition -inf, neighbours -1.

    Raises:
        UsageError: arguments whose shapes or values contradict each other.
        InputError: NaN or infinite numbers in query, key, value or bias.

    Differentiable in query, key, value and bias; the selection is constant.
    """
    _refuse_words(implementation, coarse, group_queries, max_error)
    refuse_counts(
        exclusion=(exclusion, 0),
        budget=(budget, 1),
        search_leaves=(search_leaves, 1),
        probes=(probes, 0),
        group_offset=(group_offset, 0),
        return_neighbors=(return_neighbors, 0),
    )
    if probes and (is_causal or not look_ahead):
        fact = "queries share what their probes find, so later ones would have a say"
        raise UsageError("attention probes", fact, "leave look_ahead on and is_causal off, or probe nothing")
    leading = query.shape[:-2]
    if tree is not None and (leading or is_causal):
        fact = "a tree belongs to one head, and not to causal attention"
        raise UsageError("attention tree", fact, "call once per head, or pass none")
    scale = 1.0 / math.sqrt(query.shape[-1]) if scale is None else scale
    dense = implementation == "dense" or (implementation == "auto" and key.shape[-2] <= DENSE_MAX_KEYS)
    arguments = checked_arguments(
        query, key, value, key_bias=key_bias, key_mask=key_mask, query_time=query_time, key_time=key_time
    )
    if exclusion > 0 or is_causal:
        _refuse_without_times(query, key, query_time, key_time)
    in_order = query_time is None and key_time is None and key_mask is None
    output_only = value is not None and not (return_log_partition or return_neighbors or return_error_bound)
    if value is not None and dense and output_only and in_order and not exclusion and _some(query, key):
        output = _plain(query, key, value, key_bias, is_causal=is_causal, scale=scale)
        return AttentionResult(output, None, None, None)
    results = []
    for head in arguments.heads():
        problem = attention_problem(head, scale=scale, exclusion=exclusion, is_causal=is_causal)
        if not len(problem.query) or not len(problem.key):
            result = nothing_to_attend(problem, neighbors=return_neighbors, bounds=return_error_bound)
        elif dense and output_only:
            result = dense_output(problem, chunk_queries=chunk_queries)
        elif dense or budget >= len(problem.key):
            result = dense_attention(problem, neighbors=return_neighbors, chunk_queries=chunk_queries)
            if return_error_bound:
                result = rounding_bounds(with_bias(problem), result)
        else:
            options = SparseOptions(
                budget=budget,
                search_leaves=search_leaves,
                probes=probes,
                group_queries=group_queries,
                group_offset=group_offset,
                stride=_commonest_step(problem.key_time) if stride is None else stride,
                look_ahead=look_ahead and not is_causal,
                coarse=coarse,
                local=exclusion == 0,
                curvature=0.0,
            )
            sparse = _Sparse(head, options, max_error, return_neighbors, return_error_bound, chunk_queries)
            result = sparse.causal(problem) if is_causal else sparse.whole(problem, tree)
        kept = {} if return_log_partition else {"log_partition": None}
        if not return_error_bound:
            kept |= {"log_partition_bound": None, "output_bound": None}
        results.append(replace(result, **kept))
    return results[0] if not leading else _stacked(results, leading)


class _Sparse:
    """The sparse path of one head."""

    def __init__(
        self,
        head: HeadArguments,
        options: SparseOptions,
        max_error: float | None,
        neighbors: int,
        bounds: bool,
        chunk: int | None,
    ) -> None:
        self.head, self.options, self.max_error = head, options, max_error
        self.neighbors, self.bounds, self.chunk = neighbors, bounds, chunk

    def whole(self, problem: Problem, tree: ContentTree | None) -> AttentionResult:
        """Attention over all keys."""
        if tree is None:
            tree = content_tree(self.head.key.detach())
        elif tree.key_count != len(self.head.key):
            fact = f"built over {tree.key_count} keys, got {len(self.head.key)}"
            raise UsageError("attention tree", fact, "build it again")
        return self._attend(with_bias(problem), tree, self.options)

    def causal(self, problem: Problem) -> AttentionResult:
        """Attention over every query's past."""
        problem = with_bias(problem)

        def past(block: Problem, first_query: int) -> AttentionResult:
            if len(block.key) <= max(DENSE_MAX_KEYS, self.options.budget):
                return present(block, first_query)
            offset = self.options.group_offset + first_query
            tree = content_tree(block.key[:, :-1].detach())
            return self._attend(block, tree, replace(self.options, group_offset=offset))

        def present(block: Problem, _: int) -> AttentionResult:
            exact = dense_attention(block, neighbors=self.neighbors)
            return rounding_bounds(block, exact) if self.bounds or self.max_error is not None else exact

        return attend_causal(problem, past, present, neighbors=self.neighbors)

    def _attend(self, problem: Problem, tree: ContentTree, options: SparseOptions) -> AttentionResult:
        options = replace(options, curvature=curvature(problem))
        if self.max_error is not None:
            return attend_within(problem, tree, options, max_error=self.max_error, neighbors=self.neighbors)
        return attend_selected(
            problem, tree, options, neighbors=self.neighbors, bounds=self.bounds, chunk_tiles=self.chunk
        )


def _refuse_words(
    implementation: str, coarse: str, group_queries: int | None, max_error: float | None
) -> None:
    """Raises UsageError for options out of their range."""
    if implementation not in ("auto", "dense", "sparse"):
        fact = f"unknown implementation {implementation!r}"
        raise UsageError("attention", fact, "use auto, dense or sparse")
    if coarse not in ("auto", "none", "mean", "second"):
        raise UsageError("attention coarse", f"unknown {coarse!r}", "use auto, none, mean or second")
    if group_queries not in (None, 1, GROUP_QUERIES):
        raise UsageError(
            "attention group_queries", f"must be 1, {GROUP_QUERIES} or None, got {group_queries}"
        )
    if max_error is not None and not max_error > 0.0:
        raise UsageError("attention max_error", f"must be above 0, got {max_error}")


def _plain(
    query: Tensor, key: Tensor, value: Tensor, key_bias: Tensor | None, *, is_causal: bool, scale: float
) -> Tensor:
    """Attention as torch computes it; batch and head dimensions are added, without which it takes its slow path."""
    missing = max(0, 4 - query.ndim)
    bias = None if key_bias is None else key_bias[..., None, :]
    if missing:
        query, key, value = (tokens[(None,) * missing] for tokens in (query, key, value))
    output = scaled_dot_product_attention(query, key, value, attn_mask=bias, is_causal=is_causal, scale=scale)
    return output[(0,) * missing] if missing else output


def _some(query: Tensor, key: Tensor) -> bool:
    """Whether there are queries and keys at all."""
    return query.shape[-2] > 0 and key.shape[-2] > 0


def _refuse_without_times(
    query: Tensor, key: Tensor, query_time: Tensor | None, key_time: Tensor | None
) -> None:
    """Raises UsageError when the indices of the tokens, which stand in for times, would mean nothing."""
    n_query, n_key = query.shape[-2], key.shape[-2]
    if (query_time is None or key_time is None) and n_query != n_key:
        raise UsageError(
            "attention",
            f"exclusion and is_causal need times when {n_query} queries meet {n_key} keys",
            "pass query_time and key_time",
        )


def _commonest_step(key_time: Tensor) -> int:
    """The commonest positive difference of ascending times, 1 when there is none."""
    steps = key_time.diff()
    steps = steps[steps > 0]
    return int(steps.mode().values) if len(steps) else 1


def _stacked(results: list[AttentionResult], leading: torch.Size) -> AttentionResult:
    """The heads' results in the caller's leading dimensions."""

    def stack(name: str) -> Tensor | None:
        parts = [part for part in (getattr(result, name) for result in results) if part is not None]
        return torch.stack(parts).reshape(*leading, *parts[0].shape) if parts else None

    return AttentionResult(*(stack(f.name) for f in fields(AttentionResult)))
