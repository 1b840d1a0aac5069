"""Help: every option has a sentence, every page fits a terminal, every example runs."""

import re
import shlex
from pathlib import Path

import pytest
import typer

from logscan import __version__
from logscan.cli import app
from logscan.config import InputConfig, Option
from tests.conftest import Run

GROUP = typer.main.get_command(app)
COMMANDS = sorted(name for name in GROUP.commands if name != "help")
READING = ("check", "train", "score", "evaluate")


@pytest.mark.parametrize("command", READING)
def test_every_field_of_the_input_is_an_option_with_a_sentence(command: str) -> None:
    """A field of the configuration is an option, an environment name and a sentence in every command that reads."""
    options = {parameter.name: parameter for parameter in GROUP.commands[command].params}
    for name, field in InputConfig.model_fields.items():
        option = options[name]
        assert f"--{name.replace('_', '-')}" in option.opts
        assert option.envvar == f"LOGSCAN_{name.upper()}"
        assert field.description, name
        assert field.description in option.help
        panel = next(one.panel for one in field.metadata if isinstance(one, Option))
        assert option.rich_help_panel == panel


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_eighty_columns_and_begins_with_an_example(
    command: str, logscan: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of 80 columns shows help without broken lines; the example stands above everything else."""
    monkeypatch.setenv("COLUMNS", "80")
    for flag in ("--help", "--help-all") if command in READING else ("--help",):
        page = logscan(command, flag)
        assert page.code == 0
        lines = page.out.splitlines()
        assert max(map(len, lines)) <= 80
        assert lines[2].startswith(f"  Example: logscan {command}")


@pytest.mark.parametrize("command", READING)
def test_rare_options_stand_behind_help_all(command: str, logscan: Run) -> None:
    """`--help` shows the common options, `--help-all` those and the rare ones."""
    common, whole = logscan(command, "--help").out, logscan(command, "--help-all").out
    assert "--time" in common
    assert "--delimiter" not in common
    assert "--time" in whole
    assert "--delimiter" in whole


def test_the_examples_run_in_order(bench: Path, logscan: Run) -> None:
    """Check, train, score, report and evaluate as their help says, on a log of that name."""
    (bench / "pump.csv").write_bytes((bench / "log.csv").read_bytes())
    (bench / "pump.labels.csv").write_text("start,end\n2024-01-01 08:00,2024-01-01 09:00\n")
    for command in ("check", "train", "score", "report", "evaluate"):
        example = re.search(r"Example: logscan (.*)", logscan(command, "--help").out)
        assert example is not None
        outcome = logscan(*shlex.split(example[1]))
        assert outcome.code == 0, outcome.err
    assert (bench / "report.html").stat().st_size > 0


def test_help_is_a_command_too(logscan: Run) -> None:
    """`help COMMAND` is the help of the command; a name that is none is refused with the nearest one."""
    assert logscan("help", "score").out.split("\n", 1)[1] == logscan("score", "--help").out.split("\n", 1)[1]
    assert "Commands:" in logscan("help").out
    refused = logscan("help", "scoer")
    assert (refused.code, refused.err) == (2, "error: help scoer: no such command; did you mean 'score'?\n")


def test_short_version(logscan: Run) -> None:
    """`-V` is `--version`."""
    assert logscan("-V").out == logscan("--version").out == f"logscan {__version__}\n"


def test_completion_is_offered(logscan: Run) -> None:
    """The shell can complete commands and options."""
    assert "--install-completion" in logscan("--help").out
