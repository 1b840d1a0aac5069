"""`SparseAttention`: the operator behind the calling convention of `torch.nn.MultiheadAttention`.

Heads are projected as in torch, the operator attends, and the heads are projected back. Everything the operator
cannot do is refused here, in terms of the module's own arguments.
"""

from __future__ import annotations

from typing import Any, Self, TypedDict, Unpack

import torch
from torch import Tensor, nn
from torch.nn import functional

from logscan.attention.api import Coarse, Implementation, sparse_attention
from logscan.errors import UsageError

PLACE = "SparseAttention"
CAUSAL_CHECK_ROWS = 1024  # rows of a mask compared at once, so that no second mask stands in memory


class AttentionOptions(TypedDict, total=False):
    """Options handed through to `sparse_attention`, where they are described; left out, its defaults hold."""

    budget: int
    search_leaves: int
    probes: int
    group_queries: int
    max_error: float
    coarse: Coarse
    exclusion: int
    implementation: Implementation


class SparseAttention(nn.MultiheadAttention):
    """Multi-head attention whose cost need not grow with every key; takes the place of torch's own.

    Parameters, their names, shapes and initial values are those of `torch.nn.MultiheadAttention`, so a
    `state_dict` of one loads into the other. In an existing model one line changes:

        layer.self_attn = SparseAttention.from_multihead(layer.self_attn, budget=256)

    It differs from torch's module in this:

    * Attention weights are never returned: `need_weights` is false by default, and refused when true.
    * `attn_mask` may be the causal mask and no other; `is_causal` alone, without a mask, is enough.
    * While training, `dropout` drops whole values, drawn once per sequence, head and key, where torch draws
      for every single weight, which would need all of them. The output of each query is distributed exactly
      as in torch; the draws of different queries are not independent.
    * Numbers that are NaN or infinite are refused with InputError, in keys that are masked too.
    * `nn.TransformerEncoderLayer` does not take its fused path in `eval()`, which would attend to every key.

    float16 and bfloat16, autocast included, are attended in float32. A query without any key gets zeros before the
    output projection.

    Args:
        embed_dim: width of queries and output, a multiple of `num_heads`.
        num_heads: attention heads, each `embed_dim / num_heads` wide.
        dropout: probability, 0 to 1, that a value is dropped while training.
        bias: whether the projections have a bias.
        add_bias_kv: refused when true.
        add_zero_attn: refused when true.
        kdim: width of keys; `None` is `embed_dim`.
        vdim: width of values; `None` is `embed_dim`.
        batch_first: whether batched tensors are (batch, tokens, width) or (tokens, batch, width).
        device: of the parameters.
        dtype: of the parameters.
        options: those of `sparse_attention`, by name.

    Raises:
        UsageError: what is refused above, unknown options, and a width that the heads do not divide.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        **options: Unpack[AttentionOptions],
    ) -> None:
        for name, wanted in (("add_bias_kv", add_bias_kv), ("add_zero_attn", add_zero_attn)):
            if wanted:
                raise UsageError(
                    f"{PLACE} {name}", "every key must be a token of the sequence", "leave it false"
                )
        if min(embed_dim, num_heads) < 1 or embed_dim % num_heads:
            raise UsageError(
                f"{PLACE} embed_dim",
                f"{embed_dim} cannot be divided among {num_heads} heads",
                "make it a multiple of num_heads",
            )
        known = list(AttentionOptions.__annotations__)
        for name in options:
            if name not in known:
                raise UsageError(PLACE, f"unknown option {name!r}", f"the options are {', '.join(known)}")
        super().__init__(
            embed_dim,
            num_heads,
            dropout=dropout,
            bias=bias,
            kdim=kdim,
            vdim=vdim,
            batch_first=batch_first,
            device=device,
            dtype=dtype,
        )
        self.options = options
        # A hook tells torch that `forward` must be called: nn.TransformerEncoderLayer would else compute dense
        # attention from our weights. The handle is kept because pickled with the hook it keeps its number taken.
        self._own_forward = self.register_forward_pre_hook(_forward_must_be_called)

    @classmethod
    def from_multihead(cls, attention: nn.MultiheadAttention, **options: Unpack[AttentionOptions]) -> Self:
        """The same attention made sparse, with the very parameters of the given module, not copies.

        An optimiser that holds them goes on training them. For independent ones use `copy.deepcopy`.

        Args:
            attention: the module to replace.
            options: those of `sparse_attention`, by name.

        Returns:
            A module on the same device, in the same mode.

        Raises:
            UsageError: the module adds keys of its own, or options are unknown.
        """
        sparse = cls(
            attention.embed_dim,
            attention.num_heads,
            dropout=attention.dropout,
            bias=attention.in_proj_bias is not None,
            add_bias_kv=attention.bias_k is not None,
            add_zero_attn=attention.add_zero_attn,
            kdim=attention.kdim,
            vdim=attention.vdim,
            batch_first=attention.batch_first,
            device="meta",
            **options,
        )
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight", "in_proj_bias"):
            setattr(sparse, name, getattr(attention, name))
        sparse.out_proj = attention.out_proj
        return sparse.train(attention.training)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,  # noqa: ARG002  torch's signature; there are no weights to average
        is_causal: bool = False,
    ) -> tuple[Tensor, None]:
        """Attend; shapes as in torch, L queries and S keys.

        Args:
            query: (L, embed_dim), (L, B, embed_dim), or (B, L, embed_dim) with `batch_first`.
            key: (S, kdim), (S, B, kdim) or (B, S, kdim).
            value: (S, vdim), (S, B, vdim) or (B, S, vdim).
            key_padding_mask: (S,) or (B, S); bool, true for keys to leave out, or floating, added to the logits of
                the key, -inf to leave it out.
            need_weights: refused when true.
            attn_mask: (L, L) or (B * num_heads, L, L), bool or floating: the causal mask. It is compared with it,
                except where `is_causal` already says so.
            average_attn_weights: without effect.
            is_causal: each query attends to keys up to its own index.

        Returns:
            The output, shaped like the query, and `None` in the place of weights.

        Raises:
            UsageError: arguments that are refused, or whose shapes contradict each other.
            InputError: NaN or infinite numbers.
        """
        if need_weights:
            raise UsageError(
                f"{PLACE} need_weights",
                "the weights of all keys are never computed",
                "pass need_weights=False; sparse_attention(return_neighbors=k) returns the heaviest keys",
            )
        if query.is_nested or key.is_nested or value.is_nested:
            if query is not key or key is not value or key_padding_mask is not None or attn_mask is not None:
                raise UsageError(
                    PLACE, "nested tensors are only for self-attention without masks", "pass padded ones"
                )
            return self._attended_nested(query, is_causal=is_causal), None
        turned = query.dim() == 3 and not self.batch_first
        if turned:
            query, key, value = (tokens.transpose(0, -2) for tokens in (query, key, value))
        self._refuse_unlike(query, key, value, key_padding_mask)
        lengths = (query.shape[-2], key.shape[-2])
        if attn_mask is not None and not is_causal:
            is_causal = _is_causal_mask(attn_mask, lengths)
        if lengths[0] != lengths[1] and (is_causal or self.options.get("exclusion", 0)):
            raise UsageError(
                PLACE,
                f"is_causal and exclusion need as many queries as keys, got {lengths[0]} and {lengths[1]}",
                "call sparse_attention with query_time and key_time",
            )
        output = self._attended(query, key, value, key_padding_mask, is_causal=is_causal)
        return output.transpose(0, 1) if turned else output, None

    def _attended(
        self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, *, is_causal: bool
    ) -> Tensor:
        """Project, attend and project back; tokens are (..., tokens, width)."""
        if self._qkv_same_embed_dim:
            weights = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases: tuple[Tensor | None, ...] = (None, None, None)
        if self.in_proj_bias is not None:
            biases = self.in_proj_bias.chunk(3)
        heads = [
            self._heads(functional.linear(tokens, weight, bias))
            for tokens, weight, bias in zip((query, key, value), weights, biases, strict=True)
        ]
        dtype = heads[0].dtype
        exact = torch.float64 if dtype == torch.float64 else torch.float32
        with torch.autocast(query.device.type, enabled=False):
            q, k, v = (head.to(exact) for head in heads)
            if self.training and self.dropout:
                v = v * functional.dropout(torch.ones_like(v[..., :1]), self.dropout)
            key_mask, key_bias = _key_terms(padding, k)
            result = sparse_attention(
                q, k, v, key_mask=key_mask, key_bias=key_bias, is_causal=is_causal, **self.options
            )
        assert result.output is not None
        output = result.output.masked_fill(result.output.isnan(), 0.0)  # queries without any key
        projected: Tensor = self.out_proj(output.to(dtype).transpose(-3, -2).flatten(-2))
        return projected

    def _heads(self, tokens: Tensor) -> Tensor:
        """Cut (..., tokens, width) into (..., heads, tokens, width of a head)."""
        return tokens.reshape(*tokens.shape[:-1], self.num_heads, self.head_dim).transpose(-3, -2)

    def _attended_nested(self, nested: Tensor, *, is_causal: bool) -> Tensor:
        """Self-attention of sequences of different lengths, by padding.

        nn.TransformerEncoder makes nested tensors of its own accord, in `eval()`, from padded ones and their mask.
        """
        lengths = [len(sequence) for sequence in nested.unbind()]
        tokens = torch.nested.to_padded_tensor(nested, 0.0)
        index = torch.arange(tokens.shape[1], device=tokens.device)
        padding = index >= torch.tensor(lengths, device=tokens.device)[:, None]
        output = self._attended(tokens, tokens, tokens, padding, is_causal=is_causal)
        return torch.nested.as_nested_tensor(
            [sequence[:length] for sequence, length in zip(output, lengths, strict=True)]
        )

    def _refuse_unlike(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None) -> None:
        """Raises UsageError when shapes or dtypes are not as expected; tokens are (..., tokens, width)."""
        if query.dim() not in {2, 3}:
            raise UsageError(
                f"{PLACE} query",
                f"expected 2 or 3 dimensions, got shape {tuple(query.shape)}",
                "pass one sequence or one batch",
            )
        leading, n_key = query.shape[:-2], key.shape[-2] if key.dim() == query.dim() else -1
        for name, tokens, count, width in (
            ("query", query, query.shape[-2], self.embed_dim),
            ("key", key, n_key, self.kdim),
            ("value", value, n_key, self.vdim),
        ):
            if tokens.shape != (*leading, count, width):
                expected = [*map(str, leading), str(count) if count >= 0 else "S", str(width)]
                raise UsageError(
                    f"{PLACE} {name}",
                    f"expected ({', '.join(expected)}), got {tuple(tokens.shape)}, in the order batch, tokens, width",
                )
        if padding is None:
            return
        if padding.shape != (*leading, n_key) or not (
            padding.dtype == torch.bool or padding.is_floating_point()
        ):
            raise UsageError(
                f"{PLACE} key_padding_mask",
                f"expected bool or floating {(*leading, n_key)}, got {padding.dtype} {tuple(padding.shape)}",
                "true or -inf leaves a key out",
            )


def _forward_must_be_called(module: nn.Module, arguments: tuple[Any, ...]) -> None:
    """A hook that does nothing: being there is what counts."""


def _key_terms(padding: Tensor | None, key: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """The operator's `key_mask` and `key_bias` of a padding mask, (S,) or (B, S); key is (..., heads, S, d)."""
    if padding is None:
        return None, None
    if padding.dim() == 2:
        padding = padding[:, None, :].expand(key.shape[:-1])
    if padding.dtype == torch.bool:
        return ~padding, None
    kept = padding != -torch.inf
    bias = padding.to(key.dtype).masked_fill(~kept, 0.0)
    return kept, bias if bool(bias.any()) else None  # without a bias the operator has less to do


def _is_causal_mask(mask: Tensor, lengths: tuple[int, int]) -> bool:
    """True for the causal mask of as many queries as keys; raises UsageError for any other."""
    if (
        mask.dim() not in {2, 3}
        or mask.shape[-2:] != lengths
        or lengths[0] != lengths[1]
        or not (mask.dtype == torch.bool or mask.is_floating_point())
        or not _equals_causal(mask)
    ):
        raise UsageError(
            f"{PLACE} attn_mask",
            f"only the causal mask can be used, and this {mask.dtype} {tuple(mask.shape)} is not the one of"
            f" {lengths[0]} queries and {lengths[1]} keys",
            "leave keys out with key_padding_mask, or use torch.nn.MultiheadAttention",
        )
    return True


def _equals_causal(mask: Tensor) -> bool:
    """Whether a mask (..., L, L) forbids exactly the keys after each query's own index."""
    index = torch.arange(mask.shape[-1], device=mask.device)
    for start in range(0, len(index), CAUSAL_CHECK_ROWS):
        later = index > index[start : start + CAUSAL_CHECK_ROWS, None]
        if mask.dtype != torch.bool:
            later = torch.zeros_like(later, dtype=mask.dtype).masked_fill_(later, -torch.inf)
        if not bool((mask[..., start : start + CAUSAL_CHECK_ROWS, :] == later).all()):
            return False
    return True
