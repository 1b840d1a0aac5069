"""The protocol of a format (`TableReader`), and the records that a reader of a file fills."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from logscan.errors import InputError
from logscan.notes import Note
from logscan.read.files.inputs import Source
from logscan.read.files.opened import OpenedFile

MOST_COLUMNS = 20_000

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ColumnsToRead:
    """The columns that are read of the rows to come.

    Attributes:
        names: the columns.
        types: column -> Arrow type that a format may convert its text cells to. It must take no cell that logscan's
            own rules read otherwise: a block with cells that it does not take stays text.
        decimal: the decimal mark of text cells.
    """

    names: tuple[str, ...]
    types: Mapping[str, pa.DataType]
    decimal: str

    def without_types(self, names: Collection[str]) -> ColumnsToRead:
        """The same, with some columns as text."""
        return replace(self, types={name: kind for name, kind in self.types.items() if name not in names})


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in a file; None where its format has no such thing."""

    format: str
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None  # "" if nothing is quoted
    decimal: str | None = None
    header_line: int | None = None  # 1-based, the first
    header_end: int | None = None  # the last line whose cells are in the names
    data_line: int | None = None  # the first line that may hold a row of data
    partitions: tuple[str, ...] = ()  # columns that the names of folders add


class TableReader(Protocol):
    """One opened file: its columns, and its rows as they come."""

    @property
    def source(self) -> Source:
        """The file."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, each once."""

    @property
    def found(self) -> Found:
        """What was found in the file, as far as it is known now."""

    @property
    def dropped(self) -> Counter[Note]:
        """Reason -> rows that never became part of a batch, so far."""

    @property
    def position(self) -> int | None:
        """How far the file was read for the batches so far, in bytes; None where that cannot be told."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches with plain columns that are still to come; all calls share one iterator."""

    def read_only(self, columns: ColumnsToRead) -> None:
        """Read only these columns of what is still to come, as far as the format can leave columns out."""

    def notes(self) -> list[Note]:
        """What a user should know about how the file was read; complete at its end."""

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Attributes:
        name: as in the schema of a log.
        noun: as in messages.
        suffixes: of names of such files.
        is_text: whether it may also be packed, or be a member of an archive.
        recognises: whether a file that was just opened is of this kind.
        opened: a reader of it, made from the file and what the user set, by name of the setting.
    """

    name: str
    noun: str
    suffixes: tuple[str, ...]
    is_text: bool
    recognises: Callable[[OpenedFile], bool]
    opened: Callable[[OpenedFile, Mapping[str, Any]], TableReader]


def settings_of(kind: type[_T], given: Mapping[str, Any]) -> _T:
    """The settings of one format, a dataclass, out of all that a user set; both call them by the same names."""
    return kind(**{field.name: given[field.name] for field in fields(kind) if field.name in given})  # type: ignore[arg-type]


def refuse_wide(columns: int, place: str) -> None:
    """Raise InputError where a table has more columns than are read."""
    if columns > MOST_COLUMNS:
        fact = f"there are more than {MOST_COLUMNS:,} columns"
        raise InputError(place, fact, "write fewer columns, or one row per reading")


def distinct_names(cells: list[str]) -> tuple[str, ...]:
    """Names made distinct: unnamed ones become `column N`, repeated ones get ` (2)`, ` (3)` ..."""
    taken = Counter(cells)
    names: list[str] = []
    seen: set[str] = set()
    for place, cell in enumerate(cells, start=1):
        name = base = cell or f"column {place}"
        number = 1
        while name in seen or (number > 1 and taken[name]):
            number += 1
            name = f"{base} ({number})"
        seen.add(name)
        names.append(name)
    return tuple(names)
