"""Formats of outputs (Parquet, CSV, JSON, JSON lines): one record each, by suffix of --out and --events.

Heavy packages are imported where a file is written or read, so that `--help` stays quick.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from logscan.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 16  # rows of a Parquet file that are in memory as a table at a time
BLOCK_BYTES = 1 << 22  # the same for text
_LONGEST_LINE_BYTES = 1 << 26
NEEDED_COLUMNS = ("time", "score", "threshold", "event", "quality")  # of a scores file
TEXT_COLUMNS = ("time", "entity", "quality")  # all others hold numbers


@dataclass(frozen=True, slots=True)
class Head:
    """What a file tells before its rows are read."""

    names: tuple[str, ...]  # of the columns
    metadata: Mapping[str, str]
    rows: int  # 0 where only reading tells


@dataclass(frozen=True, slots=True)
class Reading:
    """How a scores file is read back."""

    head: Callable[[Path], Head]
    batches: Callable[[Path, Sequence[str]], Iterator[pa.RecordBatch]]  # of some columns


@dataclass(frozen=True, slots=True)
class ResultFormat:
    """One format of results.

    Attributes:
        suffix: of the file.
        write: tables with the same columns, at least one, and metadata, into a file.
        reading: how scores are read back; None: only events are written so.
        has_types: it holds times and NaN as such; else times are text and NaN is nothing.
        for_spreadsheets: a program may run cells of it as formulas, so that they are escaped.
    """

    suffix: str
    write: Callable[[BinaryIO, Iterable[pa.Table], Mapping[str, str]], None]
    reading: Reading | None
    has_types: bool = False
    for_spreadsheets: bool = False


def format_of(path: Path, formats: Sequence[ResultFormat]) -> ResultFormat:
    """The format that a name ends in; raises UsageError where it is none of these."""
    suffix = path.suffix.lower()
    for one in formats:
        if one.suffix == suffix:
            return one
    remedy = f"end the name in {listed(formats)}"
    raise UsageError(str(path), f"unknown format '{path.suffix}'", remedy)


def listed(formats: Sequence[ResultFormat]) -> str:
    """The suffixes as in a sentence."""
    *others, last = [one.suffix for one in formats]
    return f"{', '.join(others)} or {last}" if others else last


def _write_parquet(file: BinaryIO, tables: Iterable[pa.Table], metadata: Mapping[str, str]) -> None:
    import pyarrow.parquet as pq

    parts = iter(tables)
    first = next(parts)
    schema = first.schema.with_metadata(dict(metadata)) if metadata else first.schema
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for table in chain([first], parts):
            writer.write_table(table.replace_schema_metadata(schema.metadata))


def _parquet_head(path: Path) -> Head:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        metadata = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
        metadata.pop("ARROW:schema", None)
        return Head(tuple(schema.names), metadata, file.metadata.num_rows)


def _parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        # A group at a time: over a whole file it would keep the bytes of all it has read.
        for group in range(file.num_row_groups):
            yield from file.iter_batches(BATCH_ROWS, columns=list(columns), row_groups=[group])


def write_csv(file: BinaryIO, tables: Iterable[pa.Table], _: Mapping[str, str]) -> None:
    """Write tables as CSV, which has no place for metadata."""
    import pyarrow.csv as pa_csv

    parts = iter(tables)
    first = next(parts)
    options = pa_csv.WriteOptions(quoting_style="needed")
    with pa_csv.CSVWriter(file, first.schema, write_options=options) as writer:
        for table in chain([first], parts):
            writer.write_table(table)


def _csv_head(path: Path) -> Head:
    import pyarrow.csv as pa_csv

    with pa_csv.open_csv(path, pa_csv.ReadOptions(block_size=BLOCK_BYTES)) as reader:
        return Head(tuple(reader.schema.names), {}, 0)


def _csv_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.csv as pa_csv

    types = {name: pa.string() if name in TEXT_COLUMNS else pa.float64() for name in columns}
    convert = pa_csv.ConvertOptions(
        column_types=types, include_columns=list(columns), strings_can_be_null=False
    )
    options = pa_csv.ReadOptions(block_size=BLOCK_BYTES)
    with pa_csv.open_csv(path, options, convert_options=convert) as reader:
        yield from reader


def _write_json(file: BinaryIO, tables: Iterable[pa.Table], _: Mapping[str, str]) -> None:
    rows = [row for table in tables for row in table.to_pylist()]
    plain = [{key: _json_value(value) for key, value in row.items()} for row in rows]
    file.write((json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def _json_value(value: Any) -> Any:
    """JSON knows no NaN or infinity."""
    return None if isinstance(value, float) and not float("-inf") < value < float("inf") else value


def _write_json_lines(file: BinaryIO, tables: Iterable[pa.Table], _: Mapping[str, str]) -> None:
    import pyarrow.compute as pc

    for table in tables:
        parts: list[Any] = []
        for place, (name, column) in enumerate(zip(table.column_names, table.columns, strict=True)):
            parts += [
                "{" if place == 0 else ", ",
                f"{json.dumps(name, ensure_ascii=False)}: ",
                _json_texts(column),
            ]
        lines = pc.binary_join_element_wise(*parts, "}", "")
        file.write("".join(f"{line}\n" for line in lines.to_pylist()).encode("utf-8"))


def _json_texts(column: Any) -> Any:
    """A column as JSON writes its values; NaN and infinity, which JSON does not know, as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column.combine_chunks()
    if pa.types.is_string(column.type):
        found = column.dictionary_encode()
        texts = [json.dumps(text, ensure_ascii=False) for text in found.dictionary.to_pylist()]
        column = pa.array(texts, pa.string()).take(found.indices)
    elif pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
    return pc.fill_null(column.cast(pa.string()), "null")


def _json_lines_head(path: Path) -> Head:
    with path.open("rb") as file:
        first = file.readline(_LONGEST_LINE_BYTES)
    # Without a row there is no key: a run that found nothing new leaves such a file.
    return Head(tuple(json.loads(first)) if first else NEEDED_COLUMNS, {}, 0)


def _json_lines_batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.json as pa_json

    with path.open("rb") as file:
        clock = json.loads(file.readline(_LONGEST_LINE_BYTES) or b"{}").get("time")
        file.seek(0)
        types: dict[str, pa.DataType] = {
            name: pa.string() if name in TEXT_COLUMNS else pa.float64() for name in columns
        }
        if "time" in types and isinstance(clock, int):
            types["time"] = pa.int64()
        options: Any = pa_json.ParseOptions(
            explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="ignore"
        )
        while block := file.read(BLOCK_BYTES):
            text = block + file.readline(_LONGEST_LINE_BYTES)
            source: Any = pa.BufferReader(text)
            table = pa_json.read_json(source, pa_json.ReadOptions(block_size=len(text) + 1), options)
            yield from table.select(list(columns)).to_batches()


FORMATS = (
    ResultFormat(".parquet", _write_parquet, Reading(_parquet_head, _parquet_batches), has_types=True),
    ResultFormat(".csv", write_csv, Reading(_csv_head, _csv_batches), for_spreadsheets=True),
    ResultFormat(".jsonl", _write_json_lines, Reading(_json_lines_head, _json_lines_batches)),
    ResultFormat(".json", _write_json, None),
)
SCORES = tuple(one for one in FORMATS if one.reading is not None)
EVENTS = FORMATS
