"""Means of the results of the detection benchmark, and what is printed of them. Only the standard library and rich."""

from __future__ import annotations

import csv
import statistics
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

MEAN_OVER = (
    "nab",
    "skab",
    "smd",
    "gecco2018",
    "ucr_sample",
    "ecg_mba",
    "kpi",
)  # the others stand below the mean
MEANS = (
    "vus_pr",
    "causal_vus_pr",
    "auc_pr",
    "causal_auc_pr",
    "vus_roc",
    "auc_roc",
    "best_f1",
    "event_recall",
    "event_precision",
    "causal_event_recall",
    "causal_event_precision",
    "compare",
)
SUMS = ("seconds_train", "seconds_score", "seconds_attention", "seconds_attention_fit", "seconds_tree")


def add_comparison(results: Iterable[dict[str, Any]], file: Path, column: str | None) -> None:
    """Put the figure of another detector beside each result, as `compare`."""
    with file.open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    chosen = column or list(table[0])[-1]
    known = {(row["dataset"], row["series"]): float(row[chosen]) for row in table if row[chosen]}
    for result in results:
        result["compare"] = known.get((result["dataset"], result["series"]))


def summarised(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Means per data set, over all series and over data sets; seconds are summed, memory is the peak."""
    done = [result for result in results if result["status"] == "ok"]
    datasets = {}
    for dataset in dict.fromkeys(result["dataset"] for result in done):
        mine = [result for result in done if result["dataset"] == dataset]
        seconds = [total_seconds(result) for result in mine]
        datasets[dataset] = {
            "series": len(mine),
            **_means(mine),
            **alarm_summary(mine),
            **{name: sum(result[name] for result in mine) for name in SUMS},
            "seconds_mean": statistics.mean(seconds),
            "seconds_max": max(seconds),
            "peak_memory_bytes": max(result["peak_memory_bytes"] for result in mine),
        }
    return {
        "mean_over_datasets": _means(list(datasets.values())),
        "mean_over_series": _means(done),
        "alarms": alarm_summary(done),
        "datasets": datasets,
        "series": results,
    }


def total_seconds(result: dict[str, Any]) -> float:
    """Training and batch scores of one series."""
    return float(result["seconds_train"] + result["seconds_score"])


def alarm_summary(results: list[dict[str, Any]]) -> dict[str, float | int | None]:
    """What came of causal alarms over several series.

    False alarms are those of series whose training part is clean; events and days are added up, so a short series
    counts for what it holds. The delay is the median of the medians of the series that detected anything.
    Empty where no series has causal scores.
    """
    causal = [result for result in results if "causal_promise_kept" in result]
    if not causal:
        return {}
    clean = [result for result in causal if result["causal_clean_training"]]
    days = sum(result["causal_clean_days"] or 0.0 for result in clean)
    timed = sum(result["causal_false_events"] for result in clean if result["causal_clean_days"])
    delays = [result["causal_delay_steps"] for result in causal if result["causal_delay_steps"] is not None]
    return {
        "causal_delay_steps": statistics.median(delays) if delays else None,
        "causal_clean_series": len(clean),
        "causal_promises_kept": sum(result["causal_promise_kept"] for result in clean),
        "causal_false_events": sum(result["causal_false_events"] for result in clean),
        "causal_promised_events": sum(result["causal_promised_events"] for result in clean),
        "causal_clean_days": days or None,
        "causal_false_alarms_per_day": timed / days if days else None,
    }


def _means(parts: list[dict[str, Any]]) -> dict[str, float | None]:
    """Mean of each figure over the parts where it is defined."""
    means: dict[str, float | None] = {}
    for name in MEANS:
        values = [part[name] for part in parts if part.get(name) is not None]
        means[name] = sum(values) / len(values) if values else None
    return means


def print_tables(summary: dict[str, Any]) -> None:
    """One line per data set, then the two means, on standard output."""
    table = Table(title="Detection")
    figures = {
        "VUS-PR": "vus_pr",
        "causal": "causal_vus_pr",
        "compare": "compare",
        "AUC-PR": "auc_pr",
        "event recall": "event_recall",
        "event precision": "event_precision",
    }
    costs = ("train s", "score s", "attention s", "peak MB")
    for name in ("data set", "series", *figures, "promise kept", *costs):
        table.add_column(name, justify="left" if name == "data set" else "right")
    for dataset, part in summary["datasets"].items():
        table.add_row(
            dataset,
            str(part["series"]),
            *(_three(part[key]) for key in figures.values()),
            _kept(part),
            f"{part['seconds_train']:.1f}",
            f"{part['seconds_score']:.1f}",
            f"{part['seconds_attention']:.1f}",
            f"{part['peak_memory_bytes'] / 1e6:.0f}",
        )
    table.add_section()
    for title, key in (
        ("mean over data sets", "mean_over_datasets"),
        ("mean over series", "mean_over_series"),
    ):
        table.add_row(title, "", *(_three(summary[key][name]) for name in figures.values()))
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(table)
    for result in summary["series"]:
        if result["status"] != "ok":
            text = f"{result['status']}: {result['dataset']}/{result['series']}: {result['reason']}"
            console.print(text, markup=False, highlight=False)


def _kept(part: dict[str, Any]) -> str:
    clean = part.get("causal_clean_series")
    return f"{part['causal_promises_kept']} of {clean}" if clean else ""


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
