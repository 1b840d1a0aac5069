"""Arguments of the operator: checked, and cut into single heads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.errors import InputError, UsageError


@dataclass(frozen=True, slots=True)
class HeadArguments:
    """The checked tensors of one head."""

    query: Tensor  # (Nq, d)
    key: Tensor  # (Nk, d)
    value: Tensor | None  # (Nk, dv)
    key_bias: Tensor | None  # (Nk,)
    key_mask: Tensor | None  # (Nk,) bool, true for keys that take part
    query_time: Tensor  # (Nq,) int64
    key_time: Tensor  # (Nk,) int64


@dataclass(frozen=True, slots=True)
class CheckedArguments:
    """The checked tensors of a call, all heads together."""

    query: Tensor  # (..., Nq, d)
    key: Tensor  # (..., Nk, d)
    value: Tensor | None  # (..., Nk, dv)
    key_bias: Tensor | None  # (..., Nk)
    key_mask: Tensor | None  # (..., Nk) bool
    query_time: Tensor | None  # (..., Nq) int64
    key_time: Tensor | None  # (..., Nk) int64

    def heads(self) -> list[HeadArguments]:
        """One head after another, in row-major order of the leading dimensions; times default to indices."""
        leading = self.query.shape[:-2]
        count = math.prod(leading)

        def cut(tensor: Tensor | None) -> list[Tensor | None]:
            if tensor is None:
                return [None] * count
            return list(tensor.reshape(count, *tensor.shape[len(leading) :]))

        def times(given: Tensor | None, tokens: Tensor) -> list[Tensor]:
            if given is None:
                return [torch.arange(tokens.shape[-2], device=tokens.device)] * count
            return list(given.reshape(count, tokens.shape[-2]))

        parts = zip(
            *map(cut, (self.query, self.key, self.value, self.key_bias, self.key_mask)),
            times(self.query_time, self.query),
            times(self.key_time, self.key),
            strict=True,
        )
        return [HeadArguments(*part) for part in parts]


def checked_arguments(
    query: Tensor,
    key: Tensor,
    value: Tensor | None,
    *,
    key_bias: Tensor | None,
    key_mask: Tensor | None,
    query_time: Tensor | None,
    key_time: Tensor | None,
) -> CheckedArguments:
    """Check the tensors of a call; meanings as in `sparse_attention`.

    Raises:
        UsageError: shapes or dtypes that do not fit together.
        InputError: NaN or infinite numbers.
    """
    if query.ndim < 2 or not query.is_floating_point():
        raise UsageError(
            "attention query",
            f"expected floating (..., Nq, d), got {query.dtype} {tuple(query.shape)}",
            "add a dimension or convert it",
        )
    leading, n_query, width = query.shape[:-2], query.shape[-2], query.shape[-1]
    n_key = key.shape[-2] if key.ndim >= 2 else -1
    _refuse_unlike("key", key, query.dtype, (*leading, n_key, width))
    if value is not None:
        _refuse_unlike("value", value, query.dtype, (*leading, n_key, value.shape[-1]))
    key_bias = _per_token("key_bias", key_bias, query.dtype, leading, n_key)
    key_mask = _per_token("key_mask", key_mask, torch.bool, leading, n_key)
    query_time = _per_token("query_time", query_time, torch.int64, leading, n_query)
    key_time = _per_token("key_time", key_time, torch.int64, leading, n_key)
    for name, tokens in (("query", query), ("key", key), ("value", value), ("key_bias", key_bias)):
        if tokens is not None:
            _refuse_not_finite(name, tokens, per_token=name == "key_bias")
    return CheckedArguments(query, key, value, key_bias, key_mask, query_time, key_time)


def refuse_counts(**counts: tuple[int, int]) -> None:
    """Raises UsageError for the first `name=(got, least)` whose value is too small."""
    for name, (got, least) in counts.items():
        if got < least:
            raise UsageError(f"attention {name}", f"must be at least {least}, got {got}")


def _per_token(
    name: str, tensor: Tensor | None, dtype: torch.dtype, leading: torch.Size, count: int
) -> Tensor | None:
    """A vector per head, (..., count); one vector is shared by all heads."""
    if tensor is None:
        return None
    _refuse_unlike(name, tensor, dtype, (count,) if tensor.ndim == 1 else (*leading, count))
    return tensor.expand(*leading, count)


def _refuse_unlike(name: str, tensor: Tensor, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    """Raises UsageError when shape or dtype is not as expected."""
    if tuple(tensor.shape) != shape:
        raise UsageError(f"attention {name}", f"expected shape {shape}, got {tuple(tensor.shape)}")
    if tensor.dtype != dtype:
        raise UsageError(f"attention {name}", f"expected {dtype}, got {tensor.dtype}", "convert it")


def _refuse_not_finite(name: str, tokens: Tensor, *, per_token: bool) -> None:
    """Raises InputError that names the first token holding NaN or an infinite number."""
    # one pass that answers nearly always: a sum is finite only if every number is
    if math.isfinite(float(tokens.detach().sum())):
        return
    finite = torch.isfinite(tokens)
    if bool(finite.all()):
        return
    bad = torch.nonzero(~(finite if per_token else finite.all(dim=-1)))
    raise InputError(
        f"attention {name}",
        f"token {int(bad[0, -1])} is NaN or infinite ({len(bad)} such tokens)",
        "leave such tokens out, or set them to 0 and mask them with key_mask",
    )
