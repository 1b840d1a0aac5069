"""The demonstration: every command, in order, on both samples, and a table of what it found."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from logscan.cli.console import Consoles
from logscan.cli.jobs.check import check
from logscan.cli.jobs.measure import measured
from logscan.cli.jobs.report import report
from logscan.cli.jobs.score import score
from logscan.cli.jobs.train import train
from logscan.config import Config
from logscan.demo.samples import SAMPLES, write_samples
from logscan.errors import OutputError
from logscan.labels.intervals import Label, read_labels
from logscan.records import TimeKind
from logscan.results.atomic import write_text
from logscan.results.run_record import EventRecord, RunRecord, run_record_path
from logscan.time_units import WEEK_NS

_SHIPPED = Path(__file__).parents[3] / "sample_data"  # in a checkout; a wheel has none
_LANGUAGES: tuple[Literal["en", "ja"], ...] = ("en", "ja")


@dataclass(frozen=True, slots=True)
class DemoOutcome:
    """What the demonstration found in one sample."""

    sample: str
    faults: int
    found: int  # faults with an event inside
    false_events: int  # events that meet no fault, those in the training part included
    weeks: float  # length of the whole log
    vus_pr: float
    seconds: float  # check to evaluation
    reports: tuple[Path, ...]


def run_demo(folder: Path, consoles: Consoles, *, samples: Path | None = None, device: str = "auto") -> int:
    """Run every command on both samples and print what was found, and where the reports are; also as `demo.json`.

    Args:
        folder: where models, scores and reports go; made where it is missing.
        consoles: where to tell.
        samples: folder with the samples; by default the shipped one, and where there is none they are made.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        OutputError: The folder cannot be made or written.
    """
    source = samples or _sample_folder(folder, consoles)
    outcomes = [_sample_outcome(name, source, folder / name, consoles, device) for name in SAMPLES]
    document = [{**asdict(one), "reports": [str(page) for page in one.reports]} for one in outcomes]
    write_text(folder / "demo.json", json.dumps(document, indent=1) + "\n")
    consoles.out.print(_table(outcomes))
    for outcome in outcomes:
        for page in outcome.reports:
            consoles.out.print(Text(f"report: {page}"))
    return 0


def _sample_folder(folder: Path, consoles: Consoles) -> Path:
    """The shipped samples, or the same ones made afresh."""
    if all((_SHIPPED / f"{name}.csv").is_file() for name in SAMPLES):
        return _SHIPPED
    made = folder / "sample_data"
    consoles.say(f"making the samples in {made}")
    write_samples(made)
    return made


def _sample_outcome(name: str, source: Path, folder: Path, consoles: Consoles, device: str) -> DemoOutcome:
    """Check, train, score, report and evaluate one sample, as the commands of the same names do."""
    begin = time.perf_counter()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            str(folder), f"cannot be made a folder ({error.strerror})", "name another folder"
        ) from error
    # The tables of the single commands would bury the one that matters here.
    inner = replace(consoles, out=Console(quiet=True))
    log, labels = [str(source / f"{name}.csv")], str(source / f"{name}.labels.csv")
    model, scores = folder / "model", folder / "scores.parquet"
    config = Config()
    until = str(SAMPLES[name]().train_until)

    consoles.say(f"== {name}: check, train until {until}, score, report, evaluate")
    check(inner, log, config, fail_below=None, write_config=None, json_output=False)
    train(
        inner,
        log,
        config,
        model_folder=model,
        train_rows=None,
        train_until=until,
        labels=None,
        device=device,
        json_output=False,
    )
    score(
        inner,
        log,
        config.input,
        model_folder=model,
        out=str(scores),
        since=None,
        state=None,
        events=folder / "events.csv",
        causal=False,
        grow_history=None,
        fail_on_event=False,
        device=device,
        json_output=False,
    )
    reports = tuple(folder / f"report.{lang}.html" for lang in _LANGUAGES)
    for lang, page in zip(_LANGUAGES, reports, strict=True):
        report(inner, scores, out=str(page), lang=lang, model_folder=model)
    record_path = run_record_path(scores)
    figures = measured(scores, record_path, labels=labels)
    record = RunRecord.model_validate_json(record_path.read_bytes())
    faults = read_labels(Path(labels), TimeKind.TIMESTAMP, None)
    meets = [[_overlap(event, fault) for fault in faults] for event in record.events]
    return DemoOutcome(
        sample=name,
        faults=len(faults),
        found=sum(any(hits) for hits in zip(*meets, strict=True)),
        false_events=sum(not any(hits) for hits in meets),
        weeks=_weeks(record),
        vus_pr=figures.vus_pr,
        seconds=time.perf_counter() - begin,
        reports=reports,
    )


def _overlap(event: EventRecord, fault: Label) -> bool:
    return event.start_time < fault.end and event.end_time > fault.start


def _weeks(record: RunRecord) -> float:
    """Length of the scored log."""
    steps = sum(one.steps for one in record.series)
    return steps * record.input.step / WEEK_NS if record.input else float("nan")


def _table(outcomes: Sequence[DemoOutcome]) -> Table:
    """Faults found, false events a week and seconds of every sample."""
    table = Table(box=None, pad_edge=False)
    for title in ("sample", "faults found", "false events a week", "VUS-PR", "seconds"):
        table.add_column(title, justify="left" if title == "sample" else "right")
    for one in outcomes:
        table.add_row(
            Text(one.sample),
            f"{one.found} of {one.faults}",
            f"{one.false_events / one.weeks:.2f} ({one.false_events} in {one.weeks:.1f} weeks)",
            f"{one.vus_pr:.2f}",
            f"{one.seconds:.0f}",
        )
    return table
