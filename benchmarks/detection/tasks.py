"""The series of the detection benchmark: which there are, which of their rows are labelled, how scores are measured.

Nothing heavy is imported before it is needed: see `benchmarks/detection/run.py`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logscan.evaluation.metrics import Evaluation
    from logscan.records import F64, I64, Bool, SeriesScores

SKIPPED_DATASETS = ("unlabelled", "messy")
LABEL_COLUMNS = ("label", "Label")
TRAIN_SHARE, FEWEST_TRAIN_ROWS = 0.15, 100  # where a data set names no training part
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """One series to run, and how."""

    dataset: str
    series: str
    file: str
    time_column: str
    train_end: int | None
    fit: bool
    seed: int
    attention: str  # auto, dense or sparse
    whole_history: bool  # train on every row and score the same rows
    batch_only: bool
    false_alarms: str  # the promise
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

    def after(self, first: int) -> LabelledRows:
        """The rows from `first` on."""
        return replace(self, times=self.times[first:], labels=self.labels[first:])


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
                    seed=arguments.seed,
                    attention=arguments.attention,
                    whole_history=arguments.whole_history,
                    batch_only=arguments.batch_only,
                    false_alarms=arguments.false_alarms,
                    device=arguments.device,
                    threads=threads,
                )
            )
    return tasks


def labelled_rows(task: Task) -> LabelledRows:
    """Times, labels and VUS window of the rows of a file, in the order of the file."""
    import numpy as np  # noqa: PLC0415
    import pandas as pd  # noqa: PLC0415

    from logscan.evaluation.metrics import period_length  # noqa: PLC0415

    path = Path(task.file)
    frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    label_column = next(name for name in LABEL_COLUMNS if name in frame.columns)
    channels = [name for name in frame.columns if name not in (task.time_column, label_column)]
    train_rows = task.train_end
    if train_rows is None:
        train_rows = max(FEWEST_TRAIN_ROWS, int(TRAIN_SHARE * len(frame)))
    if task.whole_history:
        train_rows = len(frame)
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


def on_rows(rows: LabelledRows, scored: SeriesScores) -> tuple[F64, Bool]:
    """Score and alarm of every row, (rows,) float64 and bool; NaN and no alarm where the grid has no such step."""
    import numpy as np  # noqa: PLC0415

    steps = scored.grid.index(rows.times)
    inside = (steps >= 0) & (steps < scored.grid.steps)
    found = np.clip(steps, 0, scored.grid.steps - 1)
    scores = np.where(inside, scored.score.astype(np.float64)[found], np.nan)
    return scores, (scored.event_id[found] >= 0) & inside


def row_figures(rows: LabelledRows, scores: F64, alarms: Bool, *, step: int) -> Evaluation:
    """The figures of scores and alarms on the rows of a file.

    Args:
        rows: from `labelled_rows`.
        scores: (rows,) float64, NaN where not judged.
        alarms: (rows,) bool.
        step: of the grid, ns; not used for integer time.
    """
    from logscan.evaluation.metrics import evaluation  # noqa: PLC0415

    steps_per_day = DAY_NS / step if rows.clock else None
    return evaluation(rows.labels, scores, alarms, window=rows.window, steps_per_day=steps_per_day)
