"""Does the order of the keys mean anything?"""

from __future__ import annotations

import torch
from torch import Tensor

SAMPLE = 32  # keys that are looked at, evenly spaced
LAG = 8  # tokens: half a group of queries
APART = 64  # tokens: nearer ones are alike because they overlap, which says nothing
ALIKE = 0.7  # of the squared distance of random pairs: below it, order helps
MOST_KEYS = 65536  # the last ones: enough to tell


@torch.no_grad()
def followers_alike(key: Tensor) -> bool:
    """Whether what follows an analogue of a key is an analogue of what follows the key.

    Then consecutive queries can share what they find. Decided by the keys alone, so that it does not depend on
    the queries of a call.

    Args:
        key: (Nk, d) in the order of time.

    Returns:
        False too for histories too short to tell.
    """
    key = key[-MOST_KEYS:]
    n_key = len(key)
    if n_key < 8 * APART:
        return False
    sample = torch.linspace(0, n_key - LAG - 1, SAMPLE, device=key.device).long()
    size = key.square().sum(dim=1)
    place = torch.arange(n_key - LAG, device=key.device)
    squared = torch.addmm(size[:-LAG], key[sample], key[:-LAG].T, alpha=-2)
    squared.masked_fill_((place - sample[:, None]).abs() < APART, torch.inf)
    after, other = sample + LAG, squared.argmin(dim=1) + LAG
    alike = (key[after] - key[other]).square().sum(dim=1).median()
    anyhow = (key[after] - key[other.roll(SAMPLE // 2)]).square().sum(dim=1).median()
    return bool(alike < ALIKE * anyhow)
