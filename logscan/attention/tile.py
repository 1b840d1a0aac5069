"""The arithmetic of a tile of queries: exact logits, coarse logits, one softmax over both. Differentiable."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.coarse import coarse_logits
from logscan.attention.layout import DEAD, forbid
from logscan.attention.tile_records import TileFacts, TileRows


@dataclass(frozen=True, slots=True)
class TileResult:
    """What comes out, per tile and row."""

    output: Tensor  # (tiles, rows, dv)
    log_partition: Tensor  # (tiles, rows)
    logit: Tensor | None  # (tiles, rows, k) heaviest exact keys
    position: Tensor | None  # (tiles, rows, k) int64, -1 for none


def attend_tiles(rows: TileRows, facts: TileFacts, neighbors: int) -> tuple[TileResult, Tensor]:
    """Attention of a chunk of tiles, and the coarse logits (tiles, rows, n)."""
    # the coarse terms need the logits before the forbidden ones are put away
    time_logits = torch.bmm(rows.query, rows.time_key.transpose(1, 2))
    coarse = coarse_logits(rows, facts, time_logits)
    leaf_logits = torch.bmm(rows.query, rows.leaf_key.transpose(1, 2))
    if facts.band is not None:
        forbid(time_logits, facts.band, facts.slots, facts.time_position)
        forbid(leaf_logits, facts.band, facts.slots, facts.leaf_position)
    if facts.since is not None:
        row = torch.arange(time_logits.shape[1], device=time_logits.device)[:, None]
        time_logits = time_logits.masked_fill(facts.since[:, None] > row, DEAD)
    exact = [time_logits, leaf_logits]
    parts = [part for part in (*exact, coarse) if part.shape[2]]
    logits = parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)
    weights = torch.softmax(logits, dim=2)
    output = rows.time_value.new_zeros(1)
    start = 0
    for value in (rows.time_value, rows.leaf_value, rows.node_value):
        if value.shape[1]:
            share = weights[:, :, start : start + value.shape[1]]
            output = torch.bmm(share, value) if not start else torch.baddbmm(output, share, value)
            start += value.shape[1]
    # softmax has already summed: log Z = l_max - log p_max
    log_partition = logits.amax(dim=2) - weights.amax(dim=2).log()
    logit = position = None
    if neighbors:
        logit, position = _heaviest(exact, facts, neighbors)
    return TileResult(output, log_partition, logit, position), coarse


def _heaviest(exact: list[Tensor], facts: TileFacts, neighbors: int) -> tuple[Tensor, Tensor]:
    """The heaviest exact keys of every row: logits and positions, heaviest first."""
    found, places = [], []
    for logits, position in zip(exact, (facts.time_position, facts.leaf_position), strict=True):
        column = logits.detach().topk(min(neighbors, logits.shape[2]), dim=2).indices
        found.append(logits.gather(2, column))
        places.append(position.gather(1, column.flatten(1)).view_as(column))
    logit, place = torch.cat(found, dim=2), torch.cat(places, dim=2).long()
    column = logit.detach().topk(min(neighbors, logit.shape[2]), dim=2).indices
    logit, place = logit.gather(2, column), place.gather(2, column)
    return logit, place.masked_fill(logit < DEAD / 10, -1)
