"""`logscan train`: its options."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from logscan.cli import options
from logscan.cli.start import consoles_of
from logscan.errors import UsageError


@options.input_options
def train(
    context: typer.Context,
    inputs: options.Inputs,
    model: options.ModelFolder,
    given: dict[str, Any],
    train_rows: Annotated[
        int | None,
        typer.Option("--train-rows", metavar="N", min=1, help="Train on the first N rows of every entity."),
    ] = None,
    train_until: Annotated[
        str | None, typer.Option("--train-until", metavar="TIME", help="Train on rows before this time.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            envvar="LOGSCAN_LABELS",
            help="Known failures, left out of training: CSV of start,end (and entity), or a column of the input.",
        ),
    ] = None,
    false_alarms: Annotated[
        str | None,
        typer.Option(
            "--false-alarms",
            envvar="LOGSCAN_FALSE_ALARMS",
            help="Accepted false events, such as 1/week. [default: 1/week]",
        ),
    ] = None,
    no_fit: Annotated[bool, typer.Option("--no-fit", help="Keep the closed-form encoder.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="Seed of training. [default: 0]")
    ] = None,
    device: options.Device = "auto",
    json_output: options.Json = False,
    config: options.ConfigFile = None,
) -> int:
    """Example: logscan train pump.csv --model pump.model --train-until 2025-09-17

    Train a model on the first part of a log, or on all of it.
    """
    from logscan.cli.settings import merged_config

    if train_rows is not None and train_until is not None:
        raise UsageError("--train-rows", "given together with --train-until", "give one of them")
    settings = merged_config(
        config,
        {
            "input": given,
            "encoder": {"fit": False if no_fit else None, "seed": seed},
            "alarm": {"false_alarms": false_alarms},
        },
    )
    from logscan.cli.jobs.train import train as run

    return run(
        consoles_of(context),
        inputs,
        settings,
        model_folder=model,
        train_rows=train_rows,
        train_until=train_until,
        labels=labels,
        device=device,
        json_output=json_output,
    )
