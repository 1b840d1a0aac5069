"""`logscan score`: read, score with a model, write scores, events and the run record."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from logscan.cli.console import SHOWN_EVENTS, Consoles, events_table
from logscan.cli.exit_codes import EVENTS, SKIPPED
from logscan.cli.jobs.reading import read_inputs, say_notes
from logscan.cli.jobs.refusals import refuse_settings, refuse_time
from logscan.config import InputConfig
from logscan.errors import InputError, LogscanError
from logscan.ops.increment import ends_inside_a_line, new_rows, rows_since
from logscan.ops.state import locked_state, read_state, write_state
from logscan.quality.grades import channel_qualities
from logscan.read_settings import stored_settings
from logscan.records import Log, SeriesScores
from logscan.results.atomic import atomic_path, write_text
from logscan.results.build_record import RunClock, run_record
from logscan.results.run_record import RunRecord, run_record_path
from logscan.results.targets import refuse_outputs, refuse_overwriting

if TYPE_CHECKING:
    from logscan.model.records import Model
    from logscan.pipeline import ScoreResult


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
    from logscan.read.formats import WHOLE_SUFFIXES

    clock = RunClock()
    causal = causal or state is not None
    target = None if out == "-" else Path(out)
    refuse_outputs(target, events)
    with _failure_recorded(target, clock, device, causal), ExitStack() as held:
        refuse_settings(config)
        refuse_time(since, "--since")
        if state is not None:
            held.enter_context(locked_state(state))
        with clock.stage("load"):
            model = load_model(model_folder)
        with clock.stage("read"):
            settings = pipeline.scoring_input(config, model)
            log = read_inputs(consoles, inputs, settings)
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
                shown, written, log.schema.kind, torn=ends_inside_a_line(log.schema.files, WHOLE_SUFFIXES)
            )
        skipped = bool(result.skipped_entities) or any(log.counts.dropped.values())
        found = any(one.events for one in shown)
        code = EVENTS if fail_on_event and found else SKIPPED if skipped else 0
        record = _write_outputs(
            log,
            shown,
            model,
            clock,
            read_as=stored_settings(log.schema, settings),
            target=target,
            events=events,
            code=code,
            causal=causal,
            device=device,
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
    read_as: InputConfig,
    target: Path | None,
    events: Path | None,
    code: int,
    causal: bool,
    device: str,
) -> RunRecord:
    """Write events, scores and run record, each in its place only when all are written; gives the record back."""
    from logscan import pipeline
    from logscan.model.card import model_card
    from logscan.results.write_events import write_events
    from logscan.results.write_scores import stream_scores

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
            read_as=read_as,
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


def _write_quietly(path: Path, record: RunRecord) -> None:
    """Write the record of a failed run; its own failure must not hide the first one."""
    try:
        write_text(path, record.model_dump_json())
    except LogscanError:
        return
