"""`logscan report`: its options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from logscan.cli.start import consoles_of


def report(
    context: typer.Context,
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Scores file from 'logscan score'.")],
    out: Annotated[str, typer.Option("--out", help="Report, .html, .json or .csv; - is HTML on stdout.")],
    lang: Annotated[
        Literal["en", "ja"],
        typer.Option("--lang", envvar="LOGSCAN_LANG", help="Language."),
    ] = "en",
    model: Annotated[
        Path | None,
        typer.Option("--model", envvar="LOGSCAN_MODEL", help="Model folder, for its card."),
    ] = None,
) -> int:
    """Example: logscan report scores.parquet --out report.html

    Write the report of a scores file: verdict, events, timeline, data quality.
    """
    from logscan.cli.jobs.report import report as run

    return run(consoles_of(context), scores, out=out, lang=lang, model_folder=model)
