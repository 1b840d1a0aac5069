"""The table and the figure of docs/results.md from the results of `benchmarks/detection/peers.py`.

    python -m benchmarks detection peers_table peers.json --figure docs/detection-peers.png

Prints the mean VUS-PR of every data set and method in markdown, then AUC-PR and seconds. `--figure` needs
matplotlib (`pip install matplotlib`); the tables need nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.detection.summary import MEAN_OVER
from benchmarks.detection.tables import figure

Result = dict[str, Any]

# One colour, marker and heading per method, in the order of the tables; ours must be found first.
METHODS = {
    "logscan": ("#000000", "o", "logscan"),
    "closed_form": ("#777777", "o", "logscan, closed form"),
    "dense": ("#d55e00", "s", "logscan, dense attention"),
    "sparse": ("#e69f00", "s", "logscan, sparse from 1,024 tokens"),
    "patch_cnn": ("#0072b2", "D", "patch CNN"),
    "sub_mahalanobis": ("#009e73", "^", "PCA of windows, Mahalanobis"),
    "sub_pca": ("#66c2a5", "^", "PCA of windows, as in PyOD"),
    "matrix_profile": ("#a6611a", "*", "matrix profile"),
    "lof": ("#cc79a7", "P", "local outlier factor"),
    "isolation_forest": ("#7b3294", "X", "isolation forest"),
    "rms": ("#b8a800", "v", "RMS of z-scores, windows of 64"),
    "rms_row": ("#d9d27a", "v", "RMS of z-scores, each row"),
}

OURS = ("logscan", "closed_form", "dense", "sparse")


def means(results: list[Result], key: str) -> dict[str, dict[str, float]]:
    """Method -> data set -> the mean of a figure over its series, and over data sets under `mean`.

    A data set counts for a method only when all its series that could be measured have the figure: a mean
    over fewer series would not be comparable. The mean over data sets needs all of `MEAN_OVER`.
    """
    wanted: dict[str, set[str]] = {}
    for result in results:
        if result["status"] == "ok":
            wanted.setdefault(result["dataset"], set()).add(result["series"])
    table: dict[str, dict[str, float]] = {}
    for method in METHODS:
        mine = [one for one in results if one["method"] == method and one["status"] == "ok"]
        by_set = {}
        for dataset, series in wanted.items():
            values = {one["series"]: one[key] for one in mine if one["dataset"] == dataset}
            if set(values) == series:
                by_set[dataset] = sum(values.values()) / len(values)
        if by_set:
            table[method] = by_set
            if set(MEAN_OVER) <= set(by_set):
                by_set["mean"] = sum(by_set[name] for name in MEAN_OVER) / len(MEAN_OVER)
    return table


def ordered_sets(results: list[Result]) -> list[str]:
    """The data sets met, those of the mean first."""
    met = {result["dataset"] for result in results if result["status"] == "ok"}
    return [name for name in MEAN_OVER if name in met] + sorted(met - set(MEAN_OVER))


def markdown(results: list[Result], key: str, digits: int) -> str:
    """One row per method, one column per data set, the mean over the seven last; the best is bold."""
    table = means(results, key)
    columns = [*ordered_sets(results), "mean"]
    best = (
        {name: max((row.get(name, -1.0) for row in table.values()), default=0.0) for name in columns}
        if key != "seconds"
        else {}
    )
    lines = ["| method | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for method, row in table.items():
        cells = [
            _bold(figure(row.get(name), digits), row.get(name) == best.get(name, -1)) for name in columns
        ]
        lines.append(f"| {METHODS[method][2]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def dense_note(results: list[Result]) -> str:
    """Where dense attention can differ from the default at all; empty when dense was not run."""
    found = [one for one in results if one["method"] == "dense" and one["status"] == "ok"]
    if not found:
        return ""
    limit = found[0]["exact_tokens_by_default"]
    longer = [one for one in found if one["history_tokens"] > limit]
    most = max(one["history_tokens"] for one in found)
    where = ", ".join(f"{one['dataset']}/{one['series']}" for one in longer)
    return (
        f"By default attention over up to {limit:,} tokens is exact, so dense attention is the same by "
        f"construction on {len(found) - len(longer)} of {len(found)} series"
        + (f"; it can differ on {where}" if longer else "")
        + f". The longest history has {most:,} tokens."
    )


def console_table(results: list[Result]) -> Table:
    """VUS-PR for a terminal: one row per method."""
    table = Table(title="VUS-PR, mean over the series of a data set")
    columns = [*ordered_sets(results), "mean"]
    for name in ("method", *columns):
        table.add_column(name, justify="left" if name == "method" else "right")
    for method, row in means(results, "vus_pr").items():
        table.add_row(method, *(figure(row.get(name)) for name in columns))
    return table


def draw(results: list[Result], path: Path) -> None:
    """Dots: one line per data set and for the mean, one dot per method."""
    import matplotlib as mpl  # noqa: PLC0415  the tables must not need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    table = means(results, "vus_pr")
    rows = ["mean", *(name for name in ordered_sets(results) if name in MEAN_OVER)]
    heights = {name: len(rows) - place for place, name in enumerate(rows)}
    canvas, panel = plt.subplots(figsize=(8, 5.4))
    for method in reversed(list(table)):  # ours last, on top
        color, marker, title = METHODS[method]
        points = [(table[method][name], heights[name]) for name in rows if name in table[method]]
        panel.plot(
            *zip(*points, strict=True),
            linestyle="",
            color=color,
            marker=marker,
            markersize=10 if method == "logscan" else 7,
            label=title,
        )
    panel.axhline(len(rows) - 0.5, color="#bbbbbb", linewidth=0.8)
    panel.set_yticks(list(heights.values()), ["mean of the data sets", *rows[1:]])
    panel.set_ylim(0.5, len(rows) + 0.5)
    panel.set_xlim(0, 1)
    panel.set_xlabel("VUS-PR")
    panel.grid(visible=True, alpha=0.25)
    panel.set_title("Detection: same rows, one setting for all data sets", fontsize=11, loc="left")
    handles, titles = panel.get_legend_handles_labels()
    canvas.legend(
        handles[::-1], titles[::-1], loc="lower center", ncols=3, frameon=False, fontsize=9, numpoints=1
    )
    canvas.tight_layout(rect=(0, 0.01 + 0.045 * -(-len(table) // 3), 1, 1))
    canvas.savefig(path, dpi=150)


def _bold(text: str, best: bool) -> str:
    return f"**{text}**" if best else text


def main() -> None:
    """Print the tables, draw what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+", help="results of peers.py; a later file wins")
    parser.add_argument("--figure", type=Path, help="PNG of VUS-PR")
    options = parser.parse_args()
    by_run: dict[tuple[str, str, str], Result] = {}
    for file in options.files:
        for one in json.loads(file.read_text(encoding="utf-8"))["results"]:
            by_run[one["dataset"], one["series"], one["method"]] = one
    results = list(by_run.values())
    show: Callable[[str, int], str] = lambda key, digits: markdown(results, key, digits)  # noqa: E731
    print("VUS-PR, mean over the series of each data set:\n\n" + show("vus_pr", 3))
    print("\nAUC-PR:\n\n" + show("auc_pr", 3))
    print("\nSeconds a series, training and scoring:\n\n" + show("seconds", 1))
    print("\n" + dense_note(results))
    if options.figure:
        draw(results, options.figure)


if __name__ == "__main__":
    main()
