"""The encoder: every token asks the history for its analogues and is rebuilt from them (DESIGN section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from logscan.attention import content_tree, sparse_attention
from logscan.core.calibration import Fusion, calibrated, end_aligned_steps, overlap_mean_steps
from logscan.core.rhythm import rhythm_columns
from logscan.core.views import View
from logscan.core.windows import OverlapMean, untouched
from logscan.model.heads import Prepared, feature_chunks, features, observed_windows, searchable, token_starts
from logscan.model.residuals import residual_power, row_products
from logscan.model.state import EntityModel, Head
from logscan.records import F32, F64, I64, Bool

Progress = Callable[[str], None]
EXACT_HISTORY_TOKENS = 16384  # longer histories are searched through a tree; exactness is worth its time
RHYTHM = (
    32.0  # half the squared distance in phase costs that many nats: 8 lose an outage, 64 gain little more
)
_INDICES = 1 << 40  # a log that begins before the history counts from here instead of below 0


@dataclass(frozen=True, slots=True)
class Attended:
    """The analogues of the tokens of a series.

    Attributes:
        starts: (tokens,) int64, first step of each token's window.
        neighbors: (tokens, k) int64, tokens of the history, heaviest first, -1 for none.
        weights: (tokens, k) float32, attention among those neighbours, rows sum to 1 (0 without neighbours).
    """

    starts: I64
    neighbors: I64
    weights: F32

    def part(self, tokens: slice) -> Attended:
        """Some of the tokens."""
        return Attended(self.starts[tokens], self.neighbors[tokens], self.weights[tokens])


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """What one head says about every token of a series.

    Attributes:
        starts: (tokens,) int64, first step of each token's window.
        residuals: (tokens, channels) float32, mean square of the window's weighed residual, NaN where not judged.
        neighbors: as in `Attended`.
        weights: as in `Attended`.
        expected: (steps, channels) float32 rebuilt values, scaled, for a LEVEL head; else None.
    """

    starts: I64
    residuals: F32
    neighbors: I64
    weights: F32
    expected: F32 | None


@dataclass(frozen=True, slots=True)
class Encoding:
    """A whole series, judged.

    Attributes:
        contributions: (steps, channels) float32, sum to the score; NaN where not judged.
        expected: (steps, channels) float64, scaled; NaN where not judged.
        level: the output of the LEVEL head, whose neighbours explain events.
    """

    contributions: F32
    expected: F64
    level: HeadOutput

    @property
    def score(self) -> F32:
        """(steps,) float32, higher = more anomalous, NaN where not judged."""
        total: F32 = self.contributions.sum(axis=1, dtype=np.float32)
        return total


def head_keys(feature_rows: F32, head: Head) -> Tensor:
    """Coordinates of tokens under the head's metric, (tokens, d) float32, from `searchable` features."""
    layer = head.layer
    centred = torch.from_numpy(feature_rows - head.center)
    return row_products(centred, torch.from_numpy(head.basis)) * torch.from_numpy(np.exp(layer.log_metric))


def with_tree(head: Head, feature_rows: F32) -> Head:
    """The head with the tree of its history, if that is too long for exact attention.

    Args:
        head: with its final layer, whose metric the tree depends on.
        feature_rows: (tokens, features) float32, `searchable` features of the history.
    """
    longer = len(feature_rows) > EXACT_HISTORY_TOKENS
    if not longer:
        return replace(head, tree=None)
    return replace(head, tree=content_tree(in_rhythm(head_keys(feature_rows, head), head.starts, head)))


def in_rhythm(keys: Tensor, times: I64, head: Head) -> Tensor:
    """Keys with their place in the day and the week beside their content, where the head minds it.

    The place weighs against the temperature, so that windows at the far side of a period lose the same share of
    attention whatever the head.

    Args:
        keys: (tokens, d) float32.
        times: (tokens,) int64, steps of the history's grid.
        head: with its final layer.
    """
    if not head.spec.rhythm:
        return keys
    squared = head.temperature * float(np.exp(head.layer.log_temperature))
    columns = np.float32(np.sqrt(RHYTHM * squared)) * rhythm_columns(times, head.spec.rhythm)
    return torch.cat([keys, torch.from_numpy(columns).to(keys.device)], dim=1)


def attend(
    head: Head,
    queries: Tensor,
    keys: Tensor,
    query_times: I64,
    key_times: I64,
    neighbors: int,
) -> tuple[I64, F32]:
    """The analogues of every query and their attention weights, most alike first.

    Logits are `-|q - k|^2 / 2 tau^2`, written as a dot product with a key bias (DESIGN 4.1). Keys that start
    less than a window away in time are excluded: a token must not explain itself. Exact up to
    `EXACT_HISTORY_TOKENS` keys, sparse above; there queries share what they find in groups that stand on the
    history's grid and nobody looks ahead, so that scoring in parts equals scoring at once.

    Args:
        head: gives temperature, exclusion and, if it has one, the tree of `keys`.
        queries: (queries, d) float32.
        keys: (tokens, d) float32.
        query_times: (queries,) int64, steps of the history's grid.
        key_times: (tokens,) int64, ascending.
        neighbors: how many analogues to return.

    Returns:
        neighbours (queries, k) int64, -1 for none; weights (queries, k) float32, rows sum to 1 or 0.
    """
    squared = head.temperature * float(np.exp(head.layer.log_temperature))
    queries, keys = in_rhythm(queries, query_times, head), in_rhythm(keys, key_times, head)
    exact = len(keys) <= EXACT_HISTORY_TOKENS
    first = int(query_times[0]) // head.spec.stride_steps if len(query_times) else 0
    result = sparse_attention(
        queries,
        keys,
        None,
        scale=1.0 / squared,
        key_bias=-(keys * keys).sum(dim=1) / (2 * squared),
        query_time=torch.from_numpy(query_times).to(keys.device),
        key_time=torch.from_numpy(key_times).to(keys.device),
        exclusion=head.spec.window_steps,
        look_ahead=False,
        tree=None if exact or head.tree is None else head.tree.to(keys.device),
        group_offset=first % _INDICES,
        return_neighbors=min(neighbors, len(keys)),
        implementation="dense" if exact else "sparse",
    )
    assert result.neighbors is not None
    assert result.neighbor_weights is not None
    found = result.neighbors.cpu().numpy()
    weights = np.where(found >= 0, result.neighbor_weights.cpu().numpy(), 0.0)
    total = weights.sum(axis=1, keepdims=True)
    return found, np.divide(weights, total, out=np.zeros_like(weights), where=total > 0).astype(np.float32)


def rebuilt(history_features: Tensor, neighbors: I64, weights: F32, head: Head) -> Tensor:
    """Windows rebuilt from their analogues, then the gated correction: (tokens, features) float32.

    `x = sum_j a_ij v_j`, `x <- x + gate * basis mlp(basis' x)`. The correction sees only what was rebuilt,
    never the token itself, so it cannot learn to copy an anomaly through.
    """
    index = torch.from_numpy(np.maximum(neighbors, 0)).to(history_features.device)
    share = torch.from_numpy(weights).to(history_features.device)
    # The weighted sum of gathered rows without ever holding the gathered rows.
    windows = embedding_bag(index, history_features, per_sample_weights=share, mode="sum")
    if float(head.layer.gate) == 0.0:
        return windows
    basis = torch.from_numpy(head.basis).to(windows.device)
    center = torch.from_numpy(head.center).to(windows.device)
    mlp_in = torch.from_numpy(head.layer.mlp_in).to(windows.device)
    mlp_out = torch.from_numpy(head.layer.mlp_out).to(windows.device)
    hidden = torch.relu(row_products(row_products(windows - center, basis), mlp_in.T))
    correction = row_products(row_products(hidden, mlp_out.T), basis.T)
    return windows + float(head.layer.gate) * correction


def head_attention(
    head: Head,
    history: F32,
    series: Prepared,
    offset_steps: int,
    *,
    neighbors: int,
    causal: bool,
    device: torch.device,
) -> Attended:
    """Let every token of a series look for its analogues.

    Args:
        head: the head.
        history: (steps, channels) float32, the training series its `starts` point into.
        series: the series to judge.
        offset_steps: step of the history's grid at which the series begins.
        neighbors: analogues per token.
        causal: see `token_starts`.
        device: where the attention runs.
    """
    spec = head.spec
    starts = token_starts(spec, len(series.values), causal=causal)
    keys = head_keys(features(searchable(history), head.starts, spec), head).to(device)
    queries = torch.empty((len(starts), keys.shape[1]))
    for piece, rows in feature_chunks(searchable(series.values), starts, spec):
        queries[piece] = head_keys(rows, head)
    found, weights = attend(head, queries.to(device), keys, starts + offset_steps, head.starts, neighbors)
    return Attended(starts, found, weights)


def rebuilt_windows(
    head: Head, history: F32, series: Prepared, attended: Attended, *, device: torch.device
) -> Iterator[tuple[slice, F32, F32]]:
    """Windows as rebuilt, and observed minus rebuilt, (windows, features, channels) each, in pieces.

    Arguments as in `head_attention`.
    """
    channels = series.values.shape[1]
    values = torch.from_numpy(features(history, head.starts, head.spec)).to(device)
    for piece, rows in feature_chunks(series.values, attended.starts, head.spec):
        built = rebuilt(values, attended.neighbors[piece], attended.weights[piece], head).cpu().numpy()
        shape = (len(rows), -1, channels)
        yield piece, built.reshape(shape), (rows - built).reshape(shape)


def judged_tokens(series: Prepared, attended: Attended, window_steps: int) -> Bool:
    """(tokens, channels) bool: observed well enough, and with an analogue to be compared with."""
    enough = observed_windows(series.observed, attended.starts, window_steps)
    judged: Bool = enough & (attended.neighbors[:, :1] >= 0)
    return judged


def head_output(
    head: Head, history: F32, series: Prepared, attended: Attended, *, device: torch.device
) -> HeadOutput:
    """What one head says, from the analogues of its tokens; arguments as in `head_attention`."""
    channels = series.values.shape[1]
    residuals = np.empty((len(attended.starts), channels), dtype=np.float32)
    expected = OverlapMean(len(series.values), channels) if head.spec.view is View.LEVEL else None
    for piece, built, differences in rebuilt_windows(head, history, series, attended, device=device):
        residuals[piece] = residual_power(differences, head.whitening)
        if expected is not None:
            expected.add(attended.starts[piece], built)
    residuals[~judged_tokens(series, attended, head.spec.window_steps)] = np.nan
    return HeadOutput(
        starts=attended.starts,
        residuals=residuals,
        neighbors=attended.neighbors,
        weights=attended.weights,
        expected=None if expected is None else expected.mean(),
    )


def encode(
    model: EntityModel,
    series: Prepared,
    offset_steps: int,
    *,
    neighbors: int,
    causal: bool,
    device: torch.device,
    set_aside: Bool | None = None,
    progress: Progress | None = None,
) -> Encoding:
    """Run every head over a series and fuse them.

    No window that holds one of the steps `set_aside`, (steps,) bool, is judged. Other arguments as in `head_attention`.
    """
    steps, channels = series.values.shape
    fusion = Fusion(steps, channels)
    level: HeadOutput | None = None
    for head in model.heads:
        attended = head_attention(
            head, model.history, series, offset_steps, neighbors=neighbors, causal=causal, device=device
        )
        output = head_output(head, model.history, series, attended, device=device)
        if set_aside is not None:
            output.residuals[~untouched(output.starts, head.spec.window_steps, set_aside)] = np.nan
        fusion.add(head_steps(output, head, steps, causal=causal))
        if output.expected is not None:
            level = output
        if progress is not None:
            progress(head.spec.name)
    assert level is not None
    assert level.expected is not None
    contributions = fusion.contributions()
    expected = np.where(np.isfinite(contributions[:, :1]), level.expected.astype(np.float64), np.nan)
    return Encoding(contributions=contributions, expected=expected, level=level)


def head_steps(output: HeadOutput, head: Head, steps: int, *, causal: bool) -> F32:
    """One head's calibrated residuals on steps, (steps, channels) float32, NaN where not judged."""
    tokens = calibrated(output.residuals, head.unit)
    align = end_aligned_steps if causal else overlap_mean_steps
    return align(tokens, output.starts, head.spec.window_steps, steps)


def history_starts(observed: Bool, starts: I64, window_steps: int) -> I64:
    """Those starts whose windows are observed well enough in every judged channel to serve as history.

    A channel that is never observed is left out of the question. If no window qualifies, all are returned:
    a poor history is better than none, and the report shows the quality.
    """
    enough = observed_windows(observed, starts, window_steps)
    ever = enough.any(axis=0)
    whole = starts[enough[:, ever].all(axis=1)] if ever.any() else starts[:0]
    return whole if len(whole) else starts
