"""`logscan score`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from logscan.cli import options
from logscan.cli.start import consoles_of
from logscan.results.formats import EVENTS, SCORES, listed


@options.input_options
def score(
    context: typer.Context,
    inputs: options.Inputs,
    model: options.ModelFolder,
    out: Annotated[
        str,
        typer.Option(
            "--out",
            envvar="LOGSCAN_OUT",
            help=f"Scores file, {listed(SCORES)}; - is CSV on stdout.",
        ),
    ],
    given: dict[str, Any],
    events: Annotated[Path | None, typer.Option("--events", help=f"Events file, {listed(EVENTS)}.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Write only rows from this time on.")
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state", help="Folder that remembers what was written; the next run goes on from there."
        ),
    ] = None,
    causal: Annotated[bool, typer.Option("--causal", help="Scores that never depend on later rows.")] = False,
    grow_history: Annotated[
        bool | None,
        typer.Option(
            "--grow-history/--fixed-history",
            help="What looks ordinary joins the history the rest is compared with. [default: as trained]",
        ),
    ] = None,
    fail_on_event: Annotated[
        bool, typer.Option("--fail-on-event", help="Exit 10 if any event was found.")
    ] = False,
    device: options.Device = "auto",
    json_output: options.Json = False,
    config: options.ConfigFile = None,
) -> int:
    """Example: logscan score pump.csv --model pump.model --out scores.parquet

    Score a log with a model: one number per row, events, contributions of the channels.
    """
    from logscan.cli.settings import merged_config

    settings = merged_config(config, {"input": given})
    from logscan.cli.jobs.score import score as run

    return run(
        consoles_of(context),
        inputs,
        settings.input,
        model_folder=model,
        out=out,
        since=since,
        state=state,
        events=events,
        causal=causal,
        grow_history=grow_history,
        fail_on_event=fail_on_event,
        device=device,
        json_output=json_output,
    )
