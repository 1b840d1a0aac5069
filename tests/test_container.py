"""The container's commands as the README gives them, run without a container: same arguments, other folders."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
COMMANDS = re.findall(r"docker run [^\n]*? logscan ((?:-q )?(?:train|score) [^\n|]*)", README)


def test_readme_gives_a_training_and_a_cron_command() -> None:
    """Both lines of the container section are found, so that the test below runs what a reader would."""
    assert [command.removeprefix("-q ").split()[0] for command in COMMANDS] == ["train", "score"]


def test_dockerfile_has_the_folders_the_readme_mounts() -> None:
    """Every folder a README line mounts is made in the image."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    mounted = set(re.findall(r"-v [^\s:]+:(/\w+)", README))
    assert mounted == {"/data", "/models", "/out"}
    assert all(folder in dockerfile for folder in mounted)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """The mounted folders, with a log as a plant would have it."""
    for folder in ("data", "models", "out"):
        (tmp_path / folder).mkdir()
    rows = (ROOT / "sample_data" / "pump_station.csv").read_text(encoding="utf-8").splitlines()[:900]
    (tmp_path / "data" / "pump.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_container_commands_of_the_readme_work(plant: Path) -> None:
    """Training and the cron line do their job on the mounted folders."""
    for command in COMMANDS:
        arguments = [re.sub(r"^/(data|models|out)\b", rf"{plant}/\1", part) for part in command.split()]
        result = subprocess.run(
            [sys.executable, "-m", "logscan", *arguments], capture_output=True, text=True, check=False
        )
        assert result.returncode in (0, 10), result.stderr
    assert {path.name for path in (plant / "out").iterdir()} >= {"scores.parquet", "events.csv"}


def test_make_knows_both_commands_of_the_readme() -> None:
    """`make demo` and `make test` exist and would install first."""
    for target in ("demo", "test"):
        result = subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert "logscan demo" in result.stdout if target == "demo" else "pytest" in result.stdout
