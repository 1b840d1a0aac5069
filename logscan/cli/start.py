"""The consoles that the root command hands to its commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from logscan.cli.console import Consoles


def consoles_of(context: typer.Context) -> Consoles:
    """The two streams, as the root's options ask."""
    from logscan.cli.console import Consoles

    quiet, verbose, no_color = context.obj
    return Consoles.make(quiet=quiet, verbose=verbose, no_color=no_color)
