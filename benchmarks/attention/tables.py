"""Figures and tables from the results of `benchmarks/attention/speed.py`.

    python -m benchmarks attention tables RESULTS.json ... --source ecg --scaling scaling.png --curve curve.png

`--scaling` draws time and memory against the number of tokens, every method at its usual setting;
`--curve` error against time at one size, every method along its knob. Needs matplotlib. The tables are
printed by `python -m benchmarks attention speed table`, which needs nothing.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]

# One colour, marker and short name per method; ours is the one that must be found first.
STYLES = {
    "logscan": ("#000000", "o", "logscan sparse"),
    "logscan_search": ("#777777", "o", "logscan, with neighbours"),
    "sdpa": ("#d55e00", "s", "dense (torch SDPA)"),
    "window": ("#b8a800", "v", "sliding window"),
    "flex_time": ("#0072b2", "D", "FlexAttention, time blocks"),
    "flex_content": ("#56b4e9", "D", "FlexAttention, content blocks"),
    "reformer": ("#009e73", "^", "LSH (Reformer)"),
    "performer": ("#cc79a7", "P", "random features (Performer)"),
    "knn": ("#8c510a", "X", "exact neighbours (torch)"),
    "ivf": ("#7b3294", "<", "faiss IVF"),
    "hnsw": ("#c2a5cf", ">", "faiss HNSW"),
    "stumpy": ("#a6611a", "*", "matrix profile (stumpy)"),
}


@dataclass(frozen=True)
class Column:
    """One column of a table: the key of a row, its heading and its format."""

    key: str
    title: str
    spec: str = ""


_PROBLEM = (Column("source", "tokens"), Column("n", "N", ","), Column("d", "d"))
_QUALITY = (
    Column("output_error", "output error", ".4f"),
    Column("rank_correlation", "rank corr.", ".4f"),
    Column("log_partition_error", "log Z error", ".4f"),
    Column("nearest_found", "nearest", ".3f"),
    Column("neighbors_found", "of 16", ".3f"),
)
_AGAINST_SDPA = (
    Column("seconds", "logscan s", ".4f"),
    Column("sdpa_seconds", "SDPA s", ".4f"),
    Column("ratio", "ratio", ".3f"),
)
TABLES: dict[str, tuple[Column, ...]] = {
    "speed": (*_PROBLEM, *_AGAINST_SDPA, Column("sdpa_queries", "SDPA queries", ",")),
    "growth": (
        Column("source", "tokens"),
        Column("d", "d"),
        Column("from_n", "from N", ","),
        Column("to_n", "to N", ","),
        Column("exponent", "logscan exponent", ".2f"),
        Column("sdpa_exponent", "SDPA exponent", ".2f"),
    ),
    "small": (*_PROBLEM, Column("task", "attention"), *_AGAINST_SDPA),
    "faithful": (
        *_PROBLEM,
        *_QUALITY,
        Column("seconds", "s", ".2f"),
        Column("seconds_with_neighbors", "s with 16 neighbours", ".2f"),
    ),
    "ablation": (*_PROBLEM, Column("variant", "variant"), Column("seconds", "s", ".2f"), *_QUALITY),
    "bound": (
        *_PROBLEM,
        Column("variant", "variant"),
        Column("seconds", "s", ".2f"),
        Column("output_violations", "output violated"),
        Column("output_finite", "finite", ".3f"),
        Column("output_error_median", "error", ".2e"),
        Column("output_bound_median", "bound", ".2e"),
        Column("output_ratio_05", "ratio 5 %", ".3g"),
        Column("output_ratio_50", "50 %", ".3g"),
        Column("output_ratio_95", "95 %", ".3g"),
        Column("log_partition_violations", "log Z violated"),
        Column("log_partition_error_median", "error", ".2e"),
        Column("log_partition_bound_median", "bound", ".2e"),
        Column("log_partition_ratio_05", "ratio 5 %", ".3g"),
        Column("log_partition_ratio_50", "50 %", ".3g"),
        Column("log_partition_ratio_95", "95 %", ".3g"),
    ),
    "gradient": (
        *_PROBLEM,
        *_AGAINST_SDPA,
        Column("query_error", "∂query error", ".1e"),
        Column("key_error", "∂key error", ".1e"),
        Column("value_error", "∂value error", ".1e"),
    ),
    "planted": (
        *_PROBLEM,
        Column("planted", "planted", ","),
        Column("run", "run"),
        Column("leaves", "leaves searched"),
        Column("probes", "probes"),
        Column("first", "is the first", ".3f"),
        Column("among", "among 16", ".3f"),
        Column("back", "copy finds it", ".3f"),
        Column("seconds", "s", ".1f"),
    ),
    "alternatives": (
        *_PROBLEM,
        Column("title", "method"),
        Column("knob", "knob"),
        Column("value", "setting", ","),
        Column("seconds", "s", ".3f"),
        Column("ratio", "× SDPA", ".3f"),
        *_QUALITY[:2],
        _QUALITY[3],
    ),
    "memory": (
        *_PROBLEM,
        Column("title", "method"),
        Column("value", "setting", ","),
        Column("peak_mib", "peak MiB over inputs", ",.0f"),
    ),
    "skipped": (*_PROBLEM, Column("what", "what"), Column("reason", "reason")),
    "machine": (
        Column("processor", "processor"),
        Column("cores", "cores"),
        Column("threads", "threads"),
        Column("torch", "torch"),
    ),
}


def cell(row: Row, column: Column) -> str:
    """A figure as the column writes it, or a dash where there is none."""
    value = row.get(column.key)
    if value is None or value != value:  # noqa: PLR0124  NaN
        return "–"
    if isinstance(value, list):  # several runs of a table joined
        return ", ".join(map(str, value))
    return format(value, column.spec)


def plain_line(kind: str, row: Row | None) -> str:
    """A row (the headings where there is none) for a terminal, aligned as it grows."""
    parts = []
    for column in TABLES[kind]:
        wide = {"method": 34, "reason": 40, "variant": 22, "tokens": 12, "processor": 40}.get(column.title, 9)
        wide = max(wide, len(column.title) + 1)
        text = column.title if row is None else cell(row, column)
        parts.append(f"{text:<{wide}}" if wide > 9 and not column.spec else f"{text:>{wide}}")
    return "  ".join(parts).rstrip()


def markdown(kind: str, rows: list[Row]) -> str:
    """The table of one kind of row; columns in which no row has a figure are left out."""
    columns = [column for column in TABLES[kind] if any(cell(row, column) != "–" for row in rows)]
    lines = [" | ".join(column.title for column in columns), "|".join("---" for _ in columns)]
    lines += [" | ".join(cell(row, column).replace("|", "\\|") for column in columns) for row in rows]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def all_rows(files: list[Path]) -> list[Row]:
    """The rows of several result files."""
    return [row for file in files for row in json.loads(file.read_text(encoding="utf-8"))]


def tables(files: list[Path]) -> str:
    """Every table there are rows for, one after another."""
    by_kind: dict[str, list[Row]] = defaultdict(list)
    for row in all_rows(files):
        if row not in by_kind[row["kind"]]:  # every file names its machine
            by_kind[row["kind"]].append(row)
    return "\n\n".join(f"### {kind}\n\n{markdown(kind, by_kind[kind])}" for kind in TABLES if kind in by_kind)


def _series(rows: list[Row], kind: str, key: str) -> dict[str, list[tuple[int, float]]]:
    """Points (N, figure) of every method at its usual setting, ascending in N."""
    points: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows:
        if row["kind"] == kind and row.get("usual") and row.get(key) is not None:
            points[row["method"]][row["n"]] = row[key]
    if kind == "alternatives":
        # the plain comparison reaches sizes at which the others are not run
        reached = max((n for at in points.values() for n in at), default=0)
        for row in rows:
            if row["kind"] == "speed" and row["n"] > reached:
                points["logscan"][row["n"]] = row["seconds"]
                points["sdpa"][row["n"]] = row["sdpa_seconds"]
    return {method: sorted(at.items()) for method, at in points.items()}


def draw_scaling(rows: list[Row], path: Path, what: str) -> None:
    """Two panels: time and memory against N, on logarithmic axes."""
    plt = _pyplot()
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.9))
    drawn: dict[str, Any] = {}
    for panel, kind, key, title in (
        (panels[0], "alternatives", "seconds", "time, seconds"),
        (panels[1], "memory", "peak_mib", "peak memory over inputs, MiB"),
    ):
        points = _series(rows, kind, key)
        for method in (m for m in reversed(STYLES) if m in points):  # ours last, on top
            drawn.setdefault(method, _line(panel, method, points[method]))
        panel.set_xscale("log", base=2)
        panel.set_yscale("log")
        sizes = sorted({n for series in points.values() for n, _ in series})
        panel.set_xticks(sizes, [_size(n) for n in sizes], fontsize=9)
        panel.minorticks_off()
        panel.set_xlabel("tokens N")
        panel.set_title(title, fontsize=11, loc="left")
        panel.grid(visible=True, alpha=0.25)
    _legend(figure, drawn, columns=3)
    figure.suptitle(what, fontsize=11, x=0.01, ha="left")
    figure.tight_layout(rect=(0, 0.01 + 0.042 * -(-len(drawn) // 3), 1, 1))
    figure.savefig(path, dpi=150)


def draw_curve(rows: list[Row], path: Path, what: str) -> None:
    """Error of the output against time along every method's knob, on logarithmic axes."""
    plt = _pyplot()
    figure, panel = plt.subplots(figsize=(8, 5.6))
    points: dict[str, dict[int, tuple[float, float]]] = defaultdict(dict)  # one per setting, in its order
    for row in sorted(rows, key=lambda row: row.get("value", 0)):
        if row["kind"] == "alternatives" and row.get("output_error") is not None:
            points[row["method"]][row["value"]] = (row["seconds"], max(row["output_error"], 1e-4))
    drawn = {m: _line(panel, m, list(points[m].values())) for m in reversed(STYLES) if m in points}
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xlabel("time, seconds (everything included)")
    panel.set_ylabel("relative error of the output (1e-4 stands for less)")
    panel.grid(visible=True, which="both", alpha=0.2)
    panel.set_title(what, fontsize=11, loc="left")
    _legend(figure, drawn, columns=3)
    figure.tight_layout(rect=(0, 0.01 + 0.037 * -(-len(drawn) // 3), 1, 1))
    figure.savefig(path, dpi=150)


def _pyplot() -> Any:
    import matplotlib as mpl  # noqa: PLC0415  the tables must not need it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    return plt


def _line(panel: Any, method: str, points: list[tuple[int, float]] | list[tuple[float, float]]) -> Any:
    color, marker, _ = STYLES[method]
    ours = method == "logscan"
    xs, ys = zip(*points, strict=True)
    width = 2.6 if ours else 1.4
    return panel.plot(xs, ys, color=color, marker=marker, markersize=6, linewidth=width)[0]


def _legend(figure: Any, drawn: dict[str, Any], columns: int) -> None:
    order = [method for method in STYLES if method in drawn]
    figure.legend(
        [drawn[method] for method in order],
        [STYLES[method][2] for method in order],
        loc="lower center",
        ncols=columns,
        frameon=False,
        fontsize=9,
    )


def _size(count: int) -> str:
    """4k, 64k, 1M, for the axis."""
    if count >= 2**20:
        return f"{count / 2**20:g}M"
    return f"{count / 1024:.0f}k" if count >= 1024 else str(count)


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--source", default="ecg")
    parser.add_argument("--width", type=int, default=32, help="dimensions of a token")
    parser.add_argument("--size", type=int, default=65536, help="tokens, for --curve")
    parser.add_argument("--scaling", type=Path, help="PNG of time and memory against N")
    parser.add_argument("--curve", type=Path, help="PNG of error against time")
    options = parser.parse_args()
    rows = [
        row
        for row in all_rows(options.files)
        if row.get("source") == options.source and row.get("d") == options.width
    ]
    threads = next((r["threads"] for r in all_rows(options.files) if r["kind"] == "machine"), None)
    where = f"{options.source} tokens, d {options.width}" + (f", {threads} threads" if threads else "")
    if options.scaling:
        draw_scaling(rows, options.scaling, where)
    if options.curve:
        at_size = [row for row in rows if row.get("n") == options.size]
        draw_curve(at_size, options.curve, f"{options.size:,} {where}")


if __name__ == "__main__":
    main()
