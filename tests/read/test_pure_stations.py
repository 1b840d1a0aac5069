"""The middle of the reader touches no file."""

import ast
from pathlib import Path

import pytest

import logscan.read

STATIONS = ("values", "plan", "grid")
FORBIDDEN = {
    "zipfile",
    "isal",
    "pyarrow.csv",
    "pyarrow.parquet",
    "torch",
    "typer",
    "rich",
    "io",
    "os",
    "pathlib",
}
READERS = {"open", "read_csv", "read_parquet", "read_table", "read_text", "read_bytes"}
MODULES = [
    path
    for station in STATIONS
    for path in sorted((Path(logscan.read.__file__).parent / station).glob("*.py"))
]


def imported(tree):
    """The names of all modules that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_values_plan_and_grid_are_pure(path):
    """No module of these stations imports a library of files or opens one."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set(imported(tree))
    assert not {name for name in names if name in FORBIDDEN or name.split(".")[0] in FORBIDDEN}
    called = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not READERS & {getattr(function, "id", getattr(function, "attr", "")) for function in called}


def test_settings_of_a_user_enter_the_reader_at_one_place():
    """Plan and grid get the fields they need, never the whole configuration."""
    root = Path(logscan.read.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "logscan.config" in set(imported(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert {name for name in found if name.startswith(("plan/", "grid/", "values/"))} == set()
    assert "__init__.py" in found
