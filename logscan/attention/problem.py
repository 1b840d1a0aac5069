"""One attention problem made uniform, and the record every implementation returns.

Scale, key bias, padding mask, exclusion band and causality differ for the caller, not for the
implementations: they see plain dot products, keys ascending in time, and one forbidden interval of
keys per query.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from logscan.attention.arguments import HeadArguments


@dataclass(frozen=True, slots=True)
class AttentionResult:
    """What attention returns; `None` where it was not asked for.

    A query that may attend to no key at all has output NaN, log-partition -inf and neighbours -1.
    """

    output: Tensor | None  # (..., Nq, dv)
    log_partition: Tensor | None  # (..., Nq), log of the sum of exp(logit)
    neighbors: Tensor | None  # (..., Nq, k) int64, index of the key, heaviest first, -1 for none
    neighbor_weights: Tensor | None  # (..., Nq, k), softmax over all keys taken, so a row sums to <= 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Queries and keys whose plain dot product is the logit, keys ascending in time.

    Query `i` may attend to every key except those in `[blocked_from[i], blocked_to[i])`.
    """

    query: Tensor  # (Nq, d'), scaled; one more column of ones when there is a key bias
    key: Tensor  # (Nk, d'), one more column holding the bias when there is one
    value: Tensor | None  # (Nk, dv)
    key_index: Tensor  # (Nk,) int64: the caller's index of each key
    query_time: Tensor  # (Nq,) int64
    key_time: Tensor  # (Nk,) int64, ascending
    blocked_from: Tensor  # (Nq,) int64
    blocked_to: Tensor  # (Nq,) int64

    @property
    def without_key(self) -> Tensor:
        """Queries that may attend to nothing, (Nq,) bool."""
        return (self.blocked_from <= 0) & (self.blocked_to >= len(self.key))

    def for_queries(self, rows: Tensor) -> Problem:
        """The same problem with only the queries of these indices."""
        return replace(
            self,
            query=self.query[rows],
            query_time=self.query_time[rows],
            blocked_from=self.blocked_from[rows],
            blocked_to=self.blocked_to[rows],
        )


def attention_problem(head: HeadArguments, *, scale: float, exclusion: int, is_causal: bool) -> Problem:
    """The uniform problem behind checked arguments of one head; meanings as in `sparse_attention`."""
    query, key, value, key_time = head.query * scale, head.key, head.value, head.key_time
    if head.key_bias is not None:
        query = torch.cat([query, torch.ones_like(query[:, :1])], dim=1)
        key = torch.cat([key, head.key_bias[:, None]], dim=1)
    order = _time_order(key_time, head.key_mask)
    if order is not None:
        key, key_time = key[order], key_time[order]
        value = None if value is None else value[order]
    # |t_q - t_k| < exclusion is forbidden; a causal query also loses everything later
    blocked_from = torch.searchsorted(key_time, head.query_time - exclusion + 1)
    blocked_to = torch.searchsorted(key_time, head.query_time + exclusion)
    if is_causal:
        blocked_to = torch.full_like(blocked_from, len(key))
    return Problem(
        query=query,
        key=key,
        value=value,
        key_index=torch.arange(len(key), device=key.device) if order is None else order,
        query_time=head.query_time,
        key_time=key_time,
        blocked_from=blocked_from,
        blocked_to=torch.maximum(blocked_from, blocked_to),
    )


def nothing_to_attend(problem: Problem, *, neighbors: int) -> AttentionResult:
    """The result where there are no queries, or no keys for any of them."""
    rows, query = len(problem.query), problem.query
    return AttentionResult(
        output=None if problem.value is None else query.new_full((rows, problem.value.shape[1]), torch.nan),
        log_partition=query.new_full((rows,), -torch.inf),
        neighbors=problem.key_index.new_full((rows, neighbors), -1) if neighbors else None,
        neighbor_weights=query.new_zeros(rows, neighbors) if neighbors else None,
    )


def _time_order(key_time: Tensor, key_mask: Tensor | None) -> Tensor | None:
    """Indices of the keys that take part, ascending in time; `None` when that is all of them as given."""
    kept = None if key_mask is None or bool(key_mask.all()) else torch.nonzero(key_mask).squeeze(1)
    times = key_time if kept is None else key_time[kept]
    if bool((times[1:] >= times[:-1]).all()):
        return kept
    order = torch.argsort(times, stable=True)
    return order if kept is None else kept[order]
