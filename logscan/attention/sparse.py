"""Sparse attention: exact over the keys selected for each tile of queries, coarse over all the others.

Cost per query: its share of one search, `budget` keys in one batched product, and O(log N) nodes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from logscan.attention.bounds import NodeBounds, Rounding, error_bounds, rounding_bounds
from logscan.attention.coarse import standing
from logscan.attention.dense import dense_attention
from logscan.attention.layout import DEAD, leaf_blocks, leaf_of_keys, taken, time_blocks
from logscan.attention.neighbors import named_neighbors
from logscan.attention.nodes import Nodes
from logscan.attention.parts import Parts
from logscan.attention.plan import SparseOptions, sparse_plan
from logscan.attention.problem import AttentionResult, Problem, patched
from logscan.attention.selection import BLOCK_KEYS
from logscan.attention.survey import weight_is_near
from logscan.attention.tile import attend_tiles
from logscan.attention.tile_records import Plan, TileFacts, TileRows
from logscan.attention.tree import ContentTree

CHUNK_BYTES_CPU = 16 << 20  # gathered keys and values, and logits, of one chunk of tiles
CHUNK_BYTES_CUDA = 256 << 20


def attend_selected(
    problem: Problem,
    tree: ContentTree,
    options: SparseOptions,
    *,
    neighbors: int = 0,
    bounds: bool = False,
    chunk_tiles: int | None = None,
) -> AttentionResult:
    """Attention over the selected keys, and coarsely over the rest.

    Args:
        problem: queries, keys and forbidden intervals, with a bias column.
        tree: content tree of the caller's keys.
        options: how much is searched and taken.
        neighbors: how many of the heaviest selected keys to return per query; 0 for none.
        bounds: also compute the certified bounds of the errors.
        chunk_tiles: tiles computed at once; `None` fits the cache.

    Returns:
        As the dense path.
    """
    run = _Run(problem, tree, options, neighbors=neighbors, bounds=bounds, chunk_tiles=chunk_tiles)
    output, log_partition, logit = _Recomputed.apply(run, *run.tables)  # type: ignore[no-untyped-call]
    output, log_partition, logit = (run.by_query(part) for part in (output, log_partition, logit))
    found = weights = None
    without_key = problem.without_key
    if neighbors:
        position, logit = _with_found(
            problem, run.by_query(run.position), logit, run.by_query(run.plan.found), neighbors
        )
        weights = (logit - log_partition[:, None]).exp()
        found, weights = named_neighbors(position, weights, without_key, problem, neighbors)
    result = AttentionResult(
        None if problem.value is None else output.masked_fill(without_key[:, None], torch.nan),
        log_partition.masked_fill(without_key, -torch.inf),
        found,
        weights,
        run.by_query(run.log_partition_bound) if bounds else None,
        run.by_query(run.output_bound) if bounds and problem.value is not None else None,
    )
    # none of its selected keys is allowed and no node stands for the others, or its tile is not regular in time
    lost = (log_partition.detach() < DEAD / 10) & ~without_key
    lost |= run.by_query(run.plan.exactly[:, None].expand(-1, run.plan.slots.shape[1]))
    rows = torch.nonzero(lost).squeeze(1)
    if not len(rows):
        return result
    some = problem.for_queries(rows)
    exact = dense_attention(some, neighbors=neighbors)
    return patched(result, rows, rounding_bounds(some, exact) if bounds else exact)


def _with_found(
    problem: Problem, position: Tensor, logit: Tensor, found: Tensor, neighbors: int
) -> tuple[Tensor, Tensor]:
    """The heaviest of the keys a query attended to exactly and of those its own search found.

    Args:
        problem: the uniform problem.
        position: (queries, k) int64, attended to, -1 for none.
        logit: (queries, k).
        found: (queries, m) int64, allowed, -1 for none.
        neighbors: how many to return at most.
    """
    if not found.shape[1]:
        return position, logit
    key = problem.key.index_select(0, found.clamp(min=0).flatten()).view(*found.shape, -1)
    more = torch.bmm(key, problem.query[:, :, None]).squeeze(2)
    known = (found[:, :, None] == position[:, None, :]).any(dim=2)
    more = more.masked_fill(known | (found < 0), DEAD)
    position, logit = (
        torch.cat([position, found.masked_fill(known, -1)], dim=1),
        torch.cat([logit, more], dim=1),
    )
    column = logit.detach().topk(min(neighbors, logit.shape[1]), dim=1).indices
    return position.gather(1, column), logit.gather(1, column)


class _Run:
    """One call: its tables, its plan, and the loop over chunks of tiles that forward and backward share."""

    def __init__(
        self,
        problem: Problem,
        tree: ContentTree,
        options: SparseOptions,
        *,
        neighbors: int,
        bounds: bool,
        chunk_tiles: int | None,
    ) -> None:
        self.problem, self.neighbors = problem, neighbors
        self.by_time = time_blocks(problem, BLOCK_KEYS)
        self.by_leaf = leaf_blocks(problem, tree)
        self.nodes = Nodes.of(self.by_leaf)
        if options.coarse == "auto":
            near = weight_is_near(problem.key.detach()[:, :-1], options.curvature)
            options = replace(options, coarse="none" if near else "mean")
        with_nodes = bounds or options.coarse != "none"
        self.plan = sparse_plan(
            problem,
            tree,
            self.by_time,
            self.by_leaf,
            self.nodes,
            options,
            with_nodes=with_nodes,
            neighbors=neighbors,
        )
        if self.plan.by_leaf:
            self.by_time = self.by_leaf
        self.options = options
        self.leaf_of_key = leaf_of_keys(self.by_leaf, len(problem.key))
        self.band = problem.band()
        self.bounds = NodeBounds.of(self.by_leaf, self.nodes, options.curvature) if bounds else None
        self.rounding = Rounding.of(problem) if bounds else None
        self.step = chunk_tiles or self._chunk_tiles()
        self.position = self.log_partition_bound = self.output_bound = torch.empty(0)
        self.full = bool(self.plan.taken.all())
        queries = self.plan.slots.flatten() if self.full else self.plan.slots[self.plan.taken]
        in_order = bool((queries.diff() > 0).all())
        self.order = None if in_order else queries.argsort()

    @property
    def tables(self) -> tuple[Tensor, ...]:
        """Everything gradients flow to."""
        by_time, by_leaf, nodes = self.by_time, self.by_leaf, self.nodes
        keys_and_values = (by_time.key, by_time.value, by_leaf.key, by_leaf.value)
        return (self.problem.query, *keys_and_values, nodes.key, nodes.value, nodes.variance)

    def by_query(self, part: Tensor) -> Tensor:
        """A result per tile and row as one per query."""
        rows = part.flatten(0, 1) if self.full else part[self.plan.taken]
        return rows if self.order is None else rows.index_select(0, self.order)

    def forward(self, tables: tuple[Tensor, ...]) -> tuple[Tensor, Tensor, Tensor]:
        """Output, log-partition and the logits of the heaviest keys, per tile and row."""
        parts = Parts(len(self.plan.slots))
        for piece in self.plan.pieces(self.step):
            index = self._indices(piece)
            rows, facts = self._gathered(piece, index, tables)
            one, node_logits = attend_tiles(rows, facts, self.neighbors)
            bound: tuple[Tensor | None, Tensor | None] = (None, None)
            if self.bounds is not None and self.rounding is not None:
                bound = error_bounds(
                    self.bounds,
                    self.rounding,
                    index[7].view(len(piece.slots), facts.total.shape[1]),
                    facts.standing.count,
                    facts.total,
                    rows,
                    one,
                    node_logits,
                )
            parts.add(one.output, one.log_partition, one.logit, one.position, *bound)
        output, log_partition, logit, position, near_log, near_output = parts.whole()
        assert output is not None
        assert log_partition is not None
        none = log_partition.new_empty(*log_partition.shape, 0)
        self.position = none.long() if position is None else position
        if near_log is not None and near_output is not None:
            self.log_partition_bound, self.output_bound = near_log, near_output
        return output, log_partition, none if logit is None else logit

    def backward(self, tables: tuple[Tensor, ...], grads: tuple[Tensor, ...]) -> list[Tensor]:
        """Gradients of `tables`, every chunk computed again."""
        totals = [torch.zeros_like(table) for table in tables]
        for number, piece in enumerate(self.plan.pieces(self.step)):
            index = self._indices(piece)
            with torch.enable_grad():
                rows, facts = self._gathered(piece, index, tables)
                inputs = [part.requires_grad_() for part in rows.tensors()]
                one, _ = attend_tiles(TileRows(*inputs), facts, self.neighbors)
                every = (one.output, one.log_partition, one.logit)
                outputs = [output for output in every if output is not None]
                part = slice(number * self.step, (number + 1) * self.step)
                asked = [grad[part] for grad in grads[: len(outputs)]]
                found = torch.autograd.grad(outputs, inputs, asked, allow_unused=True)
            for total, places, gradient in zip(totals, index, found, strict=True):
                if gradient is not None:
                    total.index_add_(0, places, gradient.reshape(len(places), *total.shape[1:]))
        return totals

    def _indices(self, piece: Plan) -> list[Tensor]:
        """The rows of every table that a piece takes, flat."""
        nodes = piece.cover.node.index_select(0, piece.home)
        query, time, leaf, node = (
            part.flatten() for part in (piece.slots, piece.time_blocks, piece.leaves, nodes)
        )
        return [query, time, time, leaf, leaf, node, node, node]

    def _gathered(
        self, piece: Plan, index: list[Tensor], tables: tuple[Tensor, ...]
    ) -> tuple[TileRows, TileFacts]:
        """What a piece is computed from."""
        tiles = len(piece.slots)
        nodes = index[7].view(tiles, -1) if len(index[7]) else piece.home.new_zeros(tiles, 0)
        query, time_key, time_value, leaf_key, leaf_value, node_key, node_value, variance = (
            table.detach() for table in tables
        )
        rows = TileRows(
            query=query.index_select(0, index[0]).view(tiles, piece.slots.shape[1], query.shape[1]),
            time_key=taken(time_key, piece.time_blocks, self.by_time.block_keys),
            time_value=taken(time_value, piece.time_blocks, self.by_time.block_keys),
            leaf_key=taken(leaf_key, piece.leaves, self.by_leaf.block_keys),
            leaf_value=taken(leaf_value, piece.leaves, self.by_leaf.block_keys),
            node_key=taken(node_key, nodes, 1),
            node_value=taken(node_value, nodes, 1),
            node_variance=variance.index_select(0, index[7]).view(nodes.shape),
        )
        time_position = self.by_time.positions(piece.time_blocks)
        since = None if piece.since is None else piece.since.repeat_interleave(self.by_time.block_keys, dim=1)
        total = self.nodes.count.index_select(0, index[7]).view(nodes.shape)
        left = standing(
            self.problem,
            piece,
            piece.cover.start.index_select(0, piece.home),
            total,
            time_position.int(),
            since,
            self.leaf_of_key,
            self.by_time.block_keys,
            banded=self.band is not None,
        )
        facts = TileFacts(
            slots=piece.slots,
            band=self.band,
            time_position=time_position,
            leaf_position=self.by_leaf.positions(piece.leaves),
            since=since,
            standing=left,
            total=total,
            curvature=self.options.curvature,
            coarse=self.options.coarse,
        )
        return rows, facts

    def _chunk_tiles(self) -> int:
        """Tiles whose temporaries fill about `CHUNK_BYTES`."""
        plan, problem = self.plan, self.problem
        rows = plan.slots.shape[1]
        exact = (
            plan.time_blocks.shape[1] * self.by_time.block_keys
            + plan.leaves.shape[1] * self.by_leaf.block_keys
        )
        width = problem.key.shape[1] + (0 if problem.value is None else problem.value.shape[1])
        numbers = (exact + plan.cover.node.shape[1]) * (width + 3 * rows)
        if plan.by_leaf and self.band_keys:  # forbidden keys are counted row by row
            numbers += rows * (3 * self.band_keys + plan.cover.node.shape[1])
        limit = CHUNK_BYTES_CUDA if problem.key.is_cuda else CHUNK_BYTES_CPU
        return max(1, limit // (numbers * problem.key.element_size()))

    @property
    def band_keys(self) -> int:
        """The longest forbidden interval."""
        return int((self.problem.blocked_to - self.problem.blocked_from).amax())


class _Recomputed(torch.autograd.Function):
    """The loop over chunks without its intermediate results: backward computes every chunk again."""

    @staticmethod
    def forward(ctx: Any, run: _Run, *tables: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        ctx.run = run
        ctx.save_for_backward(*tables)
        return run.forward(tables)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return None, *ctx.run.backward(ctx.saved_tensors, grads)
