"""Files as record batches: text until the plan is known, typed columns as they are.

Belongs here: one module per format, and what it finds in a file (`table`).
Does not: opening and unpacking (`files`), what a cell means (`values`), what a column is for (`plan`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from logscan.errors import EmptyInputError, LogscanError
from logscan.notes import note
from logscan.read.files.inputs import PACKED_SUFFIXES, Source, Suffixes
from logscan.read.files.opened import SAMPLE_BYTES, OpenedFile
from logscan.read.formats import csv, excel, json_lines, parquet
from logscan.read.formats.partitions import WithPartitions
from logscan.read.formats.table import TableReader

FORMATS = (  # the first that recognises a file reads it
    parquet.FORMAT,
    excel.FORMAT,
    json_lines.FORMAT,
    csv.FORMAT,
)


# What the names of tables end in, and those of files that are not written line by line.
TABLE_SUFFIXES = Suffixes(
    text=tuple(suffix for one in reversed(FORMATS) if one.is_text for suffix in one.suffixes),
    whole=tuple(suffix for one in reversed(FORMATS) if not one.is_text for suffix in one.suffixes),
)
WHOLE_SUFFIXES = (*TABLE_SUFFIXES.whole, *PACKED_SUFFIXES, ".zip")


def opened_table(source: Source, given: Mapping[str, Any], stdin: BinaryIO) -> TableReader:
    """Open one source and look at its beginning.

    Args:
        source: which.
        given: what the user set, by name of the setting; every format takes its own.
        stdin: read where the source is the standard input.

    Raises:
        InputError: empty, binary, header only, text that is no table, damaged.
        UsageError: an unknown encoding or delimiter.
    """
    file = OpenedFile(source, stdin, given.get("encoding"), _remedy())
    try:
        kind = next(one for one in FORMATS if one.recognises(file))
        table = kind.opened(file, given)
    except BaseException:
        file.close()
        raise
    return WithPartitions(table) if source.partitions else table


def _remedy() -> str:
    """What can be read, for messages."""
    text = ", ".join(one.noun for one in reversed(FORMATS) if one.is_text)
    whole = [one.noun for one in reversed(FORMATS) if not one.is_text]
    packed = ", ".join((*PACKED_SUFFIXES, ".zip"))
    return f"pass {', '.join([f'{text} (plain, {packed})', *whole[:-1]])} or {whole[-1]}"


def without_empty(sources: Sequence[Source], given: Mapping[str, Any]) -> tuple[Source, ...]:
    """The sources without files that hold no row yet, as the newest of rotated logs; they are told by a note.

    Where all are empty they are kept, so that reading them says so.
    """
    empty = [source for source in sources if len(sources) > 1 and _is_empty(source, given)]
    kept = [source for source in sources if source not in empty]
    if not empty or not kept:
        return tuple(sources)
    names = tuple(source.name for source in empty)
    told = note("files-empty", count=len(empty), files=len(sources), names=names)
    return replace(kept[0], notes=(*kept[0].notes, told)), *kept[1:]


def _is_empty(source: Source, given: Mapping[str, Any]) -> bool:
    """Whether a small file is empty or holds a header only."""
    try:
        if source.path is None or not source.path.is_file() or source.path.stat().st_size > SAMPLE_BYTES:
            return False
        opened_table(source, given, sys.stdin.buffer).close()
    except EmptyInputError:
        return True
    except (LogscanError, OSError):
        return False  # said when it is read
    return False
