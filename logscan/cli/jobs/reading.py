"""Reading for a command: progress on a terminal, warnings about dropped rows, notes."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from logscan.cli.console import Consoles
from logscan.config import InputConfig
from logscan.messages import text, told_text
from logscan.notes import told_once
from logscan.read import read_log
from logscan.records import Log, TimeKind
from logscan.time_units import SECOND_NS


def read_inputs(
    consoles: Consoles, inputs: Sequence[str], config: InputConfig, *, keep: tuple[str, ...] = ()
) -> Log:
    """The log of a command's inputs; rows that were not used are warned about."""
    stdin = sys.stdin.buffer if "-" in inputs else None
    with consoles.progress("reading") as progress:
        told = None if progress is None else (lambda rows: progress(f"{rows:,} rows", 0, 0))
        log = read_log(inputs, config, stdin=stdin, progress=told, keep=keep)
    dropped = sum(log.counts.dropped.values())
    if dropped:
        reasons = "; ".join(f"{count:,} {text(why)}" for why, count in log.counts.dropped.items() if count)
        consoles.warn(f"{dropped:,} of {log.counts.rows_read:,} rows not used: {reasons}")
    return log


def say_notes(consoles: Consoles, log: Log) -> None:
    """What was noticed while reading."""
    for one in told_once(log.notes):
        consoles.say(f"note: {told_text(one)}")


def step_text(log: Log) -> str:
    """The grid step for people: `60 s`, or `1 step`."""
    if log.schema.time_kind is TimeKind.TIMESTAMP:
        return f"{log.schema.step / SECOND_NS:g} s"
    return f"{log.schema.step} step{'s' if log.schema.step != 1 else ''}"
