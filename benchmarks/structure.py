"""The structure of code and documents in figures: modules, floors of imports, words, long sentences.

    python -m benchmarks structure

A floor is a place in the longest chain of imports between modules of one folder. Words are counted without code.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
_CODE = re.compile(r"```.*?```", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+|\n\n|\n[-*|#]")
_WORD = re.compile(r"\S*\w\S*")  # bars of tables are none
_MOST_WORDS = 30


def main() -> None:
    """Print the figures."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    imports = imported_modules(ROOT / "logscan")
    print("| folder | modules | floors |\n| --- | --- | --- |")
    for folder, modules in sorted(folders(imports).items()):
        print(f"| {folder} | {len(modules)} | {floors(modules, imports)} |")
    across = {
        (station(one), station(other))
        for one, others in imports.items()
        for other in others
        if one.startswith("logscan.read.") and other.startswith("logscan.read.")
    }
    print(
        f"\npairs of stations of the reader that import one another: {len({p for p in across if p[0] != p[1]})}"
    )
    print("\n| document | words | sentences over 30 words | longest table cell |\n| --- | --- | --- | --- |")
    for file in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]):
        text = _CODE.sub("", file.read_text(encoding="utf-8"))
        long = [one for one in _SENTENCE_END.split(text) if len(one.split()) > _MOST_WORDS and "|" not in one]
        cells = [
            cell.strip() for line in text.splitlines() if line.startswith("|") for cell in line.split("|")
        ]
        print(
            f"| {file.name} | {len(_WORD.findall(text)):,} | {len(long)} | {max(map(len, cells), default=0)} |"
        )


def imported_modules(root: Path) -> dict[str, set[str]]:
    """Module -> modules of the package that it imports."""
    names = {_name(file, root): file for file in root.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, file in names.items():
        mine: set[str] = set()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(root.name):
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                mine |= (whole & names.keys()) or {node.module}
        found[name] = mine & names.keys()
    return found


def _name(file: Path, root: Path) -> str:
    parts = file.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def folders(imports: dict[str, set[str]]) -> dict[str, list[str]]:
    """Folder -> the modules in it, without those of its own folders."""
    found = defaultdict(list)
    packages = {name.rpartition(".")[0] for name in imports}
    for name in imports:
        if name not in packages:
            found[name.rpartition(".")[0]].append(name)
    return dict(found)


def floors(modules: list[str], imports: dict[str, set[str]]) -> int:
    """The longest chain of imports among some modules, which has no circle."""
    inside = set(modules)
    known: dict[str, int] = {}

    def floor(name: str) -> int:
        if name not in known:
            known[name] = 1 + max((floor(other) for other in imports[name] & inside - {name}), default=0)
        return known[name]

    return max((floor(name) for name in modules), default=0)


def station(name: str) -> str:
    """The folder below the reader that a module lies in."""
    return name.split(".")[2]


if __name__ == "__main__":
    main()
