"""How fast logs are read, beside pyarrow alone, and how much memory whole commands take on a very long one.

    python -m benchmarks reading throughput throughput [--rows N] [--runs N]
    python -m benchmarks reading throughput memory --gigabytes N [--every STEP] [--folder DIR]

`throughput` compares, in turns within one process, logscan's whole reader (decode, cast by its own rules, put on the
grid) with pyarrow reading the same columns and doing nothing with them: a CSV as text (`pyarrow.csv.open_csv`), a
Parquet file by `iter_batches(pre_buffer=False)`. The figures are medians.

`memory` writes a log of eight sensors read once a second for as many years as fill the file, runs `check`, `train`
and `score` on it, each a process of its own, and tells time and peak resident memory (10^6 bytes) of each.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.cli_cost import command_cost
from logscan.config import InputConfig
from logscan.read import read_log

START = 1_609_459_200  # 2021-01-01, seconds
CHUNK_ROWS = 1 << 17


def sensor_tables(channels: int) -> Iterator[pa.Table]:
    """An endless log: a time every second, and channels that swing with the day under noise of their own."""
    random = np.random.default_rng(0)
    names = [f"sensor_{number + 1}" for number in range(channels)]
    first = 0
    while True:
        seconds = np.arange(first, first + CHUNK_ROWS)
        first += CHUNK_ROWS
        moments: Any = pa.array(START + seconds).cast(pa.timestamp("s"))
        columns: dict[str, Any] = {"time": pc.strftime(moments, format="%Y-%m-%d %H:%M:%S")}
        for number, name in enumerate(names):
            swing = 3 * np.sin(2 * np.pi * seconds / 86_400 + number)
            noise = random.standard_normal(CHUNK_ROWS)
            columns[name] = pa.array(np.round(20 + 5 * number + swing + 0.5 * noise, 3))
        yield pa.table(columns)


def write_csv(path: Path, channels: int, *, rows: int | None = None, size: int | None = None) -> int:
    """Write a CSV of so many rows, or of so many bytes; gives the rows back."""
    written = 0
    with path.open("wb") as file:
        for table in sensor_tables(channels):
            piece = table if rows is None else table.slice(0, rows - written)
            header = written == 0
            pa_csv.write_csv(piece, file, pa_csv.WriteOptions(include_header=header, quoting_style="needed"))
            written += piece.num_rows
            if written == rows or (size is not None and file.tell() >= size):
                return written
    raise AssertionError


def write_plant_csv(path: Path, *, rows: int) -> None:
    """A CSV as plants write them: CP932, two lines above the header, times by slashes, a status, `ERR` in cells."""
    names = ["日時", "圧力(MPa)", "流量(m3/h)", "電流(A)", "軸受温度(℃)", "振動(mm/s)", "運転状態"]
    with path.open("wb") as file:
        file.write(f"第2工場 ポンプ設備 運転記録\r\n\r\n{','.join(names)}\r\n".encode("cp932"))
        written = 0
        for table in sensor_tables(len(names) - 2):
            piece = table.slice(0, rows - written)
            number = np.arange(written, written + piece.num_rows)
            failed = pa.array(number % 10_007 == 0)
            columns = {
                "time": pc.replace_substring(piece["time"], "-", "/"),
                **{name: piece[name] for name in piece.schema.names[1:4]},
                "warm": pc.if_else(failed, "ERR", piece["sensor_4"].cast(pa.string())),
                "shake": piece["sensor_5"],
                "state": pc.if_else(pa.array(number % 86_400 < 80_000), "運転", "停止"),
            }
            text = pa.BufferOutputStream()
            pa_csv.write_csv(
                pa.table(columns), text, pa_csv.WriteOptions(include_header=False, quoting_style="none")
            )
            file.write(text.getvalue().to_pybytes().decode().encode("cp932"))
            written += piece.num_rows
            if written == rows:
                return


@dataclass(frozen=True, slots=True)
class Comparison:
    """One format, read both ways."""

    name: str
    megabytes: float
    reference_seconds: float
    own_seconds: float

    @property
    def ratio(self) -> float:
        """Throughput beside the reference's; 1 is as fast."""
        return self.reference_seconds / self.own_seconds

    def row(self) -> str:
        """A row of a Markdown table."""
        return (
            f"| {self.name} | {self.megabytes:.0f} | {self.reference_seconds:.2f} | {self.own_seconds:.2f} | "
            f"{self.ratio:.2f} |"
        )


def read_as_text(path: Path, *, above: int = 0, encoding: str = "utf8") -> None:
    """What pyarrow does at least: parse the CSV, every column as text."""
    how = pa_csv.ReadOptions(skip_rows=above, encoding=encoding)
    names = pa_csv.open_csv(path, read_options=how).schema.names
    options = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    for _ in pa_csv.open_csv(path, read_options=how, convert_options=options):
        pass


def read_plant_csv_as_text(path: Path) -> None:
    """The same for what `write_plant_csv` writes."""
    read_as_text(path, above=2, encoding="cp932")


def read_batches(path: Path) -> None:
    """What pyarrow does at least: decode the Parquet file."""
    for _ in pq.ParquetFile(path, pre_buffer=False).iter_batches():
        pass


def compared(
    name: str, path: Path, reference: Callable[[Path], None], every: str | None, runs: int
) -> Comparison:
    """The medians of both ways, measured in turns after one warm-up of each."""

    def own(path: Path) -> None:
        read_log([path], InputConfig(every=every))

    seconds: dict[Callable[[Path], None], list[float]] = {reference: [], own: []}
    for run in range(runs + 1):
        for way, taken in seconds.items():
            begin = time.perf_counter()
            way(path)
            if run:
                taken.append(time.perf_counter() - begin)
    medians = [statistics.median(taken) for taken in seconds.values()]
    return Comparison(name, path.stat().st_size / 1e6, *medians)


def throughput(rows: int, runs: int, folder: Path) -> None:
    """Print the table of all formats."""
    print("| file | MB | pyarrow, s | logscan, s | ratio |")
    print("|---|---:|---:|---:|---:|")
    for channels in (8, 20):
        plain = folder / f"log{channels}.csv"
        write_csv(plain, channels, rows=rows * 8 // channels)
        packed = plain.with_suffix(".csv.gz")
        with plain.open("rb") as source, gzip.open(packed, "wb", compresslevel=3) as target:
            shutil.copyfileobj(source, target)
        columnar = plain.with_suffix(".parquet")
        pq.write_table(pa_csv.read_csv(plain), columnar)
        for path, reference in ((plain, read_as_text), (packed, read_as_text), (columnar, read_batches)):
            for every in (None, "1min"):
                name = f"{path.name.removeprefix(f'log{channels}')[1:]}, {channels} channels"
                name += f", --every {every}" if every else ""
                print(compared(name, path, reference, every, runs).row(), flush=True)
            path.unlink()
    plant = folder / "plant.csv"
    write_plant_csv(plant, rows=rows)
    for every in (None, "1min"):
        name = "csv of a plant" + (f", --every {every}" if every else "")
        print(compared(name, plant, read_plant_csv_as_text, every, runs).row(), flush=True)


def memory(gigabytes: float, channels: int, every: str | None, folder: Path) -> None:
    """Print the cost of check, train and score on one very long log."""
    log, model, scores = folder / "log.csv", folder / "model", folder / "scores.parquet"
    begin = time.perf_counter()
    rows = write_csv(log, channels, size=int(gigabytes * 1e9))
    print(
        f"{log.stat().st_size / 1e9:.1f} GB, {rows:,} rows, written in {time.perf_counter() - begin:.0f} s",
        file=sys.stderr,
    )
    step = [] if every is None else ["--every", every]
    print("| command | s | CPU s | peak resident MB |")
    print("|---|---:|---:|---:|")
    for arguments in (
        ["check", str(log), *step],
        ["train", str(log), *step, "--model", str(model)],
        ["score", str(log), "--model", str(model), "--out", str(scores)],
    ):
        cost = command_cost(arguments)
        figures = f"{cost.seconds:.0f} | {cost.cpu_seconds:.0f} | {cost.peak_mb:.0f}"
        print(f"| {arguments[0]} | {figures} |", flush=True)


def main() -> None:
    """Run the benchmark that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where the files are made; default: the temporary folder")
    kinds = parser.add_subparsers(dest="kind", required=True)
    fast = kinds.add_parser("throughput")
    fast.add_argument("--rows", type=int, default=4_000_000, help="of the log of eight channels")
    fast.add_argument("--runs", type=int, default=5)
    long = kinds.add_parser("memory")
    long.add_argument("--gigabytes", type=float, default=10.0)
    long.add_argument("--channels", type=int, default=8)
    long.add_argument("--every", help="grid step; default: logscan's choice")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        if arguments.kind == "throughput":
            throughput(arguments.rows, arguments.runs, Path(folder))
        else:
            memory(arguments.gigabytes, arguments.channels, arguments.every, Path(folder))


if __name__ == "__main__":
    main()
