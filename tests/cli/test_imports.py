"""Light commands stay light: what a command does not need is not imported."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "pyarrow", "scipy")


def imported(arguments: list[str]) -> set[str]:
    """The heavy modules that a run of the command line imports."""
    code = (
        "import sys\nfrom logscan import cli\nsys.argv = ['logscan', *sys.argv[1:]]\n"
        "try:\n    cli.main()\nexcept SystemExit as stop:\n    assert stop.code == 0, stop.code\n"
        f"print('imported:', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    return set(ended.stdout.splitlines()[-1].removeprefix("imported:").split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["score", "--help"]], ids=" ".join)
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    """Help comes at once: neither torch nor pandas nor pyarrow is loaded for it."""
    assert imported(arguments) == set()


def test_check_needs_no_torch(tmp_path) -> None:
    """Looking at a file does not load the encoder's library."""
    (tmp_path / "log.csv").write_text("time,x\n" + "".join(f"2024-01-01 00:{i:02},{i}\n" for i in range(59)))
    assert "torch" not in imported(["check", str(tmp_path / "log.csv")])
