"""The command line: one module a command with its options; what a command does stands in `jobs`.

Belongs here: options, help, exit codes, what a terminal shows. `--help` imports no heavy library.
Does not: rules about logs and models (`pipeline` and below), wording of notes (`messages`).
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, NoReturn

import typer

from logscan import __version__
from logscan.cli import exit_codes
from logscan.cli.check import check
from logscan.cli.demo import demo
from logscan.cli.evaluate import evaluate
from logscan.cli.help_page import GroupedCommand
from logscan.cli.report import report
from logscan.cli.score import score
from logscan.cli.train import train
from logscan.errors import LogscanError, UsageError
from logscan.nearest_name import did_you_mean
from logscan.text_safety import visible

app = typer.Typer(
    name="logscan",
    help="Find anomalies in long equipment and order logs.",
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# What Typer raises for options it cannot parse; newer versions carry a Click of their own.
_OptionError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


class _Terminated(BaseException):
    """SIGTERM: unwinds the stack so that temporary files go."""


def main() -> NoReturn:
    """Run the command line; every failure becomes one line on stderr and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    # Threads that spin while they wait make everything several times slower on a busy two-core machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a name shows its escape, which is better than no output at all.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    verbose = "-v" in sys.argv or "--verbose" in sys.argv
    try:
        code = app(standalone_mode=False)
    except LogscanError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted", exit_codes.INTERRUPTED)
    except _Terminated:
        _fail("terminated", exit_codes.TERMINATED)
    except BrokenPipeError:
        _end_without_reader()
    except SystemExit as stop:
        # Typer turns a broken pipe into an exit of its own.
        if isinstance(stop.__context__, BrokenPipeError):
            _end_without_reader()
        raise
    except Exception as error:
        if isinstance(error, _OptionError):
            context = getattr(error, "ctx", None)
            remedy = f"see '{context.command_path} --help'" if context is not None else "see 'logscan --help'"
            fact = error.format_message().replace("Value error, ", "").rstrip(".")  # type: ignore[attr-defined]
            _fail(f"{fact}; {remedy}", error.exit_code)  # type: ignore[attr-defined]
        if verbose:
            raise
        _fail(
            f"unexpected {type(error).__name__}: {error}; this is a bug in logscan, -v shows where",
            exit_codes.BUG,
        )
    sys.exit(code if isinstance(code, int) else 0)


def _end_without_reader() -> NoReturn:
    """The reader of our output went away; nobody is left to tell."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _terminate(_signal: int, _frame: object) -> NoReturn:
    raise _Terminated


def _fail(text: str, code: int) -> NoReturn:
    print(f"error: {visible(text)}", file=sys.stderr)  # noqa: T201  the consoles may not exist yet
    sys.exit(code)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("-V", "--version", help="Print the version.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No messages, only results.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="More messages.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours (NO_COLOR works too).")] = False,
) -> None:
    """Find anomalies in long equipment and order logs."""
    if version:
        typer.echo(f"logscan {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(exit_codes.USAGE)
    context.obj = (quiet, verbose, no_color)


_COMMANDS = (
    (check, "Show what logscan sees: columns, time grid, gaps, grades."),
    (train, "Train a model on the first part of a log."),
    (score, "Score a log with a model: scores, events."),
    (report, "Write the report of a scores file."),
    (evaluate, "Measure scores against labels."),
    (demo, "Run everything on the shipped samples."),
)
for _command, _summary in _COMMANDS:
    app.command(short_help=_summary, cls=GroupedCommand)(_command)


@app.command("help", short_help="Show the help of a command.", cls=GroupedCommand)
def show_help(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="[COMMAND]", help="The command.")] = None,
) -> None:
    """Example: logscan help score

    Show the help of a command, or of logscan.
    """
    root_context = context.find_root()
    if name is None:
        typer.echo(root_context.get_help())
        return
    group = root_context.command
    command = group.get_command(root_context, name)  # type: ignore[attr-defined]
    if command is None:
        known = group.list_commands(root_context)  # type: ignore[attr-defined]
        raise UsageError(
            f"help {name}", "no such command", did_you_mean(name, known) or "see 'logscan --help'"
        )
    with type(root_context)(command, info_name=name, parent=root_context) as inner:
        typer.echo(command.get_help(inner))
