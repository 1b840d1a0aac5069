"""Units behind numbers, such as `12.5 °C`, taken off where the user asks for it."""

from __future__ import annotations

import unicodedata
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import InputError
from logscan.read.values.numbers import is_text

_WITH_UNIT = (
    r"^\s*(?P<number>[+\-−]?[0-9０-９][0-9０-９.,']*(?:[eE][+-]?\d+)?)"
    r"\s*(?P<unit>[\p{L}°%‰µΩ℃㎡-㏿€$¥][^\s,;:]{0,11}(?: [^\s\d,;:]{1,8})?)\s*$"
)


def have_units(column: Any) -> bool:
    """Whether nearly all cells of a text column are numbers with one of a few units behind them."""
    present = column.drop_null()
    match = pc.extract_regex(present, _WITH_UNIT)
    matched = match.filter(match.is_valid())
    units = pc.count_distinct(matched.field("unit")).as_py() if len(matched) else 0
    return len(matched) >= 0.9 * max(len(present), 1) and 1 <= units <= 3


class UnitStripper:
    """Takes the unit off every number of the columns of one file; a column holds one unit.

    Attributes:
        units: column -> its unit, so far.
    """

    def __init__(self, place: str, left_alone: frozenset[str]) -> None:
        self.units: dict[str, str] = {}
        self._place = place
        self._left_alone = left_alone

    def stripped(self, batch: Any) -> Any:
        """A record batch without units.

        Raises:
            InputError: a column holds two units, which would make one channel of two scales.
        """
        columns = [
            self._numbers(name, column) if is_text(column.type) and name not in self._left_alone else column
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)

    def _numbers(self, name: str, column: Any) -> Any:
        match = pc.extract_regex(column, _WITH_UNIT)
        found = match.is_valid()
        if not pc.any(found).as_py():
            return column
        for unit in pc.unique(match.field("unit").filter(found)).to_pylist():
            self._note(name, unicodedata.normalize("NFKC", unit).strip())
        return pc.if_else(found, match.field("number"), column)

    def _note(self, name: str, unit: str) -> None:
        known = self.units.setdefault(name, unit)
        if known != unit:
            fact = f"column '{name}' holds the units '{known}' and '{unit}'"
            raise InputError(self._place, fact, "write it in one unit, or leave it out with --ignore")
