"""Markdown tables from the results of `benchmarks/detection.py`, for docs/results.md.

    python benchmarks/results_table.py trained.json closed_form.json

The first file gives the columns, the second (a run with `--no-fit`) one more VUS-PR column.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

# The data sets the mean is taken over; the others are shown below it.
MEAN_OVER = ("nab", "skab", "smd", "gecco2018", "ucr_sample", "ecg_mba", "kpi")


def figure(value: object, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return f"{value:.{digits}f}" if isinstance(value, (int, float)) and value == value else "–"  # noqa: PLR0124


def dataset_row(name: str, trained: dict[str, Any], closed: dict[str, Any]) -> str:
    """One data set."""
    cells = [
        name,
        str(trained["series"]),
        figure(trained["vus_pr"]),
        figure(closed.get("vus_pr")),
        figure(trained.get("compare")),
        figure(trained["auc_pr"]),
        figure(trained["seconds_train"] / trained["series"], 1),
        figure(trained["seconds_score"] / trained["series"], 1),
        figure(trained["peak_memory_bytes"] / 2**20, 0),
    ]
    return "| " + " | ".join(cells) + " |"


def mean_row(trained: dict[str, Any], closed: dict[str, Any]) -> str:
    """The mean over the data sets of `MEAN_OVER`."""

    def mean(results: dict[str, Any], name: str) -> float:
        return sum(results["datasets"][one][name] for one in MEAN_OVER) / len(MEAN_OVER)

    cells = [
        "**mean over the first seven**",
        str(sum(trained["datasets"][one]["series"] for one in MEAN_OVER)),
        f"**{figure(mean(trained, 'vus_pr'))}**",
        figure(mean(closed, "vus_pr")),
        figure(mean(trained, "compare")),
        figure(mean(trained, "auc_pr")),
    ]
    return "| " + " | ".join(cells) + " | | | |"


def series_row(one: dict[str, Any], closed: dict[tuple[str, str], dict[str, Any]]) -> str:
    """One series."""
    other = closed.get((one["dataset"], one["series"]), {})
    cells = [
        one["dataset"],
        one["series"].replace("|", "\\|"),
        f"{one['rows']:,} × {one['channels']}",
        figure(one.get("vus_pr")),
        figure(other.get("vus_pr")),
        figure(one.get("compare")),
        figure(one.get("auc_pr")),
        figure(one["seconds_train"], 1),
        figure(one["seconds_score"], 1),
        figure(one["peak_memory_bytes"] / 2**20, 0),
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trained", type=Path)
    parser.add_argument("closed_form", type=Path)
    options = parser.parse_args()
    trained = json.loads(options.trained.read_text())
    closed = json.loads(options.closed_form.read_text())
    print("| data set | series | VUS-PR | closed form | prototype | AUC-PR | train s | score s | peak MB |")
    print("|---|---|---|---|---|---|---|---|---|")
    order = [*MEAN_OVER, *sorted(set(trained["datasets"]) - set(MEAN_OVER))]
    for position, name in enumerate(order):
        if position == len(MEAN_OVER):
            print(mean_row(trained, closed))
        print(dataset_row(name, trained["datasets"][name], closed["datasets"].get(name, {})))
    print(
        "\n| data set | series | size | VUS-PR | closed form | prototype | AUC-PR | train s | score s | peak MB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    by_name = {(one["dataset"], one["series"]): one for one in closed["series"]}
    for one in trained["series"]:
        if one["status"] == "ok":
            print(series_row(one, by_name))


if __name__ == "__main__":
    main()
