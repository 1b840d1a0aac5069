"""Detection quality, time and memory over a folder of labelled data sets, through the pipeline the CLI uses.

    python -m benchmarks detection run --data DIR --out results.json [--only DATASET[/SERIES] ...] [--workers N]

DIR holds one folder per data set with a `meta.json`; its `series` name for each series the `file`, the
`time_column`, and `train_end`, the number of rows of the training part (null: the first 15 %, at least 100).
The label column never reaches the model: it is left out when the log is read, and joined back to the rows
of the file by their time when the scores are measured.

One trained model is scored in both alignments. Names without a prefix belong to batch scores; those with `causal_` to
end-aligned scores, whose alarm figures (delay, false events, see `promise.py`) are of the rows after the
training part. Seconds and attention are those of training and batch scores.

Every series runs in a process of its own, so that its peak memory is its own. This process imports nothing
heavy for the same reason: a child's peak begins with what its parent held.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.detection.summary import add_comparison, print_tables, summarised
from benchmarks.detection.tasks import LabelledRows, Task, found_tasks, labelled_rows, on_rows, row_figures
from logscan.results.atomic import write_text

if TYPE_CHECKING:
    from logscan.records import SeriesScores


def main() -> int:
    """Run the benchmark; returns the exit code: 0, or 3 when a series failed."""
    parser = options()
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(Task(**json.loads(arguments.one)))))
        return 0
    if arguments.data is None or arguments.out is None:
        parser.error("--data and --out are required")
    if not arguments.out.absolute().parent.is_dir():
        parser.error(f"the folder of {arguments.out} does not exist")
    if arguments.compare and not arguments.compare.is_file():
        parser.error(f"there is no {arguments.compare}")
    arguments.batch_only |= arguments.whole_history  # whose history holds what comes later
    cores = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    threads = max(1, cores // arguments.workers)
    tasks = found_tasks(arguments, threads)
    if not tasks:
        parser.error(f"no labelled series in {arguments.data} matches")
    results = all_results(tasks, arguments.workers)
    if arguments.compare:
        add_comparison(results, arguments.compare, arguments.compare_column)
    summary = summarised(results)
    told = ("seed", "attention", "whole_history", "batch_only", "false_alarms", "workers")
    summary["settings"] = {
        "fit": not arguments.no_fit,
        "threads": threads,
        **{name: getattr(arguments, name) for name in told},
    }
    write_text(arguments.out, json.dumps(summary, indent=1) + "\n")
    print_tables(summary)
    return 3 if any(result["status"] == "failed" for result in results) else 0


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--out", type=Path, help="where results.json goes")
    parser.add_argument("--only", nargs="+", default=[], metavar="DATASET[/SERIES]")
    parser.add_argument(
        "--workers", type=int, default=1, help="series run at once; cores (or OMP_NUM_THREADS) are shared out"
    )
    parser.add_argument("--no-fit", action="store_true", help="keep the closed-form model")
    parser.add_argument("--seed", type=int, default=0, help="of everything random in training")
    parser.add_argument(
        "--attention",
        choices=("auto", "dense", "sparse"),
        default="auto",
        help="the same layers with exact or with sparse attention throughout",
    )
    parser.add_argument(
        "--whole-history",
        action="store_true",
        help="train on every row and score the same rows, in batch alignment",
    )
    parser.add_argument("--batch-only", action="store_true", help="no causal scores")
    parser.add_argument("--false-alarms", default="1/week", help="the promise; default 1/week")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--compare", type=Path, metavar="CSV", help="figures with columns dataset, series, ..."
    )
    parser.add_argument("--compare-column", help="column of that file; default the last")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a child process: one task as JSON
    return parser


def all_results(tasks: list[Task], workers: int) -> list[dict[str, Any]]:
    """The result of every task, in order; one child process each, long files first."""
    console = Console(stderr=True)

    def one(task: Task) -> dict[str, Any]:
        environment = {**os.environ, "OMP_NUM_THREADS": str(task.threads)}
        command = [sys.executable, "-m", "benchmarks.detection.run", "--one", json.dumps(asdict(task))]
        child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if child.returncode == 0:
            result: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
        else:
            reason = (child.stderr.strip().splitlines() or [f"exit {child.returncode}"])[-1]
            result = {"dataset": task.dataset, "series": task.series, "status": "failed", "reason": reason}
        figure = f"VUS-PR {result['vus_pr']:.3f}" if result["status"] == "ok" else result["reason"]
        console.print(f"{task.name}: {figure}", markup=False, highlight=False)
        return result

    order = sorted(range(len(tasks)), key=lambda i: -Path(tasks[i].file).stat().st_size)
    with ThreadPoolExecutor(workers) as pool:
        done = dict(zip(order, pool.map(one, [tasks[i] for i in order]), strict=True))
    return [done[i] for i in range(len(tasks))]


def measured(task: Task) -> dict[str, Any]:
    """Train on the training part, score the whole series, measure; runs in the child process."""
    import torch  # noqa: PLC0415 - only a child may be heavy

    from benchmarks.attention.watch import watched_attention  # noqa: PLC0415
    from logscan.config import AlarmConfig, Config, EncoderConfig, InputConfig  # noqa: PLC0415
    from logscan.errors import LogscanError  # noqa: PLC0415
    from logscan.pipeline import score, train  # noqa: PLC0415
    from logscan.read import read_log  # noqa: PLC0415

    torch.set_num_threads(task.threads)
    rows = labelled_rows(task)
    head = {
        "dataset": task.dataset,
        "series": task.series,
        "rows": len(rows.times),
        "channels": rows.channels,
        "train_rows": rows.train_rows,
        "window": rows.window,
    }
    if not rows.labels[0 if task.whole_history else rows.train_rows :].any():
        return {**head, "status": "skipped", "reason": "no anomalous row after the training part"}
    watch = watched_attention(task.attention)
    config = Config(
        input=InputConfig(time=rows.time_option, kind="samples"),
        encoder=EncoderConfig(fit=task.fit, seed=task.seed),
        alarm=AlarmConfig(false_alarms=task.false_alarms),
    )
    try:
        started = time.perf_counter()
        log = read_log([task.file], config.input, keep=(rows.label_column,))
        read_done = time.perf_counter()
        if rows.label_column in log.schema.channels:
            raise SystemExit(f"{task.name}: the label column became a channel")
        end = None if rows.train_rows >= len(rows.times) else int(rows.times[rows.train_rows])
        model = train(log, config, train_until=end, device=task.device)
        train_done = time.perf_counter()
        scored = score(log, model, device=task.device).series[0]
        score_done = time.perf_counter()
        attention = watch.costs()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        causal = None if task.batch_only else score(log, model, causal=True, device=task.device).series[0]
    except LogscanError as error:
        return {**head, "status": "failed", "reason": str(error)}
    figures = asdict(row_figures(rows, *on_rows(rows, scored), step=scored.grid.step))
    figures |= {} if causal is None else causal_figures(task, rows, causal)
    return {
        **head,
        "status": "ok",
        **{name: _finite(value) for name, value in figures.items()},
        "threshold": _finite(scored.threshold),
        "seconds_read": read_done - started,
        "seconds_train": train_done - read_done,
        "seconds_score": score_done - train_done,
        **attention,
        "peak_memory_bytes": peak,
    }


def causal_figures(task: Task, rows: LabelledRows, scored: SeriesScores) -> dict[str, Any]:
    """Figures of end-aligned scores: areas over all rows, alarms over those after the training part."""
    from benchmarks.detection.promise import promise  # noqa: PLC0415

    scores, alarms = on_rows(rows, scored)
    step = scored.grid.step
    areas = row_figures(rows, scores, alarms, step=step)
    first = rows.train_rows
    after = row_figures(rows.after(first), scores[first:], alarms[first:], step=step)
    kept = promise(
        rows.labels,
        scores,
        alarms,
        train_rows=first,
        false_alarms=task.false_alarms,
        step_seconds=step / 1e9 if rows.clock else None,
    )
    figures = {
        "vus_pr": areas.vus_pr,
        "auc_pr": areas.auc_pr,
        "threshold": scored.threshold,
        "events": after.events,
        "event_recall": after.event_recall,
        "event_precision": after.event_precision,
        "delay_steps": after.detection_delay_steps,
        **asdict(kept),
    }
    return {f"causal_{name}": value for name, value in figures.items()}


def _finite(value: float) -> float | int | None:
    """The number, or null where undefined."""
    return value if isinstance(value, int) or abs(value) < float("inf") else None


if __name__ == "__main__":
    sys.exit(main())
