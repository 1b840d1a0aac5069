"""Markdown tables from the results of `benchmarks/detection/run.py`, for docs/results.md.

    python -m benchmarks detection tables trained.json closed_form.json

The first file gives the columns, the second (a run with `--no-fit`) one more VUS-PR column.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.detection.seeds import mean_over
from benchmarks.detection.summary import MEAN_OVER, alarm_summary, total_seconds

Results = dict[str, Any]
MEAN_SECONDS, SLOWEST_SECONDS = 30.0, 180.0  # bars of training and scoring, per series


def table(columns: str, rows: Iterable[list[str]]) -> str:
    """A Markdown table; `columns` are separated by `|`."""
    names = columns.split("|")
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def figure(value: object, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return f"{value:,.{digits}f}" if isinstance(value, (int, float)) and value == value else "–"  # noqa: PLR0124


def ordered(results: Results) -> tuple[list[str], list[str]]:
    """The data sets of the mean, and the others."""
    meant = [name for name in MEAN_OVER if name in results["datasets"]]
    return meant, sorted(set(results["datasets"]) - set(meant))


def detection_table(trained: Results, closed: Results) -> str:
    """Batch figures per data set."""

    def row(name: str) -> list[str]:
        part, other = trained["datasets"][name], closed["datasets"].get(name, {})
        return [
            name,
            str(part["series"]),
            figure(part["vus_pr"]),
            figure(other.get("vus_pr")),
            figure(part.get("compare")),
            figure(part["auc_pr"]),
            figure(part["seconds_train"] / part["series"], 1),
            figure(part["seconds_score"] / part["series"], 1),
            figure(part["peak_memory_bytes"] / 2**20, 0),
        ]

    meant, others = ordered(trained)
    means = [
        f"**{figure(mean_over(trained, 'vus_pr'))}**",
        figure(mean_over(closed, "vus_pr")),
        figure(mean_over(trained, "compare")),
        figure(mean_over(trained, "auc_pr")),
    ]
    mean_row = [f"**mean over these {len(meant)}**", _series_count(trained, meant), *means, "", "", ""]
    return table(
        "data set|series|VUS-PR|closed form|prototype|AUC-PR|train s|score s|peak MB",
        [*map(row, meant), mean_row, *map(row, others)],
    )


def causal_table(results: Results) -> str:
    """Causal beside batch, the delay of alarms and the promise of false alarms, per data set."""

    def alarms(part: Results) -> list[str]:
        clean = part.get("causal_clean_series")
        return [
            figure(part.get("causal_delay_steps"), 0),
            figure(part.get("causal_false_events"), 0) if clean else "–",
            figure(part.get("causal_promised_events"), 2) if clean else "–",
            figure(part.get("causal_false_alarms_per_day"), 2) if clean else "–",
            f"{part['causal_promises_kept']} of {clean}" if clean else "–",
        ]

    def row(name: str) -> list[str]:
        part = results["datasets"][name]
        keys = ("vus_pr", "causal_vus_pr", "causal_event_recall", "causal_event_precision")
        return [name, str(part["series"]), *(figure(part.get(key)) for key in keys), *alarms(part)]

    meant, others = ordered(results)
    mine = [one for one in results["series"] if one["status"] == "ok" and one["dataset"] in meant]
    keys = ("vus_pr", "causal_vus_pr", "causal_event_recall", "causal_event_precision")
    means = [f"**{figure(mean_over(results, key))}**" for key in keys]
    mean_row = [
        f"**mean, or sum, over these {len(meant)}**",
        _series_count(results, meant),
        *means,
        *alarms(alarm_summary(mine)),
    ]
    return table(
        "data set|series|batch VUS-PR|causal VUS-PR|event recall|event precision|delay, steps"
        "|false events|promised|false alarms a day|promise kept",
        [*map(row, meant), mean_row, *map(row, others)],
    )


def seconds_table(results: Results) -> str:
    """Training and batch scores together per series: mean and longest, against the bars."""
    done = [one for one in results["series"] if one["status"] == "ok"]

    def row(name: str, mine: list[Results]) -> list[str]:
        seconds = [total_seconds(one) for one in mine]
        over = sum(one > SLOWEST_SECONDS for one in seconds)
        return [name, str(len(mine)), figure(sum(seconds) / len(mine), 1), figure(max(seconds), 1), str(over)]

    meant, others = ordered(results)
    rows = [row(name, [one for one in done if one["dataset"] == name]) for name in (*meant, *others)]
    bars = ["bar", "", figure(MEAN_SECONDS, 0), figure(SLOWEST_SECONDS, 0), "0"]
    return table(
        f"data set|series|mean s|longest s|series over {SLOWEST_SECONDS:.0f} s",
        [*rows, row("**all series**", done), bars],
    )


def attention_table(dense: Results, sparse: Results) -> str:
    """The same model with exact and with sparse attention: what it finds and what attention costs.

    Seconds are inside `attend`, in training and batch scores; those of sparse attention include the trees of the
    histories, which exact attention does without. First of all heads, then of those with the longest history.
    """

    def row(name: str) -> list[str]:
        exact, fast = dense["datasets"][name], sparse["datasets"][name]
        tokens = max(head["history_tokens"] for head in _longest_heads(sparse, name))
        return [
            name,
            figure(exact["vus_pr"], 4),
            figure(fast["vus_pr"], 4),
            _difference(fast["vus_pr"], exact["vus_pr"]),
            *_times(
                exact["seconds_attention"] + exact["seconds_tree"],
                fast["seconds_attention"] + fast["seconds_tree"],
            ),
            f"{tokens:,}",
            *_times(*(sum(map(_head_seconds, _longest_heads(run, name))) for run in (dense, sparse))),
        ]

    meant, others = ordered(sparse)
    exact, fast = mean_over(dense, "vus_pr"), mean_over(sparse, "vus_pr")
    mean_row = [f"**mean over these {len(meant)}**", figure(exact, 4), figure(fast, 4)]
    mean_row += [f"**{_difference(fast, exact)}**", *[""] * 7]
    return table(
        "data set|dense VUS-PR|sparse VUS-PR|difference|dense s|sparse s|times faster"
        "|longest heads, tokens|dense s|sparse s|times faster",
        [*map(row, meant), mean_row, *map(row, others)],
    )


def _longest_heads(results: Results, dataset: str) -> list[dict[str, Any]]:
    """Of every series of a data set, the heads with as many history tokens as any of the series has."""
    found = []
    for one in results["series"]:
        if one["status"] == "ok" and one["dataset"] == dataset:
            heads = list(one["heads"].values())
            most = max(head["history_tokens"] for head in heads)
            found += [head for head in heads if head["history_tokens"] == most]
    return found


def _head_seconds(head: dict[str, Any]) -> float:
    return float(head["seconds"] + head["seconds_tree"])


def _times(dense: float, sparse: float) -> list[str]:
    return [figure(dense, 1), figure(sparse, 1), figure(dense / sparse, 2)]


def _difference(one: float | None, other: float | None) -> str:
    if one is None or other is None:
        return "–"
    return f"{round(one - other, 4) + 0.0:+.4f}"  # + 0.0: a difference that rounds to -0 is no loss


def series_table(trained: Results, closed: Results) -> str:
    """Batch figures and the promise, per series."""
    by_name = {(one["dataset"], one["series"]): one for one in closed["series"]}

    def row(one: Results) -> list[str]:
        other = by_name.get((one["dataset"], one["series"]), {})
        kept = {True: "yes", False: "no", None: "–"}[one.get("causal_promise_kept")]
        false = one.get("causal_false_events")
        return [
            one["dataset"],
            one["series"].replace("|", "\\|"),
            f"{one['rows']:,} × {one['channels']}",
            figure(one.get("vus_pr")),
            figure(other.get("vus_pr")),
            figure(one.get("compare")),
            figure(one.get("auc_pr")),
            figure(one.get("causal_vus_pr")),
            figure(one.get("causal_delay_steps"), 0),
            f"{figure(false, 0)} / {figure(one.get('causal_promised_events'), 2)}",
            figure(one.get("causal_false_alarms_per_day"), 2),
            kept if one.get("causal_clean_training") else f"({kept})",
            figure(one["seconds_train"], 1),
            figure(one["seconds_score"], 1),
            figure(one["peak_memory_bytes"] / 2**20, 0),
        ]

    return table(
        "data set|series|size|VUS-PR|closed form|prototype|AUC-PR|causal VUS-PR|delay, steps"
        "|false / promised|a day|kept|train s|score s|peak MB",
        [row(one) for one in trained["series"] if one["status"] == "ok"],
    )


def _series_count(results: Results, names: list[str]) -> str:
    return str(sum(results["datasets"][name]["series"] for name in names))


def main() -> None:
    """Print the tables of one pair of runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trained", type=Path)
    parser.add_argument("closed_form", type=Path)
    options = parser.parse_args()
    trained = json.loads(options.trained.read_text())
    closed = json.loads(options.closed_form.read_text())
    for text in (
        detection_table(trained, closed),
        causal_table(trained),
        seconds_table(trained),
        series_table(trained, closed),
    ):
        print(text, end="\n\n")


if __name__ == "__main__":
    main()
