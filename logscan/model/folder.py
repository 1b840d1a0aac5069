"""The model folder on disk: JSON for what is read by people, safetensors for arrays, a manifest of checksums.

Loading runs no code: pickle is never touched, every file is checked against the manifest first.
"""

from __future__ import annotations

import hashlib
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as dump_arrays

from logscan.alarms.threshold import Threshold
from logscan.attention import ContentTree
from logscan.config import Config, InputConfig
from logscan.core.scaling import Scaler
from logscan.errors import ModelError, UsageError
from logscan.model.card import model_card_text
from logscan.model.records import EntityModel, Head, HeadSpec, Layer, Model
from logscan.records import InputSchema, TimeGrid
from logscan.results.atomic import write_folder
from logscan.results.targets import MODEL_DATA, refuse_model_folder

SCHEMA_VERSION = 1
_Arrays = dict[str, npt.NDArray[Any]]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class _HeadFile(_Part):
    spec: HeadSpec
    temperature: float
    unit: list[float]


class _EntityFile(_Part):
    entity: str
    grid: TimeGrid
    center: list[float]
    spread: list[float]
    counts: list[bool]
    heads: list[_HeadFile]
    threshold_batch: Threshold
    threshold_causal: Threshold
    ordinary_score: float = math.nan  # models from before have none, and their history does not grow


class _ModelFile(_Part):
    schema_version: int
    model_id: str
    logscan_version: str
    config: Config
    input_schema: InputSchema
    trained_rows: int
    left_out_cells: int
    # Models from before these were left out have neither.
    trimmed_steps: int = 0
    excluded_steps: int = 0
    set_aside_steps: int = 0
    read_as: InputConfig | None = None
    validation: dict[str, float]
    fingerprint: str
    entities: list[_EntityFile] = Field(min_length=1)

    @field_validator("input_schema", mode="before")
    @classmethod
    def _notes(cls, value: Any) -> Any:
        """Models of 0.1 hold sentences instead of notes."""
        if not isinstance(value, dict):
            return value
        ignored = {
            name: {"key": "as-written", "fields": [["text", why]]} if isinstance(why, str) else why
            for name, why in value.get("ignored", {}).items()
        }
        return value | {"ignored": ignored}


def save_model(model: Model, folder: Path) -> None:
    """Write a model folder; whatever model stood there stands until the new one is complete.

    Raises:
        OutputError: the folder cannot be written, or holds files that are not a model's.
    """
    refuse_model_folder(folder)
    weights: _Arrays = {}
    history: _Arrays = {}
    entities = []
    for number, entity in enumerate(model.entities):
        history[f"{number}.history"] = entity.history
        history[f"{number}.observed"] = entity.observed
        if entity.stretches is not None:
            history[f"{number}.stretches"] = entity.stretches
        for place, head in enumerate(entity.heads):
            weights |= _head_arrays(f"{number}.{place}.", head)
            history[f"{number}.{place}.starts"] = head.starts
            if head.tree is not None:
                tensors = head.tree.to_tensors(f"{number}.{place}.tree.")
                history |= {name: tensor.numpy() for name, tensor in tensors.items()}
        entities.append(_entity_file(entity))
    document = _ModelFile(
        schema_version=SCHEMA_VERSION,
        model_id=model.model_id,
        logscan_version=model.logscan_version,
        config=model.config,
        input_schema=model.schema,
        trained_rows=model.trained_rows,
        left_out_cells=model.left_out_cells,
        trimmed_steps=model.trimmed_steps,
        excluded_steps=model.excluded_steps,
        set_aside_steps=model.set_aside_steps,
        read_as=model.read_as,
        validation=model.validation,
        fingerprint=model.fingerprint,
        entities=entities,
    )
    files = {
        "model.json": document.model_dump_json(indent=1).encode(),
        "weights.safetensors": dump_arrays(weights),
        "history.safetensors": dump_arrays(history),
        "MODEL_CARD.md": model_card_text(model).encode(),
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files["manifest.json"] = json.dumps({"sha256": sums}, indent=1).encode()
    write_folder(folder, files)


def load_model(folder: Path) -> Model:
    """Read a model folder.

    Raises:
        ModelError: it is missing, damaged, or of a version this logscan does not know.
    """
    files = _checked_files(folder)
    place = str(folder / "model.json")
    version = _schema_version(files["model.json"], place)
    if version != SCHEMA_VERSION:
        raise ModelError(
            place,
            f"schema version {version}, this logscan reads version {SCHEMA_VERSION}",
            "train again, or use the logscan version that made it",
        )
    try:
        document = _ModelFile.model_validate_json(files["model.json"])
        weights = load_arrays(files["weights.safetensors"])
        history = load_arrays(files["history.safetensors"])
        entities = tuple(
            _entity(entity, f"{number}.", weights, history) for number, entity in enumerate(document.entities)
        )
    except (ValidationError, SafetensorError, UsageError, KeyError, ValueError) as error:
        raise ModelError(str(folder), "the model's files do not fit together", "train again") from error
    return Model(
        model_id=document.model_id,
        created=_written(folder),
        logscan_version=document.logscan_version,
        config=document.config,
        schema=document.input_schema,
        entities=entities,
        trained_rows=document.trained_rows,
        left_out_cells=document.left_out_cells,
        trimmed_steps=document.trimmed_steps,
        excluded_steps=document.excluded_steps,
        set_aside_steps=document.set_aside_steps,
        read_as=document.read_as,
        validation=document.validation,
        fingerprint=document.fingerprint,
    )


def _checked_files(folder: Path) -> dict[str, bytes]:
    if not folder.is_dir():
        raise ModelError(str(folder), "no model here", "make one with 'logscan train'")
    try:
        sums = json.loads((folder / "manifest.json").read_bytes())["sha256"]
        files = {name: (folder / name).read_bytes() for name in MODEL_DATA}
    except OSError as error:
        missing = Path(error.filename).name if error.filename else "a file"
        raise ModelError(str(folder), f"{missing} is missing or unreadable", "train again") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(str(folder / "manifest.json"), "the manifest is damaged", "train again") from error
    for name, data in files.items():
        if not isinstance(sums, dict) or hashlib.sha256(data).hexdigest() != sums.get(name):
            raise ModelError(
                str(folder / name), "damaged: its checksum is not the manifest's", "train again or restore it"
            )
    return files


def _written(folder: Path) -> str:
    """When the model was written, UTC; from the file system, so that equal training gives equal bytes."""
    return datetime.fromtimestamp((folder / "manifest.json").stat().st_mtime, UTC).isoformat(
        timespec="seconds"
    )


def _schema_version(data: bytes, place: str) -> object:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise ModelError(place, "not JSON", "train again") from error
    return document.get("schema_version") if isinstance(document, dict) else None


def _entity_file(entity: EntityModel) -> _EntityFile:
    return _EntityFile(
        entity=entity.entity,
        grid=entity.grid,
        center=entity.scaler.center.tolist(),
        spread=entity.scaler.spread.tolist(),
        counts=entity.scaler.counts.tolist(),
        heads=[
            _HeadFile(spec=head.spec, temperature=head.temperature, unit=head.unit.tolist())
            for head in entity.heads
        ],
        threshold_batch=entity.threshold_batch,
        threshold_causal=entity.threshold_causal,
        ordinary_score=entity.ordinary_score,
    )


def _head_arrays(prefix: str, head: Head) -> _Arrays:
    layer = head.layer
    weighed = {} if head.whitening is None else {prefix + "whitening": head.whitening}
    return weighed | {
        prefix + "center": head.center,
        prefix + "basis": head.basis,
        prefix + "log_metric": layer.log_metric,
        prefix + "log_temperature": layer.log_temperature,
        prefix + "gate": layer.gate,
        prefix + "mlp_in": layer.mlp_in,
        prefix + "mlp_out": layer.mlp_out,
    }


def _entity(document: _EntityFile, prefix: str, weights: _Arrays, history: _Arrays) -> EntityModel:
    heads = []
    for place, head in enumerate(document.heads):
        names = ("log_metric", "log_temperature", "gate", "mlp_in", "mlp_out")
        layer = Layer(**{name: weights[f"{prefix}{place}.{name}"] for name in names})
        heads.append(
            Head(
                spec=head.spec,
                center=weights[f"{prefix}{place}.center"],
                basis=weights[f"{prefix}{place}.basis"],
                starts=history[f"{prefix}{place}.starts"],
                temperature=head.temperature,
                unit=np.array(head.unit),
                layer=layer,
                tree=_tree(f"{prefix}{place}.", history),
                whitening=weights.get(f"{prefix}{place}.whitening"),  # models from before have none
            )
        )
    return EntityModel(
        entity=document.entity,
        grid=document.grid,
        scaler=Scaler(
            center=np.array(document.center),
            spread=np.array(document.spread),
            counts=np.array(document.counts),
        ),
        history=history[prefix + "history"],
        observed=history[prefix + "observed"],
        heads=tuple(heads),
        threshold_batch=document.threshold_batch,
        threshold_causal=document.threshold_causal,
        ordinary_score=document.ordinary_score,
        stretches=history.get(prefix + "stretches"),
    )


def _tree(prefix: str, history: _Arrays) -> ContentTree | None:
    """A head's tree, if one is stored; raises ValueError or UsageError where it is not its history's."""
    prefix, tokens = prefix + "tree.", len(history[prefix + "starts"])
    tensors = {name: torch.from_numpy(array) for name, array in history.items() if name.startswith(prefix)}
    if not tensors:
        return None
    tree = ContentTree.from_tensors(tensors, prefix)
    if tree.key_count != tokens:
        raise ValueError(f"a tree of {tree.key_count} tokens, a history of {tokens}")
    return tree
