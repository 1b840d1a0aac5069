"""`logscan train`: read, leave known failures out, train, write the model folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from logscan.alarms.promise import parse_false_alarms
from logscan.cli.console import Consoles, figures_table
from logscan.cli.exit_codes import SKIPPED
from logscan.cli.jobs.reading import read_inputs, say_notes
from logscan.cli.jobs.refusals import refuse_labels, refuse_settings, refuse_time
from logscan.config import Config
from logscan.labels.known_failures import known_failures, names_label_file
from logscan.messages import text
from logscan.model.records import Model
from logscan.results.run_record import ModelCardRecord
from logscan.results.targets import refuse_model_folder
from logscan.time_text import parse_time


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
    parse_false_alarms(config.alarm.false_alarms)
    refuse_settings(config.input)
    refuse_time(train_until, "--train-until")
    refuse_labels(labels)
    refuse_model_folder(model_folder)
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
        from logscan.model.folder import save_model
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
