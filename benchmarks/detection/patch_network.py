"""A small convolutional network over patches, with a memory of training patches. Our own, after PaAno.

PaAno embeds short patches with a one-dimensional convolutional network, learnt so that patches next to each
other in time come close and others do not, and scores a patch by its distance to the nearest embedded training
patches. This one keeps that idea and is smaller, so that it trains on one core within `_SECONDS`: three
convolutions, a triplet loss against the farthest patch of the batch, no second task, and a memory of evenly
spaced training patches in place of cluster centres. Its figures are not PaAno's.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from logscan.core.windows import window_starts
from logscan.records import F32, F64, I64

_CHANNELS = (32, 64, 64)
_KERNELS = (7, 5, 3)
_PROJECTION = 128
_ITERATIONS = 200
_BATCH = 128
_RADIUS = 2  # a patch this many steps earlier or later is the same thing
_MARGIN = 0.5
_RATE = 1e-3
_SECONDS = 60.0  # training stops here, however far it is
_BANK = 4096  # remembered patches, evenly spaced
_NEAREST = 3  # remembered patches a distance is averaged over
_SCORED = 60_000  # patches embedded; a longer series is scored at every second patch, or third ...
_CHUNK = 1024


class PatchNetwork(nn.Module):
    """Embeds patches: (patches, channels, steps) -> (patches, 64)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for width, kernel in zip(_CHANNELS, _KERNELS, strict=True):
            layers += [
                nn.Conv1d(before, width, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
            ]
            before = width
        self.layers = nn.Sequential(*layers)
        self.project = nn.Sequential(
            nn.Linear(before, _PROJECTION), nn.ReLU(), nn.Linear(_PROJECTION, _PROJECTION)
        )

    def forward(self, patches: Tensor) -> Tensor:
        """The mean over steps of the last layer."""
        embedded: Tensor = self.layers(patches).mean(dim=2)
        return embedded


def patch_distances(values: F32, train_rows: int, length: int, *, seed: int) -> tuple[I64, F64]:
    """Train on the first rows and score patches of all.

    Args:
        values: (rows, channels) float32, finite, scaled.
        train_rows: rows to learn from.
        length: rows of a patch, at most `train_rows - 1`.
        seed: of weights and batches.

    Returns:
        starts (patches,) int64, and for each the mean cosine distance to the nearest remembered patches.
    """
    torch.manual_seed(seed)
    # (rows - length + 1, channels, length): a view, so that overlapping patches cost no memory
    patches = torch.from_numpy(np.ascontiguousarray(values)).unfold(0, length, 1)
    known = train_rows - length + 1
    network = PatchNetwork(values.shape[1])
    _train(network, patches[:known])
    network.eval()
    with torch.inference_mode():
        kept = torch.linspace(0, known - 1, min(known, _BANK)).round().long().unique()
        bank = functional.normalize(_embedded(network, patches, kept), dim=1)
        starts = window_starts(len(values), length, -(-len(patches) // _SCORED))
        embedded = functional.normalize(_embedded(network, patches, torch.from_numpy(starts)), dim=1)
        nearest = min(_NEAREST, len(bank))
        distances = [
            1.0 - (part @ bank.T).topk(nearest, dim=1).values.mean(dim=1) for part in embedded.split(_CHUNK)
        ]
    return starts, torch.cat(distances).double().numpy()


def _train(network: PatchNetwork, patches: Tensor) -> None:
    """Triplet loss: a patch is nearer to its neighbour in time than to the farthest neighbour of others."""
    started = time.perf_counter()
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _ITERATIONS, _RATE / 10)
    batch = min(_BATCH, len(patches))
    offsets = torch.tensor([step for step in range(-_RADIUS, _RADIUS + 1) if step])
    for _ in range(_ITERATIONS):
        anchor = torch.randperm(len(patches))[:batch]
        beside = anchor + offsets[torch.randint(len(offsets), (batch,))]
        # At the ends the neighbour lies on the other side.
        beside = torch.where((beside < 0) | (beside >= len(patches)), 2 * anchor - beside, beside)
        both = torch.cat((anchor, beside)).clamp(0, len(patches) - 1)
        projected = functional.normalize(network.project(network(patches[both])), dim=1)
        distances = 1.0 - projected[:batch] @ projected[batch:].T
        same = distances.diagonal()
        others = distances.masked_fill(torch.eye(batch, dtype=torch.bool), -torch.inf).amax(dim=1)
        loss = functional.relu(same - others + _MARGIN).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if time.perf_counter() - started > _SECONDS:
            break


def _embedded(network: PatchNetwork, patches: Tensor, chosen: Tensor) -> Tensor:
    """The chosen patches, few at a time."""
    return torch.cat([network(patches[part]) for part in chosen.split(_CHUNK)])
