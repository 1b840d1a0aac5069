"""Small logs with a known rhythm, and the faults that tests plant in them."""

from pathlib import Path

import numpy as np

CHANNELS = ("flow", "press", "temp")
PERIOD = 31  # steps
CONFIG = "[encoder]\nscales = [8, 16]\n"


def values(rows: int, seed: int = 3) -> np.ndarray:
    """(rows, 3) float64: three waves of one rhythm with a little noise, in their own units."""
    time = 2 * np.pi * np.arange(rows) / PERIOD
    waves = np.stack(
        [10 + 3 * np.sin(time), 5 + np.cos(time) + 0.5 * np.sin(2 * time), 40 - 2 * np.cos(time)], axis=1
    )
    return waves + np.random.default_rng(seed).normal(0, 0.1, waves.shape)


def times(rows: int, first: str = "2024-01-01T00:00") -> list[str]:
    """One time a minute, as people write it."""
    moments = np.datetime64(first, "m") + np.arange(rows)
    return [str(moment).replace("T", " ") for moment in moments]


def lines(cells: np.ndarray) -> list[str]:
    """One CSV line per row with its time; NaN is an empty cell."""
    return [
        ",".join([time, *("" if np.isnan(cell) else f"{cell:.4f}" for cell in row)])
        for time, row in zip(times(len(cells)), cells, strict=True)
    ]


def write_log(path: Path, cells: np.ndarray, channels: tuple[str, ...] = CHANNELS) -> Path:
    """Write a CSV log."""
    path.write_text("\n".join([",".join(["time", *channels]), *lines(cells)]) + "\n")
    return path
