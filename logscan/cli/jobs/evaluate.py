"""`logscan evaluate`: scores against labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from logscan.cli.console import Consoles, figures_table
from logscan.cli.jobs.measure import measured
from logscan.cli.jobs.refusals import refuse_labels, refuse_settings
from logscan.config import InputConfig
from logscan.results.run_record import run_record_path


def evaluate(
    consoles: Consoles,
    scores: Path,
    given: InputConfig,
    *,
    labels: str,
    source: Sequence[str],
    json_output: bool,
) -> int:
    """Measure scores against labels."""
    refuse_settings(given)
    refuse_labels(labels)
    figures_of = measured(scores, run_record_path(scores), labels=labels, source=tuple(source), given=given)
    evaluation = asdict(figures_of)
    # JSON knows no NaN, and a person reads a dash better.
    figures = {name: value if np.isfinite(value) else None for name, value in evaluation.items()}
    if json_output:
        consoles.print_json(figures)
        return 0
    rows = []
    for name, value in figures.items():
        text = "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        rows.append((name.replace("_", " "), text))
    consoles.out.print(figures_table(rows))
    return 0
