"""Accuracy on demand: queries whose certified bound is too large take more leaves, until none is left."""

from __future__ import annotations

from dataclasses import replace

import torch

from logscan.attention.bounds import rounding_bounds
from logscan.attention.dense import dense_attention
from logscan.attention.plan import SparseOptions
from logscan.attention.problem import AttentionResult, Problem, patched
from logscan.attention.sparse import attend_selected
from logscan.attention.tree import ContentTree

GROWTH = 4  # times as many leaves in every round


def attend_within(
    problem: Problem, tree: ContentTree, options: SparseOptions, *, max_error: float, neighbors: int
) -> AttentionResult:
    """Sparse attention whose certified output error is at most `max_error` for every query.

    Every round takes more leaves whole around the queries that are still too uncertain; what a quarter of all
    leaves does not settle is answered exactly. Without values the error is the log-partition's.
    """
    result = attend_selected(problem, tree, options, neighbors=neighbors, bounds=True)
    leaves = options.search_leaves
    while True:
        bound = result.log_partition_bound if problem.value is None else result.output_bound
        assert bound is not None
        rows = torch.nonzero(bound > max_error).squeeze(1)
        if not len(rows):
            return result
        some = problem.for_queries(rows)
        leaves *= GROWTH
        if 4 * leaves > len(tree.members):
            exact = rounding_bounds(some, dense_attention(some, neighbors=neighbors))
            return patched(result, rows, exact)
        wider = replace(options, search_leaves=leaves, group_queries=1)
        part = attend_selected(some, tree, wider, neighbors=neighbors, bounds=True)
        result = patched(result, rows, part)
