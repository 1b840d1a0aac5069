"""Known failures of `--labels`: steps of a log, from a label file or a label column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from logscan.config import InputConfig
from logscan.errors import InputError, UsageError
from logscan.labels.intervals import Label, labelled_steps, labelled_times, read_labels
from logscan.read import read_log
from logscan.records import F64, Bool, Log, LogKind, Series


def names_label_file(labels: str) -> bool:
    """Whether what a user gave as labels is a file of intervals; else it is the name of a column."""
    return Path(labels).suffix.lower() == ".csv" or Path(labels).is_file()


def known_failures(labels: str, log: Log, inputs: Sequence[str], config: InputConfig) -> dict[str, Bool]:
    """Entity -> (steps,) bool: the steps of a log that hold anything of a known failure.

    Args:
        labels: a CSV of start,end (and entity), or the name of a column of the input, 1 in a failure.
        log: the input, read with such a column kept out of its channels.
        inputs: the same input, to be read again for the column.
        config: how it was read.

    Raises:
        InputError: the label file cannot be read, or the column is no label.
        UsageError: no such column, or the input cannot be read twice.
    """
    if names_label_file(labels):
        first = log.series[0].grid
        known = read_labels(Path(labels), first.kind, first.timezone)
        return {one.entity: touched_steps(known, one, log.schema.kind) for one in log.series}
    if "-" in inputs:
        raise UsageError(
            f"--labels {labels}", "standard input cannot be read twice", "give a CSV with columns start,end"
        )
    marked = _marked_log(labels, log, inputs, config)
    steps = {one.entity: label_values(one, labels, log.schema.kind) > 0 for one in marked.series}
    return {one.entity: steps[one.entity] for one in log.series}


def touched_steps(labels: tuple[Label, ...], series: Series, kind: LogKind) -> Bool:
    """(steps,) bool: the steps that a row inside a label could have fallen on, not only those that begin there.

    Args:
        labels: of all entities.
        series: whose grid it is; rows of samples fall on the nearest step, events on the step they lie in.
        kind: of the log.
    """
    grid = series.grid
    if kind is LogKind.EVENTS:
        inside = np.zeros(grid.steps, dtype=np.bool_)
        for label in labels:
            if label.entity is None or label.entity == series.entity:
                inside |= (grid.times() < label.end) & (grid.times() + grid.step > label.start)
        return inside
    inside = labelled_steps(labels, series.entity, grid)
    if series.row_times is not None:
        for times in series.row_times.chunks():
            rows = times[labelled_times(labels, series.entity, times)]
            inside[grid.index(rows)] = True
    return inside


def label_values(series: Series, column: str, kind: LogKind) -> F64:
    """(steps,) float64: a label column on the grid, 1 in a failure, 0 elsewhere and where nothing is told.

    Samples that share a step give their mean, events their number.

    Raises:
        InputError: it holds what no label does.
    """
    values = series.values[:, series.channels.index(column)]
    foreign = values[(values < 0) | ((values > 1) & (kind is LogKind.SAMPLES))]
    if len(foreign):
        remedy = "a label column holds 1 in a failure and 0 elsewhere"
        raise InputError(column, f"is no label column, it holds {foreign[0]:g}", remedy)
    return np.nan_to_num(values)


def _marked_log(column: str, log: Log, inputs: Sequence[str], config: InputConfig) -> Log:
    """The input again, on the same grids, with its label column as the only channel."""
    ignore = tuple(name for name in config.ignore if name != column)
    again = config.model_copy(update={"channels": (column,), "ignore": ignore, "kind": log.schema.kind.value})
    try:
        return read_log(inputs, again)
    except UsageError as error:
        raise UsageError("--labels", error.fact, error.remedy) from error
