"""Attention over the history: which of its windows are like a token (exact or sparse)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from logscan.attention import ContentTree, content_tree, sparse_attention
from logscan.core.rhythm import rhythm_columns
from logscan.model.heads import Prepared, feature_chunks, searchable
from logscan.model.records import Head
from logscan.model.whitening import row_products
from logscan.records import F32, F64, I64

EXACT_HISTORY_TOKENS = 16384  # longer histories are searched through a tree; exactness is worth its time
# Half the squared distance in phase costs that many nats: 8 lose an outage, 64 gain little more.
RHYTHM = 32.0
_PIECE_TOKENS = 1 << 15
_INDICES = 1 << 40  # a log that begins before the history counts from here instead of below 0


@dataclass(frozen=True, slots=True)
class Attended:
    """The analogues of the tokens of a series.

    Attributes:
        starts: (tokens,) int64, first step of each token's window.
        neighbors: (tokens, k) int64, tokens of the history, heaviest first, -1 for none.
        weights: (tokens, k) float32, attention among those neighbours, rows sum to 1 (0 without neighbours).
    """

    starts: I64
    neighbors: I64
    weights: F32

    def part(self, tokens: slice) -> Attended:
        """Some of the tokens."""
        return Attended(self.starts[tokens], self.neighbors[tokens], self.weights[tokens])


@dataclass(frozen=True, slots=True)
class HeadHistory:
    """What one head may attend to.

    Attributes:
        values: (steps, channels) float32, scaled and filled; what the head's own windows are cut from.
        starts: (tokens,) int64, first step of each token's window: of the head's own in `values`, then of those
            that joined in `joined_values`.
        times: (tokens,) int64, the same on the grid of the training series, ascending in either part.
        keys: (own tokens, d) float32, under the head's metric.
        joined_keys: the same of those that joined; `None`: there are none.
        joined_values: as `values`, of those that joined; `None`: there are none.
    """

    values: F32
    starts: I64
    times: I64
    keys: Tensor
    joined_keys: Tensor | None = None
    joined_values: F32 | None = None

    @staticmethod
    def of(head: Head, values: F32, device: torch.device, times: I64 | None = None) -> HeadHistory:
        """The head's own history, from the series its `starts` point into.

        Args:
            head: the head.
            values: (steps, channels) float32, that series.
            device: where attention runs.
            times: (tokens,) int64, steps of the training grid at which its windows begin; `None`: its `starts`.
        """
        keys = window_keys(searchable(values), head.starts, head).to(device)
        return HeadHistory(values, head.starts, head.starts if times is None else times, keys)

    def features(self, tokens: I64, head: Head) -> F32:
        """(tokens, features) float32, the windows of some tokens, which ascend; `head` as in `of`."""
        own = int(np.searchsorted(tokens, len(self.keys)))
        rows = np.empty((len(tokens), len(head.center)), dtype=np.float32)
        parts = [(slice(0, own), self.values)]
        if self.joined_values is not None:
            parts.append((slice(own, None), self.joined_values))
        for part, values in parts:
            for piece, made in feature_chunks(values, self.starts[tokens[part]], head.spec):
                rows[part][piece] = made
        return rows


def head_keys(feature_rows: F32, head: Head) -> Tensor:
    """Coordinates of tokens under the head's metric, (tokens, d) float32, from `searchable` features."""
    layer = head.layer
    centred = torch.from_numpy(feature_rows - head.center)
    return row_products(centred, torch.from_numpy(head.basis)) * torch.from_numpy(np.exp(layer.log_metric))


def window_keys(values: F32, starts: I64, head: Head) -> Tensor:
    """`head_keys` of windows, (windows, d) float32, without holding the features of all of them.

    Args:
        values: (steps, channels) float32, `searchable`.
        starts: (windows,) int64.
        head: the head.
    """
    keys = torch.empty((len(starts), head.basis.shape[1]))
    for piece, rows in feature_chunks(values, starts, head.spec):
        keys[piece] = head_keys(rows, head)
    return keys


def with_tree(head: Head, keys: Tensor) -> Head:
    """The head with the tree of its history, if that is too long for exact attention.

    Args:
        head: with its final layer, whose metric the tree depends on.
        keys: (tokens, d) float32, of the history.
    """
    longer = len(keys) > EXACT_HISTORY_TOKENS
    return replace(head, tree=content_tree(in_rhythm(keys, head.starts, head)) if longer else None)


def in_rhythm(keys: Tensor, times: I64, head: Head) -> Tensor:
    """Keys with their place in the day and the week beside their content, where the head minds it.

    The place weighs against the temperature, so that windows at the far side of a period lose the same share of
    attention whatever the head.

    Args:
        keys: (tokens, d) float32.
        times: (tokens,) int64, steps of the training grid.
        head: with its final layer.
    """
    if not head.spec.rhythm:
        return keys
    squared = head.temperature * float(np.exp(head.layer.log_temperature))
    columns = np.float32(np.sqrt(RHYTHM * squared)) * rhythm_columns(times, head.spec.rhythm)
    return torch.cat([keys, torch.from_numpy(columns).to(keys.device)], dim=1)


def attend(
    head: Head,
    queries: Tensor,
    keys: Tensor,
    query_times: I64,
    key_times: I64,
    neighbors: int,
) -> tuple[I64, F32]:
    """The analogues of every query and their attention weights, most alike first.

    Logits are `-|q - k|^2 / 2 tau^2`, written as a dot product with a key bias (DESIGN 4.1). Keys that start
    less than a window away in time are excluded: a token must not explain itself. Exact up to
    `EXACT_HISTORY_TOKENS` keys, sparse above; there queries share what they find in groups that stand on the
    history's grid and nobody looks ahead, so that scoring in parts equals scoring at once.

    Args:
        head: gives temperature, exclusion and, if it has one, the tree of `keys`.
        queries: (queries, d) float32.
        keys: (tokens, d) float32.
        query_times: (queries,) int64, steps of the history's grid.
        key_times: (tokens,) int64, ascending.
        neighbors: how many analogues to return.

    Returns:
        neighbours (queries, k) int64, -1 for none; weights (queries, k) float32, rows sum to 1 or 0.
    """
    found, weights, _ = partial_attention(head, queries, keys, query_times, key_times, neighbors, head.tree)
    return found, _shares(weights)


def partial_attention(
    head: Head,
    queries: Tensor,
    keys: Tensor,
    query_times: I64,
    key_times: I64,
    neighbors: int,
    tree: ContentTree | None,
) -> tuple[I64, F64, F64]:
    """Neighbours as in `attend`, their weights among all keys, (queries, k), and log-partitions, (queries,)."""
    squared = head.temperature * float(np.exp(head.layer.log_temperature))
    queries, keys = in_rhythm(queries, query_times, head), in_rhythm(keys, key_times, head)
    exact = len(keys) <= EXACT_HISTORY_TOKENS
    first = int(query_times[0]) // head.spec.stride_steps if len(query_times) else 0
    result = sparse_attention(
        queries,
        keys,
        None,
        scale=1.0 / squared,
        key_bias=-(keys * keys).sum(dim=1) / (2 * squared),
        query_time=torch.from_numpy(query_times).to(keys.device),
        key_time=torch.from_numpy(key_times).to(keys.device),
        exclusion=head.spec.window_steps,
        look_ahead=False,
        tree=None if exact or tree is None else tree.to(keys.device),
        group_offset=first % _INDICES,
        return_neighbors=min(neighbors, len(keys)),
        return_log_partition=True,
        implementation="dense" if exact else "sparse",
    )
    assert result.neighbors is not None
    assert result.neighbor_weights is not None
    assert result.log_partition is not None
    found = result.neighbors.cpu().numpy()
    weights = np.where(found >= 0, result.neighbor_weights.cpu().numpy(), 0.0).astype(np.float64)
    few = ((0, 0), (0, neighbors - found.shape[1]))  # a history may hold fewer tokens, and more later
    found, weights = np.pad(found, few, constant_values=-1), np.pad(weights, few)
    return found, weights, result.log_partition.cpu().numpy().astype(np.float64)


def _shares(weights: F64) -> F32:
    """Rows that sum to 1, or to 0 where nothing has weight."""
    total = weights.sum(axis=1, keepdims=True)
    shares: F32 = np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).astype(np.float32)
    return shares


def attend_to_both(
    head: Head, queries: Tensor, history: HeadHistory, query_times: I64, neighbors: int
) -> tuple[I64, F32]:
    """`attend` over the head's own tokens and those that joined.

    Attention over a union is that over its parts, each weighed by its share of the whole partition.
    """
    assert history.joined_keys is not None
    own = len(history.keys)
    found, weights, partition = partial_attention(
        head, queries, history.keys, query_times, history.times[:own], neighbors, head.tree
    )
    others, more, beside = partial_attention(
        head, queries, history.joined_keys, query_times, history.times[own:], neighbors, None
    )
    most = np.maximum(partition, beside)[:, None]
    most = np.where(np.isfinite(most), most, 0.0)
    weights = weights * np.exp(partition[:, None] - most)
    more = more * np.exp(beside[:, None] - most)
    both = np.concatenate([weights, more], axis=1)
    tokens = np.concatenate([found, np.where(others >= 0, others + own, -1)], axis=1)
    # what is there before what is not, heavy before light
    best = np.lexsort((-both, tokens < 0), axis=1)[:, :neighbors]
    return np.take_along_axis(tokens, best, axis=1), _shares(np.take_along_axis(both, best, axis=1))


def head_attention(
    head: Head,
    history: HeadHistory,
    series: Prepared,
    starts: I64,
    offset_steps: int,
    *,
    neighbors: int,
) -> Attended:
    """Let tokens of a series look for their analogues.

    Args:
        head: the head.
        history: what it may attend to.
        series: the series to judge.
        starts: (tokens,) int64, the tokens, see `token_starts`.
        offset_steps: step of the training grid at which the series begins.
        neighbors: analogues per token.
    """
    found = np.empty((len(starts), neighbors), dtype=np.int64)
    weights = np.empty((len(starts), neighbors), dtype=np.float32)
    for piece in _pieces(
        len(starts), (int(starts[0]) + offset_steps) // head.spec.stride_steps if len(starts) else 0
    ):
        some = starts[piece]
        begin, end = (int(some[0]), int(some[-1]) + head.spec.window_steps) if len(some) else (0, 0)
        values = searchable(series.values[begin:end])
        queries = window_keys(values, some - begin, head).to(history.keys.device)
        if history.joined_keys is None:
            told = attend(head, queries, history.keys, some + offset_steps, history.times, neighbors)
        else:
            told = attend_to_both(head, queries, history, some + offset_steps, neighbors)
        found[piece], weights[piece] = told
    return Attended(starts, found, weights)


def _pieces(tokens: int, first: int) -> Iterator[slice]:
    """Tokens in pieces, for the sake of memory; groups of queries that share what they find stay whole.

    Args:
        tokens: how many.
        first: place of the first one on the history's grid.
    """
    begin = 0
    while begin < tokens or begin == 0:
        end = begin + _PIECE_TOKENS - (first + begin) % _PIECE_TOKENS
        # The last token may lie off the grid, and so cannot begin a piece.
        end = end if end < tokens - 1 else tokens
        yield slice(begin, end)
        if end == 0:
            return
        begin = end
