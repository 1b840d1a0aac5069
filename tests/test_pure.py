"""Stations that calculate read no file format, which import-linter cannot tell for parts of pyarrow."""

import ast
from pathlib import Path

import logscan

PURE = ("read/values", "read/plan", "read/grid", "quality", "core", "alarms", "evaluation")
FORMATS = {"pyarrow.csv", "pyarrow.parquet", "pyarrow.json", "pyarrow.dataset"}


def imported(path: Path) -> set[str]:
    """The full names of the modules that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_no_station_that_calculates_imports_a_file_format():
    """Values, plan, grid, quality, core, alarms and evaluation get record batches, whatever they come from."""
    root = Path(logscan.__file__).parent
    files = [file for folder in PURE for file in (root / folder).rglob("*.py")]

    assert len(files) > 20
    assert not {file.name for file in files if imported(file) & FORMATS}
