"""Loads what a report is made of: scores, run record, model card."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from logscan.errors import InputError
from logscan.records import I32, I64, TimeKind
from logscan.report.content import ScoreTable, Source
from logscan.report.contributions import with_parts
from logscan.results.read_scores import ScoreRows, read_contributions, read_scores
from logscan.results.run_record import READABLE_VERSIONS, SCHEMA_VERSION, ModelCardRecord, RunRecord


def read_source(
    scores_path: Path, run_path: Path | None, model_dir: Path | None, *, drawn: bool = True
) -> Source:
    """Everything a report on `scores_path` is made of.

    Args:
        scores_path: the scores file, Parquet or CSV.
        run_path: the run record; default `<stem>.run.json` beside the scores. A default that is missing is
            told in the report, a named one that is missing is refused.
        model_dir: model folder for the card, where the run record holds none.
        drawn: the report has pictures, for which each channel's contributions are read.

    Raises:
        InputError: scores or run record cannot be read, hold no row, or are of an unknown version.
        ModelError: the model folder is missing or damaged.
    """
    rows = read_scores(scores_path)
    if not len(rows.time):
        raise InputError(str(scores_path), "no row", "score an input with rows and report on that")
    wanted = run_path if run_path is not None else default_run_path(scores_path)
    run = _run_record(wanted, required=run_path is not None)
    tables, file_rows, entity = _by_entity(rows)
    matches = run is None or _belongs(run, tables)
    if not matches:
        run = None
    card = run.model if run is not None else None
    if card is None and model_dir is not None:
        card = _card(model_dir)
    if run is not None and run.input is not None:
        # A CSV knows its zone by the offset alone, and an integer step from a row number not at all.
        kind, step = TimeKind(run.input.time_kind), run.input.step
        timezone = run.input.timezone
    else:
        kind, timezone, step = rows.time_kind, rows.timezone, _step(tables)
    if drawn or run is None:  # a run record tells the channels of its events
        parts = read_contributions(scores_path)
        tables = with_parts(tables, file_rows, entity, rows.time, parts, heat=drawn)
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
    if version not in READABLE_VERSIONS:
        fact = f"run record of version {version}; this logscan reads up to version {SCHEMA_VERSION}"
        raise InputError(str(path), fact, remedy)
    try:
        return RunRecord.model_validate(document)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(str(path), f"damaged run record at '{where}'", remedy) from error


def _belongs(run: RunRecord, tables: Sequence[ScoreTable]) -> bool:
    """Whether the record tells of these scores: the same entities, and no event it does not know."""
    known = {(event.entity, event.id) for event in run.events}
    seen = {
        (table.entity, number)
        for table in tables
        for number in np.unique(table.event_id[table.event_id >= 0]).tolist()
    }
    return {record.entity for record in run.series} >= {table.entity for table in tables} and seen <= known


def _by_entity(rows: ScoreRows) -> tuple[tuple[ScoreTable, ...], list[I64 | slice], I32]:
    """The rows of each entity in time order, entities by name.

    Returns:
        the tables, the rows of the file that each holds, and the table of each row of the file. A file whose
        entities stand under one another, each in time order, is only cut: nothing is copied.
    """
    names = sorted(rows.entities)
    place_of = {name: place for place, name in enumerate(names)}
    entity = np.array([place_of[name] for name in rows.entities], dtype=np.int32)[rows.entity]
    changes = np.flatnonzero(entity[1:] != entity[:-1]) + 1
    bounds = [0, *changes.tolist(), len(entity)]
    falls = np.flatnonzero(rows.time[1:] < rows.time[:-1]) + 1
    held: list[I64 | slice]
    if len(bounds) - 1 == len(names) and np.isin(falls, changes).all():
        cuts = {int(entity[start]): slice(start, end) for start, end in pairwise(bounds)}
        held = [cuts[place] for place in range(len(names))]
    else:
        order = np.lexsort((rows.time, entity))
        held = list(np.split(order, np.cumsum(np.bincount(entity, minlength=len(names)))[:-1]))
    tables = tuple(_table(rows, name, mine) for name, mine in zip(names, held, strict=True))
    return tables, held, entity


def _table(rows: ScoreRows, entity: str, mine: I64 | slice) -> ScoreTable:
    threshold, score = rows.threshold[mine], rows.score[mine]
    known = np.isfinite(threshold)
    return ScoreTable(
        entity=entity,
        channels=rows.channels,
        times=rows.time[mine],
        score=np.where(np.isfinite(score), score, np.float32(np.nan)),
        threshold=float(threshold[len(known) - 1 - np.argmax(known[::-1])]) if known.any() else math.nan,
        event_id=rows.event[mine],
    )


def _step(tables: Sequence[ScoreTable]) -> int:
    """The usual distance between rows, in the grid's units."""
    gaps = np.empty(sum(max(len(table.times) - 1, 0) for table in tables), dtype=np.int64)
    begin = 0
    for table in tables:
        end = begin + max(len(table.times) - 1, 0)
        np.subtract(table.times[1:], table.times[:-1], out=gaps[begin:end])
        begin = end
    repeated = gaps <= 0
    if repeated.any():
        gaps = gaps[~repeated]
    return int(np.median(gaps, overwrite_input=True)) if len(gaps) else 1


def _card(model_dir: Path) -> ModelCardRecord:
    # The model brings torch; a report that needs no model folder starts without it.
    from logscan.model.card import model_card  # noqa: PLC0415
    from logscan.model.folder import load_model  # noqa: PLC0415

    return model_card(load_model(model_dir))
