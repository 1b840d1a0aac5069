"""The selection: which keys every tile of queries takes exactly, and which tree nodes stand for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from logscan.attention.layout import DEAD, KeyBlocks
from logscan.attention.nodes import Geometry, Nodes, surroundings
from logscan.attention.problem import Problem
from logscan.attention.search import TILE_ROWS, Tiles, analogues, analogues_beside, tiles_by_leaf
from logscan.attention.selection import GROUP_QUERIES, most_voted, query_groups, straddling, stretches
from logscan.attention.survey import followers_alike
from logscan.attention.tile_records import Cover, Plan
from logscan.attention.tree import ContentTree

COVER_LEAVES = 16  # nodes of a level that a group's cover keeps near; larger ones cover what is further
FOUND_PER_QUERY = 4  # analogues that a query hands to its group
LEAVES_BESIDE = TILE_ROWS  # that a tile takes more, where order means nothing: one for each of its queries


@dataclass(frozen=True, slots=True)
class SparseOptions:
    """How much is searched and taken."""

    budget: int  # keys per query, about
    search_leaves: int  # leaves a query is compared with
    probes: int  # single leaves more, across the splits that the query lies nearest to
    group_queries: int | None  # queries that share what they find, 1 for none; None: from the keys
    group_offset: int  # absolute index of the first query
    stride: int  # time between consecutive tokens
    look_ahead: bool  # a query may use what later queries of its group found
    coarse: Literal["auto", "none", "mean", "second"]
    local: bool  # take the neighbourhood in time as well
    curvature: float  # c of the bias b ≈ c ‖k‖² / 2, below 0 for distance attention, else 0


@torch.no_grad()
def sparse_plan(
    problem: Problem,
    tree: ContentTree,
    by_time: KeyBlocks,
    by_leaf: KeyBlocks,
    nodes: Nodes,
    options: SparseOptions,
    *,
    with_nodes: bool,
    neighbors: int,
) -> Plan:
    """Search, and choose keys and, with `with_nodes`, the nodes that stand for the others; search for `neighbors`.

    Where order helps, consecutive queries share the stretches of keys that run along with the analogues they
    found. Where it does not, queries of one leaf share the leaves near it.
    """
    geometry = Geometry.of(nodes)
    by_distance = options.curvature < 0
    place = key_space(problem, options.curvature)
    leaf = tree.leaf_of(place)
    beside = tree.leaves_beside(place, options.probes) if options.probes else leaf[:, None][:, :0]

    def around(width: int, *, with_rest: bool) -> tuple[Tensor, Tensor]:
        return surroundings(geometry, tree.levels, width, by_distance=by_distance, with_rest=with_rest)

    group_queries = options.group_queries
    if group_queries is None:
        group_queries = GROUP_QUERIES if followers_alike(problem.key[:, :-1]) else 1
    every = torch.arange(len(leaf), device=leaf.device)
    tiles = tiles_by_leaf(every, leaf)
    if group_queries == 1:
        near, rest = around(options.search_leaves, with_rest=True)
        cover = Cover.of(rest if with_nodes else rest[:, :0], tree.levels)
        return Plan(
            slots=tiles.slots,
            taken=tiles.taken,
            time_blocks=_leaves_beside(problem, by_leaf, near, tiles, leaf, beside),
            since=None,
            leaves=near.index_select(0, tiles.leaf).sort(dim=1).values,
            home=tiles.leaf,
            cover=cover,
            exactly=torch.zeros_like(tiles.leaf, dtype=torch.bool),
            found=tiles.slots.new_empty(*tiles.slots.shape, 0),
            by_leaf=True,
        )
    near, _ = around(options.search_leaves, with_rest=False)
    count = max(FOUND_PER_QUERY, neighbors)
    found, logit = analogues(problem, by_leaf, near, tiles, count)
    if beside.shape[1]:
        more, value = analogues_beside(problem, by_leaf, near, leaf, beside, count)
        logit, best = torch.cat([logit, value.flatten(1)], dim=1).topk(found.shape[1], dim=1)
        found = torch.cat([found, more.flatten(1)], dim=1).gather(1, best)
    groups = query_groups(problem, stride=options.stride, group_offset=options.group_offset)
    chosen = stretches(
        problem,
        groups,
        found[:, :FOUND_PER_QUERY],
        logit[:, :FOUND_PER_QUERY],
        budget=options.budget,
        none=by_time.none,
        look_ahead=options.look_ahead,
        local=options.local,
    )
    home = leaf.index_select(0, groups.slots[:, 0])
    if with_nodes:
        near, rest = around(COVER_LEAVES, with_rest=True)
        cover = Cover.of(torch.cat([near + (1 << tree.levels) - 1, rest], dim=1), tree.levels)
    else:
        cover = Cover(near[:, :0].int(), near[:, :0].int())
    return Plan(
        slots=groups.slots,
        taken=groups.taken,
        time_blocks=chosen.blocks,
        since=chosen.since,
        leaves=home.new_zeros(len(home), 0),
        home=home,
        cover=cover,
        exactly=straddling(problem, groups),
        found=(found if neighbors else found[:, :0])[groups.slots],
        by_leaf=False,
    )


def _leaves_beside(
    problem: Problem, by_leaf: KeyBlocks, near: Tensor, tiles: Tiles, home: Tensor, beside: Tensor
) -> Tensor:
    """The leaves beside those near a tile that some of its queries need most, (tiles, n) ascending.

    Every query spreads a vote over its own leaf and those beside it, by the weight of the best key in each, so that
    a leaf with a key much nearer than any at home is sure to be taken.
    """
    if not beside.shape[1]:
        return tiles.slots.new_zeros(len(tiles.slots), 0)
    alone = torch.arange(by_leaf.none, device=home.device)[:, None]
    _, at_home = analogues(problem, by_leaf, alone, tiles, 1)
    _, logit = analogues_beside(problem, by_leaf, near, home, beside, 1)
    logit = torch.cat([at_home, logit.squeeze(2)], dim=1)[tiles.slots]
    leaf = torch.nn.functional.pad(beside, (1, 0), value=by_leaf.none)[tiles.slots]
    votes = logit.masked_fill(~tiles.taken[:, :, None] | (logit <= DEAD), -torch.inf)
    chosen = most_voted(leaf, votes, LEAVES_BESIDE + 1, nothing=by_leaf.none)
    return chosen.sort(dim=1).values[:, :LEAVES_BESIDE]


def key_space(problem: Problem, curvature: float) -> Tensor:
    """Where the queries lie among the keys, (Nq, d): the place of the largest logit under distance attention.

    Without a bias that says where, a query stands for its direction, at the keys' typical length.
    """
    query = problem.query[:, :-1]
    if curvature < 0:
        return query / -curvature
    length = problem.key[:, :-1].square().sum(dim=1).mean().sqrt()
    return torch.nn.functional.normalize(query, dim=1) * length
