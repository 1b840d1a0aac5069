"""A balanced tree of keys by content: repeated median splits, down to leaves of about 16 keys.

The tree depends on the keys alone. It is built once over a history and stored with it as tensors.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.errors import UsageError

LEAF_KEYS = 16
POWER_STEPS = 6  # power iterations per split; the split needs a good direction, not an eigenvector


@dataclass(frozen=True, slots=True)
class ContentTree:
    """Leaves of a balanced content tree; leaf sizes differ by at most one."""

    members: Tensor  # (leaves, width) int64 key indices, -1 in the last column of a short leaf
    count: Tensor  # (leaves,) int64, keys in the leaf
    mean: Tensor  # (leaves, d)
    radius: Tensor  # (leaves,) largest distance of a member from the mean

    @property
    def key_count(self) -> int:
        """How many keys the tree was built over."""
        return int(self.count.sum())

    def to_tensors(self, prefix: str = "") -> dict[str, Tensor]:
        """The tree as named tensors, for storing with a model."""
        names = ("members", "count", "mean", "radius")
        return {prefix + name: getattr(self, name).contiguous() for name in names}

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor], prefix: str = "") -> ContentTree:
        """The tree stored by `to_tensors`; raises UsageError when a tensor is missing."""
        try:
            return ContentTree(
                members=tensors[prefix + "members"],
                count=tensors[prefix + "count"],
                mean=tensors[prefix + "mean"],
                radius=tensors[prefix + "radius"],
            )
        except KeyError as error:
            raise UsageError("content tree", f"tensor {error} is missing", "build the tree again") from error


@torch.no_grad()
def content_tree(key: Tensor, *, leaf_keys: int = LEAF_KEYS) -> ContentTree:
    """Build the tree of `key`.

    Args:
        key: (Nk, d) floating, finite, Nk >= 1. Duplicates and constants are fine.
        leaf_keys: a leaf holds at most this many keys, 2 or more, and over half of it unless Nk is smaller.

    Returns:
        The leaves in tree order: neighbouring leaves are alike. Deterministic: ties keep key order.

    Raises:
        UsageError: no key, or leaves of less than two.
    """
    n_key = len(key)
    if n_key < 1 or leaf_keys < 2:
        raise UsageError("content tree", f"{n_key} keys in leaves of {leaf_keys}", "needs 1 key, leaves of 2")
    order = torch.arange(n_key, device=key.device)
    nodes = 1
    while -(-n_key // nodes) > leaf_keys:
        slots, taken = _node_slots(n_key, nodes, key.device)
        order = _split(key, order, slots, taken)
        nodes *= 2
    slots, taken = _node_slots(n_key, nodes, key.device)
    members = order[slots]
    tokens = key[members]
    mean = _masked_mean(tokens, taken)
    distance = (tokens - mean[:, None]).norm(dim=2).masked_fill(~taken, 0.0)
    return ContentTree(
        members=members.masked_fill(~taken, -1),
        count=taken.sum(dim=1),
        mean=mean,
        radius=distance.amax(dim=1),
    )


def _node_slots(n_key: int, nodes: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Positions each of `nodes` nodes covers, (nodes, width), and which of them are its own.

    Node `i` covers `[i n / nodes, (i + 1) n / nodes)`, rounded down: nested from level to level.
    """
    bounds = torch.arange(nodes + 1, device=device) * n_key // nodes
    width = -(-n_key // nodes)
    slots = bounds[:-1, None] + torch.arange(width, device=device)
    return slots.clamp(max=n_key - 1), slots < bounds[1:, None]


def _split(key: Tensor, order: Tensor, slots: Tensor, taken: Tensor) -> Tensor:
    """The order with every node sorted along its own leading direction."""
    tokens = key[order[slots]]
    centred = (tokens - _masked_mean(tokens, taken)[:, None]) * taken[:, :, None]
    along = torch.bmm(centred, _leading_direction(centred)[:, :, None]).squeeze(2)
    along = along.masked_fill(~taken, torch.inf)  # foreign slots go last and are dropped
    by_projection = torch.argsort(along, dim=1, stable=True)
    return order[slots.gather(1, by_projection)[taken]]


def _leading_direction(centred: Tensor) -> Tensor:
    """Unit vector of largest variance per node, (nodes, d), by power iteration; any vector if constant."""
    covariance = torch.bmm(centred.transpose(1, 2), centred)
    variance = covariance.diagonal(dim1=1, dim2=2)
    covariance = covariance / variance.sum(dim=1).clamp(min=torch.finfo(centred.dtype).tiny)[:, None, None]
    start = variance.argmax(dim=1)  # the widest axis is never orthogonal to all of the spread
    direction = covariance.gather(2, start[:, None, None].expand(-1, covariance.shape[1], 1))
    for _ in range(POWER_STEPS):
        direction = torch.nn.functional.normalize(torch.bmm(covariance, direction), dim=1)
    return direction.squeeze(2)


def _masked_mean(tokens: Tensor, taken: Tensor) -> Tensor:
    """Mean over the node's own slots, (nodes, d)."""
    total = (tokens * taken[:, :, None]).sum(dim=1)
    return total / taken.sum(dim=1, keepdim=True)
