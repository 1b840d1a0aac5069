"""`logscan report`: from a scores file to a page, JSON or CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from logscan.cli.console import Consoles
from logscan.errors import UsageError
from logscan.report import build_report, report_csv, report_json
from logscan.results.atomic import write_text
from logscan.results.run_record import run_record_path
from logscan.results.targets import refuse_overwriting


def report(
    consoles: Consoles, scores: Path, *, out: str, lang: Literal["en", "ja"], model_folder: Path | None
) -> int:
    """Write the report of a scores file."""
    refuse_overwriting([str(scores), str(run_record_path(scores))], [None if out == "-" else Path(out)])
    suffix = ".html" if out == "-" else Path(out).suffix.lower()
    if suffix in (".html", ".htm"):
        text = build_report(scores, lang=lang, model_dir=model_folder)
    elif suffix == ".json":
        text = report_json(scores, model_dir=model_folder)
    elif suffix == ".csv":
        text = report_csv(scores, model_dir=model_folder)
    else:
        raise UsageError(f"--out {out}", "unknown report format", "use a name ending in .html, .json or .csv")
    if out == "-":
        consoles.print_document(text)
    else:
        write_text(Path(out), text)
        consoles.say(f"report: {out}")
    return 0
