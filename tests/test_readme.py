"""The README tells the truth: its commands run, and its tables are those of the code."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer

from logscan import errors
from logscan.cli import app, exit_codes
from logscan.records import StepQuality
from logscan.results.read_scores import read_scores

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^<!-- run -->\n```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
FENCED = re.findall(r"^```\w*\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every marked block of the README was executed, in order."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    tools = str(Path(sys.executable).parent)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LOGSCAN_")}
    for block in BLOCKS:
        ended = subprocess.run(
            ["bash", "-e", "-u", "-c", block],
            cwd=folder,
            env={**environment, "PATH": f"{tools}{os.pathsep}{environment['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{block}\n{ended.stdout}\n{ended.stderr}"
    return folder


def commands() -> list[list[str]]:
    """Every call of logscan in a fenced block, as words."""
    lines = "\n".join(FENCED).replace("\\\n", " ").splitlines()
    return [line.split() for line in lines if re.match(r"\s*(docker run .* )?(logscan )", line)]


def test_every_block_runs_and_leaves_what_it_names(ran: Path) -> None:
    """The marked blocks run as they stand, and each file they write is there."""
    assert len(BLOCKS) >= 4
    named = re.findall(r"--(?:out|events|model) (\S+)", "\n".join(BLOCKS))
    assert len(named) >= 6
    for name in named:
        assert (ran / name).exists(), name
        assert not (ran / name).is_file() or (ran / name).stat().st_size > 0


def test_the_column_table_is_the_scores_file(ran: Path) -> None:
    """Every column of a written file is in the table, and every one in the table in a file, qualities too."""
    section = README.split("## The scores file")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    told = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    written = pq.read_schema(ran / "scores.parquet").names
    plain = [name for name in written if not name.startswith("contribution.")]
    assert told == ["time", "entity", *plain[1:], "contribution.<channel>"]
    assert len(plain) < len(written)
    quality = next(line for line in section.splitlines() if line.startswith("| `quality`"))
    assert set(re.findall(r"`([^`]+)`", quality)) == {"quality", *(one.value for one in StepQuality)}
    in_file = pq.read_table(ran / "scores.parquet")["quality"].unique().to_pylist()
    assert set(in_file) <= {one.value for one in StepQuality}
    assert (read_scores(ran / "scores.parquet").quality >= 0).all()


def test_the_exit_code_table_is_that_of_the_code() -> None:
    """Every exit code of an error class or of the command line is in the table, and no other."""
    section = README.split("## Exit codes")[1].split("\n## ")[0]
    told = {
        int(code) for row in re.findall(r"^\| ([\d /]+) \|", section, re.MULTILINE) for code in row.split("/")
    }
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    used = {0, *(kind.exit_code for kind in kinds)}
    used |= {code for name, code in vars(exit_codes).items() if name.isupper()}
    assert told == used


def test_every_option_in_the_readme_exists() -> None:
    """Options and commands in fenced blocks are those of the command line."""
    group = typer.main.get_command(app)
    names = {
        name: {
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        }
        for name, command in group.commands.items()
    }
    general = {
        option for parameter in group.params for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"-h", "--help"}
    found = commands()
    assert len(found) >= 8
    for words in found:
        after = words[words.index("logscan", words.index("logscan") if "docker" not in words else 9) + 1 :]
        command = next(word for word in after if word in names or word == "COMMAND")
        if command == "COMMAND":
            continue
        for word in after[: after.index("||") if "||" in after else None]:
            if word.startswith("-"):
                assert word in names[command] | general, f"{word} of {command}"
    prose = set(re.findall(r"`(--[a-z-]+)", README))
    assert prose <= general.union(*names.values())


def test_every_environment_name_in_the_readme_is_read() -> None:
    """Environment variables named in the README belong to an option."""
    group = typer.main.get_command(app)
    known = {parameter.envvar for command in group.commands.values() for parameter in command.params}
    assert set(re.findall(r"LOGSCAN_[A-Z_]+", README)) <= known


def test_files_named_in_the_readme_are_there() -> None:
    """Links and pictures lead somewhere."""
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
