"""Growing sums per entity and key."""

import numpy as np

from logscan.read.grid.sums import Accumulator
from tests.oracles import grid_means_oracle


def test_accumulator_equals_the_loop():
    """Sums per entity and key, whatever the order and the blocks, are those of a plain loop."""
    rng = np.random.default_rng(13)
    entity, key = rng.integers(0, 3, 401).astype(np.int32), rng.integers(0, 37, 401)
    values = np.where(rng.random((401, 2)) < 0.2, np.nan, rng.normal(size=(401, 2)))
    accumulator = Accumulator(2)
    for part in np.array_split(np.arange(401), 7):
        accumulator.add(entity[part], key[part], values[part].T)
        if part[0] % 2:
            accumulator.entities()
    sums = accumulator.entities()
    expected = grid_means_oracle(entity.tolist(), key.tolist(), values.tolist())
    found = [(code, int(key)) for code in sorted(sums) for key in sums[code].times()]
    assert found == [pair for pair, _ in expected]
    blocks = [block for code in sorted(sums) for block in sums[code].blocks]
    means = [np.stack([block.means(channel) for channel in range(2)], axis=1) for block in blocks]
    np.testing.assert_allclose(np.concatenate(means), [means for _, means in expected])
    assert sum(one.rows() for one in sums.values()) == 401
