"""Reads what a report is made of: the scores, the run record beside them, the model's card."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import ValidationError

from logscan.data.scores_file import ScoresTable, read_scores
from logscan.errors import InputError
from logscan.ops.run import SCHEMA_VERSION, ModelCardRecord, RunRecord
from logscan.records import I64, TimeKind
from logscan.report.content import ScoreTable, Source


def read_source(scores_path: Path, run_path: Path | None, model_dir: Path | None) -> Source:
    """Everything a report on `scores_path` is made of.

    Args:
        scores_path: the scores file, Parquet or CSV.
        run_path: the run record; default `<stem>.run.json` beside the scores. A default that is missing is
            told in the report, a named one that is missing is refused.
        model_dir: model folder for the card, where the run record holds none.

    Raises:
        InputError: scores or run record cannot be read, hold no row, or are of an unknown version.
        ModelError: the model folder is missing or damaged.
    """
    table = read_scores(scores_path)
    if not len(table.time):
        raise InputError(str(scores_path), "no row", "score an input with rows and report on that")
    wanted = run_path if run_path is not None else default_run_path(scores_path)
    run = _run_record(wanted, required=run_path is not None)
    tables = _by_entity(table)
    matches = run is None or _belongs(run, tables)
    if not matches:
        run = None
    card = run.model if run is not None else None
    if card is None and model_dir is not None:
        card = _card(model_dir)
    kind, timezone, step = table.time_kind, table.timezone, _step(tables)
    if run is not None and run.input is not None:
        # A CSV knows its zone by the offset alone, and an integer step from a row number not at all.
        kind, step = TimeKind(run.input.time_kind), run.input.step
        timezone = run.input.timezone
    return Source(
        scores_file=scores_path.name,
        run_file=wanted.name,
        time_kind=kind,
        timezone=timezone,
        step=step,
        tables=tables,
        run=run,
        run_matches=matches,
        card=card,
    )


def default_run_path(scores_path: Path) -> Path:
    """Where the run record of a scores file lies: `scores.parquet` -> `scores.run.json`."""
    return scores_path.with_name(f"{scores_path.name.removesuffix(scores_path.suffix)}.run.json")


def _run_record(path: Path, *, required: bool) -> RunRecord | None:
    """The record; None where none was asked for by name and none is there."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        if required:
            raise InputError(str(path), "no such file", "name the run record that `score` wrote") from error
        return None
    except OSError as error:
        remedy = "make it readable, or move it away to report on the scores alone"
        raise InputError(str(path), f"cannot be read ({error.strerror})", remedy) from error
    remedy = "score again, or move it away to report on the scores alone"
    try:
        document = json.loads(data)
    except ValueError as error:
        raise InputError(str(path), "damaged run record, not JSON", remedy) from error
    version = document.get("schema_version") if isinstance(document, dict) else None
    if version != SCHEMA_VERSION:
        fact = f"run record of version {version}; this logscan reads version {SCHEMA_VERSION}"
        raise InputError(str(path), fact, remedy)
    try:
        return RunRecord.model_validate(document)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(str(path), f"damaged run record at '{where}'", remedy) from error


def _belongs(run: RunRecord, tables: tuple[ScoreTable, ...]) -> bool:
    """Whether the record tells of these scores: the same entities, and no event it does not know."""
    known = {(event.entity, event.id) for event in run.events}
    seen = {
        (table.entity, int(number)) for table in tables for number in np.unique(table.event_id) if number >= 0
    }
    return {record.entity for record in run.series} >= {table.entity for table in tables} and seen <= known


def _by_entity(table: ScoresTable) -> tuple[ScoreTable, ...]:
    """The rows of each entity in time order, entities by name."""
    codes, names = pd.factorize(np.asarray(table.entity, dtype=object), sort=True)
    order = np.lexsort((table.time, codes))
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    tables = []
    for entity, rows in zip(names.tolist(), np.split(order, ends[:-1]), strict=True):
        thresholds = table.threshold[rows]
        finite = thresholds[np.isfinite(thresholds)]
        tables.append(
            ScoreTable(
                entity=entity,
                channels=table.channels,
                times=table.time[rows],
                score=np.where(np.isfinite(table.score[rows]), table.score[rows], np.nan).astype(np.float64),
                threshold=float(finite[-1]) if len(finite) else math.nan,
                event_id=table.event[rows],
                contributions=table.contributions[rows].astype(np.float64),
            )
        )
    return tuple(tables)


def _step(tables: tuple[ScoreTable, ...]) -> int:
    """The usual distance between rows, in the grid's units."""
    gaps: list[I64] = [np.diff(table.times) for table in tables]
    positive = np.concatenate(gaps)
    positive = positive[positive > 0]
    return int(np.median(positive)) if len(positive) else 1


def _card(model_dir: Path) -> ModelCardRecord:
    # The model brings torch; a report that needs no model folder starts without it.
    from logscan.model.card import model_card  # noqa: PLC0415
    from logscan.model.folder import load_model  # noqa: PLC0415

    return model_card(load_model(model_dir))
