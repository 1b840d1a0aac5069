"""The command line: options, consoles, exit codes. Heavy modules are imported inside commands."""

from __future__ import annotations

import io
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from logscan import __version__
from logscan.cli import options
from logscan.errors import LogscanError, UsageError
from logscan.text_safety import visible

if TYPE_CHECKING:
    from logscan.cli.console import Consoles

app = typer.Typer(
    name="logscan",
    help="Find anomalies in long equipment and order logs.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


# What Typer raises for options it cannot parse; newer versions carry a Click of their own.
_OptionError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


class ExitCode:
    """Exit codes that are not errors; errors carry their own."""

    BUG = 1
    USAGE = 2
    SKIPPED = 3
    EVENTS = 10
    INTERRUPTED = 130
    TERMINATED = 143


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
        _fail("interrupted", ExitCode.INTERRUPTED)
    except _Terminated:
        _fail("terminated", ExitCode.TERMINATED)
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
            ExitCode.BUG,
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
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
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
        raise typer.Exit(ExitCode.USAGE)
    context.obj = (quiet, verbose, no_color)


def _consoles(context: typer.Context) -> Consoles:
    from logscan.cli.console import Consoles

    quiet, verbose, no_color = context.obj
    return Consoles.make(quiet=quiet, verbose=verbose, no_color=no_color)


_SINGLE = (
    *("time", "kind", "every", "encoding", "delimiter", "decimal", "quote", "header", "data_from"),
    *("timezone", "date_order"),
    *("sensor", "value", "split", "top", "repeats", "status", "holidays", "calendar"),
)


def _input_flags(values: dict[str, Any]) -> dict[str, Any]:
    """The input section of the configuration from a command's parameters."""
    flags: dict[str, Any] = {name: values[name] for name in _SINGLE}
    flags["units"] = values["units"] or None  # not asked for leaves the file's setting
    flags |= {
        name: tuple(values[name] or ()) for name in ("entity", "ignore", "missing", "aggregate", "running")
    }
    flags["channels"] = tuple(part.strip() for part in (values["channels"] or "").split(",") if part.strip())
    return flags


@app.command()
def check(
    context: typer.Context,
    inputs: options.Inputs,
    time: options.Time = None,
    entity: options.Entity = None,
    channels: options.Channels = None,
    ignore: options.Ignore = None,
    kind: options.Kind = None,
    every: options.Every = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    decimal: options.Decimal = None,
    quote: options.Quote = None,
    header: options.Header = None,
    data_from: options.DataFrom = None,
    units: options.Units = False,
    timezone: options.Timezone = None,
    date_order: options.DateOrder = None,
    missing: options.Missing = None,
    aggregate: options.Aggregate = None,
    sensor: options.Sensor = None,
    value: options.Value = None,
    split: options.Split = None,
    top: options.Top = None,
    repeats: options.Repeats = None,
    status: options.Status = None,
    running: options.Running = None,
    holidays: options.Holidays = None,
    calendar: options.Calendar = None,
    config: options.ConfigFile = None,
    fail_below: Annotated[
        Literal["good", "usable", "poor"] | None,
        typer.Option("--fail-below", help="Exit 12 if any channel's grade is below this."),
    ] = None,
    write_config: Annotated[
        str | None,
        typer.Option(
            "--write-config",
            help="Write what was found as a logscan.toml that reads it the same; - is stdout.",
        ),
    ] = None,
    json_output: options.Json = False,
) -> int:
    """Show what logscan sees: columns, time grid, gaps, the grade of every channel."""
    from logscan.cli import checks
    from logscan.cli.settings import merged_config

    settings = merged_config(config, {"input": _input_flags(locals())})
    return checks.check(
        _consoles(context),
        inputs,
        settings,
        fail_below=fail_below,
        write_config=write_config,
        json_output=json_output,
    )


@app.command()
def train(
    context: typer.Context,
    inputs: options.Inputs,
    model: options.ModelFolder,
    time: options.Time = None,
    entity: options.Entity = None,
    channels: options.Channels = None,
    ignore: options.Ignore = None,
    kind: options.Kind = None,
    every: options.Every = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    decimal: options.Decimal = None,
    quote: options.Quote = None,
    header: options.Header = None,
    data_from: options.DataFrom = None,
    units: options.Units = False,
    timezone: options.Timezone = None,
    date_order: options.DateOrder = None,
    missing: options.Missing = None,
    aggregate: options.Aggregate = None,
    sensor: options.Sensor = None,
    value: options.Value = None,
    split: options.Split = None,
    top: options.Top = None,
    repeats: options.Repeats = None,
    status: options.Status = None,
    running: options.Running = None,
    holidays: options.Holidays = None,
    calendar: options.Calendar = None,
    config: options.ConfigFile = None,
    train_rows: Annotated[
        int | None,
        typer.Option("--train-rows", min=1, help="Train on the first N rows of every entity."),
    ] = None,
    train_until: Annotated[
        str | None, typer.Option("--train-until", help="Train on rows before this time.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            envvar="LOGSCAN_LABELS",
            help="Known failures, left out of training: CSV with start,end (and entity), or a column of the input.",
        ),
    ] = None,
    false_alarms: Annotated[
        str | None,
        typer.Option(
            "--false-alarms",
            envvar="LOGSCAN_FALSE_ALARMS",
            help="Accepted false events, such as 1/week. (default 1/week)",
        ),
    ] = None,
    no_fit: Annotated[bool, typer.Option("--no-fit", help="Keep the closed-form encoder.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Seed of training. (default 0)")] = None,
    device: options.Device = "auto",
    json_output: options.Json = False,
) -> int:
    """Train a model on the first part of a log, or on all of it."""
    from logscan.cli import commands
    from logscan.cli.settings import merged_config

    if train_rows is not None and train_until is not None:
        raise UsageError("--train-rows", "given together with --train-until", "give one of them")
    settings = merged_config(
        config,
        {
            "input": _input_flags(locals()),
            "encoder": {"fit": False if no_fit else None, "seed": seed},
            "alarm": {"false_alarms": false_alarms},
        },
    )
    return commands.train(
        _consoles(context),
        inputs,
        settings,
        model_folder=model,
        train_rows=train_rows,
        train_until=train_until,
        labels=labels,
        device=device,
        json_output=json_output,
    )


@app.command()
def score(
    context: typer.Context,
    inputs: options.Inputs,
    model: options.ModelFolder,
    out: Annotated[
        str,
        typer.Option(
            "--out", envvar="LOGSCAN_OUT", help="Scores file, .parquet or .csv; - is CSV on stdout."
        ),
    ],
    time: options.Time = None,
    entity: options.Entity = None,
    channels: options.Channels = None,
    ignore: options.Ignore = None,
    kind: options.Kind = None,
    every: options.Every = None,
    encoding: options.Encoding = None,
    delimiter: options.Delimiter = None,
    decimal: options.Decimal = None,
    quote: options.Quote = None,
    header: options.Header = None,
    data_from: options.DataFrom = None,
    units: options.Units = False,
    timezone: options.Timezone = None,
    date_order: options.DateOrder = None,
    missing: options.Missing = None,
    aggregate: options.Aggregate = None,
    sensor: options.Sensor = None,
    value: options.Value = None,
    split: options.Split = None,
    top: options.Top = None,
    repeats: options.Repeats = None,
    status: options.Status = None,
    running: options.Running = None,
    holidays: options.Holidays = None,
    calendar: options.Calendar = None,
    config: options.ConfigFile = None,
    since: Annotated[str | None, typer.Option("--since", help="Write only rows from this time on.")] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state", help="Folder that remembers what was written; the next run goes on from there."
        ),
    ] = None,
    events: Annotated[
        Path | None, typer.Option("--events", help="Events file, .csv, .json or .parquet.")
    ] = None,
    causal: Annotated[bool, typer.Option("--causal", help="Scores that never depend on later rows.")] = False,
    grow_history: Annotated[
        bool | None,
        typer.Option(
            "--grow-history/--fixed-history",
            help="What looks ordinary joins the history the rest is compared with. [default: as trained]",
        ),
    ] = None,
    fail_on_event: Annotated[
        bool, typer.Option("--fail-on-event", help="Exit 10 if any event was found.")
    ] = False,
    device: options.Device = "auto",
    json_output: options.Json = False,
) -> int:
    """Score a log with a model: one number per row, events, contributions."""
    from logscan.cli import commands
    from logscan.cli.settings import merged_config

    settings = merged_config(config, {"input": _input_flags(locals())})
    return commands.score(
        _consoles(context),
        inputs,
        settings.input,
        model_folder=model,
        out=out,
        since=since,
        state=state,
        events=events,
        causal=causal,
        grow_history=grow_history,
        fail_on_event=fail_on_event,
        device=device,
        json_output=json_output,
    )


@app.command()
def report(
    context: typer.Context,
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Scores file from 'logscan score'.")],
    out: Annotated[str, typer.Option("--out", help="Report, .html, .json or .csv; - is HTML on stdout.")],
    lang: Annotated[
        Literal["en", "ja"], typer.Option("--lang", envvar="LOGSCAN_LANG", help="Language.")
    ] = "en",
    model: Annotated[
        Path | None, typer.Option("--model", envvar="LOGSCAN_MODEL", help="Model folder, for its card.")
    ] = None,
) -> int:
    """Write the report of a scores file: verdict, events, timeline, data quality."""
    from logscan.cli import commands

    return commands.report(_consoles(context), scores, out=out, lang=lang, model_folder=model)


@app.command()
def evaluate(
    context: typer.Context,
    scores: Annotated[Path, typer.Argument(metavar="SCORES", help="Scores file from 'logscan score'.")],
    labels: Annotated[
        str,
        typer.Option(
            "--labels",
            envvar="LOGSCAN_LABELS",
            help="CSV with start,end (and entity), or a column of the input.",
        ),
    ],
    source: Annotated[
        list[str] | None,
        typer.Option("--input", help="Where the label column is. (default: the files that were scored)"),
    ] = None,
    json_output: options.Json = False,
) -> int:
    """Measure scores against labels: VUS-PR, AUC-PR, event recall and precision, delay, false alarms."""
    from logscan.cli import commands

    return commands.evaluate(
        _consoles(context), scores, labels=labels, source=source or [], json_output=json_output
    )


@app.command()
def demo(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the results go.")] = Path(
        "logscan-demo"
    ),
    device: options.Device = "auto",
) -> int:
    """Run everything on the shipped samples: a pump station and an order system."""
    from logscan.cli.demo import run_demo

    return run_demo(folder, _consoles(context), device=device)
