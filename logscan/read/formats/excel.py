"""Excel and OpenDocument workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): one sheet, by python-calamine."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import pyarrow as pa

from logscan.errors import EmptyInputError, InputError, UsageError
from logscan.nearest_name import did_you_mean
from logscan.notes import Note, note
from logscan.read.files.inputs import Source
from logscan.read.files.opened import OpenedFile
from logscan.read.formats.layout import Layout, found_layout
from logscan.read.formats.table import ColumnsToRead, Format, Found, refuse_wide, settings_of
from logscan.read.values.recognise import Rows

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
MOST_BYTES = 512 << 20  # of the parts of a workbook, unpacked; a sheet takes about twice as much memory
_OLD = b"\xd0\xcf\x11\xe0"  # .xls, and every workbook with a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HEAD_BYTES = 1 << 24
_PACKED = b"PK\x03\x04"
_SAMPLE_ROWS = 500
_BATCH_CELLS = 1 << 20
_EMPTY = note("row-empty")
_REPEATS_HEADER = note("header-repeats")

Cell: TypeAlias = (
    str | bool | int | float | dt.date | dt.datetime | dt.time | dt.timedelta
)  # "": empty, or an error


@dataclass(frozen=True, slots=True)
class ExcelSettings:
    """What the user set about a workbook, as in the configuration; None: detected."""

    sheet: str | None = None
    header: str | None = None
    data_from: int | None = None


class ExcelTable:
    """One sheet of an opened workbook.

    The package reads the cells of a sheet into its own memory at once. They become Python objects row by row, and
    Arrow columns batch by batch. It gives a cell that holds an error, such as `#N/A`, as an empty one.
    """

    def __init__(self, file: OpenedFile, settings: ExcelSettings) -> None:
        """Look at the sheet.

        Raises:
            InputError: no package to read it with, damaged, with a password, too large, or without rows of data.
            UsageError: no such sheet.
        """
        self._file = file
        self._dropped: Counter[Note] = Counter()
        self._position: int | None = None
        self._wanted: frozenset[str] | None = None
        self._sheet, self._others = _opened_sheet(file, settings.sheet)
        refuse_wide(self._sheet.width, file.place)
        rows = _sample(self._sheet)
        if not rows:
            raise EmptyInputError(
                file.place, f"the sheet '{self._sheet.name}' holds no rows", self._remedy_of_empty()
            )
        header, first_row = settings.header, settings.data_from
        self._layout = found_layout(
            rows, self._sheet.width, header=header, data_from=first_row, place=file.place
        )
        self._first = rows[self._layout.first][0]  # 1-based
        kinds = _kinds(islice(self._sheet.iter_rows(), self._first - 1, None), len(self._layout.names))
        self._columns = [_column_of(kind) for kind in kinds]
        self._rows = self._batches()

    @property
    def source(self) -> Source:
        """The file."""
        return self._file.source

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self._layout.names

    @property
    def found(self) -> Found:
        """Where the header and the data stand; lines are rows of the sheet."""
        layout: Layout = self._layout
        return Found(
            "excel",
            header_line=layout.header_line,
            header_end=layout.header_end,
            data_line=self._first,
        )

    @property
    def dropped(self) -> Counter[Note]:
        """Reason -> rows that are in no batch, so far."""
        return self._dropped

    @property
    def position(self) -> int | None:
        """How far the file was read for the batches so far, in bytes, as far as the rows of the sheet tell."""
        return self._position

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches that are still to come."""
        return self._rows

    def read_only(self, columns: ColumnsToRead) -> None:
        """Make no other columns of the batches to come."""
        self._wanted = frozenset(columns.names)

    def notes(self) -> list[Note]:
        """Lines above the data, and sheets that were not read."""
        found = list(self._layout.notes)
        if self._others:
            found.append(note("sheets-not-read", count=len(self._others), names=self._others))
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        rows = islice(self._sheet.iter_rows(), self._first - 1, None)
        per_batch = max(_BATCH_CELLS // len(self.names), 1)
        read = self._first - 1
        file_bytes = self._file.raw.seek(0, 2)
        while taken := list(islice(rows, per_batch)):
            read += len(taken)
            self._position = file_bytes * read // max(self._sheet.total_height, read)
            if kept := self._data(taken):
                yield self._batch(kept)

    def _data(self, rows: list[list[Cell]]) -> list[list[Cell]]:
        """The rows without empty ones and repeated headers, which are counted."""
        written = list(self._layout.written)
        filled = [row for row in rows if any(cell != "" for cell in row)]
        kept = [row for row in filled if not written or row[0] != written[0] or _texts(row) != written]
        lost = {_EMPTY: len(rows) - len(filled), _REPEATS_HEADER: len(filled) - len(kept)}
        self._dropped.update({reason: count for reason, count in lost.items() if count})
        return kept

    def _batch(self, rows: list[list[Cell]]) -> pa.RecordBatch:
        chosen = [
            place for place, name in enumerate(self.names) if self._wanted is None or name in self._wanted
        ]
        arrays = [self._columns[place]([row[place] for row in rows]) for place in chosen]
        return pa.RecordBatch.from_arrays(arrays, names=[self.names[place] for place in chosen])

    def _remedy_of_empty(self) -> str:
        if not self._others:
            return "pass a workbook with a header line and rows of data"
        return f"pass --sheet with one of: {', '.join(self._others)}"


def _opened_sheet(file: OpenedFile, wanted: str | None) -> tuple[Any, tuple[str, ...]]:
    """The sheet that is read, and the names of the other sheets of cells that a person can see."""
    try:
        import python_calamine as calamine  # noqa: PLC0415  an extra
    except ImportError as error:
        remedy = "pip install 'logscan[excel]', or save the sheet as CSV"
        raise InputError(file.place, "this is an Excel workbook", remedy) from error
    _refuse_large(file)
    try:
        book = calamine.CalamineWorkbook.from_filelike(file.raw)
        sheets = [one for one in book.sheets_metadata if one.typ == calamine.SheetTypeEnum.WorkSheet]
        seen = [one.name for one in sheets if one.visible == calamine.SheetVisibleEnum.Visible]
        name = _chosen([one.name for one in sheets], seen, wanted, file.place)
        return book.get_sheet_by_name(name), tuple(one for one in seen if one != name)
    except BaseException as error:
        # Of damaged files the package also raises panics, which are no Exception.
        expected = isinstance(error, (calamine.CalamineError, OSError, ValueError))
        if not expected and type(error).__name__ != "PanicException":
            raise
        if isinstance(error, calamine.PasswordError) or _is_encrypted(file):
            remedy = "save it without one, or save the sheet as CSV"
            raise InputError(file.place, "the workbook has a password", remedy) from error
        remedy = "save it again, or save the sheet as CSV"
        raise InputError(file.place, "the workbook is damaged, or it is none", remedy) from error


def _chosen(names: Sequence[str], seen: Sequence[str], wanted: str | None, place: str) -> str:
    """The sheet to read: the one that is wanted, or the first that a person can see."""
    if not names:
        raise EmptyInputError(place, "the workbook holds no sheet of cells", "pass another one")
    if wanted is None:
        return (seen or names)[0]
    if wanted not in names:
        remedy = did_you_mean(wanted, names) or f"its sheets are: {', '.join(names)}"
        raise UsageError("--sheet", f"there is no sheet '{wanted}' in {place}", remedy)
    return wanted


def _is_encrypted(file: OpenedFile) -> bool:
    """Whether it is the container that a workbook with a password is saved in."""
    file.raw.seek(0)
    return _ENCRYPTED in file.raw.read(_HEAD_BYTES)


def _refuse_large(file: OpenedFile) -> None:
    """Raise InputError where reading a sheet could take too much memory; what is damaged is refused later."""
    size = file.raw.seek(0, 2)
    file.raw.seek(0)
    with (
        suppress(zipfile.BadZipFile, OSError, ValueError, NotImplementedError),
        zipfile.ZipFile(file.raw) as whole,
    ):
        size = max(size, sum(info.file_size for info in whole.infolist()))
    file.raw.seek(0)
    if size > MOST_BYTES:
        fact = f"the workbook holds more than {MOST_BYTES >> 20} MiB when it is unpacked"
        raise InputError(file.place, fact, "save the sheet as CSV")


def _sample(sheet: Any) -> Rows:
    """The first rows that are not empty as text, each with its number in the sheet."""
    filled = (
        (line, _texts(row)) for line, row in enumerate(sheet.iter_rows(), start=1) if any(map(_holds, row))
    )
    return list(islice(filled, _SAMPLE_ROWS))


def _holds(cell: Cell) -> bool:
    return cell != ""


def _texts(row: Sequence[Cell]) -> list[str]:
    return [_text(cell) for cell in row]


def _text(cell: Cell) -> str:
    """A cell as it would stand in a CSV."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, dt.datetime):
        return str(cell) if cell.time() != dt.time.min else str(cell.date())
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return str(cell)


def _kinds(rows: Iterator[list[Cell]], width: int) -> list[set[type]]:
    """The types of the cells of each column."""
    kinds: list[set[type]] = [set() for _ in range(width)]
    for row in rows:
        for place, cell in enumerate(row):
            if cell != "":
                kinds[place].add(type(cell))
    return kinds


def _column_of(kinds: set[type]) -> Callable[[list[Cell]], pa.Array[Any]]:
    """How cells of these types become a column: numbers, booleans and times stay what they are, all else is text.

    Dates without a time of day are text too: a column beside them may hold the time of day.
    """
    if kinds and kinds <= {int, float, bool}:
        kind: pa.DataType = pa.bool_() if kinds == {bool} else pa.float64()
    elif kinds == {dt.datetime}:
        kind = pa.timestamp("ms")
    else:
        return lambda cells: pa.array([_text(cell) if cell != "" else None for cell in cells], pa.string())
    return lambda cells: pa.array([cell if cell != "" else None for cell in cells], kind)


def _recognised(file: OpenedFile) -> bool:
    """Whether it is a workbook; a zip archive is one where its name says so."""
    path = file.source.path
    named = path is not None and path.name.lower().endswith(SUFFIXES)
    return file.starts_with(_OLD) or (named and file.starts_with(_PACKED))


def _opened(file: OpenedFile, given: Mapping[str, Any]) -> ExcelTable:
    return ExcelTable(file, settings_of(ExcelSettings, given))


FORMAT = Format("excel", "Excel", SUFFIXES, is_text=False, recognises=_recognised, opened=_opened)
