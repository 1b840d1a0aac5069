"""One entry to all benchmarks: `python -m benchmarks` lists them, `python -m benchmarks NAME ...` runs one."""

from __future__ import annotations

import ast
import difflib
import runpy
import sys
from pathlib import Path

ROOT = Path(__file__).parent


def found_benchmarks() -> dict[str, str]:
    """Name as typed -> first line of its docstring, of every module here that can be run."""
    found = {}
    for file in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        runs = any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)
        if runs and file.name != "__main__.py":
            name = " ".join(file.relative_to(ROOT).with_suffix("").parts)
            found[name] = (ast.get_docstring(tree) or "").split("\n")[0]
    return found


def main(arguments: list[str]) -> int:
    """Run the benchmark that the first words name; list all where none is named."""
    known = found_benchmarks()
    named = [words for words in (arguments[:2], arguments[:1]) if " ".join(words) in known]
    if not arguments or arguments[0] in {"-h", "--help"}:
        print("usage: python -m benchmarks NAME [OPTIONS]; NAME --help shows the options\n")
        for name, told in known.items():
            print(f"  {name:24} {told}")
        return 0
    if not named:
        typed = " ".join(word for word in arguments[:2] if not word.startswith("-"))
        near = difflib.get_close_matches(typed, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else "python -m benchmarks lists them"
        print(f"error: no benchmark '{typed}'; {hint}", file=sys.stderr)
        return 2
    words = named[0]
    sys.argv = [f"benchmarks {' '.join(words)}", *arguments[len(words) :]]
    runpy.run_module(f"benchmarks.{'.'.join(words)}", run_name="__main__", alter_sys=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
