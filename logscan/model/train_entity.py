"""Training of one entity: scaler, closed-form heads, trained layers, calibration, thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from logscan.alarms.events import merge_gap_steps
from logscan.alarms.threshold import LEAST_THRESHOLD, Threshold, pot_threshold
from logscan.config import Config
from logscan.core.calibration import Fusion, calibration
from logscan.core.contamination import unlike_the_rest
from logscan.core.scaling import Scaler, fit_scaler, strays
from logscan.core.windows import untouched, window_starts
from logscan.memory import give_back_memory
from logscan.model.encoder import (
    HeadOutput,
    head_output,
    head_steps,
    history_starts,
    judged_tokens,
    rebuilt_windows,
)
from logscan.model.heads import (
    Prepared,
    basis_sample,
    closed_form_basis,
    features,
    head_specs,
    observed_windows,
    prepared,
    searchable,
    token_starts,
)
from logscan.model.history_attention import Attended, HeadHistory, head_attention, window_keys, with_tree
from logscan.model.records import EntityModel, Head, HeadSpec, Layer
from logscan.model.train_layer import FitOutcome, fit_head
from logscan.model.whitening import ResidualSpread
from logscan.records import F64, Bool, Series

Progress = Callable[[str], None]
_HIDDEN = 16
_ORDINARY = 0.99  # of the training steps are called ordinary when a history grows
_TEMPERATURE_QUERIES = 2048  # tokens its temperature is found from
_TEMPERATURE_POOL = 32  # times `neighbors`: nearest keys of each of them
_LEAST_TEMPERATURE = 1e-6
_DISTANCES = 1 << 22  # worked on at a time


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained entity and how its heads got on."""

    entity: EntityModel
    fits: tuple[FitOutcome, ...]
    left_out_cells: int  # of the training rows, too far out to be readings
    trimmed_steps: int  # of the training part, unlike all the others


@dataclass(frozen=True, slots=True)
class _Heads:
    """Heads of one look at the training part, and the scores it has under them in both alignments."""

    heads: tuple[Head, ...]
    fits: tuple[FitOutcome, ...]
    batch: Fusion
    causal: Fusion


def train_entity(
    series: Series,
    config: Config,
    *,
    counts: Bool,
    false_alarms_per_step: float,
    device: torch.device,
    excluded: Bool | None = None,
    rhythm: tuple[float, ...] = (),
    progress: Progress | None = None,
) -> Trained:
    """Train one entity on its training series.

    Steps that are unlike all the others, in a first look with closed-form heads, are no history and set no
    unit; they do count for the thresholds.

    Args:
        series: the training part, on its grid.
        config: scales, neighbours, seed, alarm settings.
        counts: (channels,) bool, channels that count things.
        false_alarms_per_step: accepted false events per step.
        device: where attention runs.
        excluded: (steps,) bool, steps that are no example of normal, such as known failures: what was observed
            there has no influence, and no window that holds one is history, learned from or calibrated on.
            `None`: there are none. With some, `long_enough` must hold for the shortest scale.
        rhythm: periods in steps whose phase counts for what is alike.
        progress: told the name of every head when it is done.
    """
    excluded = np.zeros(series.grid.steps, dtype=np.bool_) if excluded is None else excluded
    scaler, ready, left_out = _training_values(series.values, counts, excluded, config.input.bridge_steps)
    run = partial(_heads, ready, config, excluded=excluded, device=device, progress=progress)
    specs = head_specs(config.encoder, len(ready.values), excluded)
    specs = tuple(replace(spec, rhythm=rhythm) for spec in specs)
    found = run(specs, excluded, fit=False)
    trimmed = unlike_the_rest(found.batch.contributions().sum(axis=1).astype(np.float64))
    left = tuple(spec for spec in specs if _tokens(spec, excluded | trimmed).any())
    if {spec.view for spec in left} != {spec.view for spec in specs}:  # too short a log to do without them
        left, trimmed = specs, np.zeros_like(trimmed)
    if config.encoder.fit or trimmed.any():
        del found  # the second look takes its place in memory
        found = run(left, excluded | trimmed, fit=config.encoder.fit)
    merge = merge_gap_steps(config.alarm.merge_gap_steps, min(spec.window_steps for spec in left))
    entity = EntityModel(
        entity=series.entity,
        grid=series.grid,
        scaler=scaler,
        history=ready.values,
        observed=ready.observed,
        heads=found.heads,
        threshold_batch=_threshold(found.batch, false_alarms_per_step, merge),
        threshold_causal=_threshold(found.causal, false_alarms_per_step, merge),
        ordinary_score=_ordinary_score(found.batch),
    )
    return Trained(entity=entity, fits=found.fits, left_out_cells=left_out, trimmed_steps=int(trimmed.sum()))


def _heads(
    ready: Prepared,
    config: Config,
    specs: tuple[HeadSpec, ...],
    kept_out: Bool,
    *,
    fit: bool,
    excluded: Bool,
    device: torch.device,
    progress: Progress | None,
) -> _Heads:
    """All heads on the training part.

    Windows that hold a `kept_out` step are no history and set no unit; those that hold an `excluded` one, which
    is kept out too, are not judged either.
    """
    steps, channels = ready.values.shape
    batch, causal = Fusion(steps, channels), Fusion(steps, channels)
    heads: list[Head] = []
    fits: list[FitOutcome] = []
    for spec in specs:
        head = closed_form_head(spec, ready, config.encoder.neighbors, config.encoder.seed, kept_out)
        if fit:
            outcome = _fitted(head, ready, config)
            fits.append(outcome)
            head = outcome.head
        history = HeadHistory.of(head, ready.values, device)
        starts = token_starts(head.spec, steps, causal=False)
        attended = head_attention(head, history, ready, starts, 0, neighbors=config.encoder.neighbors)
        window = head.spec.window_steps
        normal = untouched(attended.starts, window, kept_out)
        head, output = _weighed(head, history, ready, attended, normal)
        output.residuals[~untouched(output.starts, window, excluded)] = np.nan
        head = replace(head, unit=calibration(output.residuals[normal]))
        # One look serves both thresholds: the alignments differ in how tokens fall on steps, not in the tokens.
        batch.add_blocks(head_steps(output, head, steps, causal=False))
        causal.add_blocks(head_steps(output, head, steps, causal=True))
        heads.append(head)
        give_back_memory()
        if progress is not None:
            progress(spec.name)
    return _Heads(tuple(heads), tuple(fits), batch, causal)


def _weighed(
    head: Head, history: HeadHistory, ready: Prepared, attended: Attended, normal: Bool
) -> tuple[Head, HeadOutput]:
    """The head with its weighing of residuals, and what it says of the training part.

    There each half of the tokens is weighed as the other half taught: weighed by what they taught themselves, few
    windows would look more normal than windows to come, and every unit and threshold would be too low.
    """
    middle = len(attended.starts) // 2
    halves = [attended.part(slice(0, middle)), attended.part(slice(middle, None))]
    spreads, outputs = [], []
    for half, ordinary in zip(halves, (normal[:middle], normal[middle:]), strict=True):
        judged = judged_tokens(ready, half, head.spec.window_steps) & ordinary[:, None]
        spread = None
        for piece, _, differences in rebuilt_windows(head, history, ready, half):
            spread = spread or ResidualSpread(differences.shape[1], differences.shape[2])
            spread.add(differences, judged[piece])
        spreads.append(spread)
    whole = [spread for spread in spreads if spread is not None]
    both = whole[0].plus(whole[1]) if len(whole) == 2 else whole[0]
    for half, taught in zip(halves, reversed(spreads), strict=True):
        weighing = None if taught is None else taught.whitening()
        one = replace(head, whitening=weighing)
        outputs.append(head_output(one, history, ready, half))
    output = HeadOutput(
        starts=attended.starts,
        residuals=np.concatenate([part.residuals for part in outputs]),
        neighbor_times=None,
        weights=None,
        expected=None,
    )
    return replace(head, whitening=both.whitening()), output


def _tokens(spec: HeadSpec, kept_out: Bool) -> Bool:
    """(windows,) bool: which windows of a head hold none of the steps."""
    window = min(spec.window_steps, len(kept_out))
    return untouched(window_starts(len(kept_out), window, spec.stride_steps), window, kept_out)


def _training_values(
    values: F64, counts: Bool, excluded: Bool, bridge_steps: int
) -> tuple[Scaler, Prepared, int]:
    """The scaler, the scaled and filled values without strays and excluded steps, and the number of strays."""
    known = np.where(excluded[:, None], np.nan, values)
    stray = strays(known)
    known = np.where(stray, np.nan, known)
    scaler = fit_scaler(known, counts)
    ready = prepared(known, scaler, bridge_steps=bridge_steps, causal=False)
    # A short exclusion was bridged as if it were a gap; that makes it no observation.
    kept = ~excluded[:, None]
    ready = replace(ready, observed=ready.observed & kept, bridged=ready.bridged & kept)
    return scaler, ready, int(stray.sum())


def closed_form_head(
    spec: HeadSpec, series: Prepared, neighbors: int, seed: int, excluded: Bool | None = None
) -> Head:
    """A head that works before it is trained: principal directions, and a temperature set by its neighbours.

    The temperature is the one at which the median training token spreads its weight over `neighbors` keys.
    No window that holds one of the `excluded` steps, (steps,) bool, becomes history.
    """
    steps, channels = series.values.shape
    window = min(spec.window_steps, steps)
    spec = replace(spec, window_steps=window)
    starts = window_starts(steps, window, spec.stride_steps)
    if excluded is not None:
        starts = starts[untouched(starts, window, excluded)]
    starts = history_starts(series.observed, starts, window)
    values = searchable(series.values)
    center, basis = closed_form_basis(features(values, basis_sample(starts), spec))
    head = Head(
        spec=spec,
        center=center,
        basis=basis,
        starts=starts,
        temperature=1.0,
        unit=np.ones(channels),
        layer=Layer.closed_form(basis.shape[1], _HIDDEN, seed),
    )
    keys = window_keys(values, starts, head)
    return with_tree(replace(head, temperature=_temperature(keys, head, neighbors)), keys)


def _temperature(keys: Tensor, head: Head, neighbors: int) -> float:
    """The head's squared temperature, from the nearest allowed keys of a sample of its tokens."""
    keys = keys.double()
    chosen = torch.from_numpy(
        np.unique(np.linspace(0, len(keys) - 1, min(len(keys), _TEMPERATURE_QUERIES)).astype(np.int64))
    )
    pool = min(_TEMPERATURE_POOL * neighbors, len(keys))
    nearest = keys.new_empty(len(chosen), pool)
    part_rows = max(16, min(256, _DISTANCES // len(keys)))
    for part, found in zip(chosen.split(part_rows), nearest.split(part_rows), strict=True):  # type: ignore[no-untyped-call]
        squared = torch.cdist(keys[part], keys).square_()
        times = head.starts[part.numpy()]
        first = np.searchsorted(head.starts, times - head.spec.window_steps, side="right").tolist()
        end = np.searchsorted(head.starts, times + head.spec.window_steps).tolist()
        for row, low, high in zip(squared, first, end, strict=True):
            row[low:high] = torch.inf
        found.copy_(squared.topk(pool, largest=False).values)
    return perplexity_temperature(nearest, neighbors)


def perplexity_temperature(squared: Tensor, neighbors: int) -> float:
    """The squared temperature at which the median token's perplexity is `neighbors`.

    Perplexity is the exponential of the entropy of a token's attention weights: over how many keys it spreads
    them. Where it cannot be so large (too few keys) or so small (too many equally near) the nearest bound is kept.
    Source: van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008, section 2; here one
    temperature for all tokens, so that the log-partitions of a head can be compared.

    Args:
        squared: (tokens, k) float64 squared distances to each token's nearest allowed keys, ascending, infinite
            where there are fewer; `_TEMPERATURE_POOL * neighbors` of them say enough.
        neighbors: the perplexity.
    """
    squared = squared[torch.isfinite(squared[:, 0])]
    if not len(squared):
        return 1.0
    squared = squared - squared[:, :1]  # the nearest weighs exp(0), however far off it is
    low = _LEAST_TEMPERATURE
    high = max(low, float(squared[torch.isfinite(squared)].max()))  # there the weights are almost even
    while high > 1.001 * low:
        middle = math.sqrt(low * high)
        weights = torch.softmax(squared / (-2 * middle), dim=1)
        perplexity = float(torch.special.entr(weights).sum(dim=1).exp().median())
        low, high = (low, middle) if perplexity > neighbors else (middle, high)
    return high


def _fitted(head: Head, series: Prepared, config: Config) -> FitOutcome:
    enough = observed_windows(series.observed, head.starts, head.spec.window_steps)
    judged = np.asarray(enough.all(axis=1), dtype=np.bool_)
    return fit_head(
        head,
        series.values,
        judged,
        epochs=config.encoder.epochs,
        seed=config.encoder.seed,
        channels=series.values.shape[1],
    )


def _threshold(fusion: Fusion, false_alarms_per_step: float, merge: int) -> Threshold:
    score: F64 = fusion.contributions().sum(axis=1).astype(np.float64)
    found = pot_threshold(score, false_alarms_per_step=false_alarms_per_step, merge_gap_steps=merge)
    return replace(found, value=max(found.value, LEAST_THRESHOLD))


def _ordinary_score(fusion: Fusion) -> float:
    score: F64 = fusion.contributions().sum(axis=1).astype(np.float64)
    judged = score[np.isfinite(score)]
    return float(np.quantile(judged, _ORDINARY)) if len(judged) else math.nan
