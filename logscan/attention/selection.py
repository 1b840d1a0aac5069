"""Which keys a group of consecutive queries attends to.

Tokens that follow one another in time are alike, and so are their analogues: if token `i` resembles `j`, then
`i + 1` resembles `j + 1`. So what one query of a group finds serves all of them: every analogue becomes a stretch
of keys that runs along with the group, and a stretch that several queries point to counts several times.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.problem import Problem

GROUP_QUERIES = 16
BLOCK_KEYS = 8
STRETCH_BLOCKS = GROUP_QUERIES // BLOCK_KEYS + 1  # wide enough wherever the stretch starts in a block
STRETCH_KEYS = BLOCK_KEYS * STRETCH_BLOCKS


@dataclass(frozen=True, slots=True)
class Groups:
    """Queries that share a selection."""

    slots: Tensor  # (groups, rows) int64 query indices; a short group repeats its first
    taken: Tensor  # (groups, rows) bool, false where repeated


@dataclass(frozen=True, slots=True)
class Selection:
    """Blocks of keys every group attends to."""

    blocks: Tensor  # (groups, n) int64 ascending, without repetition but for "no block"
    since: Tensor | None  # (groups, n) int64, first row of the group that may use the block; None: all may


def query_groups(problem: Problem, *, stride: int, group_offset: int, rows: int = GROUP_QUERIES) -> Groups:
    """Cut queries into groups at absolute indices and after gaps in time.

    Args:
        problem: the uniform problem, with at least one query.
        stride: time between consecutive tokens; a larger step, or one backwards, starts a group.
        group_offset: absolute index of the first query; groups start at multiples of `rows`.
        rows: queries per group at most.

    Returns:
        The groups. Where a group starts depends on earlier queries only.
    """
    index = torch.arange(len(problem.query), device=problem.query.device)
    starts = (index + group_offset) % rows == 0
    gap = problem.query_time.diff()
    starts[1:] |= (gap <= 0) | (gap > stride)
    starts[0] = True
    first = torch.nonzero(starts).squeeze(1)
    size = torch.diff(first, append=first.new_tensor([len(index)]))
    along = torch.arange(rows, device=index.device)
    taken = along < size[:, None]
    return Groups(torch.where(taken, first[:, None] + along, first[:, None]), taken)


@torch.no_grad()
def stretches(
    problem: Problem,
    groups: Groups,
    found: Tensor,
    logit: Tensor,
    *,
    budget: int,
    none: int,
    look_ahead: bool,
    local: bool,
) -> Selection:
    """The stretches of keys that run along with each group: those its queries point to with the most weight.

    Args:
        problem: the uniform problem.
        groups: of consecutive queries.
        found: (queries, m) int64 positions of analogues, best first, -1 for none.
        logit: (queries, m) their logits.
        budget: keys per query, about; at least one stretch is taken.
        none: id of the empty block.
        look_ahead: a query may use what later queries of its group found.
        local: also take the stretch at the group's own place in time (ordinary attention).
    """
    device = found.device
    position = found.index_select(0, groups.slots.flatten()).view(*groups.slots.shape, -1)
    missing = (position < 0) | ~groups.taken[:, :, None]
    offset = torch.arange(groups.slots.shape[1], device=device)
    # the stretch starts one to eight keys before the key that runs along with the group's first query
    start = torch.div(position - offset[:, None] - 1, BLOCK_KEYS, rounding_mode="floor")
    start = start.masked_fill(missing, none + 1)
    logit = logit.index_select(0, groups.slots.flatten()).view_as(position)
    if look_ahead:
        logit = logit.masked_fill(missing, -torch.inf)
        starts = most_voted(start, logit, max(1, budget // STRETCH_KEYS), nothing=none + 1)
        since = torch.zeros_like(starts)
    else:
        # every query adds its best, the first one all it found: no query has a say in what an earlier one takes
        best = start[:, :, 0]
        starts = torch.cat([best, start[:, 0]], dim=1)
        since = torch.cat([offset.expand_as(best), torch.zeros_like(start[:, 0])], dim=1)
    edges = _edges(problem, groups, local=local)
    starts = torch.cat([starts, edges], dim=1)
    since = torch.cat([since, torch.zeros_like(edges)], dim=1)
    blocks = starts[:, :, None] + torch.arange(STRETCH_BLOCKS, device=device)
    blocks = blocks.masked_fill((blocks < 0) | (blocks >= none), none).flatten(1)
    # sorted by block, then by the first row that may use it, so that the first of equals has the widest use
    code = blocks * GROUP_QUERIES + since.repeat_interleave(STRETCH_BLOCKS, dim=1)
    code = code.sort(dim=1).values
    blocks = torch.div(code, GROUP_QUERIES, rounding_mode="floor")
    since = code - blocks * GROUP_QUERIES
    blocks[:, 1:].masked_fill_(blocks[:, 1:] == blocks[:, :-1], none)
    return Selection(blocks, None if look_ahead else since)


def most_voted(start: Tensor, logit: Tensor, wanted: int, *, nothing: int) -> Tensor:
    """The starts that a group's queries point to with the most weight, (groups, up to wanted).

    Every query spreads one vote over what it found, by attention weight; votes for one start add up. Where a
    group points to fewer starts than are wanted, the others are `nothing`.
    """
    votes = torch.exp(logit - logit.amax(dim=2, keepdim=True)).nan_to_num(0.0).flatten(1)
    start, order = start.flatten(1).sort(dim=1)
    place = torch.nn.functional.pad((start[:, 1:] != start[:, :-1]).cumsum(dim=1), (1, 0))
    total = torch.zeros_like(votes).scatter_add_(1, place, votes.gather(1, order))
    starts = torch.zeros_like(start).scatter_(1, place, start)
    best = total.topk(min(wanted, total.shape[1]), dim=1, sorted=False)
    return starts.gather(1, best.indices).masked_fill(best.values <= 0.0, nothing)


def _edges(problem: Problem, groups: Groups, *, local: bool) -> Tensor:
    """First blocks of the stretches that every group takes whatever it found, (groups, 0 to 2).

    Of keys that are forbidden to some queries of a group and allowed to others, the coarse terms can say nothing:
    they lie at the two edges of the forbidden interval and are taken exactly.
    """
    if local:
        own = (problem.blocked_from.index_select(0, groups.slots[:, 0]) - 1).clamp(min=0)
        return torch.div(own - 1, BLOCK_KEYS, rounding_mode="floor")[:, None]
    if not bool((problem.blocked_from < problem.blocked_to).any()):
        return groups.slots.new_zeros(len(groups.slots), 0)
    edges = []
    for edge in (problem.blocked_from, problem.blocked_to):
        lowest = edge.index_select(0, groups.slots.flatten()).view_as(groups.slots).amin(dim=1)
        edges.append(torch.div(lowest, BLOCK_KEYS, rounding_mode="floor"))
    return torch.stack(edges, dim=1)


def straddling(problem: Problem, groups: Groups) -> Tensor:
    """Groups whose forbidden intervals differ by more keys than a stretch takes, (groups,) bool."""
    wide = torch.zeros(len(groups.slots), dtype=torch.bool, device=groups.slots.device)
    for edge in (problem.blocked_from, problem.blocked_to):
        of_group = edge.index_select(0, groups.slots.flatten()).view_as(groups.slots)
        wide |= of_group.amax(dim=1) - of_group.amin(dim=1) > STRETCH_KEYS - BLOCK_KEYS + 1
    return wide
