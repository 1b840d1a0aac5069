"""`logscan check`: its options."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from logscan.cli import options
from logscan.cli.start import consoles_of


@options.input_options
def check(
    context: typer.Context,
    inputs: options.Inputs,
    given: dict[str, Any],
    fail_below: Annotated[
        Literal["good", "usable", "poor"] | None,
        typer.Option("--fail-below", help="Exit 12 if any channel's grade is below this."),
    ] = None,
    write_config: Annotated[
        str | None,
        typer.Option(
            "--write-config",
            help="Write the settings found as a logscan.toml that reads the same; - is stdout.",
        ),
    ] = None,
    json_output: options.Json = False,
    config: options.ConfigFile = None,
) -> int:
    """Example: logscan check pump.csv

    Show what logscan sees of a log: columns, time grid, gaps, and a grade for every channel.
    """
    from logscan.cli.settings import merged_config

    settings = merged_config(config, {"input": given})
    from logscan.cli.jobs.check import check as run

    return run(
        consoles_of(context),
        inputs,
        settings,
        fail_below=fail_below,
        write_config=write_config,
        json_output=json_output,
    )
