"""Random numbers that are the same on every machine and with every numpy.

Numpy promises the bits of `PCG64`, not the stream of `normal` or `poisson` (NEP 19). So everything
here is made of uniform draws, with additions and comparisons.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter, lfiltic

from logscan.records import F64, I64


class Draws:
    """A seeded source of random numbers."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(seed))

    def uniform(self, count: int) -> F64:
        """Uniform on [0, 1), (count,)."""
        return self._generator.random(count)

    def normal(self, count: int) -> F64:
        """Mean 0, spread 1, (count,): the sum of twelve uniforms (Irwin-Hall), which never passes 6."""
        total = np.full(count, -6.0)
        for _ in range(12):
            total += self._generator.random(count)
        return total

    def wander(self, count: int, spread: float, memory_steps: float) -> F64:
        """A first-order autoregression of standard deviation `spread`, (count,)."""
        keep = 1.0 - 1.0 / memory_steps
        shocks = self.normal(count) * spread * np.sqrt(1.0 - keep * keep)
        start = lfiltic([1.0], [1.0, -keep], [float(self.normal(1)[0]) * spread])
        return np.asarray(lfilter([1.0], [1.0, -keep], shocks, zi=start)[0], dtype=np.float64)

    def poisson(self, rate: F64) -> I64:
        """One count for each rate (below 100), by inversion of the distribution function."""
        level = self.uniform(rate.size)
        term = np.exp(-rate)
        total = term.copy()
        counts = np.zeros(rate.size, dtype=np.int64)
        for k in range(1, 400):
            above = level >= total
            if not above.any():
                break
            counts += above
            term = term * rate / k
            total = np.where(above, total + term, total)
        return counts

    def choice(self, count: int, weights: F64) -> I64:
        """Indices drawn in proportion to `weights`, (count,)."""
        edges = np.cumsum(weights)
        return np.searchsorted(edges / edges[-1], self.uniform(count), side="right").astype(np.int64)
