"""Statistics of a sample of keys: whether their order means anything, and how concentrated the weight is.

Both are decided by the keys alone, so that they do not depend on the queries of a call.
"""

from __future__ import annotations

import torch
from torch import Tensor

SAMPLE = 32  # keys that are looked at, evenly spaced
LAG = 8  # tokens: half a group of queries
APART = 64  # tokens: nearer ones are alike because they overlap, which says nothing
ALIKE = 0.7  # of the squared distance of random pairs: below it, order helps
NEAR_KEYS = 1024
LITTLE = 0.02  # of a query's weight
MOST_KEYS = 65536  # the last ones: enough to tell


@torch.no_grad()
def followers_alike(key: Tensor) -> bool:
    """Whether what follows an analogue of a key is an analogue of what follows the key.

    Then consecutive queries can share what they find.

    Args:
        key: (Nk, d) in the order of time.

    Returns:
        False too for histories too short to tell.
    """
    key = key[-MOST_KEYS:]
    if len(key) < 8 * APART:
        return False
    sample, squared = _sample_distances(key)
    after, other = sample + LAG, squared.argmin(dim=1) + LAG
    alike = (key[after] - key[other]).square().sum(dim=1).median()
    anyhow = (key[after] - key[other.roll(SAMPLE // 2)]).square().sum(dim=1).median()
    return bool(alike < ALIKE * anyhow)


@torch.no_grad()
def weight_is_near(key: Tensor, curvature: float) -> bool:
    """Whether the nearest 1,024 keys carry all but a little of the weight, for queries like the keys.

    Then the correction for the others can be saved.

    Args:
        key: (Nk, d) in the order of time.
        curvature: c of distance attention, whose logits are `c ‖k - q‖² / 2`; 0 for any other.

    Returns:
        False too for attention that is not one of distance, and for histories too short to tell.
    """
    keys_each_stands_for = len(key) / MOST_KEYS
    key = key[-MOST_KEYS:]
    if curvature >= 0.0 or len(key) < 4 * NEAR_KEYS:
        return False
    _, squared = _sample_distances(key)
    logits = 0.5 * curvature * squared.double()
    near = logits.topk(NEAR_KEYS, dim=1).values.logsumexp(dim=1)
    every = logits.logsumexp(dim=1)
    far = torch.expm1(every - near) * max(1.0, keys_each_stands_for)  # over the weight of the near ones
    return bool((far / (1 + far)).median() < LITTLE)


def _sample_distances(key: Tensor) -> tuple[Tensor, Tensor]:
    """Some keys, and the squared distances from them to all that have a follower; infinite nearby in time."""
    last = len(key) - LAG
    sample = torch.linspace(0, last - 1, SAMPLE, device=key.device).long()
    size = key.square().sum(dim=1)
    squared = torch.addmm(size[:-LAG], key[sample], key[:-LAG].T, alpha=-2) + size[sample, None]
    place = torch.arange(last, device=key.device)
    return sample, squared.masked_fill_((place - sample[:, None]).abs() < APART, torch.inf)
