"""Exact attention over all keys, in chunks of queries that stay in the cache.

The top-k is what costs in a naive version: `torch.topk` over whole rows takes longer than the matrix
product. Here the maxima of strided blocks of keys are taken first (one vectorised pass), the k best
blocks are kept, and only their members are compared: exact, because a key among the k largest lies
in a block whose maximum is among the k largest.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from logscan.attention.neighbors import BLOCK_KEYS, named_neighbors, top_keys
from logscan.attention.parts import Parts
from logscan.attention.problem import AttentionResult, Problem

CHUNK_BYTES_CPU = 4 << 20  # logits of one chunk; 1 to 8 MB measured alike, 16 MB half as fast
CHUNK_BYTES_CUDA = 64 << 20
MASK_ROWS = 256  # of one mask, on the CPU: 64 to 1,024 measured, 256 best from 1,024 to 8,192 keys
LEAST_ROWS = 16  # a product of one to three rows rounds differently; a row must not depend on its company
NO_WEIGHT = -50.0  # logits this far under the largest have no weight: a million of them are 2e-16 of it

_Part = tuple[Tensor | None, Tensor, Tensor, Tensor]  # output, log-partition, top keys, their weights


def dense_attention(
    problem: Problem, *, neighbors: int = 0, chunk_queries: int | None = None
) -> AttentionResult:
    """Exact attention; every field is filled except the output without values.

    Args:
        problem: queries, keys and forbidden intervals.
        neighbors: how many of the heaviest keys to return per query; 0 for none.
        chunk_queries: queries computed at once; `None` chooses by the number of keys alone.

    Returns:
        Output, log-partition, neighbours (caller's key indices) and their weights.
    """
    n_query, n_key = len(problem.query), len(problem.key)
    rows = chunk_queries or _chunk_rows(problem.key)
    without_key = problem.without_key
    # a row without keys is computed unmasked and overwritten: NaN in softmax would poison gradients
    blocked_to = torch.where(without_key, problem.blocked_from, problem.blocked_to)
    padding = -n_key % BLOCK_KEYS
    key_t = torch.nn.functional.pad(problem.key, (0, 0, 0, padding)).t()
    columns = torch.arange(n_key, device=key_t.device)
    parts = Parts(n_query)
    spans = _blocked_spans(problem.blocked_from, blocked_to, rows)
    for start, (first, last) in zip(range(0, n_query, rows), spans, strict=True):
        chunk = slice(start, start + rows)
        query = problem.query[chunk]
        taken = len(query)
        logits = torch.nn.functional.pad(query, (0, 0, 0, max(0, LEAST_ROWS - taken))) @ key_t
        logits[:, n_key:] = -torch.inf
        if first < last:
            column = columns[first:last]
            blocked = column >= problem.blocked_from[chunk, None]
            blocked &= column < blocked_to[chunk, None]
            logits[:taken, first:last].masked_fill_(blocked, -torch.inf)
        part = _attend(logits, problem.value, max(neighbors, 1))
        parts.add(*(part if taken == len(logits) else _cut(part, taken)))
    return _joined(parts, problem, without_key, neighbors)


def dense_output(problem: Problem, *, chunk_queries: int | None = None) -> AttentionResult:
    """Exact output and nothing else, by torch's own attention: as fast as dense can be.

    Bias and forbidden intervals are a mask, made for a chunk of queries at a time.
    """
    value = problem.value
    assert value is not None
    width = problem.key.shape[1] - problem.has_bias
    key = problem.key[:, :width]
    bias = problem.key[:, width] if problem.has_bias else key.new_zeros(len(key))
    rows = min(chunk_queries or (_chunk_rows(key) if key.is_cuda else MASK_ROWS), len(problem.query))
    without_key = problem.without_key
    blocked_to = torch.where(without_key, problem.blocked_from, problem.blocked_to)
    columns = torch.arange(len(key), device=key.device)
    spans = _blocked_spans(problem.blocked_from, blocked_to, rows)
    banded = any(first < last for first, last in spans)
    # one mask for all chunks: only the columns that a chunk forbids are written, and put back
    mask = bias.repeat(rows, 1) if banded and not bias.requires_grad else bias.expand(rows, -1)
    parts = Parts(len(problem.query))
    for start, (first, last) in zip(range(0, len(problem.query), rows), spans, strict=True):
        chunk = slice(start, start + rows)
        query = problem.query[chunk, :width]
        own = mask[: len(query)]
        if first < last:
            column = columns[first:last]
            blocked = (column >= problem.blocked_from[chunk, None]) & (column < blocked_to[chunk, None])
            inside = own[:, first:last].masked_fill(blocked, -torch.inf)
            if bias.requires_grad:
                own = torch.cat([own[:, :first], inside, own[:, last:]], dim=1)
            else:
                own[:, first:last] = inside
        attended = scaled_dot_product_attention(
            query[None, None], key[None, None], value[None, None], attn_mask=own[None, None], scale=1.0
        )
        parts.add(attended[0, 0])
        if first < last and not bias.requires_grad:
            own[:, first:last] = bias[first:last]
    (output,) = parts.whole()
    assert output is not None
    return AttentionResult(output.masked_fill(without_key[:, None], torch.nan), None, None, None)


def _chunk_rows(key: Tensor) -> int:
    """Queries per chunk, from the number of keys alone: a row's result must not depend on the batch."""
    limit = CHUNK_BYTES_CUDA if key.is_cuda else CHUNK_BYTES_CPU
    return max(1, limit // (len(key) * key.element_size()))


def _blocked_spans(blocked_from: Tensor, blocked_to: Tensor, rows: int) -> list[tuple[int, int]]:
    """Per chunk, the columns any of its forbidden intervals touches; first >= last when none does."""
    empty = blocked_from >= blocked_to
    start = torch.where(empty, torch.iinfo(torch.int64).max, blocked_from)
    end = torch.where(empty, 0, blocked_to)
    firsts = [int(part.amin()) for part in torch.split(start.cpu(), rows)]
    lasts = [int(part.amax()) for part in torch.split(end.cpu(), rows)]
    return list(zip(firsts, lasts, strict=True))


def _attend(logits: Tensor, value: Tensor | None, neighbors: int) -> _Part:
    """Output, log-partition, neighbours and weights of one chunk of logits (rows, keys + padding)."""
    heaviest = top_keys(logits.detach(), neighbors)
    top = logits.gather(1, heaviest[:, :1])
    # weights under e^-50 become 0, not denormal numbers, which cost the processor as much as all the rest
    shifted = torch.nn.functional.threshold(logits - top.detach(), NO_WEIGHT, -torch.inf)
    weights = torch.softmax(shifted, dim=1)
    neighbor_weights = weights.gather(1, heaviest)
    # softmax has already summed: log Z = l_max - log p_max, and p_max >= 1/keys never underflows
    log_partition = top.squeeze(1) - neighbor_weights[:, 0].log()
    output = None if value is None else weights[:, : len(value)] @ value
    return output, log_partition, heaviest, neighbor_weights


def _cut(part: _Part, rows: int) -> _Part:
    """The first rows of a chunk's results."""
    output, log_partition, found, weights = part
    return None if output is None else output[:rows], log_partition[:rows], found[:rows], weights[:rows]


def _joined(parts: Parts, problem: Problem, without_key: Tensor, neighbors: int) -> AttentionResult:
    """The chunks as one result, with key indices as the caller counts them."""
    output, log_partition, found, weights = parts.whole()
    assert log_partition is not None
    assert found is not None
    assert weights is not None
    log_partition = log_partition.masked_fill(without_key, -torch.inf)
    if output is not None:
        output = output.masked_fill(without_key[:, None], torch.nan)
    if not neighbors:
        return AttentionResult(output, log_partition, None, None)
    found, weights = named_neighbors(found, weights, without_key, problem, neighbors)
    return AttentionResult(output, log_partition, found, weights)
