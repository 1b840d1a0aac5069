"""Results of chunks of queries, concatenated as they come."""

from __future__ import annotations

import torch
from torch import Tensor


class Parts:
    """Collects tuples of tensors chunk by chunk, along their first dimension.

    Without gradients every chunk is copied at once into one tensor per place. Kept as small tensors between
    large temporaries they would leave holes in the heap as large as the temporaries: 2.5 GB for 57,000 queries
    over 8,600 keys. With gradients they are kept and concatenated, since a write into a part of a tensor makes
    the backward pass copy all of it for every chunk.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._filled = 0
        self._whole: list[Tensor | None] | None = None
        self._kept: list[tuple[Tensor | None, ...]] = []

    def add(self, *part: Tensor | None) -> None:
        """Add the next chunk; a place is a tensor in every chunk or in none."""
        if any(tensor is not None and tensor.requires_grad for tensor in part):
            self._kept.append(part)
            return
        if self._whole is None:
            self._whole = [
                None if tensor is None else tensor.new_empty((self._rows, *tensor.shape[1:]))
                for tensor in part
            ]
        length = next(len(tensor) for tensor in part if tensor is not None)
        for whole, tensor in zip(self._whole, part, strict=True):
            if whole is not None and tensor is not None:
                whole[self._filled : self._filled + length] = tensor
        self._filled += length

    def whole(self) -> tuple[Tensor | None, ...]:
        """Every place, whole."""
        if self._kept:
            return tuple(
                None if place[0] is None else torch.cat([tensor for tensor in place if tensor is not None])
                for place in zip(*self._kept, strict=True)
            )
        return () if self._whole is None else tuple(self._whole)
