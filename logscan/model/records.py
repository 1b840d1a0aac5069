"""Frozen records of a trained model: heads, entities, the model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from logscan.alarms.threshold import Threshold
from logscan.attention import ContentTree
from logscan.config import Config, InputConfig
from logscan.core.scaling import Scaler
from logscan.core.views import View
from logscan.records import F32, F64, I64, Bool, InputSchema, TimeGrid


@dataclass(frozen=True, slots=True)
class HeadSpec:
    """One view of the log: a window length and a normalisation; and the periods (steps) whose phase counts."""

    window_steps: int
    stride_steps: int
    view: View
    rhythm: tuple[float, ...] = ()

    @property
    def name(self) -> str:
        """Such as `form64`."""
        return f"{self.view.value}{self.window_steps}"


@dataclass(frozen=True, slots=True)
class Layer:
    """The trained part of a head; all zeros is the closed-form start.

    Attributes:
        log_metric: (d,) float32, logarithm of the weight of each key coordinate.
        log_temperature: () float32, added to the logarithm of the squared temperature.
        gate: () float32, weight of the correction below; 0 switches it off.
        mlp_in: (hidden, d) float32, first matrix of the correction of the rebuilt window.
        mlp_out: (d, hidden) float32, second matrix.
    """

    log_metric: F32
    log_temperature: F32
    gate: F32
    mlp_in: F32
    mlp_out: F32

    @staticmethod
    def closed_form(dimensions: int, hidden: int, seed: int) -> Layer:
        """The start: identity metric, gate zero; the first matrix random so that the gate has a gradient."""
        random = np.random.default_rng(seed)
        return Layer(
            log_metric=np.zeros(dimensions, dtype=np.float32),
            log_temperature=np.zeros((), dtype=np.float32),
            gate=np.zeros((), dtype=np.float32),
            mlp_in=random.normal(0, dimensions**-0.5, (hidden, dimensions)).astype(np.float32),
            mlp_out=random.normal(0, hidden**-0.5, (dimensions, hidden)).astype(np.float32),
        )


@dataclass(frozen=True, slots=True)
class Head:
    """One head, ready to attend.

    Attributes:
        spec: what it looks at.
        center: (features,) float32, mean of the history's viewed windows.
        basis: (features, d) float32, orthonormal leading directions of the history.
        starts: (tokens,) int64, first steps of the history's windows in the training series.
        temperature: squared distance at which attention falls by exp(-1/2), key units.
        unit: (channels,) float64, calibration.
        layer: the trained part.
        tree: of the history's tokens under the layer's metric; `None` where attention is exact, or to build it
            at every call.
        whitening: (channels, features, features) float32, how a channel's residual is weighed; `None`: not at all.
    """

    spec: HeadSpec
    center: F32
    basis: F32
    starts: I64
    temperature: float
    unit: F64
    layer: Layer
    tree: ContentTree | None = None
    whitening: F32 | None = None


@dataclass(frozen=True, slots=True)
class EntityModel:
    """Everything learned about one entity.

    Attributes:
        entity: its name, "" if the log has none.
        grid: the grid of the training series.
        scaler: fitted on it.
        history: (steps, channels) float32, the training series scaled and filled.
        observed: (steps, channels) bool, where the history is real or bridged.
        heads: at least one.
        threshold_batch: for overlap-mean scores.
        threshold_causal: for end-aligned scores.
        stretches: (stretches, 2) int64, where each stretch of the history begins in it and on the grid; `None`: the
            history is the whole training series.
        ordinary_score: what nearly all overlap-mean scores of the training part stay below; NaN: not known.
    """

    entity: str
    grid: TimeGrid
    scaler: Scaler
    history: F32
    observed: Bool
    heads: tuple[Head, ...]
    threshold_batch: Threshold
    threshold_causal: Threshold
    ordinary_score: float = math.nan
    stretches: I64 | None = None

    def history_steps(self, places: I64) -> I64:
        """Steps of the training grid at which places of the history lie."""
        if self.stretches is None:
            return places
        stretch = np.searchsorted(self.stretches[:, 0], places, side="right") - 1
        begins, first = self.stretches[stretch].T
        steps: I64 = places - begins + first
        return steps


@dataclass(frozen=True, slots=True)
class Model:
    """A model: one `EntityModel` per entity, and what it was made from."""

    model_id: str
    created: str  # UTC, ISO 8601
    logscan_version: str
    config: Config
    schema: InputSchema
    entities: tuple[EntityModel, ...]
    trained_rows: int
    left_out_cells: int  # of the training rows, too far out to be readings
    trimmed_steps: int  # of the training part, unlike all the others: no history
    excluded_steps: int  # of the training part, known failures: of no influence
    validation: dict[str, float]
    fingerprint: str  # SHA-256 of the training values
    set_aside_steps: int = 0  # of the training part, stops and days of a calendar: of no influence
    read_as: InputConfig | None = None  # settings that read a later part of the log; models of 0.1 have none

    def entity(self, name: str) -> EntityModel | None:
        """The entity of that name, if it was trained."""
        return next((one for one in self.entities if one.entity == name), None)
