"""How fast and how faithful `sparse_attention` is.

    python -m benchmarks attention speed speed --data DIR --sizes 65536,131072 --out speed.json

Every command prints its rows as it goes and writes them to `--out`; `table` turns such files into markdown.

    speed         time against torch's SDPA, and how both grow with the number of tokens
    small         the same where the operator chooses the dense path
    faithful      output, log-partition and neighbours against float64, for every head of every log
    ablation      the same without one part of the method, or with another setting
    bound         certified bounds against true errors
    gradient      time of forward and backward, and the gradients' errors
    planted       single near-copies found among a million tokens
    alternatives  other methods along their knobs: time and error
    memory        peak memory of every method, each in a process of its own

Sources and their problems are described in `attention_tokens.py`, the other methods in
`attention_alternatives.py`. What is compared runs in turn, round after round: a ratio is the median over
rounds of a time divided by SDPA's in the same round. SDPA gets the same logits but no exclusion, and gives
no log-partition. Our time includes building the tree. Run it on an idle
machine: on a busy one `OMP_WAIT_POLICY=PASSIVE` keeps waiting threads from starving working ones, and costs our
many short operations half as much again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import scaled_dot_product_attention

from benchmarks.attention.alternatives import METHODS, Found, Method, sdpa
from benchmarks.attention.tables import plain_line, tables
from benchmarks.attention.tokens import (
    NEIGHBORS,
    REAL_HEADS,
    Exact,
    Tokens,
    evenly_spaced,
    exact_answer,
    nearest_squared,
    quality,
    tokens_of,
)
from logscan.attention import AttentionResult, sparse_attention

SDPA_WHOLE_UP_TO = 131_072  # tokens; beyond, a sample of its queries is timed
Result = TypeVar("Result")
GRADIENT_CHECK_UP_TO = 4096  # tokens of which dense float64 gradients fit the memory
ABLATIONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "coarse: second": {"coarse": "second"},
    "coarse: none": {"coarse": "none"},
    "no look-ahead": {"look_ahead": False},
    "every query alone": {"group_queries": 1},
    "search_leaves 8": {"search_leaves": 8},
    "search_leaves 32": {"search_leaves": 32},
    "search_leaves 96": {"search_leaves": 96},
}


class Rows:
    """Result rows, printed and written as they come: a long run that is broken off leaves what it measured."""

    def __init__(self, out: Path | None, threads: int) -> None:
        self._out = out
        self._rows: list[dict[str, Any]] = []
        self._kind = ""
        self.add(
            "machine",
            processor=_processor(),
            cores=os.cpu_count(),
            threads=threads,
            torch=torch.__version__,
        )

    def add(self, kind: str, **figures: Any) -> None:
        """One row."""
        row = {"kind": kind} | figures
        self._rows.append(row)
        if kind != self._kind:
            print(f"\n{kind}\n{plain_line(kind, None)}")
            self._kind = kind
        print(plain_line(kind, row), flush=True)
        if self._out:
            # NaN is no JSON
            clean = [
                {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in one.items()}
                for one in self._rows
            ]
            self._out.write_text(json.dumps(clean, indent=1) + "\n", encoding="utf-8")

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The rows of one kind so far."""
        return [row for row in self._rows if row["kind"] == kind]


def _processor() -> str:
    """Its name where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def problems(options: argparse.Namespace, rows: Rows) -> Iterator[Tokens]:
    """Every problem that is asked for; one that does not exist becomes a row that says why."""
    seen = set()
    for width in options.widths:
        for source in options.sources:
            for size in options.sizes:
                found = tokens_of(source, size, width, options.data, options.effective_keys)
                if isinstance(found, str):
                    rows.add("skipped", source=source, n=size, d=width, what="tokens", reason=found)
                elif (problem := tuple(shape(found).values())) not in seen:  # some heads have few directions
                    seen.add(problem)
                    yield found


def shape(problem: Tokens) -> dict[str, Any]:
    """What names a problem in a row."""
    count, width = problem.tokens.shape
    return {"source": problem.name, "n": count, "d": width}


def timed(run: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds, and what came out."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def interleaved(
    runs: dict[str, Callable[[], object]], repeats: int, least_seconds: float = 0.0
) -> dict[str, list[float]]:
    """Seconds of every run in every round; short ones are repeated within a round until `least_seconds`."""
    loops = dict.fromkeys(runs, 1)
    if least_seconds:
        for name, run in runs.items():
            run()  # the first call also pays for what torch sets up once
            loops[name] = max(1, round(least_seconds / max(timed(run)[0], 1e-6)))
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(loops[name]):
                run()
            seconds[name].append((time.perf_counter() - start) / loops[name])
    return seconds


def against_sdpa(seconds: dict[str, list[float]]) -> dict[str, float]:
    """Median seconds of both and the median of their ratio."""
    ratios = [ours / dense for ours, dense in zip(seconds["ours"], seconds["sdpa"], strict=True)]
    return {
        "seconds": median(seconds["ours"]),
        "sdpa_seconds": median(seconds["sdpa"]),
        "ratio": median(ratios),
    }


def answer(problem: Tokens, **settings: Any) -> AttentionResult:
    """Our operator's output and log-partition."""
    return sparse_attention(**problem.arguments(), return_log_partition=True, **settings)


def judged(problem: Tokens, exact: Exact, result: AttentionResult | Found) -> dict[str, float]:
    """`quality` of a result."""
    return quality(problem, exact, result.output, result.log_partition, result.neighbors)


def speed(options: argparse.Namespace, rows: Rows) -> None:
    """Time against SDPA, and the exponents of growth."""
    for problem in problems(options, rows):
        count = len(problem.tokens)
        sample = count if count <= SDPA_WHOLE_UP_TO else options.sdpa_queries
        queries = problem.tokens[evenly_spaced(count, sample)]
        seconds = interleaved(
            {"ours": partial(answer, problem), "sdpa": partial(sdpa, problem, queries)},
            options.repeats,
        )
        seconds["sdpa"] = [one * count / len(queries) for one in seconds["sdpa"]]
        rows.add("speed", **shape(problem), **against_sdpa(seconds), sdpa_queries=len(queries))
    measured = rows.of("speed")
    for source, width in dict.fromkeys((row["source"], row["d"]) for row in measured):
        group = [row for row in measured if (row["source"], row["d"]) == (source, width)]
        group = [row for row in group if row["n"] >= options.fit_from]
        if len(group) < 2:
            continue
        sizes = np.log([row["n"] for row in group])
        rows.add(
            "growth",
            source=source,
            d=width,
            from_n=min(row["n"] for row in group),
            to_n=max(row["n"] for row in group),
            exponent=float(np.polyfit(sizes, np.log([row["seconds"] for row in group]), 1)[0]),
            sdpa_exponent=float(np.polyfit(sizes, np.log([row["sdpa_seconds"] for row in group]), 1)[0]),
        )


def small(options: argparse.Namespace, rows: Rows) -> None:
    """Time against SDPA where a call is short: ordinary attention, and attention to a history.

    For the second SDPA gets bias and exclusion as a mask, made before or in every call ("mask to make").
    """
    for problem in problems(options, rows):
        tokens = problem.tokens
        mask = problem.bias.repeat(len(tokens), 1)
        mask[(problem.times[:, None] - problem.times).abs() < problem.exclusion] = -torch.inf
        one_batch = (tokens[None, None], tokens[None, None], tokens[None, None])
        torchs = partial(scaled_dot_product_attention, *one_batch, scale=problem.scale)
        masked = partial(torchs, attn_mask=mask[None, None])
        history = partial(sparse_attention, **problem.arguments())

        def masking(problem: Tokens = problem, torchs: Callable[..., Tensor] = torchs) -> Tensor:
            near = (problem.times[:, None] - problem.times).abs() < problem.exclusion
            return torchs(attn_mask=problem.bias.expand(near.shape).masked_fill(near, -torch.inf)[None, None])

        kinds: dict[str, dict[str, Callable[[], object]]] = {
            "ordinary": {"ours": partial(sparse_attention, *one_batch, scale=problem.scale), "sdpa": torchs},
            "history": {"ours": history, "sdpa": masked},
            "history, mask to make": {"ours": history, "sdpa": masking},
        }
        for task, runs in kinds.items():
            timed_runs = interleaved(runs, options.repeats, 0.05)
            rows.add("small", **shape(problem), task=task, **against_sdpa(timed_runs))


def faithful(options: argparse.Namespace, rows: Rows) -> None:
    """Quality of what `"auto"` gives, and the time with and without neighbours."""
    for problem in problems(options, rows):
        exact = exact_answer(problem, options.sample)
        plain, _ = timed(partial(answer, problem))
        whole, result = timed(partial(answer, problem, return_neighbors=NEIGHBORS))
        figures = judged(problem, exact, result)
        rows.add("faithful", **shape(problem), **figures, seconds=plain, seconds_with_neighbors=whole)


def ablation(options: argparse.Namespace, rows: Rows) -> None:
    """Quality and time with one thing changed."""
    for problem in problems(options, rows):
        exact = exact_answer(problem, options.sample)
        for variant, settings in ABLATIONS.items():
            if options.variants and variant not in options.variants:
                continue
            call = {"implementation": "sparse"} | settings
            taken = [timed(partial(answer, problem, **call))[0] for _ in range(options.repeats)]
            result = answer(problem, return_neighbors=NEIGHBORS, **call)
            figures = judged(problem, exact, result)
            rows.add("ablation", **shape(problem), variant=variant, seconds=median(taken), **figures)


def bound(options: argparse.Namespace, rows: Rows) -> None:
    """Certified bounds against true errors, with and without a largest error asked for."""
    variants: dict[str, dict[str, Any]] = {f"coarse: {name}": {"coarse": name} for name in ("second", "mean")}
    variants |= {f"max_error {value:g}": {"max_error": value} for value in options.max_errors}
    for problem in problems(options, rows):
        exact = exact_answer(problem, options.sample)
        for variant, settings in variants.items():
            call = {"return_error_bound": True, "implementation": "sparse"} | settings
            seconds, result = timed(partial(answer, problem, **call))
            figures = tightness(problem, exact, result)
            rows.add("bound", **shape(problem), variant=variant, seconds=seconds, **figures)


def tightness(problem: Tokens, exact: Exact, result: AttentionResult) -> dict[str, float]:
    """Bounds, true errors and their ratio; a violation is an error above the bound by more than float32 rounds."""
    assert result.output is not None
    assert result.log_partition is not None
    constant = 0.5 * problem.scale * problem.tokens[exact.rows].double().square().sum(dim=1)
    log_partition = result.log_partition[exact.rows].double()
    # a logit is the difference of two numbers as large as the constant
    rounding = 1e-6 * (1 + constant)
    pairs = {
        "output": (
            (result.output[exact.rows].double() - exact.output).norm(dim=1),
            result.output_bound,
            rounding * problem.tokens.double().norm(dim=1).max(),
        ),
        "log_partition": (
            (log_partition - constant - exact.log_density).abs(),
            result.log_partition_bound,
            rounding,
        ),
    }
    figures: dict[str, float] = {}
    for name, (error, bounds, allowed) in pairs.items():
        assert bounds is not None
        certified = bounds[exact.rows].double()
        ratio = certified / torch.maximum(error, allowed)
        figures[f"{name}_violations"] = int((error > certified + allowed).sum())
        figures[f"{name}_finite"] = float(certified.isfinite().double().mean())
        figures[f"{name}_error_median"] = float(error.median())
        figures[f"{name}_bound_median"] = float(certified.median())
        for share in (5, 50, 95):
            figures[f"{name}_ratio_{share:02}"] = float(ratio.quantile(share / 100, interpolation="nearest"))
    return figures


def gradient(options: argparse.Namespace, rows: Rows) -> None:
    """Forward and backward against SDPA's; where it fits, gradients of the sparse path against dense float64."""
    for problem in problems(options, rows):
        random = torch.Generator().manual_seed(0)
        probe = torch.randn(problem.tokens.shape, generator=random)

        runs: dict[str, Callable[[], object]] = {
            "ours": partial(_sparse_gradients, problem, probe),
            "sdpa": partial(_sdpa_backward, problem, probe),
        }
        figures = against_sdpa(interleaved(runs, options.repeats))
        if len(problem.tokens) <= GRADIENT_CHECK_UP_TO:
            found = _sparse_gradients(problem, probe, implementation="sparse")
            for name, mine, true in zip(
                ("query", "key", "value"), found, _exact_gradients(problem, probe), strict=True
            ):
                figures[f"{name}_error"] = float((mine.double() - true).norm() / true.norm())
        rows.add("gradient", **shape(problem), **figures)


def _leaves(problem: Tokens, dtype: torch.dtype) -> list[Tensor]:
    """Query, key and value as three leaves."""
    return [problem.tokens.to(dtype, copy=True).requires_grad_() for _ in range(3)]


def _sparse_gradients(problem: Tokens, probe: Tensor, **settings: Any) -> list[Tensor]:
    """Gradients of our output, the key's through its bias too."""
    query, key, value = leaves = _leaves(problem, torch.float32)
    changed = {
        "query": query,
        "key": key,
        "value": value,
        "key_bias": -0.5 * problem.scale * key.square().sum(dim=1),
    }
    result = sparse_attention(**(problem.arguments() | changed), **settings)
    assert result.output is not None
    result.output.backward(probe)
    return [leaf.grad for leaf in leaves if leaf.grad is not None]


def _sdpa_backward(problem: Tokens, probe: Tensor) -> None:
    """The same with SDPA: the bias as a column, for a mask that needs a gradient leaves the fused kernel."""
    query, key, value = _leaves(problem, torch.float32)
    bias = -0.5 * problem.scale * key.square().sum(dim=1, keepdim=True)
    output = functional.scaled_dot_product_attention(
        functional.pad(problem.scale * query, (0, 1), value=1.0)[None, None],
        torch.cat([key, bias], dim=1)[None, None],
        functional.pad(value, (0, 1))[None, None],  # as wide, or torch leaves the fused kernel
        scale=1.0,
    )[0, 0, :, :-1]
    output.backward(probe)


def _exact_gradients(problem: Tokens, probe: Tensor) -> tuple[Tensor, ...]:
    """Dense, float64, with the exclusion."""
    query, key, value = leaves = _leaves(problem, torch.float64)
    logits = problem.scale * (query @ key.T - 0.5 * key.square().sum(dim=1))
    near = (problem.times[:, None] - problem.times).abs() < problem.exclusion
    output = torch.softmax(logits.masked_fill(near, -torch.inf), dim=1) @ value
    return torch.autograd.grad(output, leaves, probe.double())


def planted(options: argparse.Namespace, rows: Rows) -> None:
    """Near-copies of single tokens (or runs of them) at random distance in time: are they found?"""
    for problem in problems(options, rows):
        count, run = len(problem.tokens), options.length
        random = torch.Generator().manual_seed(1)
        slots = torch.randperm(count // run, generator=random)[: 2 * options.planted] * run
        # alternating, so that neither half of the history holds only originals
        starts = slots[: len(slots) // 2 * 2].view(-1, 2)
        apart = (problem.times[starts[:, 0]] - problem.times[starts[:, 1]]).abs() >= problem.exclusion + run
        original, copy = (starts[apart][:, :, None] + torch.arange(run)).unbind(dim=1)
        sampled = original[:, 0][evenly_spaced(len(original), 256)]
        nearest = nearest_squared(problem.tokens, problem.times, problem.exclusion, sampled, 1).sqrt()
        spread = options.closeness * float(nearest.median()) / problem.tokens.shape[1] ** 0.5
        tokens = problem.tokens.clone()
        noise = torch.randn(*copy.shape, tokens.shape[1], generator=random)
        tokens[copy] = tokens[original] + spread * noise
        changed = Tokens(problem.name, tokens, problem.times, problem.scale, problem.exclusion)
        searched = [
            (leaves, probes)
            for leaves in map(int, options.search_leaves.split(","))
            for probes in map(int, options.probes.split(","))
        ]
        for leaves, probes in searched:
            call = partial(answer, changed, return_neighbors=NEIGHBORS, search_leaves=leaves, probes=probes)
            seconds, result = timed(call)
            assert result.neighbors is not None
            forth = result.neighbors[original.flatten()] == copy.flatten()[:, None]
            back = result.neighbors[copy.flatten()] == original.flatten()[:, None]
            rows.add(
                "planted",
                **shape(problem),
                planted=len(original),
                run=run,
                leaves=leaves,
                probes=probes,
                first=float(forth[:, 0].double().mean()),
                among=float(forth.any(dim=1).double().mean()),
                back=float(back.any(dim=1).double().mean()),
                seconds=seconds,
            )


def chosen_methods(options: argparse.Namespace, problem: Tokens, rows: Rows) -> dict[str, Method]:
    """The methods that can answer a problem; the others become a row that says why not."""
    kept = {}
    for name in options.methods or METHODS:
        refusal = METHODS[name].refusal(problem)
        if refusal:
            rows.add("skipped", **shape(problem), what=METHODS[name].name, reason=refusal)
        else:
            kept[name] = METHODS[name]
    return kept


def alternatives(options: argparse.Namespace, rows: Rows) -> None:
    """Time and error of every method along its knob."""
    known: dict[tuple[str, str, int, int], tuple[int, float]] = {}  # the last size and its seconds
    for problem in problems(options, rows):
        exact = {
            True: exact_answer(problem, options.sample),
            False: exact_answer(problem, options.sample, exclude=False),
        }
        count, width = problem.tokens.shape
        settings: list[tuple[str, Method, int]] = []
        for name, method in chosen_methods(options, problem, rows).items():
            for value in (method.usual,) if options.usual else method.values:
                size, before = known.get((problem.name, name, value, width), (count, 0.0))
                expected = before * (count / size) ** method.power
                if expected > options.limit:
                    reason = f"would take about {expected:,.0f} s"
                    rows.add("skipped", **shape(problem), what=f"{method.name}, {value}", reason=reason)
                else:
                    settings.append((name, method, value))
        seconds: dict[tuple[str, int], list[float]] = {(name, value): [] for name, _, value in settings}
        figures: dict[tuple[str, int], dict[str, float]] = {}
        for number in range(options.repeats):
            for name, method, value in settings:
                at = (name, value)
                if number and seconds[at][0] > options.once:
                    continue
                if method.compiles and not number:
                    method.run(problem, value)
                taken, found = timed(partial(method.run, problem, value))
                seconds[at].append(taken)
                if not number:
                    figures[at] = judged(problem, exact[method.excludes], found)
        dense = seconds.get(("sdpa", 0), [])
        for name, method, value in settings:
            taken_all = seconds[name, value]
            known[problem.name, name, value, width] = (count, median(taken_all))
            # a method too slow for every round is compared within those it took part in
            ratios = [one / base for one, base in zip(taken_all, dense, strict=False)]
            rows.add(
                "alternatives",
                **shape(problem),
                method=name,
                title=method.name,
                knob=method.knob,
                value=value,
                usual=value == method.usual,
                seconds=median(taken_all),
                ratio=median(ratios) if ratios else None,
                **figures[name, value],
            )


def memory(options: argparse.Namespace, rows: Rows) -> None:
    """Peak memory over the inputs of every method at its usual setting, in a process of its own."""
    for problem in problems(options, rows):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "tokens.pt"
            torch.save(vars(problem), file)
            for name, method in chosen_methods(options, problem, rows).items():
                value = method.usual
                command = [
                    sys.executable,
                    "-m",
                    "benchmarks.attention.speed",
                    "worker",
                    str(file),
                    name,
                    str(value),
                ]
                command += ["--threads", str(options.threads)]
                try:
                    done = subprocess.run(
                        command, capture_output=True, text=True, timeout=options.limit, check=True
                    )
                except subprocess.SubprocessError as error:
                    ended = type(error).__name__
                    rows.add("skipped", **shape(problem), what=f"{method.name}, {value}", reason=ended)
                    continue
                rows.add(
                    "memory",
                    **shape(problem),
                    method=name,
                    title=method.name,
                    value=value,
                    usual=True,
                    peak_mib=float(done.stdout.split()[-1]) / 2**20,
                )


def worker(options: argparse.Namespace) -> None:
    """Print the bytes by which one run raises this process's peak memory."""
    problem = Tokens(**torch.load(options.file))
    method = METHODS[options.method]
    # what torch and compilers hold for good is not the method's
    method.run(problem.first(1024), options.value)
    before = _reset_peak()
    method.run(problem, options.value)
    print(_peak() - before)


def _reset_peak() -> int:
    """Bytes held now, from which the peak counts anew where the system allows."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        pass
    else:
        return _status("VmRSS")
    return _peak()


def _peak() -> int:
    """Largest bytes held; the kernel's own counter, for `ru_maxrss` of a child begins with its parent's."""
    try:
        return _status("VmHWM")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status(field: str) -> int:
    """A field of the kernel's view of this process, bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def _sizes(text: str) -> list[int | None]:
    """`65536,all`: `None` is all there are."""
    return [None if one == "all" else int(one) for one in text.split(",")]


def _names(text: str) -> list[str]:
    return text.split(",")


def _numbers(text: str) -> list[float]:
    return [float(one) for one in text.split(",") if one]


# Command, what runs, usual sizes, usual sources, usual repeats.
_COMMANDS: tuple[tuple[str, Callable[[argparse.Namespace, Rows], None], str, str, int], ...] = (
    ("speed", speed, "16384,32768,65536,131072", "ecg,gecco,smd,periodic,clustered,uniform", 5),
    ("small", small, "256,512,1024,2048,4096,8192,12288,16384", "periodic", 9),
    ("faithful", faithful, "32768", ",".join((*REAL_HEADS, "periodic", "clustered", "uniform")), 1),
    ("ablation", ablation, "65536", "ecg,gecco,smd,periodic,clustered", 3),
    ("bound", bound, "32768", "ecg,gecco,smd,periodic,clustered", 1),
    ("gradient", gradient, "4096,65536", "ecg", 3),
    ("planted", planted, "1048576", "clustered,uniform", 1),
    ("alternatives", alternatives, "65536", "ecg", 3),
    ("memory", memory, "16384,65536", "ecg", 1),
)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    whole = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = whole.add_subparsers(required=True, metavar="COMMAND")
    for name, run, sizes, sources, repeats in _COMMANDS:
        one = commands.add_parser(
            name, help=run.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
        )
        one.set_defaults(run=run)
        one.add_argument("--data", type=Path, help="folder of the open data sets, for the logs")
        one.add_argument("--sources", type=_names, default=sources)
        one.add_argument("--sizes", type=_sizes, default=sizes, help="tokens; `all` there are of a log")
        one.add_argument("--widths", type=lambda text: [int(w) for w in text.split(",")], default="32")
        one.add_argument("--effective-keys", type=float, help="set the temperature by the weights' entropy")
        one.add_argument("--repeats", type=int, default=repeats)
        one.add_argument("--threads", type=int, default=2)
        one.add_argument("--sample", type=int, default=1024, help="queries that are judged")
        one.add_argument("--out", type=Path, help="JSON file of the rows")
        if name == "speed":
            one.add_argument("--sdpa-queries", type=int, default=8192, help="timed beyond 131,072 tokens")
            one.add_argument(
                "--fit-from", type=int, default=32768, help="smallest size of the exponents' fit"
            )
        elif name == "ablation":
            one.add_argument("--variants", type=_names, help=f"of: {', '.join(ABLATIONS)}")
        elif name == "bound":
            one.add_argument("--max-errors", type=_numbers, default="0.1")
        elif name == "planted":
            one.add_argument("--planted", type=int, default=1000)
            one.add_argument("--length", type=int, default=1, help="consecutive tokens of a copy")
            one.add_argument("--search-leaves", default="48", help="leaves a query is compared with")
            one.add_argument("--probes", default="0", help="leaves more, across splits")
            one.add_argument("--closeness", type=float, default=0.1, help="of a copy, in nearest distances")
        elif name in ("alternatives", "memory"):
            one.add_argument("--methods", type=_names, help=f"of: {', '.join(METHODS)}")
            one.add_argument("--limit", type=float, default=600.0, help="seconds a run may take")
        if name == "alternatives":
            one.add_argument("--usual", action="store_true", help="every method at its usual setting only")
            one.add_argument(
                "--once", type=float, default=60.0, help="seconds past which a run is not repeated"
            )
    hidden = commands.add_parser("worker")
    hidden.set_defaults(run=None)
    hidden.add_argument("file", type=Path)
    hidden.add_argument("method")
    hidden.add_argument("value", type=int)
    hidden.add_argument("--threads", type=int, default=2)
    table = commands.add_parser("table", help="markdown of result files")
    table.add_argument("files", type=Path, nargs="+")
    return whole


def main() -> None:
    """Run one command."""
    options = parser().parse_args()
    if "files" in options:
        print(tables(options.files))
        return
    torch.set_num_threads(options.threads)
    if options.run is None:
        worker(options)
        return
    options.run(options, Rows(options.out, options.threads))


if __name__ == "__main__":
    main()
