"""One entry to the benchmarks: it lists and finds them, and the documents name only what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import found_benchmarks, main
from benchmarks.structure import floors, folders, imported_modules

ROOT = Path(__file__).parents[2]


def test_every_benchmark_says_what_it_measures() -> None:
    """Each has a first sentence in its docstring, which the list shows."""
    found = found_benchmarks()
    assert {"attention speed", "detection run", "reading throughput", "cli_cost"} <= found.keys()
    assert all(found.values())


def test_an_unknown_benchmark_is_refused_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none gets a remedy and exit code 2."""
    assert main(["detecton", "run"]) == 2
    assert capsys.readouterr().err == "error: no benchmark 'detecton run'; did you mean 'detection run'?\n"


@pytest.mark.parametrize("name", ["structure", "reading long_scores"])
def test_help_of_a_benchmark(name: str) -> None:
    """`--help` shows the options without running anything."""
    command = [sys.executable, "-m", "benchmarks", *name.split(), "--help"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.startswith(f"usage: benchmarks {name}")


def test_documents_name_benchmarks_that_exist() -> None:
    """Every `python -m benchmarks NAME` in a document is one of the list."""
    known = found_benchmarks()
    for file in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")):
        for call in re.findall(
            r"python -m benchmarks ([a-z_]+(?: [a-z_]+)?)", file.read_text(encoding="utf-8")
        ):
            assert call in known or call.split()[0] in known or call == "name", f"{file.name}: {call}"


def test_folders_of_the_reader_stay_small() -> None:
    """No folder of the reader has more than 12 modules or more than 5 floors of imports."""
    imports = imported_modules(ROOT / "logscan")
    for folder, modules in folders(imports).items():
        if folder.startswith("logscan.read"):
            assert len(modules) <= 12, folder
            assert floors(modules, imports) <= 5, folder
