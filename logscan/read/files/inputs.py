"""Input paths, globs, folders and archives, resolved to a list of files."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote

from logscan.errors import InputError
from logscan.notes import Note
from logscan.read.files import zip_members

STDIN = "-"
PACKED_SUFFIXES = (".gz", ".zst", ".bz2", ".xz")
_ARCHIVE_SUFFIX = ".zip"
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Suffixes:
    """What the names of tables end in, in order of preference."""

    text: tuple[str, ...]  # may also be packed, or stand in an archive
    whole: tuple[str, ...]  # of files that are read as they are, archives or not

    @property
    def tables(self) -> tuple[str, ...]:
        """All of them, packed ones too."""
        packed = (text + suffix for text in self.text for suffix in PACKED_SUFFIXES)
        return (*self.text, *packed, _ARCHIVE_SUFFIX, *self.whole)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the input, one member of a zip archive, or the standard input."""

    name: str  # as shown
    path: Path | None  # None: the standard input
    member: str | None = None  # of the archive at `path`; never a path of its own
    partitions: tuple[tuple[str, str | None], ...] = ()  # columns told by folders such as `line=A`
    notes: tuple[Note, ...] = ()  # what a user should know about how it was found


def resolved_sources(inputs: Sequence[str | Path], suffixes: Suffixes) -> tuple[Source, ...]:
    """The files behind files, globs, folders, archives and `-`, each once, folders and globs in sorted order.

    Args:
        inputs: as the user named them.
        suffixes: of the tables in folders and archives.

    Raises:
        InputError: a file that does not exist, a glob, folder or archive without a table, or nothing at all.
    """
    sources: dict[str, Source] = {}
    for item in inputs:
        for source in _behind(str(item), suffixes):
            for one in _members(source, suffixes):
                sources.setdefault(one.name, one)
    if not sources:
        raise InputError("", "no input", "name a CSV or Parquet file, a folder or -")
    return tuple(sources.values())


def _behind(item: str, suffixes: Suffixes) -> list[Source]:
    if not item.strip():
        raise InputError("", "an input has no name", "name a file or folder; the current folder is .")
    if item == STDIN:
        return [Source("standard input", None)]
    path = Path(item)
    try:
        return _files(item, path, suffixes)
    except (OSError, ValueError) as error:  # a name with a NUL, too long, or a folder that is closed to us
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise InputError(item, f"cannot be read ({reason})", "check the path and its permissions") from error


def _files(item: str, path: Path, suffixes: Suffixes) -> list[Source]:
    if path.is_dir():
        files = sorted(child for child in path.rglob("*") if _is_table(child, path, suffixes.tables))
        if not files:
            fact = "no table in this folder"
            whole = ", ".join((_ARCHIVE_SUFFIX, *suffixes.whole[:-1])) + f" or {suffixes.whole[-1]}"
            text = ", ".join(sorted(suffixes.text))
            raise InputError(item, fact, f"it should hold {text} (also packed), {whole}")
        return [Source(str(file), file, partitions=_partitions(file.relative_to(path))) for file in files]
    if path.exists():
        return [Source(item, path)]
    if glob.has_magic(item):
        matches = sorted(Path(match) for match in glob.glob(item, recursive=True))  # noqa: PTH207  as in a shell
        files = [match for match in matches if match.is_file()]
        if not files:
            raise InputError(item, "no file matches", "check the pattern")
        return [Source(str(file), file) for file in files]
    raise InputError(item, "no such file", "check the path")


def _is_table(file: Path, folder: Path, suffixes: tuple[str, ...]) -> bool:
    hidden = any(part.startswith((".", "_", "~$")) for part in file.relative_to(folder).parts)
    return not hidden and file.name.lower().endswith(suffixes) and file.is_file()


def _partitions(inner: Path) -> tuple[tuple[str, str | None], ...]:
    """The columns that folders named `column=value` stand for, outermost first."""
    found: dict[str, str | None] = {}
    for part in inner.parts[:-1]:
        name, equals, value = part.partition("=")
        if equals and name:
            found[unquote(name)] = None if value == _NULL_PARTITION else unquote(value)
    return tuple(found.items())


def _members(source: Source, suffixes: Suffixes) -> list[Source]:
    """The tables of a zip archive, or the source itself."""
    if source.path is None or not source.path.is_file() or source.path.name.lower().endswith(suffixes.whole):
        return [source]
    with opened_file(source) as file:
        if not zip_members.is_zip(file):
            return [source]
        names, told = zip_members.table_members(file, source.name, suffixes.text)
    return [
        Source(f"{source.name}: {shown}", source.path, name, source.partitions, told if place == 0 else ())
        for place, (name, shown) in enumerate(names)
    ]


def opened(source: Source, stdin: BinaryIO) -> BinaryIO:
    """The raw bytes of a source; raises InputError where it cannot be opened."""
    if source.path is None:
        return stdin
    if source.member is not None:
        return zip_members.opened_member(source.path, source.member, source.name)
    return opened_file(source)


def opened_file(source: Source) -> BinaryIO:
    """The file of a source, an archive as it is; raises InputError where it cannot be opened."""
    assert source.path is not None
    try:
        return source.path.open("rb")
    except OSError as error:
        raise InputError(
            source.name, f"cannot be read ({error.strerror})", "check its permissions"
        ) from error
