"""`logscan demo`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from logscan.cli import options
from logscan.cli.start import consoles_of


def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the results go.")] = Path(
        "logscan-demo"
    ),
    device: options.Device = "auto",
) -> int:
    """Example: logscan demo results

    Run everything on the shipped samples: a pump station and an order system.
    """
    from logscan.cli.jobs.demo import run_demo

    return run_demo(folder, consoles_of(context), device=device)
