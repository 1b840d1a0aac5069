"""A balanced tree of keys by content: repeated median splits, down to leaves of about 16 keys.

The tree depends on the keys alone. It is built once over a history and stored with it as tensors. Keys that
come later are put into its leaves; where a leaf overflows, its surroundings are split again, by the density rule
of the packed-memory array (Itai, Konheim, Rodeh, "A sparse table implementation of priority queues", ICALP 1981;
Bender, Demaine, Farach-Colton, "Cache-oblivious B-trees", FOCS 2000, section 3).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.errors import UsageError

LEAF_KEYS = 16
SLACK = 2  # a leaf that keys are appended to holds up to so many times `leaf_keys`
ROOT_FILL = 0.75  # of that room, on average over all leaves; beyond, the tree is built again with more leaves
POWER_STEPS = 3  # power iterations per split; the split needs a good direction, not an eigenvector
CHUNK_BYTES = 1 << 20  # keys of the nodes that are split at once
DIRECTION_KEYS = 32  # keys per node, evenly spaced, that its direction is found from


@dataclass(frozen=True, slots=True)
class ContentTree:
    """A binary tree with `leaves = 2^levels` leaves; the inner nodes stand level by level, root first."""

    members: Tensor  # (leaves, width) int64 key indices, then -1 for empty slots
    direction: Tensor  # (leaves - 1, d) unit vectors along which the inner nodes split
    threshold: Tensor  # (leaves - 1,) keys whose projection is larger go to the second child

    @property
    def levels(self) -> int:
        """Splits between the root and a leaf."""
        return len(self.members).bit_length() - 1

    @property
    def key_count(self) -> int:
        """How many keys the tree holds."""
        return int((self.members >= 0).sum())

    def leaf_of(self, points: Tensor) -> Tensor:
        """The leaf a point falls into, (n,) int64, by going down from the root; points (n, d).

        A key falls into the leaf that holds it, unless its projection ties with another key's at a split (up to
        rounding).
        """
        node = torch.zeros(len(points), dtype=torch.int64, device=points.device)
        for level in range(self.levels):
            at = node + (1 << level) - 1
            along = _along(points, self.direction, at, level)
            node = 2 * node + (along > self.threshold[at])
        return node

    @torch.no_grad()
    def leaves_beside(self, points: Tensor, count: int) -> Tensor:
        """The leaves, other than its own, that a point is nearest to across splits: (n, count) int64.

        Going down, a point keeps the nodes it is nearest to; going to the side of a split where the point does
        not lie costs the squared distance to the threshold. Source: Beis and Lowe, "Shape indexing using
        approximate nearest-neighbour search in high-dimensional spaces", CVPR 1997, best bin first; here the
        best bins of a level at a time.

        Args:
            points: (n, d).
            count: leaves per point; fewer come back where the tree has fewer.
        """
        parts = [self._beside(part, count) for part in torch.split(points, 1 << 16)]
        return torch.cat(parts) if parts else torch.zeros(0, count, dtype=torch.int64, device=points.device)

    def _beside(self, points: Tensor, count: int) -> Tensor:
        node = torch.zeros(len(points), 1, dtype=torch.int64, device=points.device)
        cost = torch.zeros(len(points), 1, dtype=points.dtype, device=points.device)
        for level in range(self.levels):
            at = node + (1 << level) - 1
            beyond = torch.stack([_along(points, self.direction, one, level) for one in at.unbind(1)], dim=1)
            beyond -= self.threshold[at]
            right = beyond > 0
            node = torch.cat([2 * node + right, 2 * node + ~right], dim=1)
            cost = torch.cat([cost, cost + beyond.square()], dim=1)
            # the first column stays the point's own side: its cost is 0, and of equals the first is kept
            cost, best = cost.sort(dim=1, stable=True)
            node, cost = node.gather(1, best)[:, : count + 1], cost[:, : count + 1]
        return node[:, 1:]

    @torch.no_grad()
    def extended(self, key: Tensor, *, leaf_keys: int = LEAF_KEYS) -> ContentTree:
        """The tree with keys appended: new ones go down to their leaves, and only crowded parts are split again.

        A leaf has room for `SLACK * leaf_keys` keys. Around one that overflows, the smallest subtree that is
        thin enough is split again over its own leaves: on average its leaves may be full at the height of a
        leaf and `ROOT_FILL` full at the root, linearly between. So a key appended moves O(log² Nk) keys,
        amortised, in the worst order of arrival. When the root is too full, the tree is built again with more
        leaves, once per doubling. A call also copies the tree once, so append what there is together.

        Args:
            key: (Nk, d) all keys: first those of the tree in their order, then the new ones.
            leaf_keys: as the tree was built with.

        Returns:
            The new tree, this one unchanged. Deterministic, but not the tree that `content_tree` builds.

        Raises:
            UsageError: fewer keys than the tree holds, or of another dimension.
        """
        n_old, leaves, room = self.key_count, len(self.members), SLACK * leaf_keys
        if len(key) < n_old or key.shape[1] != self.direction.shape[1]:
            raise UsageError(
                "content tree",
                f"holds {n_old} keys of dimension {self.direction.shape[1]}, got {tuple(key.shape)}",
                "hand in the old keys, then the new ones",
            )
        if len(key) == n_old:
            return self
        if len(key) > ROOT_FILL * room * leaves:
            return content_tree(key, leaf_keys=leaf_keys)
        leaf, order = torch.sort(self.leaf_of(key[n_old:]), stable=True)
        index = order + n_old
        held = (self.members >= 0).sum(dim=1)
        arriving = torch.bincount(leaf, minlength=leaves)
        direction, threshold = self.direction.clone(), self.threshold.clone()
        anew = torch.zeros(leaves, dtype=torch.bool, device=key.device)
        parts = []
        for height, nodes in _crowded(held + arriving, room):
            parts.append(self._split_again(key, height, nodes, leaf, index, direction, threshold))
            anew[parts[-1][0]] = True
        width = int((held + arriving).masked_fill(anew, 0).max())
        width = max([width, *(part.shape[1] for _, part in parts)])
        members = torch.nn.functional.pad(self.members, (0, max(0, width - self.members.shape[1])), value=-1)
        slot = torch.arange(len(leaf), device=key.device) + (held + arriving - arriving.cumsum(0))[leaf]
        stays = ~anew[leaf]
        members[leaf[stays], slot[stays]] = index[stays]
        for rows, part in parts:
            members[rows] = -1
            members[rows, : part.shape[1]] = part
        return ContentTree(members[:, :width].contiguous(), direction, threshold)

    def _split_again(
        self,
        key: Tensor,
        height: int,
        nodes: Tensor,
        leaf: Tensor,
        index: Tensor,
        direction: Tensor,
        threshold: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Split `nodes` of one height again, with the keys `index` that arrive at `leaf`.

        Writes the inner nodes' direction and threshold; returns the leaves' numbers and their members.
        """
        here = self.members.view(len(self.members) >> height, -1)[nodes]
        root = torch.full((len(self.members) >> height,), -1, device=key.device)
        root[nodes] = torch.arange(len(nodes), device=key.device)
        arrives = root[leaf >> height]
        owner = torch.arange(len(nodes), device=key.device)[:, None].expand_as(here)
        owner = torch.cat([owner[here >= 0], arrives[arrives >= 0]])
        own = torch.cat([here[here >= 0], index[arrives >= 0]])
        own = own[torch.argsort(owner * len(key) + own)]  # ties keep key order
        first = torch.nn.functional.pad(torch.bincount(owner, minlength=len(nodes)).cumsum(0), (1, 0))
        order, directions, thresholds = _partition(key[own], first, height)
        for level, (along, at) in enumerate(zip(directions, thresholds, strict=True)):
            of_level = (1 << (self.levels - height + level)) - 1
            inner = of_level + _below(nodes, level)
            direction[inner] = along
            threshold[inner] = at
        slots, taken = _slots(_bounds(first, height))
        return _below(nodes, height), own[order[slots]].masked_fill(~taken, -1)

    def to(self, device: torch.device) -> ContentTree:
        """The tree on a device."""
        return ContentTree(self.members.to(device), self.direction.to(device), self.threshold.to(device))

    def to_tensors(self, prefix: str = "") -> dict[str, Tensor]:
        """The tree as named tensors, for storing with a model."""
        names = ("members", "direction", "threshold")
        return {prefix + name: getattr(self, name).contiguous() for name in names}

    @staticmethod
    def from_tensors(tensors: dict[str, Tensor], prefix: str = "") -> ContentTree:
        """The tree stored by `to_tensors`; raises UsageError when a tensor is missing."""
        try:
            return ContentTree(
                members=tensors[prefix + "members"],
                direction=tensors[prefix + "direction"],
                threshold=tensors[prefix + "threshold"],
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
        The tree; neighbouring leaves are alike. Deterministic: ties keep key order.

    Raises:
        UsageError: no key, or leaves of less than two.
    """
    n_key = len(key)
    if n_key < 1 or leaf_keys < 2:
        raise UsageError("content tree", f"{n_key} keys in leaves of {leaf_keys}", "needs 1 key, leaves of 2")
    levels = (-(-n_key // leaf_keys) - 1).bit_length()
    first = torch.tensor([0, n_key], device=key.device)
    order, directions, thresholds = _partition(key, first, levels)
    slots, taken = _slots(_bounds(first, levels))
    return ContentTree(
        members=order[slots].masked_fill(~taken, -1),
        direction=torch.cat([key.new_zeros(0, key.shape[1]), *directions]),
        threshold=torch.cat([key.new_zeros(0), *thresholds]),
    )


def _crowded(count: Tensor, room: int) -> list[tuple[int, Tensor]]:
    """The smallest thin enough subtrees around leaves that overflow, none within another: (height, its nodes).

    Args:
        count: (leaves,) keys of every leaf; at most `ROOT_FILL * room` on average.
        room: keys a leaf holds.
    """
    levels = len(count).bit_length() - 1
    full = torch.nonzero(count > room).squeeze(1)
    chosen: list[tuple[int, Tensor]] = []
    for height in range(1, levels + 1):
        count = count.view(-1, 2).sum(dim=1)
        full = torch.unique(full >> 1)
        thin = count[full] <= room * (1 << height) * (1 - (1 - ROOT_FILL) * height / levels)
        # what climbs on takes along the subtrees below it that were thin enough for others
        chosen = [(low, nodes[~torch.isin(nodes >> (height - low), full[thin])]) for low, nodes in chosen]
        chosen.append((height, full[thin]))
        full = full[~thin]
        if not len(full):
            break
    return [(height, nodes) for height, nodes in chosen if len(nodes)]


def _below(nodes: Tensor, levels: int) -> Tensor:
    """The nodes so many levels below `nodes`, numbered within their level, in order."""
    return ((nodes[:, None] << levels) + torch.arange(1 << levels, device=nodes.device)).flatten()


def _bounds(first: Tensor, level: int) -> Tensor:
    """Where the nodes of a level begin and, last, where they end; `first` says so of the roots.

    Node `i` of a root with `n` keys covers `[i n / nodes, (i + 1) n / nodes)`, rounded down: nested from level
    to level.
    """
    place = torch.arange(1 << level, device=first.device) * first.diff()[:, None] >> level
    return torch.cat([(first[:-1, None] + place).flatten(), first[-1:]])


def _slots(bounds: Tensor) -> tuple[Tensor, Tensor]:
    """Positions each node covers, (nodes, width), and which of them are its own."""
    width = int(bounds.diff().max())
    slots = bounds[:-1, None] + torch.arange(width, device=bounds.device)
    return slots.clamp(max=int(bounds[-1]) - 1), slots < bounds[1:, None]


def _partition(key: Tensor, first: Tensor, levels: int) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Split roots side by side, so many times: the order of the keys; per level directions and thresholds."""
    order = torch.arange(len(key), device=key.device)
    directions, thresholds = [], []
    spare = torch.empty_like(key)  # reused: fresh memory costs more than the copy into it
    bounds = _bounds(first, 0)
    for level in range(levels):
        below = _bounds(first, level + 1)
        permutation, direction, threshold = _split(key, bounds, below[1::2])
        # the keys move along, so that the next level finds the keys of a node side by side in memory
        order = order.index_select(0, permutation)
        torch.index_select(key, 0, permutation, out=spare)
        key, spare = spare, key if level > 0 else torch.empty_like(key)
        directions.append(direction)
        thresholds.append(threshold)
        bounds = below
    return order, directions, thresholds


def _split(key: Tensor, bounds: Tensor, middle: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A permutation that sorts every node along its own direction; the directions and the thresholds.

    Args:
        key: (Nk, d), node by node.
        bounds: (nodes + 1,) where the nodes begin and end.
        middle: (nodes,) where their second children will begin.
    """
    slots, taken = _slots(bounds)
    whole = slots.numel() == len(key)
    rows = (key if whole else key.index_select(0, slots.flatten())).view(*slots.shape, -1)
    count = max(1, CHUNK_BYTES // (rows[0].numel() * rows.element_size()))
    directions, alongs = [], []
    for part, own in zip(torch.split(rows, count), torch.split(taken, count), strict=True):
        directions.append(_leading_direction(part, own))
        alongs.append(torch.bmm(part, directions[-1][:, :, None]).squeeze(2))
    direction = torch.cat(directions)
    along = torch.cat(alongs).masked_fill_(~taken, torch.inf)  # foreign slots go last and are dropped
    along, by_projection = torch.sort(along, dim=1, stable=True)
    at = (middle - bounds[:-1])[:, None]
    right = along.gather(1, at)
    left = along.gather(1, at - 1)
    threshold = 0.5 * (left + right)
    # halfway may round up to the right-hand key, which must stay on its side
    threshold = torch.where(threshold >= right, left, threshold)
    permutation = slots.gather(1, by_projection).masked_select(taken)
    return permutation, direction, threshold.squeeze(1)


def _along(points: Tensor, direction: Tensor, at: Tensor, level: int) -> Tensor:
    """Projection of every point on the direction of its node."""
    if level < 6:  # few nodes: one product with all of them is quicker than gathering one each
        first = (1 << level) - 1
        every = points @ direction[first : first + (1 << level)].T
        return every.gather(1, (at - first)[:, None]).squeeze(1)
    return torch.cat(
        [
            torch.linalg.vecdot(part, direction.index_select(0, nodes))
            for part, nodes in zip(torch.split(points, 1 << 16), torch.split(at, 1 << 16), strict=True)
        ]
    )


def _leading_direction(rows: Tensor, taken: Tensor) -> Tensor:
    """Unit vector of largest variance per node, (nodes, d), by power iteration; any vector if constant."""
    step = max(1, rows.shape[1] // DIRECTION_KEYS)
    sample, own = rows[:, ::step], taken[:, ::step, None]
    if bool(own.all()):
        centred = sample - sample.mean(dim=1, keepdim=True)
    else:
        centred = (sample - (sample * own).sum(dim=1, keepdim=True) / own.sum(dim=1, keepdim=True)) * own
    covariance = torch.bmm(centred.transpose(1, 2), centred)
    variance = covariance.diagonal(dim1=1, dim2=2)
    covariance /= variance.sum(dim=1).clamp(min=torch.finfo(rows.dtype).tiny)[:, None, None]
    start = variance.argmax(dim=1)  # the widest axis is never orthogonal to all of the spread
    direction = covariance.gather(2, start[:, None, None].expand(-1, covariance.shape[1], 1))
    for _ in range(POWER_STEPS):
        direction = torch.nn.functional.normalize(torch.bmm(covariance, direction), dim=1)
    return direction.squeeze(2)
