"""Wall time and peak memory of whole CLI commands on real logs, as a Markdown table.

    python -m benchmarks cli_cost --data DIR [--runs N] [--fit]

DIR is laid out like the folder of `benchmarks/detection/run.py`. Every command is a process of its own; the
figure is the median of N runs. Training takes the rows before `train_end`, or the first 15 %.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

DATASETS = (
    ("nab", "realKnownCause__machine_temperature_system_failure"),
    ("skab", "valve1__0"),
    ("smd", "machine-1-3"),
    ("gecco2018", "gecco2018_train"),
    ("ecg_mba", "MBA_ECG805"),
)
ORDERS = Path("messy") / "online_retail_orders.parquet"
ORDER_TRAIN_STEPS = 9_000  # quarter hours, about three months
TRAIN_SHARE, FEWEST_TRAIN_ROWS = 0.15, 100
SOME_SKIPPED = 3  # exit code: done, but some input was passed over


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost."""

    seconds: float
    cpu_seconds: float
    peak_mb: float  # 10^6 bytes


def command_cost(arguments: list[str]) -> Cost:
    """Run one logscan command and measure it; what it says goes to stderr, a failure ends the benchmark."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as messages:  # a pipe could fill up while nobody reads
        process = subprocess.Popen(
            [sys.executable, "-m", "logscan", *arguments], stdout=subprocess.DEVNULL, stderr=messages
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        messages.seek(0)
        text = messages.read().decode()
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, SOME_SKIPPED):
        sys.exit(f"logscan {' '.join(arguments)}: exit {code}: {text}")
    print("".join(f"    {line}\n" for line in text.splitlines()), end="", file=sys.stderr)
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def median_cost(arguments: list[str], runs: int) -> Cost:
    """The median over several runs of one command."""
    costs = [command_cost(arguments) for _ in range(runs)]
    return Cost(
        statistics.median(cost.seconds for cost in costs),
        statistics.median(cost.cpu_seconds for cost in costs),
        statistics.median(cost.peak_mb for cost in costs),
    )


def row(name: str, file: Path, train: list[str], options: list[str], runs: int) -> str:
    """One line of the table: check, train, score and report of one log."""
    with tempfile.TemporaryDirectory() as folder:
        model, scores = f"{folder}/model", f"{folder}/scores.parquet"
        cells = []
        for arguments in (
            ["check", str(file), *options],
            ["train", str(file), "--model", model, *train, *options],
            ["score", str(file), "--model", model, "--out", scores],
            ["report", scores, "--out", f"{folder}/report.html"],
        ):
            cost = median_cost(arguments, runs)
            cells.append(f"{cost.seconds:.1f} s, {cost.peak_mb:,.0f} MB")
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fit", action="store_true", help="train the layers too (the CLI's default)")
    options = parser.parse_args()
    fit = [] if options.fit else ["--no-fit"]
    print("| log | check | train | score | report |\n|---|---|---|---|---|")
    for dataset, series in DATASETS:
        meta = json.loads((options.data / dataset / "meta.json").read_text())["series"][series]
        rows = meta["train_end"] or max(FEWEST_TRAIN_ROWS, int(TRAIN_SHARE * meta["rows"]))
        name = f"{dataset} {series} ({meta['rows']:,} × {meta['n_channels']})"
        ignore = ["--ignore", "label"]
        file = options.data / dataset / meta["file"]
        print(row(name, file, [*fit, "--train-rows", str(rows)], ignore, options.runs), flush=True)
    print(
        row(
            "online retail order lines, as events",
            options.data / ORDERS,
            [*fit, "--train-rows", str(ORDER_TRAIN_STEPS)],
            ["--kind", "events"],
            options.runs,
        )
    )


if __name__ == "__main__":
    main()
