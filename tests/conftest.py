"""What several tests share: a workbench with a small log and a model of it, and the command line in process."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from logscan import cli, pipeline
from logscan.config import Config, EncoderConfig
from logscan.model.folder import save_model
from logscan.model.records import Model
from logscan.read import read_log
from tests.synthetic import CONFIG, values, write_log

TRAINED_ROWS = 401
ROWS = 601


@dataclass(frozen=True)
class Outcome:
    """How one run of the command line ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def one_thread() -> Callable[[], AbstractContextManager[None]]:
    """A context in which torch runs on one thread: faster for small tensors, and the same bytes each time."""

    @contextmanager
    def context() -> Iterator[None]:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    return context


@pytest.fixture
def single(one_thread: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    """One test on one thread."""
    with one_thread():
        yield


@pytest.fixture(scope="session")
def small_config() -> Config:
    """Two short scales, closed form."""
    return Config(encoder=EncoderConfig(scales=(8, 16), fit=False))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, small_config: Config, one_thread) -> tuple[Path, Model]:
    """A folder with `log.csv` (601 rows, normal), `logscan.toml` and `model`, trained on 401 rows, made once."""
    folder = tmp_path_factory.mktemp("shop")
    log = read_log([write_log(folder / "log.csv", values(ROWS))], small_config.input)
    with one_thread():
        model = pipeline.train(log, small_config, train_rows=TRAINED_ROWS, device="cpu")
    save_model(model, folder / "model")
    (folder / "logscan.toml").write_text(CONFIG)
    return folder, model


@pytest.fixture
def bench(
    shop: tuple[Path, Model], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_thread
) -> Iterator[Path]:
    """A copy of the shop as the working folder, without any setting from the environment, on one thread."""
    folder = tmp_path / "bench"
    shutil.copytree(shop[0], folder)
    monkeypatch.chdir(folder)
    for name in list(os.environ):
        if name.startswith("LOGSCAN_") or name in {"NO_COLOR", "FORCE_COLOR", "TERM"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "300")
    with one_thread():
        yield folder


@pytest.fixture
def logscan(bench: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """The command line in this process, in the bench: call it with the arguments."""
    assert Path.cwd() == bench
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["logscan", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capfd.readouterr()
        assert "Traceback" not in captured.err
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, captured.out, captured.err)

    yield run
    signal.signal(signal.SIGTERM, before)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes: to show that a run left all as it was."""
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
