"""JSON lines as input (.jsonl, .ndjson): one object a line, whose keys are columns."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from logscan.errors import EmptyInputError, InputError
from logscan.notes import Note, note
from logscan.read.files.encoding import Utf8Stream
from logscan.read.files.inputs import PACKED_SUFFIXES, Source
from logscan.read.files.opened import OpenedFile
from logscan.read.formats.table import ColumnsToRead, Format, Found, distinct_names, refuse_wide, settings_of

SUFFIXES = (".jsonl", ".ndjson")
BLOCK_BYTES = 4 << 20  # also the longest line that is read
LOOK_BYTES = 4 << 20  # whose keys are the columns
_PATIENCE = 3  # blocks that pyarrow does not convert, before it is not tried again
_NAMED = (*SUFFIXES, *(one + packed for one in SUFFIXES for packed in PACKED_SUFFIXES))
_BROKEN = note("json-broken")


@dataclass(frozen=True, slots=True)
class JsonLinesSettings:
    """What the user set about JSON lines, as in the configuration."""

    ignore: tuple[str, ...] = ()


class JsonLinesTable:
    """An opened file of JSON lines.

    Values are read as the cells of a CSV: text until the plan is known, numbers with the digits that were written,
    booleans as 1 and 0. Then pyarrow converts whole blocks; a block that it does not take is read line by line.
    """

    def __init__(self, file: OpenedFile, settings: JsonLinesSettings) -> None:
        """Look at its beginning; raises InputError where it is empty, holds no objects, or lists among the values."""
        self._file = file
        self._ignored = frozenset(settings.ignore)
        self._dropped: Counter[Note] = Counter()
        self._position: int | None = None
        self._wanted: ColumnsToRead | None = None
        self._failed = 0  # blocks
        self._late: Counter[str] = Counter()  # keys that are no columns -> lines that hold them
        self._kinds = _looked_at(file, self._ignored)
        self._keys = tuple(self._kinds)
        refuse_wide(len(self._keys), file.place)
        self._names = distinct_names([" ".join(key.split()) for key in self._keys])
        self._rows = self._batches()

    @property
    def source(self) -> Source:
        """The file."""
        return self._file.source

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self._names

    @property
    def found(self) -> Found:
        """The encoding as far as it is known now."""
        return Found("jsonl", encoding=self._file.text.encoding)

    @property
    def dropped(self) -> Counter[Note]:
        """Reason -> lines that are in no batch, so far."""
        return self._dropped

    @property
    def position(self) -> int | None:
        """How far the file was read for the batches so far, in bytes."""
        return self._position

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The record batches that are still to come."""
        return self._rows

    def read_only(self, columns: ColumnsToRead) -> None:
        """Leave keys out of what is still to come, and convert numbers at once."""
        self._wanted = columns

    def notes(self) -> list[Note]:
        """What a user should know about how the file was read."""
        found = self._file.text.notes()
        if self._late:
            found.append(note("keys-not-read", megabytes=LOOK_BYTES >> 20, names=tuple(self._late)))
        return found

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for block in _blocks(self._file.text.stream, self._file.place):
            batch = self._converted(block)
            if batch is None:
                batch = self._as_text(block)
            self._position = self._file.position
            if batch.num_rows:
                yield batch

    def _as_text(self, block: bytes) -> pa.RecordBatch:
        """The objects of a block, all columns as text; lines that hold none are counted."""
        known = set(self._keys)
        rows: list[dict[str, str | None]] = []
        for line in block.splitlines():
            if not line.strip():
                continue
            record = _record(line, parse_float=str, parse_int=str, parse_constant=str)
            if record is None:
                self._dropped[_BROKEN] += 1
                continue
            row = _flat(record, self._ignored, self._file.place)
            self._late.update(row.keys() - known)
            rows.append({key: _text(value) for key, value in row.items()})
        wanted = self._wanted.names if self._wanted is not None else self._names
        chosen = [(key, name) for key, name in zip(self._keys, self._names, strict=True) if name in wanted]
        arrays = [_text_array([row.get(key) for row in rows]) for key, _ in chosen]
        return pa.RecordBatch.from_arrays(arrays, names=[name for _, name in chosen])

    def _converted(self, block: bytes) -> pa.RecordBatch | None:
        """The wanted columns with numbers as numbers; None where the block has to be read line by line."""
        types = self._types()
        if types is None or self._failed >= _PATIENCE:
            return None
        options: Any = pa_json.ParseOptions(explicit_schema=_schema(types), unexpected_field_behavior="infer")
        source: Any = pa.BufferReader(block)
        try:
            table = pa_json.read_json(source, pa_json.ReadOptions(block_size=len(block) + 1), options)
        except (pa.ArrowException, ValueError):
            self._failed += 1
            return None
        # pyarrow also takes `null` for an object, and two objects in one line.
        lines = [line for line in block.splitlines() if line.strip()]
        whole = len(lines) == table.num_rows and all(line.lstrip().startswith(b"{") for line in lines)
        columns = _flat_columns(table)
        if not whole or columns is None or columns.keys() - set(self._keys):
            return None  # reported line by line
        names = dict(zip(self._keys, self._names, strict=True))
        arrays = {names[key]: _finished(columns[key]) for key in types}
        return pa.RecordBatch.from_pydict(arrays)

    def _types(self) -> dict[str, pa.DataType] | None:
        """Wanted key -> how pyarrow reads its values, by what they were so far; None where it should not."""
        if self._wanted is None:
            return None
        types: dict[str, pa.DataType] = {}
        for key, name in zip(self._keys, self._names, strict=True):
            if name not in self._wanted.names:
                continue
            kinds = self._kinds[key]
            if kinds == {str}:
                types[key] = pa.string()
            elif kinds and kinds <= {int, float} and self._wanted.types.get(name) == pa.float64():
                types[key] = pa.float64()
            elif kinds == {int}:
                types[key] = pa.int64()
            else:
                return None
        return types


def _looked_at(file: OpenedFile, ignored: Collection[str]) -> dict[str, set[type]]:
    """The keys of the first lines, each with the types of its values."""
    stream = file.text.stream
    look = stream.sample(LOOK_BYTES)
    if not look.strip():
        raise EmptyInputError(file.place, "the file is empty", "pass a file with one JSON object a line")
    lines = look.splitlines()
    if len(look) == LOOK_BYTES and len(lines) > 1:
        lines = lines[:-1]  # perhaps not whole
    records = [_record(line) for line in lines if line.strip()]
    objects = [record for record in records if record is not None]
    if 2 * len(objects) <= len(records):
        fact = f"{len(records) - len(objects)} of the first {len(records)} lines are no JSON object"
        raise InputError(file.place, fact, "write one object a line, or pass CSV")
    kinds: dict[str, set[type]] = {}
    for record in objects:
        for key, value in _flat(record, ignored, file.place).items():
            kinds.setdefault(key, set())
            if value is not None:
                kinds[key].add(type(value))
    return kinds


def _record(line: bytes, **hooks: Any) -> dict[str, Any] | None:
    """The object of a line; None where it holds none."""
    try:
        value = json.loads(line, **hooks)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _flat(record: dict[str, Any], ignored: Collection[str], place: str) -> dict[str, Any]:
    """The values of an object and of the objects in it; raises InputError for lists and objects further inside."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        inner = {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {}
        if key in ignored or not isinstance(value, dict):
            inner = {key: value}
        for name, one in inner.items():
            nested = isinstance(one, (list, dict))
            if nested and name not in ignored:
                what = "a list" if isinstance(one, list) else "objects inside objects"
                remedy = f"write one value a key, or pass --ignore '{name}'"
                raise InputError(place, f"the key '{name}' holds {what}", remedy)
            flat[name] = json.dumps(one, ensure_ascii=False) if nested else one
    return flat


def _text(value: Any) -> str | None:
    """A value as the cell of a CSV, None where it is missing."""
    if isinstance(value, bool):
        return str(int(value))
    return None if value is None or value == "" else str(value)


def _text_array(cells: list[str | None]) -> pa.Array[Any]:
    try:
        return pa.array(cells, pa.string())
    except UnicodeEncodeError:  # half of a surrogate pair, written as an escape
        clean = [None if cell is None else cell.encode("utf-8", "replace").decode() for cell in cells]
        return pa.array(clean, pa.string())


def _schema(types: Mapping[str, pa.DataType]) -> pa.Schema:
    """The types of the values as pyarrow's JSON reader wants them: objects inside are structs."""
    fields: dict[str, pa.DataType | dict[str, pa.DataType]] = {}
    for key, kind in types.items():
        outer, dot, inner = key.partition(".")
        if dot:
            group = fields.setdefault(outer, {})
            assert isinstance(group, dict)
            group[inner] = kind
        else:
            fields[key] = kind
    return pa.schema(
        [
            pa.field(name, pa.struct(list(kind.items())) if isinstance(kind, dict) else kind)
            for name, kind in fields.items()
        ]
    )


def _flat_columns(table: pa.Table) -> dict[str, Any] | None:
    """The columns of a table and of the structs in it; None where there are lists or structs further inside."""
    columns: dict[str, Any] = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        parts = {field.name: column}
        if pa.types.is_struct(field.type):
            names = [field.type.field(place).name for place in range(field.type.num_fields)]
            parts = {f"{field.name}.{name}": pc.struct_field(column, [name]) for name in names}
        for name, part in parts.items():
            if pa.types.is_nested(part.type):
                return None
            columns[name] = part
    return columns


def _finished(column: Any) -> Any:
    """A column as the text path gives it: whole numbers of no channel as text, nothing for empty text."""
    column = column.combine_chunks()
    if pa.types.is_integer(column.type):
        return column.cast(pa.string())
    if pa.types.is_string(column.type):
        return pc.if_else(pc.equal(column, pa.scalar("")), pa.scalar(None, pa.string()), column)
    return column


def _blocks(stream: Utf8Stream, place: str) -> Iterator[bytes]:
    """A text in blocks of whole lines; raises InputError where a line is too long."""
    rest = b""
    while piece := stream.piece(BLOCK_BYTES):
        rest += piece
        end = rest.rfind(b"\n") + 1
        if not end and len(rest) > BLOCK_BYTES:
            raise InputError(place, f"a line is longer than {BLOCK_BYTES:,} bytes", "write one object a line")
        if end and len(rest) >= BLOCK_BYTES // 2:
            yield rest[:end]
            rest = rest[end:]
    if rest:
        yield rest


def _recognised(file: OpenedFile) -> bool:
    """By name, or where the first line is an object with keys."""
    if file.source.name.lower().endswith(_NAMED):
        return True
    first = file.text.sample.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    return first.startswith(b"{") and bool(_record(first))


def _opened(file: OpenedFile, given: Mapping[str, Any]) -> JsonLinesTable:
    return JsonLinesTable(file, settings_of(JsonLinesSettings, given))


FORMAT = Format("jsonl", "JSON lines", SUFFIXES, is_text=True, recognises=_recognised, opened=_opened)
