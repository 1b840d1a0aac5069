"""The heaviest keys of a query: exact top-k, translated to indices of the caller."""

from __future__ import annotations

import torch
from torch import Tensor

from logscan.attention.problem import Problem

BLOCK_KEYS = 16  # keys whose maximum stands for them in the top-k


def top_keys(logits: Tensor, k: int) -> Tensor:
    """Columns of the k largest logits of every row, largest first.

    Args:
        logits: (rows, columns), quickest when columns is a multiple of `BLOCK_KEYS`, -inf for keys to avoid.
        k: how many; at most the number of columns are returned.

    Returns:
        (rows, min(k, columns)) int64.
    """
    rows, columns = logits.shape
    blocks = columns // BLOCK_KEYS
    if blocks <= k or columns % BLOCK_KEYS:
        return logits.topk(min(k, columns), dim=1).indices
    # block b holds columns b, b + blocks, b + 2 blocks ...: the maximum runs along contiguous memory
    maxima = logits.view(rows, BLOCK_KEYS, blocks).amax(dim=1)
    best = maxima.topk(k, dim=1, sorted=False).indices
    offsets = blocks * torch.arange(BLOCK_KEYS, device=logits.device)
    candidates = (best[:, None, :] + offsets[:, None]).flatten(1)
    chosen = logits.gather(1, candidates).topk(k, dim=1).indices
    return candidates.gather(1, chosen)


def named_neighbors(
    found: Tensor, weights: Tensor, without_key: Tensor, problem: Problem, neighbors: int
) -> tuple[Tensor, Tensor]:
    """Neighbours as the caller's key indices, -1 with weight 0 for forbidden ones, `neighbors` columns."""
    n_key = len(problem.key)
    blocked = (found >= problem.blocked_from[:, None]) & (found < problem.blocked_to[:, None])
    missing = blocked | (found >= n_key) | (found < 0) | without_key[:, None]
    named = problem.key_index[found.clamp(0, n_key - 1)].masked_fill(missing, -1)
    weights = weights.masked_fill(missing, 0.0)
    lacking = neighbors - named.shape[1]
    if lacking > 0:
        named = torch.nn.functional.pad(named, (0, lacking), value=-1)
        weights = torch.nn.functional.pad(weights, (0, lacking))
    return named, weights
