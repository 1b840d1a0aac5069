"""One attention problem made uniform, and the record every implementation returns.

Scale, key bias, padding mask, exclusion band and causality differ for the caller, not for the
implementations: they see plain dot products, keys ascending in time, and one forbidden interval of
keys per query.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from logscan.attention.arguments import HeadArguments

_BENT = 0.9  # share of the bias' variance that the squared norm must explain


@dataclass(frozen=True, slots=True)
class AttentionResult:
    """What attention returns; `None` where it was not asked for.

    A query that may attend to no key at all has output NaN, log-partition -inf and neighbours -1.
    """

    output: Tensor | None  # (..., Nq, dv)
    log_partition: Tensor | None  # (..., Nq), log of the sum of exp(logit)
    neighbors: Tensor | None  # (..., Nq, k) int64, index of the key, heaviest first, -1 for none
    neighbor_weights: Tensor | None  # (..., Nq, k), softmax over all keys, so a row sums to <= 1
    log_partition_bound: Tensor | None = None  # (..., Nq) certified bound of the log-partition's error
    output_bound: Tensor | None = None  # (..., Nq) certified bound of the norm of the output's error


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
    has_bias: bool

    @property
    def without_key(self) -> Tensor:
        """Queries that may attend to nothing, (Nq,) bool."""
        return (self.blocked_from <= 0) & (self.blocked_to >= len(self.key))

    def band(self) -> tuple[Tensor, Tensor] | None:
        """The forbidden intervals as centre and half length, blocked where `|position - centre| < half`.

        `None` when no query has one.
        """
        if not bool((self.blocked_from < self.blocked_to).any()):
            return None
        kind = position_type(len(self.key))
        centre = (self.blocked_from + self.blocked_to - 1).to(kind) / 2
        return centre, (self.blocked_to - self.blocked_from).to(kind) / 2

    def for_queries(self, rows: Tensor) -> Problem:
        """The same problem with only the queries of these indices."""
        return replace(
            self,
            query=self.query[rows],
            query_time=self.query_time[rows],
            blocked_from=self.blocked_from[rows],
            blocked_to=self.blocked_to[rows],
        )


def position_type(n_key: int) -> torch.dtype:
    """Positions are compared as floating numbers, which is quickest; half of one must be exact."""
    return torch.float32 if n_key < 1 << 22 else torch.float64


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
        has_bias=head.key_bias is not None,
    )


def with_bias(problem: Problem) -> Problem:
    """The problem with a column for the bias, zero where there was none."""
    if problem.has_bias:
        return problem
    query = torch.cat([problem.query, torch.ones_like(problem.query[:, :1])], dim=1)
    key = torch.nn.functional.pad(problem.key, (0, 1))
    return replace(problem, query=query, key=key, has_bias=True)


def curvature(problem: Problem) -> float:
    """How the key bias bends with the key: `-scale` for distance attention, 0 where it does not look like one.

    With c below 0 the logit is `c ‖k - q/-c‖² / 2` but for a constant and what the bias departs from `c ‖k‖² / 2`.
    """
    if not problem.has_bias:
        return 0.0
    key = problem.key.detach()
    square, bias = key[:, :-1].square().sum(dim=1).double(), key[:, -1].double()
    square, bias = square - square.mean(), bias - bias.mean()
    norm, both, total = (float(part.sum()) for part in (square.square(), square * bias, bias.square()))
    if norm <= 0.0 or total <= 0.0 or both >= 0.0 or both * both < _BENT * norm * total:
        return 0.0
    return 2.0 * both / norm


def patched(result: AttentionResult, rows: Tensor, part: AttentionResult) -> AttentionResult:
    """`result` with its `rows` replaced by those of `part`."""

    def put(whole: Tensor | None, piece: Tensor | None) -> Tensor | None:
        return whole if whole is None or piece is None else whole.index_copy(0, rows, piece.to(whole.dtype))

    names = [field.name for field in fields(AttentionResult)]
    return AttentionResult(*(put(getattr(result, name), getattr(part, name)) for name in names))


def nothing_to_attend(problem: Problem, *, neighbors: int, bounds: bool = False) -> AttentionResult:
    """The result where there are no queries, or no keys for any of them."""
    rows, query = len(problem.query), problem.query
    return AttentionResult(
        output=None if problem.value is None else query.new_full((rows, problem.value.shape[1]), torch.nan),
        log_partition=query.new_full((rows,), -torch.inf),
        neighbors=problem.key_index.new_full((rows, neighbors), -1) if neighbors else None,
        neighbor_weights=query.new_zeros(rows, neighbors) if neighbors else None,
        log_partition_bound=query.new_zeros(rows).double() if bounds else None,
        output_bound=query.new_zeros(rows).double() if bounds and problem.value is not None else None,
    )


def _time_order(key_time: Tensor, key_mask: Tensor | None) -> Tensor | None:
    """Indices of the keys that take part, ascending in time; `None` when that is all of them as given."""
    kept = None if key_mask is None or bool(key_mask.all()) else torch.nonzero(key_mask).squeeze(1)
    times = key_time if kept is None else key_time[kept]
    if bool((times[1:] >= times[:-1]).all()):
        return kept
    order = torch.argsort(times, stable=True)
    return order if kept is None else kept[order]
