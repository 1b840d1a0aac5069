"""logscan beside the detectors a user would otherwise pick: same series, same training rows, same figures.

    pip install scikit-learn stumpy
    python -m benchmarks detection peers --data DIR --out peers.json [--only DATASET[/SERIES] ...] [--methods NAME ...]

DIR and the training part of a series are as in `benchmarks/detection/run.py`, whose functions read the labels and
measure. A method has one setting for all data sets; what it is stands in `benchmarks/detection/peer_methods.py`. The
peers see the rows of the file, not logscan's time grid. What --out already holds is not run again.

`closed_form` is logscan with `fit=False`, `logscan` its default. Attention over up to `EXACT_HISTORY_TOKENS`
tokens is exact in both, so two more methods move that limit: `dense` to infinity (equal to `logscan` by
construction where the history is shorter), `sparse` to `_SPARSE_ABOVE` tokens, which shows what the sparse
operator costs in quality where the default would be exact. `peers_table.py` prints and draws the results.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from rich.console import Console

from benchmarks.detection import run as detection
from benchmarks.detection.peers_table import METHODS, OURS, console_table
from benchmarks.detection.tasks import LabelledRows, Task, found_tasks, labelled_rows, row_figures
from logscan.results.atomic import write_text

if TYPE_CHECKING:
    from torch import Tensor

    from logscan.model.records import Head
    from logscan.records import F64

_SPARSE_ABOVE = 1024  # tokens
_NO_LIMIT = 2**62

Result = dict[str, Any]


def main() -> int:
    """Run what is missing; returns the exit code: 0, or 3 when a method failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of data sets")
    parser.add_argument("--out", type=Path, help="where the results go, and what is done already")
    parser.add_argument("--only", nargs="+", default=[], metavar="DATASET[/SERIES]")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="NAME")
    parser.add_argument("--workers", type=int, default=1, help="series run at once; cores are shared out")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # a child process: one task as JSON
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measured(Task(**json.loads(arguments.one)), arguments.methods)))
        return 0
    if arguments.data is None or arguments.out is None:
        parser.error("--data and --out are required")
    if not arguments.out.absolute().parent.is_dir():
        parser.error(f"the folder of {arguments.out} does not exist")
    threads = max(1, int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)) // arguments.workers)
    tasks = peer_tasks(arguments.data, arguments.only, threads)
    if not tasks:
        parser.error(f"no labelled series in {arguments.data} matches")
    results = all_results(tasks, arguments.methods, arguments.workers, arguments.out)
    Console(width=None if sys.stdout.isatty() else 180).print(console_table(results))
    return 3 if any(result["status"] == "failed" for result in results) else 0


def peer_tasks(data: Path, only: list[str], threads: int) -> list[Task]:
    """The series of the folder that were asked for, run as `detection.py` does by default, in batch alignment."""
    arguments = detection.options().parse_args(["--batch-only", "--device", "cpu"])
    arguments.data, arguments.only = data, only
    return found_tasks(arguments, threads)


def all_results(tasks: list[Task], methods: list[str], workers: int, out: Path) -> list[Result]:
    """What the file holds and what was missing, written after every series; short files first."""
    done: list[Result] = json.loads(out.read_text(encoding="utf-8"))["results"] if out.exists() else []
    done = [result for result in done if result["status"] != "failed"]
    known = {(result["dataset"], result["series"], result["method"]) for result in done}
    console, lock = Console(stderr=True), Lock()

    def one(task: Task) -> None:
        missing = [name for name in methods if (task.dataset, task.series, name) not in known]
        for result in child_results(task, missing) if missing else []:
            with lock:
                done.append(result)
                write_text(out, json.dumps({"threads": task.threads, "results": done}, indent=1) + "\n")
            figure = (
                f"VUS-PR {result['vus_pr']:.3f}, {result['seconds']:.1f} s"
                if result["status"] == "ok"
                else result["reason"]
            )
            console.print(
                f"{task.name}: {result['method']}: {figure}", markup=False, highlight=False, soft_wrap=True
            )

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, sorted(tasks, key=lambda task: Path(task.file).stat().st_size)))
    return done


def child_results(task: Task, methods: list[str]) -> list[Result]:
    """The results of one series, run in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(task.threads), "NUMBA_NUM_THREADS": str(task.threads)}
    command = [
        sys.executable,
        "-m",
        "benchmarks.detection.peers",
        "--methods",
        *methods,
        "--one",
        json.dumps(asdict(task)),
    ]
    child = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if child.returncode == 0:
        results: list[Result] = json.loads(child.stdout.splitlines()[-1])
        return results
    reason = (child.stderr.strip().splitlines() or [f"exit {child.returncode}"])[-1]
    return [_head(task, method) | {"status": "failed", "reason": reason} for method in methods]


def measured(task: Task, methods: list[str]) -> list[Result]:
    """Every method on one series; runs in the child process."""
    import torch  # noqa: PLC0415 - only a child may be heavy

    torch.set_num_threads(task.threads)
    rows = labelled_rows(task)
    if not rows.labels[rows.train_rows :].any():
        reason = "no anomalous row after the training part"
        return [_head(task, method) | {"status": "skipped", "reason": reason} for method in methods]
    sizes = {"rows": len(rows.times), "channels": rows.channels, "train_rows": rows.train_rows}
    results = []
    for method in methods:
        try:
            found = ours(task, method) if method in OURS else theirs(task, method, rows)
        except Exception as error:  # noqa: BLE001 - one method that fails must not take the others along
            found = {"status": "failed", "reason": f"{type(error).__name__}: {error}"}
        results.append(_head(task, method) | sizes | found)
    return results


def theirs(task: Task, method: str, rows: LabelledRows) -> Result:
    """A peer: scores on the rows of the file, measured by the harness."""
    import numpy as np  # noqa: PLC0415

    from benchmarks.detection.peer_methods import Problem, run, scaled  # noqa: PLC0415

    problem = Problem(scaled(_channels(task, rows), rows.train_rows), rows.train_rows, rows.window)
    scores, seconds = run(method, problem)
    no_alarms = np.zeros(len(scores), dtype=np.bool_)
    figures = row_figures(replace(rows, clock=False), scores, no_alarms, step=1)
    return {
        "status": "ok",
        "vus_pr": figures.vus_pr,
        "auc_pr": figures.auc_pr,
        "seconds": seconds,
        "window": problem.window,
    }


def ours(task: Task, method: str) -> Result:
    """Measure logscan itself through `detection.measured`; the limit of exact attention as the method asks."""
    from logscan.model import history_attention  # noqa: PLC0415

    with exact_up_to({"dense": _NO_LIMIT, "sparse": _SPARSE_ABOVE}.get(method)) as histories:
        result = detection.measured(replace(task, fit=method != "closed_form"))
    if result["status"] != "ok":
        return {"status": result["status"], "reason": result["reason"]}
    return {
        "status": "ok",
        "vus_pr": result["vus_pr"],
        "auc_pr": result["auc_pr"],
        "seconds": result["seconds_train"] + result["seconds_score"],
        "history_tokens": max(histories, default=0),
        "exact_tokens_by_default": history_attention.EXACT_HISTORY_TOKENS,
    }


@contextmanager
def exact_up_to(tokens: int | None) -> Iterator[list[int]]:
    """Move the limit of exact attention (`None` leaves it) and note the length of every history met."""
    from logscan.model import history_attention  # noqa: PLC0415

    limit, attention = history_attention.EXACT_HISTORY_TOKENS, history_attention.partial_attention
    histories: list[int] = []

    def noting(head: Head, queries: Tensor, keys: Tensor, *others: Any) -> Any:
        histories.append(len(keys))
        return attention(head, queries, keys, *others)

    history_attention.EXACT_HISTORY_TOKENS = limit if tokens is None else tokens
    history_attention.partial_attention = noting  # type: ignore[assignment]
    try:
        yield histories
    finally:
        history_attention.EXACT_HISTORY_TOKENS, history_attention.partial_attention = limit, attention


def _channels(task: Task, rows: LabelledRows) -> F64:
    """The channels of the file, (rows, channels) float64, the label left out."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    path = Path(task.file)
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return frame.drop(columns=[task.time_column, rows.label_column], errors="ignore").to_numpy(np.float64)


def _head(task: Task, method: str) -> Result:
    return {"dataset": task.dataset, "series": task.series, "method": method}


if __name__ == "__main__":
    sys.exit(main())
