"""The problems of the attention benchmarks: tokens that look for their analogues among themselves.

Every problem is history attention: query, key and value are the same tokens, the logit is
`-scale ‖q - k‖² / 2` (a dot product with a key bias), and keys within `exclusion` steps are left out.
A source is named `SOURCE` or `SOURCE:VIEW`:

    ecg, gecco, smd   windows of 64 rows, stride 1, of an open log, through the encoder's own closed-form head
                      (views form, level, change, stats; form where none is named)
    periodic          windows of 64 steps of a wave of wandering period with noise
    clustered         Gaussian clusters of about 256 tokens; their order means nothing
    uniform           independent tokens of a cube: nothing to find, the worst case

Real tokens keep the temperature of their head; made ones get one at which about eight keys carry the weight.
This module also holds the oracle: the exact answer in float64 for a sample of the queries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from scipy.signal import lfilter
from scipy.sparse.linalg import svds
from scipy.stats import spearmanr
from torch import Tensor

from logscan.core.scaling import fit_scaler
from logscan.core.views import View
from logscan.core.windows import window_starts
from logscan.model.heads import Prepared, feature_chunks, features, prepared, searchable
from logscan.model.history_attention import head_keys
from logscan.model.records import Head, HeadSpec, Layer
from logscan.model.train_entity import perplexity_temperature

WINDOW_STEPS = 64
CARRYING_KEYS = 8  # of the encoder's default head, and of the median query of made tokens
NEIGHBORS = 16  # returned where the nearest analogue is looked for
LOGS = {
    "ecg": ("ecg_mba/MBA_ECG805.parquet",),
    "gecco": ("gecco2018/gecco2018_train.parquet",),
    "smd": ("smd/machine-1-3.parquet", "smd/machine-1-4.parquet"),  # the second where the first is too short
}
MADE = ("periodic", "clustered", "uniform")
REAL_HEADS = tuple(f"{log}:{view}" for log in LOGS for view in ("form", "level", "change", "stats"))
_TIME_COLUMNS = ("t", "timestamp", "label")
_SAMPLE_WINDOWS = 16384  # from which the directions of made windows are computed
_BASIS_WINDOWS = 2048  # ditto, of real ones: as many as the encoder takes
_HEAD_QUERIES = 2048  # whose neighbours set the temperature of a head
_TEMPERATURE_QUERIES = 256  # ditto, of made tokens
_NEAREST_WEIGHED = 512  # keys farther away carry no weight at the temperatures meant here
_CLUSTER_TOKENS, _CLUSTER_SPREAD = 256, 0.25
_CHUNK_CELLS = 2**23  # of a block of float64 logits: 64 MB


@dataclass(frozen=True)
class Tokens:
    """One history-attention problem.

    Attributes:
        name: its source.
        tokens: (N, d) float32: query, key and value.
        times: (N,) int64, consecutive steps.
        scale: one over the squared temperature.
        exclusion: keys closer in time than this are left out.
        series: (rows,) float64, the signal behind the windows where it has one channel.
    """

    name: str
    tokens: Tensor
    times: Tensor
    scale: float
    exclusion: int
    series: Tensor | None = None

    @property
    def bias(self) -> Tensor:
        """What makes the dot product one of distances, (N,)."""
        return -0.5 * self.scale * self.tokens.square().sum(dim=1)

    def arguments(self) -> dict[str, Any]:
        """What `sparse_attention` is called with."""
        return {
            "query": self.tokens,
            "key": self.tokens,
            "value": self.tokens,
            "scale": self.scale,
            "key_bias": self.bias,
            "query_time": self.times,
            "key_time": self.times,
            "exclusion": self.exclusion,
        }

    def first(self, count: int) -> Tokens:
        """The same problem with fewer tokens."""
        return replace(self, tokens=self.tokens[:count].contiguous(), times=self.times[:count])


@dataclass(frozen=True)
class Exact:
    """The exact answer for some queries, float64.

    Attributes:
        rows: (S,) int64, the queries.
        output: (S, d).
        log_density: (S,), log of the sum of `exp(-scale ‖q - k‖² / 2)`: minus the energy.
        nearest: (S, NEIGHBORS), squared distances to the nearest allowed keys, ascending.
    """

    rows: Tensor
    output: Tensor
    log_density: Tensor
    nearest: Tensor


def tokens_of(
    source: str, count: int | None, width: int, data: Path | None, effective_keys: float | None = None
) -> Tokens | str:
    """The problem of a source at a size, or the reason why there is none.

    Args:
        source: as the module says.
        count: number of tokens; `None` is all there are of a real log.
        width: dimensions of a token; fewer where a window has fewer.
        data: folder of the open data sets.
        effective_keys: replaces the head's temperature by one at which so many keys carry the weight.
    """
    name, _, view = source.partition(":")
    if name in LOGS:
        if data is None:
            return "needs --data"
        found = _real(source, name, View(view or "form"), count, width, data)
    elif name not in MADE:
        return f"unknown source; known are {', '.join((*LOGS, *MADE))}"
    elif count is None:
        return "made tokens need a size"
    else:
        found = _made(name, count, width)
        effective_keys = effective_keys or CARRYING_KEYS
    if isinstance(found, Tokens) and effective_keys:
        return replace(found, scale=sharp_scale(found, effective_keys))
    return found


def _real(source: str, log: str, view: View, count: int | None, width: int, data: Path) -> Tokens | str:
    """Windows of a log through a closed-form head."""
    rows = None if count is None else count + WINDOW_STEPS - 1
    values = _log_values(LOGS[log], rows, data)
    if rows is not None and len(values) < rows:
        return f"only {len(values) - WINDOW_STEPS + 1:,} windows in the log"
    scaler = fit_scaler(values, np.zeros(values.shape[1], dtype=np.bool_))
    ready = prepared(values, scaler, bridge_steps=5, causal=False)
    ready.observed[:] = True  # every window is a token, gaps or not
    head = _closed_form_head(HeadSpec(WINDOW_STEPS, 1, view), ready, width)
    series = torch.from_numpy(searchable(ready.values)[:, 0].astype(np.float64))
    return Tokens(
        name=source,
        tokens=_keys(head, ready),
        times=torch.from_numpy(head.starts),
        scale=1.0 / head.temperature,
        exclusion=WINDOW_STEPS,
        series=series if values.shape[1] == 1 else None,
    )


def _log_values(files: tuple[str, ...], rows: int | None, data: Path) -> np.ndarray:
    """The channels of a log, (rows, channels) float64; later files only where rows are missing."""
    parts: list[np.ndarray] = []
    for file in files:
        if parts and rows is not None and sum(map(len, parts)) >= rows:
            break
        frame = pd.read_parquet(data / file)
        parts.append(frame.drop(columns=[c for c in _TIME_COLUMNS if c in frame]).to_numpy(dtype=np.float64))
    return np.concatenate(parts)[:rows]


def _keys(head: Head, ready: Prepared) -> Tensor:
    """The tokens of every window; in pieces, for the windows of a wide log are large."""
    pieces = feature_chunks(searchable(ready.values), head.starts, head.spec)
    return torch.cat([head_keys(rows, head) for _, rows in pieces]).float().contiguous()


def _closed_form_head(spec: HeadSpec, ready: Prepared, width: int) -> Head:
    """The encoder's closed-form head with `width` directions; the encoder's own stops at 32.

    Same windows, centre, directions and rule of the temperature: at 32 the distances are those of
    `logscan.model.train_entity.closed_form_head`.
    """
    starts = window_starts(len(ready.values), spec.window_steps, spec.stride_steps)
    step = max(1, len(starts) // _BASIS_WINDOWS)
    sample = features(searchable(ready.values), starts[::step], spec).astype(np.float64)
    center = sample.mean(axis=0)
    sample -= center
    width = min(width, *sample.shape)
    if sample.shape[1] <= 4 * width:
        _, vectors = np.linalg.eigh(sample.T @ sample)
        basis = vectors[:, ::-1][:, :width]
    else:
        # a random start: one of ones is orthogonal to every direction when there are fewer windows than features
        start = np.random.default_rng(0).standard_normal(min(sample.shape))
        _, _, directions = svds(sample, k=min(width, min(sample.shape) - 1), v0=start)
        basis = directions[::-1].T
    head = Head(
        spec=spec,
        center=center.astype(np.float32),
        basis=np.ascontiguousarray(basis.astype(np.float32)),
        starts=starts,
        temperature=1.0,
        unit=np.ones(ready.observed.shape[1]),
        layer=Layer.closed_form(basis.shape[1], 1, 0),
    )
    keys = _keys(head, ready)
    chosen = evenly_spaced(len(keys), _HEAD_QUERIES)
    squared = nearest_squared(keys, torch.from_numpy(starts), WINDOW_STEPS, chosen, 32 * CARRYING_KEYS)
    return replace(head, temperature=perplexity_temperature(squared.double(), CARRYING_KEYS))


def _made(name: str, count: int, width: int) -> Tokens:
    """Made tokens; the scale is set by the caller."""
    if name == "periodic":
        return Tokens(name, _wave_windows(count, width), torch.arange(count), 1.0, WINDOW_STEPS)
    random = torch.Generator().manual_seed(0)
    if name == "uniform":
        rows = 2 * torch.rand(count, width, generator=random) - 1
    else:
        centers = torch.randn(max(16, count // _CLUSTER_TOKENS), width, generator=random)
        member = torch.randint(len(centers), (count,), generator=random)
        rows = torch.randn(count, width, generator=random).mul_(_CLUSTER_SPREAD).add_(centers[member])
    # exclusion 1: a token is its own nearest key otherwise
    return Tokens(name, rows, torch.arange(count), 1.0, 1)


def _wave_windows(count: int, width: int) -> Tensor:
    """Windows of a noisy wave whose period wanders by a few per cent, in their leading directions."""
    draw = np.random.default_rng(0)
    steps = count + WINDOW_STEPS - 1
    memory = 0.9995  # of the wandering: some 2,000 steps, twenty periods
    wander = lfilter([np.sqrt(1 - memory**2)], [1, -memory], draw.standard_normal(steps))
    phase = np.cumsum(2 * np.pi / 100 * (1 + 0.05 * wander))
    signal = np.sin(phase) + 0.4 * np.sin(3 * phase) + 0.1 * draw.standard_normal(steps)
    windows = np.lib.stride_tricks.sliding_window_view(signal.astype(np.float32), WINDOW_STEPS)
    sample = windows[:: max(1, count // _SAMPLE_WINDOWS)].astype(np.float64)
    center = sample.mean(axis=0)
    _, vectors = np.linalg.eigh((sample - center).T @ (sample - center))
    basis = vectors[:, ::-1][:, :width].astype(np.float32)
    pieces = [
        torch.from_numpy((windows[begin : begin + 2**16] - center.astype(np.float32)) @ basis)
        for begin in range(0, count, 2**16)
    ]
    return torch.cat(pieces).contiguous()


def sharp_scale(problem: Tokens, effective_keys: float) -> float:
    """The scale at which the weights of the median query have the entropy of so many equal ones."""
    count = len(problem.tokens)
    rows = torch.randperm(count, generator=torch.Generator().manual_seed(0))[:_TEMPERATURE_QUERIES]
    squared = nearest_squared(problem.tokens, problem.times, problem.exclusion, rows, _NEAREST_WEIGHED)
    low, high = 1e-9, 1e9
    for _ in range(60):
        middle = (low * high) ** 0.5
        weights = torch.softmax(-0.5 * middle * squared, dim=1)
        entropy = -(weights * weights.clamp(min=1e-300).log()).sum(dim=1)
        low, high = (middle, high) if float(entropy.exp().median()) > effective_keys else (low, middle)
    return middle


def nearest_squared(tokens: Tensor, times: Tensor, exclusion: int, rows: Tensor, count: int) -> Tensor:
    """Squared distances of some tokens to their nearest allowed ones, (rows, count) float64, ascending."""
    keys = tokens.double()
    found = []
    for part in rows.split(max(1, _CHUNK_CELLS // len(keys))):
        squared = torch.cdist(keys[part], keys).square()
        squared[(times[part, None] - times).abs() < exclusion] = torch.inf
        found.append(squared.topk(min(count, len(keys)), largest=False).values)
    return torch.cat(found)


def evenly_spaced(total: int, count: int) -> Tensor:
    """Indices spread over the whole, (at most count,) int64."""
    return torch.linspace(0, total - 1, min(count, total), dtype=torch.float64).long().unique()


def exact_answer(problem: Tokens, sample: int, *, exclude: bool = True) -> Exact:
    """The exact answer for an evenly spaced sample of the queries, in float64 and without the operator.

    Args:
        problem: what is asked.
        sample: number of queries.
        exclude: false answers the same problem with every key allowed.
    """
    rows = evenly_spaced(len(problem.tokens), sample)
    keys = problem.tokens.double()
    norms = keys.square().sum(dim=1)
    outputs, densities, nearest = [], [], []
    for part in rows.split(max(1, _CHUNK_CELLS // len(keys))):
        squared = (norms[part, None] + norms - 2 * keys[part] @ keys.T).clamp_(min=0)
        if exclude:
            squared[(problem.times[part, None] - problem.times).abs() < problem.exclusion] = torch.inf
        nearest.append(squared.topk(min(NEIGHBORS, len(keys)), largest=False).values)
        logits = squared.mul_(-0.5 * problem.scale)
        density = logits.logsumexp(dim=1)
        outputs.append(logits.sub_(density[:, None]).exp_() @ keys)
        densities.append(density)
    return Exact(rows, torch.cat(outputs), torch.cat(densities), torch.cat(nearest))


def quality(
    problem: Tokens,
    exact: Exact,
    output: Tensor | None = None,
    log_partition: Tensor | None = None,
    neighbors: Tensor | None = None,
) -> dict[str, float]:
    """How faithful what a method found is to the exact answer; a figure for each that it found.

    A neighbour counts as found where one as near was found: logs repeat windows to the last digit, and
    float32 cannot order keys that differ less than its rounding.

    Args:
        problem: what was asked.
        exact: the answer for a sample of the queries.
        output: (N, d).
        log_partition: (N,), of logits without the constant of the query, as the operator returns it.
        neighbors: (N,) or (N, k) int64, -1 for none.
    """
    queries = problem.tokens[exact.rows].double()
    figures: dict[str, float] = {}
    if output is not None:
        error = output[exact.rows].double() - exact.output
        figures["output_error"] = float(error.norm() / exact.output.norm())
    if log_partition is not None:
        constant = 0.5 * problem.scale * queries.square().sum(dim=1)
        density = log_partition[exact.rows].double() - constant
        figures["rank_correlation"] = float(spearmanr(density.numpy(), exact.log_density.numpy()).statistic)
        figures["log_partition_error"] = float((density - exact.log_density).abs().mean())
    if neighbors is not None:
        found = neighbors[exact.rows].reshape(len(exact.rows), -1)
        squared = (problem.tokens[found.clamp(min=0)].double() - queries[:, None]).square().sum(dim=2)
        squared[found < 0] = torch.inf
        rounding = 1e-6 * queries.square().sum(dim=1, keepdim=True)
        within = exact.nearest * (1 + 1e-4) + rounding
        figures["nearest_found"] = float((squared.amin(dim=1) <= within[:, 0]).double().mean())
        if found.shape[1] >= NEIGHBORS:
            near = (squared <= within[:, -1:]).sum(dim=1).clamp(max=NEIGHBORS)
            figures["neighbors_found"] = float(near.double().mean() / NEIGHBORS)
    return figures
