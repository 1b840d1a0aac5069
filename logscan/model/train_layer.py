"""Training of one head's layer: leave-neighbourhood-out reconstruction, early stopping, ship only what earns it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from logscan.core.certainty import is_certain_gain, log_residual
from logscan.core.rhythm import rhythm_columns
from logscan.model.heads import features, searchable
from logscan.model.history_attention import RHYTHM, attend, window_keys, with_tree
from logscan.model.records import Head, Layer
from logscan.model.whitening import ResidualSpread
from logscan.records import F32, I64, Bool

_SAMPLE = 1024  # training tokens a head learns from; more change the figures less than the seed does
_CANDIDATES = 16  # analogues a token may weigh while learning; the selection itself is constant
_BATCH = 256
_HELD_BACK = 0.2  # of the training part, its end: what comes next is what scoring will meet
_PATIENCE = 3
_MUST_GAIN = 0.01  # log residual on held-back rows below which the closed-form start ships
_RATE = 0.03


@dataclass(frozen=True, slots=True)
class FitOutcome:
    """One head's training.

    Attributes:
        head: with the trained layer if it earned its place, else unchanged.
        shipped: whether it did.
        epochs: run until early stopping.
        loss_start: mean log weighed residual per channel on held-back rows, closed form.
        loss_best: the same, best epoch.
    """

    head: Head
    shipped: bool
    epochs: int
    loss_start: float
    loss_best: float


class _Trainable(torch.nn.Module):
    """The parameters of `Layer`, with the learned noise level of every channel (training only)."""

    def __init__(self, layer: Layer, channels: int) -> None:
        super().__init__()
        self.log_metric = torch.nn.Parameter(torch.from_numpy(layer.log_metric.copy()))
        self.log_temperature = torch.nn.Parameter(torch.from_numpy(layer.log_temperature.copy()))
        self.gate = torch.nn.Parameter(torch.from_numpy(layer.gate.copy()))
        self.mlp_in = torch.nn.Parameter(torch.from_numpy(layer.mlp_in.copy()))
        self.mlp_out = torch.nn.Parameter(torch.from_numpy(layer.mlp_out.copy()))
        self.log_noise = torch.nn.Parameter(torch.zeros(channels))

    def layer(self) -> Layer:
        """The parameters as arrays."""
        return Layer(
            **{
                name: value.detach().numpy().copy()
                for name, value in self.named_parameters()
                if name != "log_noise"
            }
        )


@dataclass(frozen=True, slots=True)
class _Examples:
    """Tokens with their candidate analogues; everything a loss needs."""

    target: Tensor  # (n, features)
    query: Tensor  # (n, d)
    candidates: Tensor  # (n, k) rows of history_features
    missing: Tensor  # (n, k) bool, no such candidate
    pull: Tensor  # (n, k) what their place in the day and the week adds to the logits
    history_keys: Tensor  # (tokens, d)
    history_features: Tensor  # (tokens, features)
    center: Tensor
    basis: Tensor
    temperature: float
    whitening: Tensor  # (channels, f, f), how residuals are weighed; constant

    def rows(self, index: Tensor) -> _Examples:
        return replace(
            self,
            target=self.target[index],
            query=self.query[index],
            candidates=self.candidates[index],
            missing=self.missing[index],
            pull=self.pull[index],
        )


def fit_head(head: Head, history: F32, judged: Bool, *, epochs: int, seed: int, channels: int) -> FitOutcome:
    """Train one head's layer on its own history.

    Args:
        head: with its closed-form layer.
        history: (steps, channels) float32, scaled and filled training series.
        judged: (tokens,) bool, tokens that may be learned from.
        epochs: upper limit.
        seed: of batches and sample.
        channels: of the series.

    Returns:
        The outcome; the head is unchanged when there is too little to learn from.
    """
    tokens = np.flatnonzero(judged)
    if len(tokens) < 64:
        return FitOutcome(head=head, shipped=False, epochs=0, loss_start=np.nan, loss_best=np.nan)
    split = int(len(tokens) * (1 - _HELD_BACK))
    keys = window_keys(searchable(history), head.starts, head)
    rows = torch.from_numpy(features(history, head.starts, head.spec))
    learn = _examples(head, keys, rows, _thinned(tokens[:split], _SAMPLE), channels)
    kept_back = _thinned(tokens[split:], _SAMPLE // 4)
    held = _examples(head, keys, rows, kept_back, channels)
    random = torch.Generator().manual_seed(seed)
    module = _Trainable(head.layer, channels)
    with torch.no_grad():
        weighing = _weighing(module, learn)
        learn, held = replace(learn, whitening=weighing), replace(held, whitening=weighing)
        module.log_noise.copy_(_residuals(module, learn).mean(dim=0).clamp_min(1e-6).log())
        before = after = _residuals(module, held).numpy()
        start = best = log_residual(before)
    optimizer = torch.optim.Adam(module.parameters(), lr=_RATE)
    layer, stale, done = head.layer, 0, 0
    for done in range(1, epochs + 1):  # noqa: B007  reported below
        for batch in torch.randperm(len(learn.target), generator=random).split(_BATCH):  # type: ignore[no-untyped-call]
            optimizer.zero_grad()
            residual = _residuals(module, learn.rows(batch))
            loss = 0.5 * (residual * torch.exp(-module.log_noise) + module.log_noise).mean()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        with torch.no_grad():
            now = _residuals(module, held).numpy()
        if log_residual(now) < best - 1e-4:
            best, after, layer, stale = log_residual(now), now, module.layer(), 0
        else:
            stale += 1
        if stale >= _PATIENCE:
            break
    certain = is_certain_gain(before, after, head.starts[kept_back], head.spec.window_steps)
    shipped = best < start - _MUST_GAIN and certain
    if shipped:
        head = replace(head, layer=layer)
        head = with_tree(head, window_keys(searchable(history), head.starts, head))
    return FitOutcome(head=head, shipped=shipped, epochs=done, loss_start=start, loss_best=best)


def _thinned(tokens: I64, limit: int) -> I64:
    """At most `limit` tokens, evenly spaced."""
    if len(tokens) <= limit:
        return tokens
    return tokens[np.linspace(0, len(tokens) - 1, limit).astype(np.int64)]


def _examples(head: Head, keys: Tensor, rows: Tensor, tokens: I64, channels: int) -> _Examples:
    """Some tokens of a history, from the keys (tokens, d) and the features (tokens, features) of all of them."""
    found, _ = attend(head, keys[tokens], keys, head.starts[tokens], head.starts, _CANDIDATES)
    return _Examples(
        target=rows[tokens],
        query=keys[tokens],
        candidates=torch.from_numpy(np.maximum(found, 0)),
        missing=torch.from_numpy(found < 0),
        pull=_pull(head, head.starts[tokens], head.starts[np.maximum(found, 0)]),
        history_keys=keys,
        history_features=rows,
        center=torch.from_numpy(head.center),
        basis=torch.from_numpy(head.basis),
        temperature=head.temperature,
        whitening=torch.zeros(channels, 1, 1),  # until it is taught
    )


def _pull(head: Head, times: I64, candidates: I64) -> Tensor:
    """(n, k) float32: logits of the distance in phase, as `in_rhythm` gives them to attention."""
    if not head.spec.rhythm:
        return torch.zeros(candidates.shape)
    mine = rhythm_columns(times, head.spec.rhythm)[:, None]
    theirs = rhythm_columns(candidates.ravel(), head.spec.rhythm).reshape(*candidates.shape, -1)
    return torch.from_numpy(np.float32(-RHYTHM / 2) * np.square(mine - theirs).sum(axis=2))


def _differences(module: _Trainable, examples: _Examples) -> Tensor:
    """Observed minus rebuilt, (channels, n, f), differentiable in the layer's parameters."""
    metric = module.log_metric.exp()
    gap = (examples.query[:, None] - examples.history_keys[examples.candidates]) * metric
    logits = -gap.square().sum(dim=2) / (2 * examples.temperature * module.log_temperature.exp())
    logits = logits + examples.pull
    weights = torch.softmax(logits.masked_fill(examples.missing, -1e30), dim=1)
    built = embedding_bag(
        examples.candidates, examples.history_features, per_sample_weights=weights, mode="sum"
    )
    hidden = torch.relu(((built - examples.center) @ examples.basis) @ module.mlp_in.T)
    built = built + module.gate * ((hidden @ module.mlp_out.T) @ examples.basis.T)
    return (examples.target - built).reshape(len(built), -1, len(examples.whitening)).permute(2, 0, 1)


def _residuals(module: _Trainable, examples: _Examples) -> Tensor:
    """Mean square of the weighed residual per channel, (n, channels): what is scored is what is learned."""
    return torch.bmm(_differences(module, examples), examples.whitening).square().mean(dim=2).T


def _weighing(module: _Trainable, examples: _Examples) -> Tensor:
    """How residuals are weighed, as the examples teach it before they teach anything else."""
    found = _differences(module, examples).permute(1, 2, 0).numpy()
    spread = ResidualSpread(found.shape[1], found.shape[2])
    spread.add(found, np.ones((len(found), found.shape[2]), dtype=np.bool_))
    return torch.from_numpy(spread.whitening())
