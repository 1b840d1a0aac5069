"""`logscan check`: read, grade, show, suggest settings, hold the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from logscan.cli.console import Consoles, figures_table, input_table, quality_table
from logscan.cli.jobs.reading import read_inputs, say_notes, step_text
from logscan.cli.jobs.refusals import refuse_settings
from logscan.cli.jobs.toml_text import toml_text
from logscan.config import Config
from logscan.errors import QualityGateError
from logscan.messages import text
from logscan.quality.findings import runs
from logscan.quality.grades import channel_qualities
from logscan.quality.hints import hints
from logscan.read_settings import written_settings
from logscan.records import ChannelQuality, Grade, Log
from logscan.results.atomic import write_text
from logscan.results.build_record import input_record, quality_records
from logscan.results.run_record import InputRecord, NoteRecord
from logscan.results.targets import refuse_overwriting

_GRADES = list(Grade)  # best first


@dataclass(frozen=True, slots=True)
class Gaps:
    """Steps of one entity without any reading."""

    entity: str
    gaps: int
    longest_steps: int
    missing_steps: int
    set_aside_steps: int


def check(
    consoles: Consoles,
    inputs: Sequence[str],
    config: Config,
    *,
    fail_below: str | None,
    write_config: str | None,
    json_output: bool,
) -> int:
    """Show what logscan sees of an input."""
    refuse_settings(config.input)
    log = read_inputs(consoles, inputs, config.input)
    qualities = channel_qualities(log)
    gaps = found_gaps(log)
    told = hints(log)
    record = input_record(log, None)  # the suggested settings say it all
    suggestion = toml_text(written_settings(log.schema, config.input), qualities)
    if write_config is not None and write_config != "-":
        refuse_overwriting(log.schema.files, (Path(write_config),))
        write_text(Path(write_config), suggestion)
    if json_output:
        document = {
            "input": record.model_dump(),
            "entities": [{"entity": series.entity, "steps": series.grid.steps} for series in log.series],
            "gaps": [asdict(one) for one in gaps],
            "quality": [one.model_dump() for one in quality_records(qualities)],
            "grades": _grade_counts(qualities),
            "reasons": _reason_counts(qualities),
            "hints": [NoteRecord.of(hint).model_dump() for hint in told],
            "suggested_config": suggestion,
        }
        consoles.print_json(document)
    elif write_config == "-":
        consoles.print_document(suggestion)
    else:
        _show(consoles, record, step_text(log), qualities, gaps)
        say_notes(consoles, log)
        for hint in told:
            consoles.say(f"hint: {text(hint)}")
    if write_config is not None and write_config != "-":
        consoles.say(f"settings: {write_config}")
    if fail_below is not None:
        worst = _GRADES.index(Grade(fail_below))
        below = [one.channel for one in qualities if _GRADES.index(one.grade) > worst]
        if below:
            raise QualityGateError(
                log.schema.files[0], f"below grade {fail_below}: {', '.join(dict.fromkeys(below))}"
            )
    return 0


def found_gaps(log: Log) -> list[Gaps]:
    """The gaps of every entity: steps in which no channel was observed."""
    found = []
    for one in log.series:
        missing = np.asarray(~np.isfinite(one.values).any(axis=1), dtype=np.bool_)
        _, lengths = runs(missing)
        aside = 0 if one.set_aside is None else int(one.set_aside.sum())
        found.append(Gaps(one.entity, len(lengths), int(lengths.max(initial=0)), int(missing.sum()), aside))
    return found


def _show(
    consoles: Consoles,
    record: InputRecord,
    step: str,
    qualities: Sequence[ChannelQuality],
    gaps: Sequence[Gaps],
) -> None:
    consoles.out.print(input_table(record, step))
    grades = ", ".join(f"{count} {grade}" for grade, count in _grade_counts(qualities).items() if count)
    reasons = ", ".join(f"{code} {count}" for code, count in _reason_counts(qualities).items())
    rows = [("gaps", _gaps_text(gaps)), ("grades", grades), ("reasons", reasons or "-")]
    consoles.out.print(figures_table(rows, width=len("not numbers")))
    consoles.out.print()
    consoles.out.print(quality_table(qualities))


def _gaps_text(gaps: Sequence[Gaps]) -> str:
    """All entities together."""
    count = sum(one.gaps for one in gaps)
    missing = sum(one.missing_steps for one in gaps)
    aside = sum(one.set_aside_steps for one in gaps)
    longest = max((one.longest_steps for one in gaps), default=0)
    text = f"{count:,} ({missing:,} steps, the longest {longest:,})" if count else "-"
    return f"{text}; {aside:,} steps set aside" if aside else text


def _grade_counts(qualities: Sequence[ChannelQuality]) -> dict[str, int]:
    counts = Counter(one.grade for one in qualities)
    return {grade.value: counts[grade] for grade in _GRADES}


def _reason_counts(qualities: Sequence[ChannelQuality]) -> dict[str, int]:
    """How many channels have each reason, the most frequent first."""
    counts = Counter(code for one in qualities for code in one.codes)
    return dict(sorted(counts.items(), key=lambda found: (-found[1], found[0])))
