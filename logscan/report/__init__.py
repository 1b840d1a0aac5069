"""Reports: scores and run record in, HTML, JSON or CSV out. Prints nothing, writes nothing.

Belongs here: content, charts and tables of a report.
Does not: sentences (`messages`), scoring (`model`), reading of logs (`read`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from logscan.report.content import content
from logscan.report.export import csv_text, json_text
from logscan.report.html import page
from logscan.report.load import read_source

__all__ = ["build_report", "report_csv", "report_json"]


def build_report(
    scores_path: Path,
    *,
    lang: Literal["en", "ja"],
    run_path: Path | None = None,
    model_dir: Path | None = None,
) -> str:
    """The report as one self-contained HTML document; the same input gives the same text.

    Args:
        scores_path: the scores file, Parquet or CSV.
        lang: language of the words, numbers and dates.
        run_path: the run record; default `<stem>.run.json` beside the scores. Without one the report is made
            of the scores alone and says what it does not show.
        model_dir: model folder for the model card, where the run record holds none.

    Raises:
        InputError: scores or run record cannot be read, are damaged, or are of an unknown version.
        ModelError: the model folder is missing or damaged.
    """
    return page(content(read_source(scores_path, run_path, model_dir)), lang)


def report_json(scores_path: Path, *, run_path: Path | None = None, model_dir: Path | None = None) -> str:
    """The report as JSON; arguments and errors as for `build_report`."""
    return json_text(content(read_source(scores_path, run_path, model_dir, drawn=False)))


def report_csv(scores_path: Path, *, run_path: Path | None = None, model_dir: Path | None = None) -> str:
    """The events as CSV, most severe first; arguments and errors as for `build_report`."""
    return csv_text(content(read_source(scores_path, run_path, model_dir, drawn=False)))
