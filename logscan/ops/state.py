"""The state folder of a scheduled run: lock, and up to which time each entity was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import filelock
from pydantic import BaseModel, ConfigDict, ValidationError

from logscan.errors import LockedError, OutputError, UsageError
from logscan.results.atomic import write_text

_FILE = "state.json"


class RunState(BaseModel):
    """What was written so far.

    Attributes:
        model_id: scores of different models do not continue one another.
        last_times: entity -> last grid time written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    model_id: str
    last_times: dict[str, int]


@contextmanager
def locked_state(folder: Path) -> Iterator[None]:
    """Hold the state's lock.

    Raises:
        LockedError: another run holds it; at once, without waiting.
        OutputError: the folder cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / "lock", timeout=0)
        lock.acquire()
    except filelock.Timeout as error:
        raise LockedError(
            str(folder), "another run holds the lock", "wait for it to end, or use another --state folder"
        ) from error
    except OSError as error:
        raise OutputError(str(folder), f"cannot hold a state ({error.strerror})", "check --state") from error
    try:
        yield
    finally:
        lock.release()


def read_state(folder: Path, model_id: str) -> RunState:
    """The state in a folder; a fresh one where there is none.

    Raises:
        UsageError: it is damaged or belongs to another model.
    """
    path = folder / _FILE
    if not path.exists():
        return RunState(model_id=model_id, last_times={})
    remedy = f"delete {path} to start over"
    try:
        state = RunState.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise UsageError(str(path), "the state is damaged", remedy) from error
    if state.model_id != model_id:
        raise UsageError(str(path), f"the state belongs to model {state.model_id}, not {model_id}", remedy)
    return state


def write_state(folder: Path, model_id: str, last_times: Mapping[str, int]) -> None:
    """Write the state; call it after the output stands."""
    state = RunState(model_id=model_id, last_times=dict(last_times))
    write_text(folder / _FILE, state.model_dump_json(indent=1))
