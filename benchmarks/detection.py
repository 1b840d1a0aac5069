"""Detection quality, time and memory over a folder of labelled data sets, through the pipeline the CLI uses.

    python benchmarks/detection.py --data DIR --out results.json [--only DATASET[/SERIES] ...] [--workers N]

DIR holds one folder per data set with a `meta.json`; its `series` name for each series the `file`, the
`time_column`, and `train_end`, the number of rows of the training part (null: the first 15 %, at least 100).
The label column never reaches the model: it is left out when the log is read, and joined back to the rows
of the file by their time when the scores are measured.

Every series runs in a process of its own, so that its peak memory is its own. This process imports nothing
heavy for the same reason: a child's peak begins with what its parent held.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from logscan.data.write import write_text

if TYPE_CHECKING:
    from logscan.core.metrics import Evaluation
    from logscan.records import F64, I64, Bool, TimeGrid

SKIPPED_DATASETS = ("unlabelled", "messy")
LABEL_COLUMNS = ("label", "Label")
MEANS = ("vus_pr", "auc_pr", "vus_roc", "auc_roc", "best_f1", "event_recall", "event_precision", "compare")
TRAIN_SHARE, FEWEST_TRAIN_ROWS = 0.15, 100  # where a data set names no training part
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """One series to run."""

    dataset: str
    series: str
    file: str
    time_column: str
    train_end: int | None
    fit: bool
    device: str
    threads: int

    @property
    def name(self) -> str:
        """How the series is called in messages."""
        return f"{self.dataset}/{self.series}"


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """The rows of a file that a score is measured on."""

    times: I64  # (rows,) as in the grid: ns since epoch, integer steps or row numbers
    labels: Bool  # (rows,)
    window: int  # widest VUS buffer: the period of channel 0, steps
    train_rows: int  # rows of the training part
    channels: int
    label_column: str
    time_option: str  # how the log is read: the time column, or "row" where the file has none
    clock: bool  # times are clock times, not integer steps


def main() -> int:
    """Run the benchmark; returns the exit code: 0, or 3 when a series failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--out", type=Path, help="where results.json goes")
    parser.add_argument("--only", nargs="+", default=[], metavar="DATASET[/SERIES]")
    parser.add_argument("--workers", type=int, default=1, help="series run at once; cores are shared out")
    parser.add_argument("--no-fit", action="store_true", help="keep the closed-form model")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--compare", type=Path, metavar="CSV", help="figures with columns dataset, series, ..."
    )
    parser.add_argument("--compare-column", help="column of that file; default the last")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a child process: one task as JSON
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(Task(**json.loads(arguments.one)))))
        return 0
    if arguments.data is None or arguments.out is None:
        parser.error("--data and --out are required")
    if not arguments.out.absolute().parent.is_dir():
        parser.error(f"the folder of {arguments.out} does not exist")
    threads = max(1, (os.cpu_count() or 1) // arguments.workers)
    tasks = found_tasks(arguments, threads)
    if not tasks:
        parser.error(f"no labelled series in {arguments.data} matches")
    results = all_results(tasks, arguments.workers)
    if arguments.compare:
        add_comparison(results, arguments.compare, arguments.compare_column)
    summary = summarised(results)
    summary["settings"] = {"fit": not arguments.no_fit, "workers": arguments.workers, "threads": threads}
    write_text(arguments.out, json.dumps(summary, indent=1) + "\n")
    print_tables(summary)
    return 3 if any(result["status"] == "failed" for result in results) else 0


def found_tasks(arguments: argparse.Namespace, threads: int) -> list[Task]:
    """All series under the data folder that were asked for."""
    tasks = []
    for meta_file in sorted(arguments.data.glob("*/meta.json")):
        dataset = meta_file.parent.name
        if dataset in SKIPPED_DATASETS:
            continue
        for series, meta in json.loads(meta_file.read_text(encoding="utf-8"))["series"].items():
            if arguments.only and not {dataset, f"{dataset}/{series}"} & set(arguments.only):
                continue
            tasks.append(
                Task(
                    dataset=dataset,
                    series=series,
                    file=str(meta_file.parent / meta["file"]),
                    time_column=meta["time_column"],
                    train_end=meta["train_end"],
                    fit=not arguments.no_fit,
                    device=arguments.device,
                    threads=threads,
                )
            )
    return tasks


def all_results(tasks: list[Task], workers: int) -> list[dict[str, Any]]:
    """The result of every task, in order; one child process each, long files first."""
    console = Console(stderr=True)

    def one(task: Task) -> dict[str, Any]:
        environment = {**os.environ, "OMP_NUM_THREADS": str(task.threads)}
        command = [sys.executable, __file__, "--one", json.dumps(asdict(task))]
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

    from logscan.config import Config, EncoderConfig, InputConfig  # noqa: PLC0415
    from logscan.data.read import read_log  # noqa: PLC0415
    from logscan.errors import LogscanError  # noqa: PLC0415
    from logscan.pipeline import score, train  # noqa: PLC0415

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
    if not rows.labels[rows.train_rows :].any():
        return {**head, "status": "skipped", "reason": "no anomalous row after the training part"}
    config = Config(
        input=InputConfig(time=rows.time_option, kind="samples"), encoder=EncoderConfig(fit=task.fit)
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
    except LogscanError as error:
        return {**head, "status": "failed", "reason": str(error)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    figures = row_figures(rows, scored.grid, scored.score.astype("float64"), alarms=scored.event_id >= 0)
    return {
        **head,
        "status": "ok",
        **{name: _finite(value) for name, value in asdict(figures).items()},
        "threshold": _finite(scored.threshold),
        "seconds_read": read_done - started,
        "seconds_train": train_done - read_done,
        "seconds_score": score_done - train_done,
        "peak_memory_bytes": peak,
    }


def labelled_rows(task: Task) -> LabelledRows:
    """Times, labels and VUS window of the rows of a file, in the order of the file."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from logscan.core.metrics import period_length  # noqa: PLC0415

    path = Path(task.file)
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    label_column = next(name for name in LABEL_COLUMNS if name in frame.columns)
    channels = [name for name in frame.columns if name not in (task.time_column, label_column)]
    train_rows = task.train_end
    if train_rows is None:
        train_rows = max(FEWEST_TRAIN_ROWS, int(TRAIN_SHARE * len(frame)))
    timed = task.time_column in frame.columns  # not in TSB-AD's own format
    column = frame[task.time_column] if timed else pd.Series(frame.index)
    clock = task.time_column == "timestamp"
    if clock:
        epoch = pd.api.types.is_numeric_dtype(column)
        column = pd.to_datetime(column, unit="s") if epoch else pd.to_datetime(column)
        column = column.astype("datetime64[ns]")
    return LabelledRows(
        times=column.to_numpy().astype(np.int64),
        labels=frame[label_column].to_numpy() != 0,
        window=period_length(frame[channels[0]].to_numpy(np.float64)),
        train_rows=train_rows,
        channels=len(channels),
        label_column=label_column,
        time_option=task.time_column if timed else "row",
        clock=clock,
    )


def row_figures(rows: LabelledRows, grid: TimeGrid, scores: F64, *, alarms: Bool | None) -> Evaluation:
    """The figures of scores per grid step, measured on the rows of the file.

    Args:
        rows: from `labelled_rows`.
        grid: of the scores.
        scores: (steps,) float64, NaN where not judged.
        alarms: (steps,) bool, or `None` when only the scores are to be measured.
    """
    import numpy as np  # noqa: PLC0415

    from logscan.core.metrics import evaluation  # noqa: PLC0415

    steps = grid.index(rows.times)
    inside = (steps >= 0) & (steps < grid.steps)
    found = np.clip(steps, 0, grid.steps - 1)
    return evaluation(
        rows.labels,
        np.where(inside, scores[found], np.nan),
        None if alarms is None else alarms[found] & inside,
        window=rows.window,
        steps_per_day=DAY_NS / grid.step if rows.clock else None,
    )


def _finite(value: float) -> float | int | None:
    """The number, or null where undefined."""
    return value if isinstance(value, int) or abs(value) < float("inf") else None


def add_comparison(results: Iterable[dict[str, Any]], file: Path, column: str | None) -> None:
    """Put the figure of another detector beside each result, as `compare`."""
    with file.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    chosen = column or list(table[0])[-1]
    known = {(row["dataset"], row["series"]): float(row[chosen]) for row in table if row[chosen]}
    for result in results:
        result["compare"] = known.get((result["dataset"], result["series"]))


def summarised(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Means per data set, over all series and over data sets; seconds are summed, memory is the peak."""
    done = [result for result in results if result["status"] == "ok"]
    datasets = {}
    for dataset in dict.fromkeys(result["dataset"] for result in done):
        mine = [result for result in done if result["dataset"] == dataset]
        datasets[dataset] = {
            "series": len(mine),
            **_means(mine),
            "seconds_train": sum(result["seconds_train"] for result in mine),
            "seconds_score": sum(result["seconds_score"] for result in mine),
            "peak_memory_bytes": max(result["peak_memory_bytes"] for result in mine),
        }
    return {
        "mean_over_datasets": _means(list(datasets.values())),
        "mean_over_series": _means(done),
        "datasets": datasets,
        "series": results,
    }


def _means(parts: list[dict[str, Any]]) -> dict[str, float | None]:
    """Mean of each figure over the parts where it is defined."""
    means: dict[str, float | None] = {}
    for name in MEANS:
        values = [part[name] for part in parts if part.get(name) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def print_tables(summary: dict[str, Any]) -> None:
    """One line per data set, then the two means, on standard output."""
    table = Table(title="Detection")
    columns = ("VUS-PR", "compare", "AUC-PR", "event recall", "event precision")
    for name in ("data set", "series", *columns, "train s", "score s", "peak MB"):
        table.add_column(name, justify="left" if name == "data set" else "right")
    keys = ("vus_pr", "compare", "auc_pr", "event_recall", "event_precision")
    for dataset, part in summary["datasets"].items():
        table.add_row(
            dataset,
            str(part["series"]),
            *(_three(part[key]) for key in keys),
            f"{part['seconds_train']:.1f}",
            f"{part['seconds_score']:.1f}",
            f"{part['peak_memory_bytes'] / 1e6:.0f}",
        )
    table.add_section()
    for title, key in (
        ("mean over data sets", "mean_over_datasets"),
        ("mean over series", "mean_over_series"),
    ):
        table.add_row(title, "", *(_three(summary[key][name]) for name in keys))
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(table)
    for result in summary["series"]:
        if result["status"] != "ok":
            text = f"{result['status']}: {result['dataset']}/{result['series']}: {result['reason']}"
            console.print(text, markup=False, highlight=False)


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    sys.exit(main())
