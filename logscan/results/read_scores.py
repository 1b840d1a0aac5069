"""Reading a scores file back, batch by batch, into arrays of fixed width: its length may be that of a long log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import InputError
from logscan.records import F32, F64, I8, I32, I64, Bool, StepQuality, TimeKind
from logscan.results.formats import BATCH_ROWS, NEEDED_COLUMNS, SCORES, Head, Reading, ResultFormat, format_of
from logscan.results.spreadsheets import ESCAPED_FORMULA
from logscan.results.write_scores import CONTRIBUTION
from logscan.time_text import column_times

_QUALITIES = tuple(quality.value for quality in StepQuality)
_CSV = format_of(Path("scores.csv"), SCORES)
_REMEDY = "pass a file written by 'logscan score'"


@dataclass(frozen=True, slots=True)
class ScoreRows:
    """The rows of a scores file as they stand in it, but for what each channel contributed."""

    time: I64  # (rows,) ns or integers
    time_kind: TimeKind
    timezone: str | None
    entity: I32  # (rows,), place in `entities`
    entities: tuple[str, ...]  # as they come first; ("",) when the log has no entity column
    score: F32  # (rows,), NaN where not judged
    threshold: F64  # (rows,), NaN where the model gave none
    event: I64  # (rows,), -1 where none
    quality: I8  # (rows,), index into tuple(StepQuality), -1 where it is none of them
    channels: tuple[str, ...]
    metadata: dict[str, str]

    @property
    def alarm(self) -> Bool:
        """Whether each row lies in an event, (rows,)."""
        return self.event >= 0


def read_scores(path: Path) -> ScoreRows:
    """Read the rows of a scores file written by `write_scores`: 33 bytes of memory each.

    Raises:
        InputError: missing, damaged or not a scores file.
    """
    head = _head(path)
    names, metadata, rows = head.names, dict(head.metadata), head.rows
    missing = [name for name in NEEDED_COLUMNS if name not in names]
    if missing:
        raise InputError(str(path), f"not a scores file: column '{missing[0]}' is missing", _REMEDY)
    clock = _Clock(path, metadata)
    entities = {} if "entity" in names else {"": 0}
    time, entity = _Column(np.int64, rows), _Column(np.int32, rows)
    score, threshold = _Column(np.float32, rows), _Column(np.float64, rows)
    event, quality = _Column(np.int64, rows), _Column(np.int8, rows)
    for batch in _batches(path, [name for name in (*NEEDED_COLUMNS, "entity") if name in names]):
        time.append(clock.times(batch.column("time")))
        score.append(_floats(batch.column("score"), path))
        threshold.append(_floats(batch.column("threshold"), path))
        event.append(np.nan_to_num(_floats(batch.column("event"), path), nan=-1.0))
        quality.append(_coded(batch.column("quality"), {name: i for i, name in enumerate(_QUALITIES)}))
        if "entity" in names:
            entity.append(_entities(batch.column("entity"), entities, path))
        else:
            entity.append(np.zeros(batch.num_rows, dtype=np.int32))
    return ScoreRows(
        time=time.values(),
        time_kind=clock.kind,
        timezone=clock.timezone,
        entity=entity.values(),
        entities=tuple(entities),
        score=score.values(),
        threshold=threshold.values(),
        event=event.values(),
        quality=quality.values(),
        channels=tuple(name.removeprefix(CONTRIBUTION) for name in _contributions(names)),
        metadata=metadata,
    )


def read_contributions(path: Path) -> Iterator[F32]:
    """What each channel contributed to the score of each row, in the order of the rows.

    Yields:
        (rows, channels) float32, NaN where not judged, for as many rows as are read at a time.

    Raises:
        InputError: damaged.
    """
    wanted = _contributions(_head(path).names)
    for batch in _batches(path, wanted) if wanted else ():
        parts = np.empty((batch.num_rows, len(wanted)), dtype=np.float32)
        for place, name in enumerate(wanted):
            parts[:, place] = _floats(batch.column(name), path)
        yield parts


def _contributions(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(CONTRIBUTION)]


def _head(path: Path) -> Head:
    """The columns and what else the file tells; raises InputError where it is none."""
    if not path.exists():
        raise InputError(str(path), "no such file", "check the path")
    try:
        return _reading(path).head(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path) from error


def _batches(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of some columns as record batches of bounded size."""
    try:
        yield from _reading(path).batches(path, columns)
    except (pa.ArrowException, OSError) as error:
        mixed = "conversion error" in str(error) or "changed from" in str(error)
        raise (_text_among_numbers if mixed else _damaged)(path) from error


def _form(path: Path) -> ResultFormat:
    """The format of a file; CSV where its name tells none."""
    return next((one for one in SCORES if one.suffix == path.suffix.lower()), _CSV)


def _reading(path: Path) -> Reading:
    reading = _form(path).reading
    assert reading is not None  # as of all formats of scores
    return reading


def _damaged(path: Path) -> InputError:
    return InputError(str(path), "the scores file is damaged or not a scores file", _REMEDY)


def _text_among_numbers(path: Path) -> InputError:
    return InputError(str(path), "the scores file is damaged: a column of numbers holds text", _REMEDY)


def _floats(column: Any, path: Path) -> F64:
    """A column of numbers; an empty cell comes as null."""
    try:
        plain = column.cast(pa.float64())
    except pa.ArrowException as error:
        raise _text_among_numbers(path) from error
    return np.asarray(plain.to_numpy(zero_copy_only=False), dtype=np.float64)


def _coded(column: Any, known: dict[str, int]) -> I32:
    """The place of each text among the known ones, -1 where it is none of them."""
    found = column.cast(pa.string()).dictionary_encode()
    places = np.array([known.get(text, -1) for text in found.dictionary.to_pylist()] + [-1], dtype=np.int32)
    indices: I32 = found.indices.fill_null(len(places) - 1).to_numpy()
    return places[indices]


def _entities(column: Any, entities: dict[str, int], path: Path) -> I32:
    """The place of each entity among those met so far, to which new ones are added; null is ''."""
    texts = pc.fill_null(column.cast(pa.string()), "")
    names = pc.unique(texts)
    if _form(path).for_spreadsheets:
        plain = pc.replace_substring_regex(names, ESCAPED_FORMULA, r"\1").to_pylist()
    else:
        plain = names.to_pylist()
    known = {
        written: entities.setdefault(name, len(entities))
        for written, name in zip(names.to_pylist(), plain, strict=True)
    }
    return _coded(texts, known)


class _Column:
    """An array that grows: what is not yet filled costs no memory."""

    def __init__(self, dtype: Any, rows: int) -> None:
        self._values = np.empty(max(rows, BATCH_ROWS), dtype=dtype)
        self._rows = 0

    def append(self, values: Any) -> None:
        end = self._rows + len(values)
        if end > len(self._values):
            longer = np.empty(max(2 * len(self._values), end), dtype=self._values.dtype)
            longer[: self._rows] = self._values[: self._rows]
            self._values = longer
        self._values[self._rows : end] = values
        self._rows = end

    def values(self) -> Any:
        return self._values[: self._rows]


class _Clock:
    """Reads times, and tells their kind and zone: a CSV tells the zone by its offset where there is only one."""

    def __init__(self, path: Path, metadata: dict[str, str]) -> None:
        self._path, self._metadata = path, metadata
        self._found: set[tuple[TimeKind, str | None]] = set()

    @property
    def kind(self) -> TimeKind:
        """Of all times read."""
        return next(iter(self._found))[0] if self._found else TimeKind.INTEGER

    @property
    def timezone(self) -> str | None:
        """Of all times read: the one there is, or UTC where there are several."""
        zones = {zone for _, zone in self._found}
        return zones.pop() if len(zones) == 1 else "UTC" if zones else None

    def times(self, column: Any) -> I64:
        """(rows,) ns or integers; raises InputError where one does not parse, or is of another kind."""
        if column.null_count:
            raise self._unreadable()
        if pa.types.is_timestamp(column.type):
            self._found.add((TimeKind.TIMESTAMP, column.type.tz))
            column = column.cast(pa.timestamp("ns", tz=column.type.tz))
        elif pa.types.is_integer(column.type):
            kind = self._metadata.get("logscan.time_kind", TimeKind.INTEGER.value)
            self._found.add((TimeKind(kind), None))
        else:
            return self._text_times(column)
        return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)

    def _text_times(self, column: Any) -> I64:
        try:
            times = np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
            self._found.add((TimeKind.INTEGER, None))
        except pa.ArrowException:
            offsets = pc.unique(pc.utf8_slice_codeunits(column, -6)).to_pylist()
            aware = all(offset[:1] in {"+", "-"} and offset[3:4] == ":" for offset in offsets)
            try:
                times = column_times(column, aware=aware)
            except pa.ArrowInvalid:
                raise self._unreadable() from None
            self._found |= {(TimeKind.TIMESTAMP, offset) for offset in (offsets if aware else [None])}
        # All are of one kind, and either all or none tell their zone.
        if len({(kind, zone is None) for kind, zone in self._found}) > 1:
            raise self._unreadable()
        return times

    def _unreadable(self) -> InputError:
        return InputError(str(self._path), "the scores file is damaged: a time does not parse", _REMEDY)
