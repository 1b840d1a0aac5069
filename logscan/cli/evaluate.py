"""`logscan evaluate`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from logscan.cli import options
from logscan.cli.start import consoles_of


@options.input_options
def evaluate(
    context: typer.Context,
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Scores file from 'logscan score'.")],
    labels: Annotated[
        str,
        typer.Option(
            "--labels",
            envvar="LOGSCAN_LABELS",
            help="CSV of start,end (and entity), or a column of the input.",
        ),
    ],
    given: dict[str, Any],
    source: Annotated[
        list[str] | None,
        typer.Option("--input", help="Where the label column is. [default: the files that were scored]"),
    ] = None,
    json_output: options.Json = False,
    config: options.ConfigFile = None,
) -> int:
    """Example: logscan evaluate scores.parquet --labels pump.labels.csv

    Measure scores against labels: VUS-PR, AUC-PR, event recall and precision, delay, false alarms.
    """
    from logscan.cli.settings import merged_config

    settings = merged_config(config, {"input": given})
    from logscan.cli.jobs.evaluate import evaluate as run

    return run(
        consoles_of(context),
        scores,
        settings.input,
        labels=labels,
        source=source or [],
        json_output=json_output,
    )
