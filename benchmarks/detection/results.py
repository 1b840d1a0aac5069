"""Every detection figure of docs/results.md by one command: the runs it needs, and their tables.

    python -m benchmarks detection results --data DATA --out DIR [--compare CSV] [--peers] [--write docs/results.md]

A run whose JSON lies in DIR already is not run again: delete it to have it measured anew. With `--write` each table
also replaces what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->` in the document, where there is such a
pair, and the figure `detection-peers.png` beside it is drawn. `--peers` runs the other detectors too (`peers.py`,
which says what to install); their table is made whenever their results are there. The runs take about an hour and a
half on one core, the peers as long again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.detection import peers_table
from benchmarks.detection.seeds import seed_table
from benchmarks.detection.summary import MEAN_OVER
from benchmarks.detection.tables import (
    attention_table,
    causal_table,
    detection_table,
    seconds_table,
    series_table,
)
from logscan.results.atomic import write_text

_WHOLE = ["--no-fit", "--whole-history", "--only", "gecco2018", "ecg_mba"]
RUNS: dict[str, list[str]] = {
    "trained": [],
    "closed": ["--no-fit", "--batch-only"],
    **{f"seed{seed}": ["--seed", str(seed), "--batch-only", "--only", *MEAN_OVER] for seed in (1, 2, 3, 4)},
    "dense": ["--no-fit", "--batch-only", "--attention", "dense"],
    "sparse": ["--no-fit", "--batch-only", "--attention", "sparse"],
    "whole_dense": [*_WHOLE, "--attention", "dense"],
    "whole_sparse": [*_WHOLE, "--attention", "sparse"],
}
TAKES_COMPARISON = "trained"
PEERS = "peers.json"
OWN_METHODS = {
    "logscan": "trained",
    "closed_form": "closed",
}  # in the table of the peers, by the name of their run
SOME_FAILED = 3  # series, named in the results


def main() -> int:
    """Run what is missing and print the tables; returns the exit code: 0, or 3 when a series failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--compare", type=Path, help="see benchmarks/detection/run.py")
    parser.add_argument("--write", type=Path, help="document whose marked tables are replaced")
    parser.add_argument("--peers", action="store_true", help="run the other detectors too")
    parser.add_argument(
        "--workers", type=int, default=1, help="series run at once; 1 for times to be reported"
    )
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, options in RUNS.items():
        out = arguments.out / f"{name}.json"
        if out.exists():
            continue
        print(f"== {name}: {' '.join(options) or 'defaults'}", file=sys.stderr)
        command = [sys.executable, "-m", "benchmarks.detection.run", *options]
        command += ["--data", str(arguments.data), "--out", str(out), "--workers", str(arguments.workers)]
        if arguments.compare and name == TAKES_COMPARISON:
            command += ["--compare", str(arguments.compare)]
        code = subprocess.run(command, stdout=sys.stderr, check=False).returncode
        if code not in (0, SOME_FAILED):
            return code
    if arguments.peers:
        print("== the other detectors", file=sys.stderr)
        code = subprocess.run(peers_command(arguments), stdout=sys.stderr, check=False).returncode
        if code not in (0, SOME_FAILED):
            return code
    results = {name: json.loads((arguments.out / f"{name}.json").read_text()) for name in RUNS}
    found = tables(results)
    beside = peer_results(arguments.out / PEERS, results)
    if beside:
        found["peers"] = peers_table.markdown(beside, "vus_pr", 3)
    for name, text in found.items():
        print(f"### {name}\n\n{text}\n")
    if arguments.write:
        document = arguments.write.read_text(encoding="utf-8")
        write_text(arguments.write, filled(document, found))
        if beside:
            peers_table.draw(beside, arguments.write.with_name("detection-peers.png"))
    failed = [
        f"{name}: {one['dataset']}/{one['series']}: {one['reason']}"
        for name, result in results.items()
        for one in result["series"]
        if one["status"] == "failed"
    ]
    print("\n".join(failed), file=sys.stderr)
    return SOME_FAILED if failed else 0


def tables(results: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The tables by the name of their place in the document, from the results by the name of their run."""
    trained, closed = results["trained"], results["closed"]
    seeds = [_of_the_mean(trained), *(results[name] for name in RUNS if name.startswith("seed"))]
    return {
        "detection": detection_table(trained, closed),
        "seeds": seed_table(seeds),
        "causal": causal_table(trained),
        "seconds": seconds_table(trained),
        "attention": attention_table(results["dense"], results["sparse"]),
        "whole history": attention_table(results["whole_dense"], results["whole_sparse"]),
        "series": series_table(trained, closed),
    }


def _of_the_mean(results: dict[str, Any]) -> dict[str, Any]:
    """A run with those data sets only that the mean is over."""
    return {
        **results,
        "datasets": {name: part for name, part in results["datasets"].items() if name in MEAN_OVER},
    }


def peers_command(arguments: argparse.Namespace) -> list[str]:
    """How the other detectors are run: on the data sets of the mean."""
    methods = [name for name in peers_table.METHODS if name not in peers_table.OURS]
    command = [sys.executable, "-m", "benchmarks.detection.peers", "--data", str(arguments.data)]
    command += ["--out", str(arguments.out / PEERS), "--workers", str(arguments.workers)]
    return [*command, "--only", *MEAN_OVER, "--methods", *methods]


def peer_results(file: Path, results: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The results of the other detectors with logscan's own on the same series; nothing where there are none."""
    if not file.exists():
        return []
    peers = json.loads(file.read_text(encoding="utf-8"))["results"]
    ours = [
        {**one, "method": method, "seconds": one["seconds_train"] + one["seconds_score"]}
        for method, run in OWN_METHODS.items()
        for one in results[run]["series"]
        if one["status"] == "ok" and one["dataset"] in MEAN_OVER
    ]
    return [*(one for one in peers if one["method"] not in OWN_METHODS), *ours]


def filled(document: str, found: dict[str, str]) -> str:
    """The document with every marked place that has a table filled with it; the rest stands as it was."""

    def place(match: re.Match[str]) -> str:
        begin, name, end = match["begin"], match["name"], match["end"]
        return f"{begin}\n\n{found[name]}\n\n{end}" if name in found else match[0]

    pattern = r"(?P<begin><!-- (?P<name>[a-z ]+): begin -->).*?(?P<end><!-- (?P=name): end -->)"
    return re.sub(pattern, place, document, flags=re.DOTALL)


if __name__ == "__main__":
    sys.exit(main())
