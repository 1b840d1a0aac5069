"""What each command does: read, call the pipeline, write, tell. Returns the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from logscan.alarms.promise import parse_false_alarms
from logscan.cli.console import SHOWN_EVENTS, Consoles, events_table, figures_table
from logscan.cli.inputs import read_inputs, say_notes
from logscan.config import Config, InputConfig
from logscan.errors import InputError, LogscanError, UsageError
from logscan.labels.known_failures import known_failures, names_label_file
from logscan.messages import text
from logscan.ops.increment import ends_inside_a_line, new_rows, rows_since
from logscan.ops.state import locked_state, read_state, write_state
from logscan.quality.grades import channel_qualities
from logscan.records import Log, SeriesScores
from logscan.results.atomic import atomic_path, write_text
from logscan.results.build_record import RunClock, run_record
from logscan.results.run_record import ModelCardRecord, RunRecord
from logscan.results.targets import refuse_model_folder, refuse_outputs, refuse_overwriting
from logscan.time_text import parse_time

if TYPE_CHECKING:
    from logscan.model.records import Model
    from logscan.pipeline import ScoreResult

SKIPPED = 3
EVENTS_FOUND = 10


def train(
    consoles: Consoles,
    inputs: Sequence[str],
    config: Config,
    *,
    model_folder: Path,
    train_rows: int | None,
    train_until: str | None,
    labels: str | None,
    device: str,
    json_output: bool,
) -> int:
    """Train a model and write its folder."""
    column = () if labels is None or names_label_file(labels) else (labels,)
    log = read_inputs(consoles, inputs, config.input, keep=column)
    say_notes(consoles, log)
    first = log.series[0].grid
    until = (
        None if train_until is None else parse_time(train_until, first.kind, first.timezone, "--train-until")
    )
    known = {} if labels is None else known_failures(labels, log, inputs, config.input)
    with consoles.progress("loading"):
        from logscan import pipeline
        from logscan.model.card import model_card
        from logscan.model.folder import FILES, save_model
    refuse_model_folder(model_folder, FILES)
    with consoles.progress("training") as progress:
        model = pipeline.train(
            log,
            config,
            train_rows=train_rows,
            train_until=until,
            excluded=known,
            device=device,
            progress=progress,
        )
    save_model(model, model_folder)
    skipped = [one.entity for one in log.series if model.entity(one.entity) is None]
    for name in skipped:
        outside = " outside its known failures" if known else ""
        consoles.warn(f"entity '{name}' is too short{outside} to train on, skipped; give it more rows")
    if known and not model.excluded_steps and not any(known[name].any() for name in skipped):
        consoles.warn(f"{labels}: no training row lies in a label; check that times and entities agree")
    note = parse_false_alarms(config.alarm.false_alarms).note(pipeline.step_seconds(log))
    if note:
        consoles.say(f"note: {text(note)}")
    card = model_card(model)
    if json_output:
        consoles.print_json(card.model_dump())
    else:
        figures = _model_figures(model, card, model_folder)
        if known:
            figures.append(("known failures", f"{model.excluded_steps:,} steps left out"))
        if any(one.set_aside is not None for one in log.series):
            figures.append(("set aside", f"{model.set_aside_steps:,} steps of stops and days of a calendar"))
        consoles.out.print(figures_table(figures))
    return SKIPPED if skipped or any(log.counts.dropped.values()) else 0


def score(
    consoles: Consoles,
    inputs: Sequence[str],
    config: InputConfig,
    *,
    model_folder: Path,
    out: str,
    since: str | None,
    state: Path | None,
    events: Path | None,
    causal: bool,
    grow_history: bool | None,
    fail_on_event: bool,
    device: str,
    json_output: bool,
) -> int:
    """Score an input with a model; write scores, events and the run record."""
    from logscan import pipeline
    from logscan.model.folder import load_model

    clock = RunClock()
    causal = causal or state is not None
    target = None if out == "-" else Path(out)
    refuse_outputs(target, events)
    with _failure_recorded(target, clock, device, causal), ExitStack() as held:
        if state is not None:
            held.enter_context(locked_state(state))
        with clock.stage("load"):
            model = load_model(model_folder)
        with clock.stage("read"):
            log = read_inputs(consoles, inputs, pipeline.scoring_input(config, model))
            say_notes(consoles, log)
        refuse_overwriting(log.schema.files, (target, events))
        with clock.stage("score"), consoles.progress("scoring") as progress:
            result = pipeline.score(
                log, model, causal=causal, grow_history=grow_history, device=device, progress=progress
            )
            log = replace(log, notes=log.notes + result.notes)
        _refuse_nothing_judged(log, result)
        shown = rows_since(result.series, since)
        if not any(one.grid.steps for one in shown):
            raise InputError(log.schema.files[0], f"no row from {since} on", "check --since")
        last_times: dict[str, int] = {}
        if state is not None:
            written = read_state(state, model.model_id).last_times
            shown, last_times = new_rows(
                shown, written, log.schema.kind, torn=ends_inside_a_line(log.schema.files)
            )
        skipped = bool(result.skipped_entities) or any(log.counts.dropped.values())
        found = any(one.events for one in shown)
        code = EVENTS_FOUND if fail_on_event and found else SKIPPED if skipped else 0
        record = _write_outputs(
            log, shown, model, clock, target=target, events=events, code=code, causal=causal, device=device
        )
        if state is not None:
            write_state(state, model.model_id, last_times)
    _tell_scores(consoles, record, result, out, json_output=json_output)
    return code


@contextmanager
def _failure_recorded(target: Path | None, clock: RunClock, device: str, causal: bool) -> Iterator[None]:
    """Leave a record of a failed run beside where its scores would have been."""
    try:
        yield
    except LogscanError as error:
        if target is not None and target.parent.is_dir():
            failed = run_record(
                "score", clock, exit_code=error.exit_code, device=device, error=str(error), causal=causal
            )
            # The report must not pair old scores with a failed run, so this record has its own name.
            _write_quietly(run_record_path(target).with_suffix(".failed.json"), failed)
        raise


def _write_outputs(
    log: Log,
    shown: Sequence[SeriesScores],
    model: Model,
    clock: RunClock,
    *,
    target: Path | None,
    events: Path | None,
    code: int,
    causal: bool,
    device: str,
) -> RunRecord:
    """Write events, scores and run record, each in its place only when all are written; gives the record back."""
    from logscan import pipeline
    from logscan.model.card import model_card
    from logscan.results.write_scores import stream_scores, write_events

    with ExitStack() as outputs:
        with clock.stage("write"):
            if events is not None:
                staged = outputs.enter_context(atomic_path(events))
                write_events(staged, [event for one in shown for event in one.events], log.series[0].grid)
            if target is not None:
                _write_scores(outputs.enter_context(atomic_path(target)), shown, model, log)
            qualities = channel_qualities(log)
        record = run_record(
            "score",
            clock,
            exit_code=code,
            device=str(pipeline.compute_device(device)),
            config_hash=model.config.hash(),
            causal=causal,
            log=log,
            scores=shown,
            quality=qualities,
            model=model_card(model),
        )
        if target is None:
            sys.stdout.flush()
            stream_scores(sys.stdout.buffer, shown, log_kind=log.schema.kind)
            sys.stdout.buffer.flush()
        else:
            staged = outputs.enter_context(atomic_path(run_record_path(target)))
            write_text(staged, record.model_dump_json())
    return record


def report(
    consoles: Consoles, scores: Path, *, out: str, lang: Literal["en", "ja"], model_folder: Path | None
) -> int:
    """Write the report of a scores file."""
    from logscan.report import build_report, report_csv, report_json

    refuse_overwriting([str(scores), str(run_record_path(scores))], [None if out == "-" else Path(out)])
    suffix = ".html" if out == "-" else Path(out).suffix.lower()
    if suffix in (".html", ".htm"):
        text = build_report(scores, lang=lang, model_dir=model_folder)
    elif suffix == ".json":
        text = report_json(scores, model_dir=model_folder)
    elif suffix == ".csv":
        text = report_csv(scores, model_dir=model_folder)
    else:
        raise UsageError(f"--out {out}", "unknown report format", "use a name ending in .html, .json or .csv")
    if out == "-":
        consoles.print_document(text)
    else:
        write_text(Path(out), text)
        consoles.say(f"report: {out}")
    return 0


def evaluate(
    consoles: Consoles, scores: Path, *, labels: str, source: Sequence[str], json_output: bool
) -> int:
    """Measure scores against labels."""
    from logscan.cli.measure import measured

    evaluation = asdict(measured(scores, run_record_path(scores), labels=labels, source=tuple(source)))
    # JSON knows no NaN, and a person reads a dash better.
    figures = {name: value if np.isfinite(value) else None for name, value in evaluation.items()}
    if json_output:
        consoles.print_json(figures)
        return 0
    rows = []
    for name, value in figures.items():
        text = "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        rows.append((name.replace("_", " "), text))
    consoles.out.print(figures_table(rows))
    return 0


def run_record_path(out: Path) -> Path:
    """Where the run record of a scores file lies: `scores.parquet` -> `scores.run.json`."""
    return out.with_name(out.name.removesuffix(out.suffix) + ".run.json")


def _refuse_nothing_judged(log: Log, result: ScoreResult) -> None:
    place = log.schema.files[0]
    if not result.series:
        names = ", ".join(result.skipped_entities[:5])
        raise InputError(place, f"no entity of the model is in it (it has {names})", "check --entity")
    if result.judged_steps == 0:
        raise InputError(
            place,
            "nothing could be judged: no window of the model is observed well enough",
            "give a longer input, or look at it with 'logscan check'",
        )


def _write_scores(out: Path, shown: Sequence[SeriesScores], model: Model, log: Log) -> None:
    from logscan.results.write_scores import write_scores

    metadata = {
        "logscan.model_id": model.model_id,
        "logscan.config_hash": model.config.hash(),
        "logscan.version": model.logscan_version,
    }
    write_scores(out, shown, metadata=metadata, log_kind=log.schema.kind)


def _tell_scores(
    consoles: Consoles, record: RunRecord, result: ScoreResult, out: str, *, json_output: bool
) -> None:
    for name in result.skipped_entities:
        consoles.warn(f"entity '{name}' is not in the model, skipped; train with it to score it")
    if json_output and out != "-":
        consoles.print_json(json.loads(record.model_dump_json(exclude={"quality"})))
        return
    if out == "-":
        return
    judged = sum(one.judged_steps for one in record.series)
    steps = sum(one.steps for one in record.series)
    if steps == 0:
        consoles.say(f"scores: {out} (no new rows)")
        return
    consoles.say(f"scores: {out} ({judged:,} of {steps:,} steps judged)")
    if record.events:
        consoles.out.print(events_table(record.events))
    count = len(record.events)
    more = f", the {SHOWN_EVENTS} most severe shown" if count > SHOWN_EVENTS else ""
    consoles.say(f"{count} event{'' if count == 1 else 's'}{more}" if count else "no events: nothing unusual")


def _model_figures(model: Model, card: ModelCardRecord, folder: Path) -> list[tuple[str, str]]:
    return [
        ("model", f"{card.model_id} in {folder}"),
        ("trained on", f"{card.trained_rows:,} rows, {card.training_start} to {card.training_end}"),
        ("channels", ", ".join(card.channels)),
        ("heads", f"{len(card.heads)}, {card.history_tokens:,} history tokens{_thinned_text(model)}"),
        ("training", _training_text(model)),
        ("promise", f"{card.false_alarms} false alarms"),
        ("left out", f"{model.left_out_cells:,} cells too far from the others to be readings"),
        ("trimmed", f"{model.trimmed_steps:,} steps unlike all the others"),
    ]


def _thinned_text(model: Model) -> str:
    """Which share of a long training part became history."""
    if all(one.stretches is None for one in model.entities):
        return ""
    steps = sum(one.grid.steps for one in model.entities)
    kept = sum(len(one.history) for one in model.entities)
    return f" from {kept:,} of {steps:,} steps, in evenly spread stretches"


def _training_text(model: Model) -> str:
    if not model.validation:
        return "closed form (not trained)"
    shipped = int(model.validation["heads_where_training_ships"])
    return f"trained layers ship in {shipped} of {int(model.validation['heads'])} heads"


def _write_quietly(path: Path, record: RunRecord) -> None:
    """Write the record of a failed run; its own failure must not hide the first one."""
    try:
        write_text(path, record.model_dump_json())
    except LogscanError:
        return
