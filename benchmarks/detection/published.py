"""logscan on the NAB files of the TSB-AD benchmark, against the published figures of 32 detectors.

    python -m benchmarks detection published --data DIR --peers DIR [--no-fit] [--workers N] [--out results.json]

--data is the folder of data sets (see `benchmarks/detection/run.py`) with NAB in `nab`; --peers holds
`tsbad_u_vuspr.csv`, the VUS-PR that TSB-AD (Liu and Paparrizos, NeurIPS 2024) published per file and detector,
and `nab_to_tsbad.json`, which NAB file each of its files is. Every file in both is run as TSB-AD ran it: the
first `tr_NNN` rows of its name are for training, its last row is dropped, VUS-PR is taken over the whole series
with the same window. Defaults throughout. The published detectors had their settings tuned on other files of
the benchmark; TSB-AD's labels of some NAB files differ slightly from NAB's, which are used here.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.detection.run import all_results
from benchmarks.detection.tasks import Task
from logscan.results.atomic import write_text

_TRAIN_ROWS = re.compile(r"_tr_(\d+)_")
_FIRST_FACT = "ts_len"  # the columns before it are detectors, the ones from it on describe the series


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of TSB-AD that is one of NAB."""

    name: str  # in TSB-AD
    nab_file: Path
    time_column: str
    figures: dict[str, float]  # detector -> VUS-PR

    @property
    def train_rows(self) -> int:
        """Rows of the training part, as the name says."""
        found = _TRAIN_ROWS.search(self.name)
        assert found is not None
        return int(found.group(1))


def main() -> int:
    """Run and print; returns the exit code: 0, or 3 when a file failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of data sets")
    parser.add_argument("--peers", type=Path, required=True, help="folder of the published figures")
    parser.add_argument("--no-fit", action="store_true", help="keep the closed-form model")
    parser.add_argument("--workers", type=int, default=1, help="files run at once; cores are shared out")
    parser.add_argument("--out", type=Path, help="JSON of every file's figures")
    options = parser.parse_args()
    files = published_files(options.peers, options.data / "nab")
    if not files:
        parser.error(f"no file of {options.peers} is in {options.data / 'nab'}")
    threads = max(1, int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)) // options.workers)
    ours = figures(files, fit=not options.no_fit, workers=options.workers, threads=threads)
    measured = [file for file in files if file.name in ours]
    if measured:
        print(markdown(measured, ours))
    if options.out:
        rows = [{"file": file.name, "logscan": ours[file.name], **file.figures} for file in measured]
        write_text(options.out, json.dumps({"fit": not options.no_fit, "files": rows}, indent=1) + "\n")
    return 0 if len(measured) == len(files) else 3


def published_files(peers: Path, nab: Path) -> list[PublishedFile]:
    """The files that are in the table, in the mapping and in the folder."""
    mapping = json.loads((peers / "nab_to_tsbad.json").read_text(encoding="utf-8"))
    series = json.loads((nab / "meta.json").read_text(encoding="utf-8"))["series"]
    with (peers / "tsbad_u_vuspr.csv").open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        rows = {row["file"]: row for row in reader}
        columns = list(reader.fieldnames or ())
    detectors = columns[1 : columns.index(_FIRST_FACT)]
    found = []
    for name, path in mapping.items():
        meta = series.get(path.removesuffix(".csv").replace("/", "__"))
        if meta is not None and name in rows:
            published = {detector: float(rows[name][detector]) for detector in detectors}
            found.append(PublishedFile(name, nab / meta["file"], meta["time_column"], published))
    return found


def figures(files: list[PublishedFile], *, fit: bool, workers: int, threads: int) -> dict[str, float]:
    """Our VUS-PR of each file that could be measured."""
    with tempfile.TemporaryDirectory() as folder:
        tasks = [shortened(file, Path(folder), fit=fit, threads=threads) for file in files]
        results = all_results(tasks, workers)
    return {result["series"]: result["vus_pr"] for result in results if result["status"] == "ok"}


def shortened(file: PublishedFile, folder: Path, *, fit: bool, threads: int) -> Task:
    """The task of one file, of which `folder` gets a copy without its last row, as TSB-AD used it."""
    lines = file.nab_file.read_text(encoding="utf-8").splitlines(keepends=True)
    copy = folder / file.name
    copy.write_text("".join(lines[:-1]), encoding="utf-8")
    return Task(
        dataset="nab",
        series=file.name,
        file=str(copy),
        time_column=file.time_column,
        train_end=file.train_rows,
        fit=fit,
        seed=0,
        attention="auto",
        whole_history=False,
        batch_only=True,
        false_alarms="1/week",
        device="cpu",
        threads=threads,
    )


def markdown(files: list[PublishedFile], ours: dict[str, float]) -> str:
    """The means over the files, then every file."""
    means = {
        detector: sum(file.figures[detector] for file in files) / len(files) for detector in files[0].figures
    }
    ranked = sorted(means, key=lambda detector: -means[detector])
    mine = sum(ours[file.name] for file in files) / len(files)
    hindsight = sum(max(file.figures.values()) for file in files) / len(files)
    single = means[ranked[0]]
    lines = [
        f"| {len(files)} NAB files | mean VUS-PR | logscan minus this |",
        "|---|---|---|",
        f"| logscan | {mine:.3f} | |",
        f"| best single published detector ({ranked[0]}) | {single:.3f} | {mine - single:+.3f} |",
        *(f"| {name} | {means[name]:.3f} | {mine - means[name]:+.3f} |" for name in ranked[1:4]),
        f"| best of {len(means)} per file, in hindsight | {hindsight:.3f} | {mine - hindsight:+.3f} |",
        "",
        f"| file | logscan | {ranked[0]} | best published | which |",
        "|---|---|---|---|---|",
    ]
    for file in files:
        best = max(file.figures, key=lambda detector: file.figures[detector])
        cells = (ours[file.name], file.figures[ranked[0]], file.figures[best])
        lines.append(
            f"| {file.name.removesuffix('.csv')} | "
            + " | ".join(f"{value:.3f}" for value in cells)
            + f" | {best} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
