"""Sparse against dense attention: time as ratios within one run, and how faithful the sparse result is.

    python benchmarks/attention.py --data DIR [--sizes 4096,16384] [--repeats 3] [--threads 2] [--out FILE]

`DIR` holds `ecg_mba/*.parquet` with a column `value`; without `--data` only made tokens are used.
Every method runs once per round, in turn; a figure is the median over rounds of its time divided by
the dense path's in the same round. The temperature makes about eight keys carry the weight. The dense
path of logscan is exact (with exclusion, log-partition and 16 neighbours) and is the yardstick of the
quality columns; torch's SDPA gets the same logits but neither exclusion nor neighbours.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from logscan.attention import AttentionResult, content_tree, sparse_attention

WIDTH = 32  # token dimensions
WINDOW_STEPS, STRIDE_STEPS = 64, 4
CARRYING_KEYS = 8.0
NEIGHBORS = 16


@dataclass(frozen=True)
class Case:
    """One self-attention problem: history tokens looking for analogues."""

    name: str
    tokens: Tensor  # (N, WIDTH)
    times: Tensor  # (N,)
    scale: float

    def arguments(self) -> dict[str, Any]:
        """What every implementation is called with."""
        return {
            "query": self.tokens,
            "key": self.tokens,
            "value": self.tokens,
            "scale": self.scale,
            "key_bias": -0.5 * self.scale * self.tokens.square().sum(dim=1),
            "query_time": self.times,
            "key_time": self.times,
            "exclusion": WINDOW_STEPS,
            "return_log_partition": True,
            "return_neighbors": NEIGHBORS,
        }


def window_tokens(signal: np.ndarray, count: int) -> Tensor:
    """The first `count` windows of a signal in their leading principal components, (count, WIDTH) float32."""
    steps = (count - 1) * STRIDE_STEPS + WINDOW_STEPS
    signal = (signal[:steps] - signal[:steps].mean()) / signal[:steps].std()
    windows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW_STEPS)[::STRIDE_STEPS]
    rows = torch.from_numpy(windows.astype(np.float32))
    rows = rows - rows.mean(dim=0)
    _, axes = torch.linalg.eigh(rows.T @ rows)
    return rows @ axes[:, -WIDTH:]


def made_signal(name: str, steps: int) -> np.ndarray:
    """A random walk, or a wave of wandering period with noise."""
    draw = np.random.default_rng(0)
    if name == "walk":
        return draw.standard_normal(steps).cumsum()
    phase = np.cumsum(2 * np.pi / 100 * (1 + 0.05 * np.sin(np.arange(steps) / 5000)))
    return np.sin(phase) + 0.4 * np.sin(3 * phase) + 0.1 * draw.standard_normal(steps)


def case(name: str, count: int, data: Path | None) -> Case | None:
    """The tokens of one source at one size; `None` where the source is absent or too short."""
    steps = (count - 1) * STRIDE_STEPS + WINDOW_STEPS
    if name == "ecg":
        files = sorted((data / "ecg_mba").glob("*.parquet")) if data else []
        if not files:
            return None
        signal = pd.read_parquet(files[0])["value"].to_numpy(dtype=np.float64)
        if len(signal) < steps:
            return None
    else:
        signal = made_signal(name, steps)
    tokens = window_tokens(signal, count)
    times = STRIDE_STEPS * torch.arange(count)
    return Case(name, tokens, times, sharp_scale(tokens, times))


def sharp_scale(tokens: Tensor, times: Tensor) -> float:
    """The scale at which the median query spreads its weight over about `CARRYING_KEYS` keys."""
    sample = torch.randperm(len(tokens), generator=torch.Generator().manual_seed(0))[:256]
    squared = torch.cdist(tokens[sample].double(), tokens.double()).square()
    squared[(times[sample][:, None] - times).abs() < WINDOW_STEPS] = torch.inf
    low, high = 1e-9, 1e9
    for _ in range(60):
        middle = (low * high) ** 0.5
        weights = torch.softmax(-0.5 * middle * squared, dim=1)
        entropy = -(weights * weights.clamp(min=1e-300).log()).sum(dim=1)
        low, high = (middle, high) if float(entropy.exp().median()) > CARRYING_KEYS else (low, middle)
    return middle


def methods(problem: Case) -> dict[str, Callable[[], AttentionResult | Tensor]]:
    """What is compared, by name."""
    arguments = problem.arguments()
    scaled = torch.cat([problem.tokens * problem.scale, torch.ones(len(problem.tokens), 1)], dim=1)
    keys = torch.cat([problem.tokens, arguments["key_bias"][:, None]], dim=1)
    plain = {name: arguments[name] for name in ("query", "key", "value", "scale", "key_bias")}
    times = {name: arguments[name] for name in ("query_time", "key_time", "exclusion")}
    tree = content_tree(problem.tokens)

    def sparse(every: int) -> Callable[[], AttentionResult]:
        return lambda: sparse_attention(**arguments, implementation="sparse", tree=tree, anchor_every=every)

    def torch_sdpa() -> Tensor:
        heads = (tensor[None, None] for tensor in (scaled, keys, problem.tokens))
        return torch.nn.functional.scaled_dot_product_attention(*heads, scale=1.0)

    return {
        "dense": lambda: sparse_attention(**arguments, implementation="dense"),
        "dense output only": lambda: sparse_attention(**plain, **times, implementation="dense"),
        "torch SDPA": torch_sdpa,
        "build tree": lambda: content_tree(problem.tokens).mean,
        "sparse, anchor 16": sparse(16),
        "sparse, anchor 8": sparse(8),
        "sparse, anchor 4": sparse(4),
        "sparse, anchor 1": sparse(1),
    }


def ranks(numbers: Tensor) -> Tensor:
    """Rank of every number, as float64."""
    return numbers.argsort().argsort().double()


def quality(found: AttentionResult, exact: AttentionResult) -> dict[str, float]:
    """How faithful a result is to the exact one."""
    assert found.neighbors is not None
    assert exact.neighbors is not None
    assert found.output is not None
    assert exact.output is not None
    assert found.log_partition is not None
    assert exact.log_partition is not None
    same = exact.neighbors[:, :, None] == found.neighbors[:, None, :]
    pair = torch.stack([ranks(found.log_partition), ranks(exact.log_partition)])
    return {
        "nearest_found": float(same[:, 0].any(dim=1).float().mean()),
        "neighbors_found": float(same.any(dim=2).float().mean()),
        "output_error": float((found.output - exact.output).norm() / exact.output.norm()),
        "log_partition_rank_correlation": float(torch.corrcoef(pair)[0, 1]),
    }


def measured(problem: Case, repeats: int) -> list[dict[str, Any]]:
    """One row per method: median seconds, median ratio to the dense path, quality."""
    compared = methods(problem)
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    results: dict[str, AttentionResult | Tensor] = {}
    for _ in range(repeats):
        for name, run in compared.items():
            start = time.perf_counter()
            results[name] = run()
            seconds[name].append(time.perf_counter() - start)
    exact = results["dense"]
    assert isinstance(exact, AttentionResult)
    rows = []
    for name, taken in seconds.items():
        ratios = [one / dense for one, dense in zip(taken, seconds["dense"], strict=True)]
        result = results[name]
        rows.append(
            {
                "tokens": problem.name,
                "n": len(problem.tokens),
                "method": name,
                "seconds": median(taken),
                "times_dense": median(ratios),
            }
            | (
                quality(result, exact)
                if isinstance(result, AttentionResult) and name.startswith("sparse")
                else {}
            )
        )
    return rows


def main() -> None:
    """Run every source and size and print the table as it grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sizes", default="4096,16384,57344")
    parser.add_argument("--sources", default="ecg,periodic,walk")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    table: list[dict[str, Any]] = []
    print("tokens       n  method                seconds  x dense  nearest  of 16  error   rank corr.")
    for size in map(int, options.sizes.split(",")):
        for name in options.sources.split(","):
            problem = case(name, size, options.data)
            if problem is None:
                print(f"{name:9}{size:6}  skipped: not in --data, or shorter than this")
                continue
            for row in measured(problem, options.repeats):
                table.append(row)
                line = f"{name:9}{size:6}  {row['method']:20}{row['seconds']:9.3f}{row['times_dense']:9.3f}"
                if "nearest_found" in row:
                    line += (
                        f"{row['nearest_found']:9.3f}{row['neighbors_found']:7.3f}{row['output_error']:7.3f}"
                    )
                    line += f"{row['log_partition_rank_correlation']:9.4f}"
                print(line, flush=True)
    if options.out:
        options.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
