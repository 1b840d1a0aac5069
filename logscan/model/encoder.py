"""The encoder: every token is rebuilt from its analogues in the history; residuals and energy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from logscan.core.calibration import Fusion, calibrated, end_aligned_blocks, overlap_mean_blocks
from logscan.core.views import View
from logscan.core.windows import OverlapMean, untouched
from logscan.memory import give_back_memory
from logscan.model.heads import Prepared, feature_chunks, observed_windows, token_starts
from logscan.model.history_attention import Attended, HeadHistory, head_attention
from logscan.model.records import EntityModel, Head
from logscan.model.whitening import residual_power, row_products
from logscan.records import F32, I64, Bool

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class HeadOutput:
    """What one head says about every token of a series.

    Attributes:
        starts: (tokens,) int64, first step of each token's window.
        residuals: (tokens, channels) float32, mean square of the window's weighed residual, NaN where not judged.
        neighbor_times: (tokens, k) int64, where the analogues begin, in steps of the training grid, for a LEVEL
            head; else `None`.
        weights: as in `Attended`, 0 where there is no such analogue, for a LEVEL head; else `None`.
        expected: (steps, channels) float32 rebuilt values, scaled, for a LEVEL head; else None.
    """

    starts: I64
    residuals: F32
    neighbor_times: I64 | None
    weights: F32 | None
    expected: F32 | None


@dataclass(frozen=True, slots=True)
class Encoding:
    """A whole series, judged.

    Attributes:
        contributions: (steps, channels) float32, sum to the score; NaN where not judged.
        expected: (steps, channels) float32, scaled; NaN where not judged.
        level: the output of the LEVEL head, whose neighbours explain events.
    """

    contributions: F32
    expected: F32
    level: HeadOutput

    @property
    def score(self) -> F32:
        """(steps,) float32, higher = more anomalous, NaN where not judged."""
        total: F32 = self.contributions.sum(axis=1, dtype=np.float32)
        return total


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


def rebuilt_windows(
    head: Head, history: HeadHistory, series: Prepared, attended: Attended
) -> Iterator[tuple[slice, F32, F32]]:
    """Windows as rebuilt, and observed minus rebuilt, (windows, features, channels) each, in pieces.

    Arguments as in `head_attention`.
    """
    channels = series.values.shape[1]
    asked = np.zeros(len(history.starts), dtype=np.bool_)
    asked[attended.neighbors] = True
    asked[0] = True  # it stands for no neighbour, with weight 0; that -1 asks for the last one does no harm
    place = np.cumsum(asked) - 1
    values = torch.from_numpy(history.features(np.flatnonzero(asked), head)).to(history.keys.device)
    for piece, rows in feature_chunks(series.values, attended.starts, head.spec):
        rows_used = place[np.maximum(attended.neighbors[piece], 0)]
        built = rebuilt(values, rows_used, attended.weights[piece], head).cpu().numpy()
        shape = (len(rows), -1, channels)
        yield piece, built.reshape(shape), (rows - built).reshape(shape)


def judged_tokens(series: Prepared, attended: Attended, window_steps: int) -> Bool:
    """(tokens, channels) bool: observed well enough, with an analogue, and without a step that is set aside."""
    enough = observed_windows(series.observed, attended.starts, window_steps)
    judged: Bool = enough & (attended.neighbors[:, :1] >= 0)
    if series.set_aside is not None:
        judged &= untouched(attended.starts, window_steps, series.set_aside)[:, None]
    return judged


def head_output(head: Head, history: HeadHistory, series: Prepared, attended: Attended) -> HeadOutput:
    """What one head says, from the analogues of its tokens; arguments as in `head_attention`."""
    level = head.spec.view is View.LEVEL
    expected = OverlapMean(*series.values.shape) if level else None
    tell = None if expected is None else expected.add
    residuals = token_residuals(head, history, series, attended, tell)
    return HeadOutput(
        starts=attended.starts,
        residuals=residuals,
        neighbor_times=history.times[attended.neighbors] if level else None,
        weights=attended.weights if level else None,
        expected=None if expected is None else expected.mean(),
    )


def token_residuals(
    head: Head,
    history: HeadHistory,
    series: Prepared,
    attended: Attended,
    tell: Callable[[I64, F32], None] | None,
) -> F32:
    """`HeadOutput.residuals` of some tokens; `tell`, where given, gets the windows' starts and what was rebuilt."""
    residuals = np.empty((len(attended.starts), series.values.shape[1]), dtype=np.float32)
    for piece, built, differences in rebuilt_windows(head, history, series, attended):
        residuals[piece] = residual_power(differences, head.whitening)
        if tell is not None:
            tell(attended.starts[piece], built)
    residuals[~judged_tokens(series, attended, head.spec.window_steps)] = np.nan
    return residuals


def encode(
    model: EntityModel,
    series: Prepared,
    offset_steps: int,
    *,
    neighbors: int,
    causal: bool,
    device: torch.device,
    histories: Iterable[HeadHistory] | None = None,
    progress: Progress | None = None,
) -> Encoding:
    """Run every head over a series and fuse them.

    Args:
        model: the entity.
        series: the series to judge.
        offset_steps: step of the training grid at which the series begins.
        neighbors: analogues per token.
        causal: end-aligned scores; see `token_starts`.
        device: where the attention runs.
        histories: what each head attends to, in their order; `None`: the model's own history.
        progress: told the name of every head when it is done.
    """
    fusion = Fusion(*series.values.shape)
    if histories is None:
        histories = (
            HeadHistory.of(head, model.history, device, model.history_steps(head.starts))
            for head in model.heads
        )
    for head, history in zip(model.heads, histories, strict=True):
        starts = token_starts(head.spec, len(series.values), causal=causal)
        attended = head_attention(head, history, series, starts, offset_steps, neighbors=neighbors)
        output = head_output(head, history, series, attended)
        fusion.add_blocks(head_steps(output, head, len(series.values), causal=causal))
        if output.expected is not None:
            level = output
        give_back_memory()
        if progress is not None:
            progress(head.spec.name)
    return encoding_of(fusion, level)


def encoding_of(fusion: Fusion, level: HeadOutput) -> Encoding:
    """The encoding of heads that were fused, in the fusion's memory; `level` is the output of the LEVEL head."""
    assert level.expected is not None
    contributions = fusion.into_contributions()
    expected = level.expected
    expected[~np.isfinite(contributions[:, 0])] = np.nan
    return Encoding(contributions=contributions, expected=expected, level=level)


def head_steps(output: HeadOutput, head: Head, steps: int, *, causal: bool) -> Iterator[F32]:
    """One head's calibrated residuals on steps, (steps, channels) float32 in pieces, NaN where not judged."""
    tokens = calibrated(output.residuals, head.unit)
    align = end_aligned_blocks if causal else overlap_mean_blocks
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
