"""Which keys a group of queries attends to: analogues of its anchor, found in the content tree.

Tokens that follow one another in time are alike, and so are their analogues: if token `i` resembles
`j`, then `i + 1` resembles `j + 1`. So only the first token of a group searches, and the group takes
the stretch of keys that runs along with it. Nothing here looks at a later query: appending queries
changes no selection.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.neighbors import top_keys
from logscan.attention.problem import Problem
from logscan.attention.tree import ContentTree

SPREADS = 1.0  # leaf rank: mean logit plus this many standard deviations of the logit inside the leaf
MARGIN_KEYS = 2  # keys taken before and after the stretch that runs along with the group
CHUNK_BYTES = 8 << 20  # gathered leaf keys of one chunk of anchors


@dataclass(frozen=True, slots=True)
class Groups:
    """Consecutive queries that share the selection of their first one, the anchor."""

    slots: Tensor  # (groups, anchor_every) int64 query indices; slot 0 is the anchor
    taken: Tensor  # (groups, anchor_every) bool, false where a group is shorter


@dataclass(frozen=True, slots=True)
class Segments:
    """How a stretch of keys is cut: whole blocks, so that a union of stretches is a set of block ids."""

    block_keys: int
    blocks: int  # blocks per stretch
    margin: int

    @property
    def keys(self) -> int:
        """Keys per stretch."""
        return self.block_keys * self.blocks


def segments(anchor_every: int) -> Segments:
    """The cut for groups of `anchor_every` queries: wide enough wherever the stretch starts in a block."""
    block_keys = 4 if anchor_every >= 4 else 1
    margin = 0 if anchor_every == 1 else MARGIN_KEYS
    span = anchor_every - 1 + 2 * margin
    return Segments(block_keys, (span + block_keys - 1) // block_keys + 1, margin)


def query_groups(query_time: Tensor, *, stride: int, anchor_every: int, group_offset: int) -> Groups:
    """Cut queries into groups at absolute indices and after gaps in time.

    Args:
        query_time: (Nq,) int64, Nq >= 1.
        stride: time between consecutive tokens; a larger step, or one backwards, starts a group.
        anchor_every: queries per group at most.
        group_offset: absolute index of the first query; groups start at multiples of `anchor_every`.

    Returns:
        The groups. Where a group starts depends on earlier queries only.
    """
    n_query = len(query_time)
    index = torch.arange(n_query, device=query_time.device)
    starts = (index + group_offset) % anchor_every == 0
    gap = query_time.diff()
    starts[1:] |= (gap <= 0) | (gap > stride)
    starts[0] = True
    first = torch.nonzero(starts).squeeze(1)
    size = torch.diff(first, append=first.new_tensor([n_query]))
    along = torch.arange(anchor_every, device=query_time.device)
    taken = along < size[:, None]
    return Groups(torch.where(taken, first[:, None] + along, first[:, None]), taken)


@torch.no_grad()
def selected_blocks(
    problem: Problem,
    tree: ContentTree,
    anchors: Tensor,
    *,
    cut: Segments,
    budget: int,
    search_leaves: int,
    local: bool,
    suppress_keys: int,
) -> Tensor:
    """Blocks of keys every group attends to.

    Args:
        problem: the uniform problem.
        tree: content tree of the caller's keys.
        anchors: (groups,) int64 query index of each group's anchor.
        cut: how stretches are cut into blocks.
        budget: keys per group, about; at least one stretch is taken.
        search_leaves: leaves whose keys an anchor is compared with.
        local: also take the stretch next to the anchor in time (ordinary attention).
        suppress_keys: analogues nearer than this to a better one are the same analogue.

    Returns:
        (groups, n) int64 ascending block ids without repetition; the number of blocks stands for "none".
    """
    n_key = len(problem.key)
    n_blocks = -(-n_key // cut.block_keys)
    if budget >= n_key:
        return torch.arange(n_blocks, device=anchors.device).expand(len(anchors), -1)
    wanted = max(1, budget // cut.keys)
    leaves = _Leaves.of(problem, tree)
    rows = max(1, CHUNK_BYTES // (search_leaves * leaves.tokens[0].numel() * leaves.tokens.element_size()))
    analogues = torch.cat(
        [
            _analogues(
                problem,
                leaves,
                part,
                wanted=wanted,
                search_leaves=search_leaves,
                suppress_keys=suppress_keys,
            )
            for part in torch.split(anchors, rows)
        ]
    )
    if local:
        nearest = problem.blocked_from[anchors, None] - 1
        analogues = torch.cat([nearest.clamp(min=0), analogues[:, : max(1, wanted - 1)]], dim=1)
    first = torch.div(analogues - cut.margin, cut.block_keys, rounding_mode="floor")
    blocks = first[:, :, None] + torch.arange(cut.blocks, device=anchors.device)
    blocks = blocks.clamp(0, n_blocks - 1).masked_fill((analogues < 0)[:, :, None], n_blocks)
    blocks = blocks.flatten(1).sort(dim=1).values
    repeated = blocks[:, 1:] == blocks[:, :-1]
    blocks[:, 1:].masked_fill_(repeated, n_blocks)
    return blocks


@dataclass(frozen=True, slots=True)
class _Leaves:
    """The tree's leaves laid out for the search, in the problem's key order."""

    tokens: Tensor  # (leaves, width, d')
    position: Tensor  # (leaves, width) int64 position in the problem's keys, -1 for none
    mean: Tensor  # (leaves, d')
    log_count: Tensor  # (leaves,), -inf for a leaf whose keys are all masked
    spread: Tensor  # (leaves,) rms distance of a member from the mean along one dimension
    content: int  # d, the dimensions without the bias
    curvature: float  # c of the bias b ≈ c ‖k‖² / 2 + const

    @staticmethod
    def of(problem: Problem, tree: ContentTree) -> _Leaves:
        """Gather the leaves' keys and their statistics."""
        position = _positions(problem, tree)
        taken = position >= 0
        tokens = problem.key[position.clamp(min=0)] * taken[:, :, None]
        count = taken.sum(dim=1)
        mean = tokens.sum(dim=1) / count.clamp(min=1)[:, None]
        content = tree.mean.shape[1]
        offset = (tokens - mean[:, None])[:, :, :content] * taken[:, :, None]
        variance = offset.square().sum(dim=(1, 2)) / (count.clamp(min=1) * content)
        log_count = count.to(mean.dtype).log()
        curvature = _curvature(problem, content)
        return _Leaves(tokens, position, mean, log_count, variance.sqrt(), content, curvature)


def _positions(problem: Problem, tree: ContentTree) -> Tensor:
    """The tree's members as positions in the problem's keys, -1 where masked or empty."""
    where = torch.full((tree.key_count + 1,), -1, device=problem.key.device)
    where[problem.key_index] = torch.arange(len(problem.key), device=problem.key.device)
    return where[tree.members]  # member -1 reads the last slot, which stays -1


def _curvature(problem: Problem, content: int) -> float:
    """How the key bias bends with the key: `-scale` for distance attention, 0 without a bias.

    The logit's slope inside a leaf is then `q + c k̄`, which shrinks towards the query's own
    place under distance attention; without it near and far leaves would be given the same spread.
    """
    if problem.key.shape[1] == content:
        return 0.0
    square = problem.key[:, :content].square().sum(dim=1)
    square = square - square.mean()
    bias = problem.key[:, content]
    norm = square.square().sum()
    return float(2.0 * (square * bias).sum() / norm) if float(norm) > 0.0 else 0.0


def _analogues(
    problem: Problem, leaves: _Leaves, anchors: Tensor, *, wanted: int, search_leaves: int, suppress_keys: int
) -> Tensor:
    """Positions of each anchor's best keys that lie apart in time, (anchors, wanted), -1 for none."""
    query = problem.query[anchors]
    best = top_keys(_leaf_rank(leaves, query), search_leaves)
    position = leaves.position[best].flatten(1)
    tokens = leaves.tokens.flatten(1).index_select(0, best.flatten()).view(*position.shape, -1)
    logits = torch.bmm(tokens, query[:, :, None]).squeeze(2)
    blocked = (position >= problem.blocked_from[anchors, None]) & (
        position < problem.blocked_to[anchors, None]
    )
    logits = logits.masked_fill(blocked | (position < 0), -torch.inf)
    if suppress_keys <= 1:
        top, column = logits.topk(min(wanted, logits.shape[1]), dim=1)
        return position.gather(1, column).masked_fill(top == -torch.inf, -1)
    return _apart(logits, position, wanted, suppress_keys)


def _leaf_rank(leaves: _Leaves, query: Tensor) -> Tensor:
    """log|B| + mean logit + spread of the logit inside the leaf, (queries, leaves)."""
    q, mean = query[:, : leaves.content], leaves.mean[:, : leaves.content]
    c = leaves.curvature
    product = q @ mean.T
    # ‖q + c k̄‖², the slope of the logit in the leaf
    slope = q.square().sum(dim=1, keepdim=True) + 2 * c * product + c * c * mean.square().sum(dim=1)
    logit = product + leaves.mean[:, leaves.content :].sum(dim=1)  # the mean bias, 0 without one
    return leaves.log_count + logit + SPREADS * leaves.spread * slope.clamp(min=0.0).sqrt()


def _apart(logits: Tensor, position: Tensor, wanted: int, suppress_keys: int) -> Tensor:
    """Greedy non-maximum suppression in time: the best key, then the best far from it, and so on."""
    chosen = []
    for _ in range(wanted):
        top, column = logits.max(dim=1, keepdim=True)
        here = position.gather(1, column)
        chosen.append(here.masked_fill(top == -torch.inf, -1))
        logits = logits.masked_fill((position - here).abs() < suppress_keys, -torch.inf)
    return torch.cat(chosen, dim=1)
