"""Mean and spread over seeds, as a Markdown table, from results of `benchmarks/detection/run.py --seed N`.

    python -m benchmarks detection seeds seed0.json seed1.json ...

The spread is the standard deviation between seeds (n - 1). The last row is that of the mean over data sets: the mean
is taken first, then its spread, so what one data set gains and another loses cancels as it does in one run.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.detection.summary import MEAN_OVER

FIGURES = {"VUS-PR": "vus_pr", "AUC-PR": "auc_pr"}


def seed_table(runs: list[dict[str, Any]]) -> str:
    """The table of several runs.

    Raises:
        ValueError: fewer than two runs, a seed twice, or runs over different data sets.
    """
    seeds = [run["settings"]["seed"] for run in runs]
    if len(runs) < 2 or len(set(seeds)) < len(seeds):
        raise ValueError(f"a spread needs two seeds or more, each once, got {seeds}")
    names = list(runs[0]["datasets"])
    if any(set(run["datasets"]) != set(names) for run in runs):
        raise ValueError("the runs are of different data sets")
    meant = [name for name in MEAN_OVER if name in names]
    lines = [_row(["data set", *FIGURES]), _row(["---"] * (1 + len(FIGURES)))]
    for name in (*meant, *sorted(set(names) - set(meant))):
        lines.append(
            _row([name, *(_spread([run["datasets"][name][key] for run in runs]) for key in FIGURES.values())])
        )
        if meant and name == meant[-1]:
            cells = [_spread([mean_over(run, key) for run in runs]) for key in FIGURES.values()]
            lines.append(_row([f"**mean over these {len(meant)}**", *(f"**{cell}**" for cell in cells)]))
    return "\n".join(lines)


def mean_over(run: dict[str, Any], key: str) -> float | None:
    """Mean of a figure over those data sets of `MEAN_OVER` that the run holds; `None` where one lacks it."""
    values = [part[key] for name, part in run["datasets"].items() if name in MEAN_OVER]
    return None if not values or None in values else statistics.mean(values)


def _spread(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "–"
    return f"{statistics.mean(known):.4f} ± {statistics.stdev(known):.4f}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+")
    print(seed_table([json.loads(path.read_text()) for path in parser.parse_args().results]))


if __name__ == "__main__":
    main()
