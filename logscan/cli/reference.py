"""The reference page: commands, options, notes and exit codes, made from the code.

python -m logscan.cli.reference > docs/reference.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import typer

from logscan import errors
from logscan.cli import app, exit_codes
from logscan.config import AlarmConfig, EncoderConfig, InputConfig, Option
from logscan.messages.quality import HINTS, REASONS
from logscan.messages.reading import COLUMNS, DROPPED, NOTES
from logscan.read.files.compressed import FREE_BYTES, MOST_TIMES
from logscan.read.files.zip_members import MOST_MEMBERS
from logscan.read.formats.table import MOST_COLUMNS
from logscan.read.grid.memory_limit import MOST_VALUES
from logscan.read.plan.long_format import MOST_CHANNELS

_HEAD = """# Reference

Made from the code by `python -m logscan.cli.reference`; a test compares both.
"""
_CODES = {
    0: "done",
    exit_codes.BUG: "a bug: unexpected error",
    exit_codes.SKIPPED: "done, but some input was skipped (counted and named)",
    exit_codes.EVENTS: "done, events found, only with `--fail-on-event`",
    exit_codes.INTERRUPTED: "interrupted",
    exit_codes.TERMINATED: "terminated",
}


def reference() -> str:
    """The whole page as Markdown."""
    return (
        "\n".join([_HEAD, *_commands(), *_input(), *_settings(), *_notes(), *_caps(), *_exit_codes()]) + "\n"
    )


def _commands() -> Iterator[str]:
    """Own options of every command."""
    yield "## Commands\n\nOptions of the input are in the next section."
    shared = {*InputConfig.model_fields, "help_all"}
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        example, _, told = command.help.partition("\n")
        yield f"\n### logscan {name}\n\n{told.strip()}\n\n`{example.removeprefix('Example: ')}`\n"
        own = [one for one in command.params if one.name not in shared and one.param_type_name == "option"]
        if own:
            yield "| option | meaning |\n|---|---|"
            for one in own:
                names = " / ".join((*one.opts, *one.secondary_opts))
                yield f"| `{names}` | {_cell(one.help)} |"


def _input() -> Iterator[str]:
    """Options of the input by group."""
    yield (
        "\n## Input options\n\nOf check, train, score and evaluate. `--data-from` is `LOGSCAN_DATA_FROM` in the "
        "environment and `data_from` in the section `[input]` of `logscan.toml`. Options come before the "
        "environment, the environment before the file."
    )
    panels: dict[str, list[tuple[str, str]]] = {}
    for name, field in InputConfig.model_fields.items():
        option = next(one for one in field.metadata if isinstance(one, Option))
        panels.setdefault(option.panel, []).append((name, field.description or ""))
    for panel, fields in panels.items():
        yield f"\n### {panel}\n\n| option | meaning |\n|---|---|"
        yield from (f"| `--{name.replace('_', '-')}` | {_cell(told)} |" for name, told in fields)


def _settings() -> Iterator[str]:
    """Keys of the other sections of the settings file."""
    yield "\n## Other settings\n\nOnly in `logscan.toml`."
    for section, model in (("encoder", EncoderConfig), ("alarm", AlarmConfig)):
        yield f"\n| `[{section}]` | default | meaning |\n|---|---|---|"
        for name, field in model.model_fields.items():
            yield f"| `{name}` | `{field.default}` | {_cell(field.description or '')} |"


def _notes() -> Iterator[str]:
    """Keys of notes, reasons and hints in English."""
    yield "\n## Notes\n\nKeys in `check --json` and in the run record."
    parts = (
        ("note", NOTES),
        ("row not used", DROPPED),
        ("column left out", COLUMNS),
        ("grade", REASONS),
        ("hint", HINTS),
    )
    for title, messages in parts:
        yield f"\n### {title}\n\n```text"
        yield from (key for key in messages if key != "as-written")
        yield "```"


def _caps() -> Iterator[str]:
    """Limits."""
    yield "\n## Limits\n\n| what | at most |\n|---|---|"
    yield f"| steps × channels of a log | {MOST_VALUES:,} |"
    yield f"| channels of a model | {MOST_CHANNELS:,} |"
    yield f"| columns of a file | {MOST_COLUMNS:,} |"
    yield f"| files in an archive | {MOST_MEMBERS:,} |"
    yield f"| size after decompression | {FREE_BYTES >> 20} MiB, or {MOST_TIMES} times the packed size |"


def _exit_codes() -> Iterator[str]:
    """Exit codes of errors and of the command line."""
    yield "\n## Exit codes\n\n| code | meaning |\n|---|---|"
    told = dict(_CODES)
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.LogscanError):
            told.setdefault(kind.exit_code, (kind.__doc__ or "").split("\n")[0].rstrip(".").lower())
    yield from (f"| {code} | {told[code]} |" for code in sorted(told))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
