"""Everything a terminal shows: data on stdout, messages on stderr, tables in plain text.

Names from data are printed as text, never as markup.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from logscan.messages import text as note_text
from logscan.records import ChannelQuality, Grade
from logscan.results.run_record import EventRecord, InputRecord, NoteRecord
from logscan.text_safety import visible, visible_json

_GRADE_STYLE = {Grade.GOOD: "green", Grade.USABLE: "yellow", Grade.POOR: "red", Grade.UNUSABLE: "bold red"}
SHOWN_EVENTS = 10
_LINE_EVERY_SECONDS = 60
_LISTED_CHANNELS = 20
_SHOWN_IGNORED = 3


@dataclass(frozen=True, slots=True)
class Consoles:
    """The two streams of one run."""

    out: Console
    err: Console
    quiet: bool
    verbose: bool

    @staticmethod
    def make(*, quiet: bool, verbose: bool, no_color: bool) -> Consoles:
        """Consoles that respect NO_COLOR, and colour only terminals."""
        plain = True if no_color else None
        return Consoles(
            out=Console(no_color=plain, highlight=False, soft_wrap=True),
            err=Console(no_color=plain, highlight=False, stderr=True, soft_wrap=True),
            quiet=quiet,
            verbose=verbose,
        )

    def say(self, text: str) -> None:
        """One message line on stderr, unless quiet."""
        if not self.quiet:
            self._print(_text(text))

    def warn(self, text: str) -> None:
        """One warning on stderr, always."""
        self._print(_text(f"warning: {text}", "yellow"))

    def fail(self, text: str) -> None:
        """One error on stderr, always."""
        self.err.print(_text(f"error: {text}", "bold red"))

    def _print(self, text: Text) -> None:
        """A message: broken between words on a terminal, on one line anywhere else."""
        self.err.print(text, soft_wrap=not self.err.is_terminal)

    def print_json(self, document: object) -> None:
        """A JSON document on stdout."""
        # As Text: a plain string would have its :names: replaced by pictures.
        text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
        self.out.print(Text(visible_json(text)))

    @staticmethod
    def print_document(text: str) -> None:
        """A whole document on stdout: its line ends as they are, in UTF-8 whatever the terminal speaks."""
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()

    @contextmanager
    def progress(self, title: str) -> Iterator[Callable[[str, int, int], None] | None]:
        """How far long work is; yields what to call with each finished item, how many are done, and of how many.

        A line that moves on a terminal, a line a minute elsewhere, nothing where quiet.
        """
        if self.quiet:
            yield None
            return
        begin = last = time.monotonic()
        if not self.err.is_terminal:

            def line(item: str, done: int, total: int) -> None:
                nonlocal last
                now = time.monotonic()
                if now - last >= _LINE_EVERY_SECONDS:
                    last = now
                    self.say(f"{title}: {done_text(item, done, total, now - begin)}")

            yield line
            return
        columns = (TextColumn("{task.description}"), BarColumn(pulse_style="cyan"), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task(escape(title), total=None)

            def move(item: str, done: int, total: int) -> None:
                told = done_text(item, done, total, time.monotonic() - begin)
                text = f"{escape(title)} {escape(visible(told))}"
                bar.update(task, description=text, completed=done, total=total or None)

            yield move


def done_text(item: str, done: int, total: int, seconds: float) -> str:
    """How far work is: what was finished last, how many of how many, and the time left at the pace so far.

    Args:
        item: what was finished last.
        done: how many are.
        total: of how many; 0 where that is not known.
        seconds: since the work began.
    """
    if not total:
        return item
    left = seconds * (total - done) / max(done, 1)
    shown = f"{left / 60:.0f} min" if left >= 90 else f"{left:.0f} s"
    return f"{item}, {done:,} of {total:,}, about {shown} left"


def quality_table(qualities: Sequence[ChannelQuality]) -> Table:
    """The grades of all channels."""
    table = Table(box=None, pad_edge=False)
    with_entity = any(one.entity for one in qualities)
    for title in (["entity"] if with_entity else []) + ["channel", "grade", "observed", "range", "why"]:
        table.add_column(title, overflow="fold", justify="right" if title == "observed" else "left")
    for one in qualities:
        cells = [_text(one.entity)] if with_entity else []
        cells += [
            _text(one.channel),
            Text(one.grade.value, style=_GRADE_STYLE[one.grade]),
            Text(f"{one.observed_fraction:.1%}"),
            Text(f"{one.minimum:.5g} … {one.maximum:.5g}"),
            _text("; ".join(note_text(why) for why in one.reasons) or "-"),
        ]
        table.add_row(*cells)
    return table


def input_table(record: InputRecord, step: str) -> Table:
    """What was understood of the input, and where every row went."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    time = f"{record.time_column or 'none: row numbers'} ({record.time_kind}), every {step}"
    rows = [
        ("files", ", ".join(record.files)),
        ("format", ", ".join(_format_parts(record))),
        ("kind", record.kind),
        ("time", time),
        ("written as", record.time_format or "-"),
        ("span", f"{record.start} to {record.end}" + (f" ({record.timezone})" if record.timezone else "")),
        ("entities", ", ".join(record.entity_columns) or "one series"),
        ("channels", _channels_text(record.channels)),
        ("ignored", _ignored_text(record.ignored) or "-"),
        ("rows", f"{record.rows_read:,} read, {record.rows_used:,} used"),
        (
            "dropped",
            "; ".join(f"{one.rows:,} {one.reason.text}" for one in record.dropped if one.rows) or "-",
        ),
        ("repeated", f"{record.duplicates:,} duplicate times, {record.out_of_order:,} out of order"),
        (
            "not numbers",
            "; ".join(f"{n.count:,} in {n.column} (such as {n.example!r})" for n in record.not_numeric)
            or "-",
        ),
    ]
    for name, value in rows:
        table.add_row(name, _text(value))
    return table


def _channels_text(names: Sequence[str]) -> str:
    """All channels, or how many there are where the table below lists them anyway."""
    return ", ".join(names) if len(names) <= _LISTED_CHANNELS else f"{len(names):,}, listed below"


def _text(text: str, style: str = "") -> Text:
    """Text from data: no markup, and nothing that a terminal would obey."""
    return Text(visible(text), style=style)


def _ignored_text(ignored: Mapping[str, NoteRecord]) -> str:
    """Columns and why they are not read; many of one reason are counted."""
    names: dict[str, list[str]] = {}
    for name, reason in ignored.items():
        names.setdefault(reason.text, []).append(name)
    parts = []
    for why, group in names.items():
        more = len(group) - _SHOWN_IGNORED
        if more > 1:
            listed = ", ".join(group[:_SHOWN_IGNORED])
            parts.append(f"{listed} and {more} more ({why})")
        else:
            parts += [f"{name} ({why})" for name in group]
    return "; ".join(parts)


def _format_parts(record: InputRecord) -> list[str]:
    """How the files were taken apart."""
    parts = [record.format]
    if record.encoding:
        parts.append(record.encoding)
    if record.delimiter:
        mark = {" ": "blanks", "\t": "tab"}.get(record.delimiter, f"'{record.delimiter}'")
        quote = f"quote {record.quote}" if record.quote else "no quotes"
        parts += [f"delimiter {mark}", quote, f"decimal mark '{record.decimal}'"]
        first, last = record.header_line, record.header_end
        lines = f"lines {first} to {last}" if first != last else f"line {first}"
        parts.append(f"header in {lines}" if first else "no header")
        parts.append(f"data from line {record.data_line}")
    return parts


def events_table(events: Sequence[EventRecord]) -> Table:
    """The most severe events, worst first."""
    table = Table(box=None, pad_edge=False)
    with_entity = any(event.entity for event in events)
    titles = ["severity", *(["entity"] if with_entity else []), "from", "to", "first channels"]
    for title in titles:
        table.add_column(title, overflow="fold")
    for event in sorted(events, key=lambda event: -event.severity)[:SHOWN_EVENTS]:
        named = ", ".join(f"{reading.channel} {reading.share:.0%}" for reading in event.channels[:3])
        cells = [f"{event.severity:.2f}", *([event.entity] if with_entity else [])]
        table.add_row(*(_text(cell) for cell in [*cells, event.start, event.end, named]))
    return table


def figures_table(rows: Sequence[tuple[str, str]], *, width: int | None = None) -> Table:
    """Two columns, a name (of at least that width) and a figure."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(min_width=width)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(_text(name, "dim"), _text(value))
    return table
