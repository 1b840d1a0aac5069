"""Dense attention as the equations say it: readable, any floating dtype, the oracle of the fast paths."""

from __future__ import annotations

import torch
from torch import Tensor

from logscan.attention.problem import AttentionResult


def reference_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor | None,
    *,
    scale: float,
    key_bias: Tensor | None = None,
    key_mask: Tensor | None = None,
    query_time: Tensor | None = None,
    key_time: Tensor | None = None,
    exclusion: int = 0,
    is_causal: bool = False,
    neighbors: int = 0,
) -> AttentionResult:
    """Attention of one head over all keys, with the full matrix of logits in memory.

    Arguments as in `sparse_attention`, without batch dimensions; times are needed only for an
    exclusion or causality. Every field of the result is filled except the output without values.
    """
    logits = scale * (query @ key.T)  # ℓ_ij = s q_i·k_j + b_j
    if key_bias is not None:
        logits = logits + key_bias
    allowed = torch.ones_like(logits, dtype=torch.bool)
    if key_mask is not None:
        allowed &= key_mask
    if query_time is not None and key_time is not None:
        lag = query_time[:, None] - key_time[None, :]
        allowed &= lag.abs() >= exclusion
        if is_causal:
            allowed &= lag >= exclusion
    logits = logits.masked_fill(~allowed, -torch.inf)
    log_partition = torch.logsumexp(logits, dim=1)  # log Z_i = log Σ_j exp ℓ_ij
    weights = torch.softmax(logits, dim=1)
    output = None if value is None else weights @ value
    found = found_weights = None
    if neighbors:
        found = logits.topk(min(neighbors, len(key)), dim=1).indices
        missing = ~allowed.gather(1, found)
        found_weights = weights.gather(1, found).masked_fill(missing, 0.0)
        found = found.masked_fill(missing, -1)
        lacking = neighbors - found.shape[1]
        found = torch.nn.functional.pad(found, (0, lacking), value=-1)
        found_weights = torch.nn.functional.pad(found_weights, (0, lacking))
    return AttentionResult(output, log_partition, found, found_weights)
