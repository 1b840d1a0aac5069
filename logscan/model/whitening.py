"""Residual whitening: residuals per channel, weighed by the spread of normal residuals.

A residual of a normal window is larger along some directions than along others: slow swings are rebuilt worse than
the noise of single steps. Its plain mean square drowns what is small and never happens in what is large and
happens always. So it is measured along the directions of the channel's normal residuals, each in units of its own
spread (Mahalanobis, "On the generalised distance in statistics", 1936), scaled so that the mean over normal
windows stays the mean square.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from logscan.records import F32, F64, Bool

_PRODUCT_ROWS = 256
# Of the mean variance, added to every direction: below it a spread is not known from few windows.
_RIDGE = 0.01
_LEAST_VARIANCE = 1e-6  # squared channel units: what is always rebuilt perfectly must not divide by nothing


def row_products(rows: Tensor, matrix: Tensor) -> Tensor:
    """`rows @ matrix`, where the digits of a row do not depend on how many rows come with it.

    Libraries choose how to multiply, and so how to round, by the shape of the product: it is always the same here.

    Args:
        rows: (..., n, d).
        matrix: (..., d, e), with the leading dimensions of `rows`.
    """
    product = rows.new_empty(*rows.shape[:-1], matrix.shape[-1])
    for begin in range(0, rows.shape[-2], _PRODUCT_ROWS):
        piece = rows[..., begin : begin + _PRODUCT_ROWS, :]
        count = piece.shape[-2]
        whole = pad(piece, (0, 0, 0, _PRODUCT_ROWS - count))
        product[..., begin : begin + count, :] = (whole @ matrix)[..., :count, :]
    return product


class ResidualSpread:
    """Second moments of normal residuals, channel by channel, added up in pieces."""

    def __init__(self, features: int, channels: int) -> None:
        self._sum: F64 = np.zeros((channels, features, features))
        self._count: F64 = np.zeros(channels)

    def add(self, differences: F32, normal: Bool) -> None:
        """Add windows.

        Args:
            differences: (windows, features, channels) float32, observed minus rebuilt.
            normal: (windows, channels) bool, those to count.
        """
        rows = np.where(normal[:, None], differences, np.float32(0)).transpose(2, 1, 0)
        self._sum += (rows @ rows.transpose(0, 2, 1)).astype(np.float64)
        self._count += normal.sum(axis=0)

    def plus(self, other: ResidualSpread) -> ResidualSpread:
        """Both together."""
        both = ResidualSpread(self._sum.shape[1], len(self._sum))
        both._sum, both._count = self._sum + other._sum, self._count + other._count
        return both

    def whitening(self) -> F32:
        """(channels, features, features) float32, to multiply a channel's residual with from the right.

        A channel without normal windows gets the identity: the plain mean square.
        """
        moments = self._sum / np.maximum(self._count, 1)[:, None, None]
        mean = np.trace(moments, axis1=1, axis2=2) / moments.shape[1]
        variances, directions = np.linalg.eigh(moments)
        variances = np.maximum(variances, 0)
        known = variances + _RIDGE * mean[:, None] + _LEAST_VARIANCE
        # each direction in units of its spread, then all by one factor that keeps the mean square
        factor = mean / np.maximum((variances / known).mean(axis=1), 1e-300)
        found = directions * np.sqrt(factor[:, None] / known)[:, None, :]
        found[mean <= 0] = np.eye(moments.shape[1])
        return np.ascontiguousarray(found.astype(np.float32))


def residual_power(differences: F32, whitening: F32 | None) -> F32:
    """Mean square of the weighed residual, (windows, channels) float32.

    Args:
        differences: (windows, features, channels) float32, observed minus rebuilt.
        whitening: (channels, features, features) float32 from `ResidualSpread`; `None` leaves them as they are.
    """
    if whitening is None:
        plain: F32 = np.square(differences).mean(axis=1)
        return plain
    rows = torch.from_numpy(np.ascontiguousarray(differences.transpose(2, 0, 1)))
    power: F32 = row_products(rows, torch.from_numpy(whitening)).square().mean(dim=2).T.numpy()
    return power
