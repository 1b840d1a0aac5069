"""Keys and values cut into blocks that lie in one piece of memory: taking a block is one copy.

Two cuts are used: stretches of time (analogues run along with the query) and leaves of the content tree.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from logscan.attention.problem import Problem, position_type
from logscan.attention.tree import ContentTree

DEAD = -1e30  # the logit of a key that must get no weight; finite, so that no gradient turns NaN


@dataclass(frozen=True, slots=True)
class KeyBlocks:
    """Keys and values by block. The last block is empty: its keys are dead, and it stands for "no block"."""

    key: Tensor  # (blocks + 1, block_keys * d')
    value: Tensor  # (blocks + 1, block_keys * dv)
    position: Tensor  # (blocks + 1, block_keys) floating position in the problem's keys, -1 for an empty slot

    @property
    def none(self) -> int:
        """The id of the empty block."""
        return len(self.key) - 1

    @property
    def block_keys(self) -> int:
        """Slots per block."""
        return self.position.shape[1]

    def rows(self) -> tuple[Tensor, Tensor]:
        """Keys (blocks, block_keys, d') and values (blocks, block_keys, dv) of the real blocks."""
        size = self.block_keys
        keys = self.key[:-1].view(self.none, size, self.key.shape[1] // size)
        return keys, self.value[:-1].view(self.none, size, self.value.shape[1] // size)

    def positions(self, blocks: Tensor) -> Tensor:
        """Positions of the keys of blocks (tiles, n): (tiles, n * block_keys)."""
        return self.position.index_select(0, blocks.flatten()).view(len(blocks), -1)


def taken(table: Tensor, blocks: Tensor, block_keys: int) -> Tensor:
    """Rows of the blocks (tiles, n) of a table (blocks, block_keys * d): (tiles, n * block_keys, d)."""
    rows = table.index_select(0, blocks.flatten())
    return rows.view(len(blocks), blocks.shape[1] * block_keys, table.shape[1] // block_keys)


def time_blocks(problem: Problem, block_keys: int) -> KeyBlocks:
    """Consecutive keys, in time."""
    n_key = len(problem.key)
    padding = -n_key % block_keys + block_keys
    position = torch.arange(n_key + padding, device=problem.key.device)
    position = position.masked_fill(position >= n_key, -1)
    value = problem.key[:, :0] if problem.value is None else problem.value

    def blocks(rows: Tensor) -> Tensor:
        padded = torch.nn.functional.pad(rows, (0, 0, 0, padding))
        return padded.view(len(padded) // block_keys, block_keys * rows.shape[1])

    last = torch.nn.functional.pad(problem.key[:, -1], (0, padding), value=DEAD)
    key = torch.nn.functional.pad(problem.key[:, :-1], (0, 0, 0, padding))
    key = torch.cat([key, last[:, None]], dim=1)
    return KeyBlocks(
        key=key.view(len(key) // block_keys, block_keys * key.shape[1]),
        value=blocks(value),
        position=position.to(position_type(n_key)).view(-1, block_keys),
    )


def leaf_blocks(problem: Problem, tree: ContentTree) -> KeyBlocks:
    """Keys leaf by leaf, masked keys left out."""
    position = _leaf_positions(problem.key_index, tree)
    position = torch.nn.functional.pad(position, (0, 0, 0, 1), value=-1)
    leaves, width = position.shape
    at = position.clamp(min=0).flatten()
    key = problem.key.index_select(0, at)
    empty = position.flatten() < 0
    last = key[:, -1].masked_fill(empty, DEAD)
    key = torch.cat([key[:, :-1].masked_fill(empty[:, None], 0.0), last[:, None]], dim=1)
    value = key[:, :0] if problem.value is None else problem.value.index_select(0, at)
    return KeyBlocks(
        key=key.view(leaves, width * key.shape[1]),
        value=value.view(leaves, width * value.shape[1]),
        position=position.to(position_type(len(problem.key))),
    )


def leaf_of_keys(by_leaf: KeyBlocks, n_key: int) -> Tensor:
    """The leaf of every position of the problem's keys, (Nk,) int32: half the memory of what is looked up most."""
    position = by_leaf.position[:-1]
    held = position >= 0
    leaf = torch.arange(len(position), dtype=torch.int32, device=position.device)[:, None].expand_as(position)
    result = torch.empty(n_key, dtype=torch.int32, device=position.device)
    result[position.masked_select(held).long()] = leaf.masked_select(held)
    return result


def _leaf_positions(key_index: Tensor, tree: ContentTree) -> Tensor:
    """The tree's members as positions in keys that stand in the order `key_index`; -1 where masked or empty."""
    last = int(tree.members.max()) + 1
    where = torch.full((last + 1,), -1, device=key_index.device)
    where[key_index] = torch.arange(len(key_index), device=key_index.device)
    members = tree.members.masked_fill(tree.members < 0, last)  # an empty slot reads the last, which stays -1
    return where.index_select(0, members.flatten()).view_as(members)


def forbid(logits: Tensor, band: tuple[Tensor, Tensor], slots: Tensor, position: Tensor) -> None:
    """Put the logits of keys in a query's forbidden interval far below all others, in place.

    Args:
        logits: (tiles, rows, keys).
        band: `Problem.band`.
        slots: (tiles, rows) query indices.
        position: (tiles, keys) floating.
    """
    centre, half = (part.index_select(0, slots.flatten()).view(*slots.shape, 1) for part in band)
    gap = position[:, None, :] - centre
    gap.abs_().sub_(half).clamp_(max=0.0)  # 0 where allowed, else a negative multiple of one half
    logits.add_(gap if gap.dtype == logits.dtype else gap.to(logits.dtype), alpha=-2 * DEAD)
