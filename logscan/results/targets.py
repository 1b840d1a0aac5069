"""Output paths refused before the work: unknown suffix, unwritable folder, overwriting an input."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from logscan.errors import OutputError, UsageError
from logscan.results.atomic import atomic_path
from logscan.results.formats import EVENTS, SCORES, format_of

MODEL_DATA = ("model.json", "weights.safetensors", "history.safetensors", "MODEL_CARD.md")
MODEL_FILES = (*MODEL_DATA, "manifest.json")


class _ProbedError(Exception):
    """Ends a trial write, so that nothing of it stays."""


def refuse_unwritable(path: Path) -> None:
    """Try to write a file beside `path` and take it away again; raises OutputError where that fails."""
    with suppress(_ProbedError), atomic_path(path):
        raise _ProbedError


def refuse_outputs(out: Path | None, events: Path | None) -> None:
    """Refuse a scores or an events file that could not be written.

    Raises:
        UsageError: an unknown suffix, or one name for both.
        OutputError: a folder is missing or cannot be written.
    """
    for path, formats in ((out, SCORES), (events, EVENTS)):
        if path is not None:
            format_of(path, formats)
            refuse_unwritable(path)
    if out is not None and events is not None and out.resolve() == events.resolve():
        raise UsageError(str(events), "scores and events cannot be one file", "give --events another name")


def refuse_overwriting(sources: Sequence[str], targets: Sequence[Path | None]) -> None:
    """Refuse an output that is one of the inputs; raises UsageError.

    Args:
        sources: the files that are read; names that are no files are passed over.
        targets: the files that will be written; `None` is passed over.
    """
    for target in targets:
        if target is None or not target.exists():
            continue
        if any(Path(source).exists() and target.samefile(source) for source in sources):
            fact = "is the input, writing it would destroy it"
            raise UsageError(str(target), fact, "name another file")


def refuse_model_folder(folder: Path) -> None:
    """Refuse a model folder that could not be written, or whose files are not a model's.

    A model replaces its folder whole, so what else lies there would be lost.

    Args:
        folder: where the model goes.

    Raises:
        OutputError: see above.
    """
    whole = folder.resolve()
    if folder.is_dir():
        foreign = sorted(child.name for child in folder.iterdir() if child.name not in MODEL_FILES)
        if foreign or not whole.name:
            fact = f"is not a model's folder, it holds '{foreign[0]}'" if foreign else "cannot be replaced"
            raise OutputError(str(folder), fact, "name a new folder for the model")
    elif folder.exists():
        raise OutputError(str(folder), "is a file, not a folder", "name another folder")
    try:
        refuse_unwritable(whole.with_name(f"{whole.name}.probe"))
    except OutputError as error:
        parent = str(whole.parent)
        raise OutputError(
            str(folder), error.fact.replace(parent, str(folder.parent)), error.remedy
        ) from error
