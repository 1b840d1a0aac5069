"""Time and memory of reading a long scores file back: `report` and `evaluate`, as a Markdown table.

    python -m benchmarks reading long_scores [--rows N] [--channels N]

The file is made up: a row every second, random scores, twelve events and twenty stops, written by logscan's own writer.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.cli_cost import command_cost
from logscan.records import LogKind, SeriesScores, StepQuality, TimeGrid, TimeKind
from logscan.results.write_scores import write_scores

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS
EVENTS, STOPS = 12, 20


def made_up(rows: int, channels: int) -> SeriesScores:
    """Random scores with events that get more severe, and stops in which nothing is judged."""
    draw = np.random.default_rng(3)
    parts = draw.random((rows, channels), dtype=np.float32) * np.float32(0.2)
    quality = np.zeros(rows, dtype=np.int8)
    event = np.full(rows, -1)
    for number in range(EVENTS):
        begin = int(rows * (0.05 + 0.07 * number))
        held = slice(begin, begin + 60 + 20 * number)
        parts[held, number % channels] += 1 + number / 4
        event[held] = number
    for number in range(STOPS):
        begin = int(rows * (number + 0.5) / STOPS)
        held = slice(begin, begin + rows // 400)
        parts[held] = np.nan
        quality[held] = tuple(StepQuality).index(StepQuality.NOT_JUDGED)
    return SeriesScores(
        entity="",
        channels=tuple(f"sensor {place}" for place in range(channels)),
        grid=TimeGrid(TimeKind.TIMESTAMP, START_NS, SECOND_NS, rows),
        row_times=None,
        score=parts.sum(axis=1, dtype=np.float32),
        threshold=0.12 * channels + 0.3,
        event_id=event,
        quality=quality,
        contributions=parts,
        events=(),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--channels", type=int, default=8)
    options = parser.parse_args()
    print("| scores file | MB | command | seconds | CPU s | peak resident MB | report, kB |")
    print("|---|--:|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        labels = Path(folder) / "labels.csv"
        failure = datetime.fromtimestamp(START_NS // SECOND_NS, UTC) + timedelta(seconds=options.rows // 2)
        labels.write_text(f"start,end\n{failure:%F %T},{failure + timedelta(hours=1):%F %T}\n")
        for suffix in ("parquet", "csv"):
            scores, page = Path(folder) / f"scores.{suffix}", Path(folder) / "report.html"
            write_scores(
                scores, [made_up(options.rows, options.channels)], metadata={}, log_kind=LogKind.EVENTS
            )
            name = f"{suffix}, {options.rows:,} × {options.channels} | {scores.stat().st_size / 1e6:,.0f}"
            for command in (
                ["report", str(scores), "--out", str(page)],
                ["evaluate", str(scores), "--labels", str(labels)],
            ):
                cost = command_cost(command)
                written = f"{page.stat().st_size / 1e3:,.0f}" if command[0] == "report" else "–"
                figures = f"{cost.seconds:.1f} | {cost.cpu_seconds:.1f} | {cost.peak_mb:,.0f} | {written}"
                print(f"| {name} | `{command[0]}` | {figures} |", flush=True)
            scores.unlink()


if __name__ == "__main__":
    main()
