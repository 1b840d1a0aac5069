"""Units: recognised in a header and behind numbers (`12.5 °C`), removed with --units."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import InputError
from logscan.read.values.numbers import is_text

_PREFIXES = {"k": "e3", "K": "e3", "M": "e6", "G": "e9"}  # alone behind a number, whatever its decimal mark
_WITH_UNIT = (
    r"^\s*(?P<number>[+\-−]?[0-9０-９][0-9０-９.,']*(?:[eE][+-]?\d+)?)"
    r"\s*(?P<unit>[\p{L}°%‰µΩ℃㎡-㏿€$¥][^\s,;:]{0,11}(?: [^\s\d,;:]{1,8})?)\s*$"
)

_UNIT = (
    r"(?:[kKMGmµμunpcdh]?(?:m|g|s|A|V|W|Wh|VA|VAr|var|Pa|bar|Hz|J|N|Nm|l|L|K|Ω|ohm|mol|B|dB|t|S|T|F|H|lx|lm|cd|Bq|Sv"
    r"|cal)|°\s*[CFK]?|º\s*[CFK]|℃|℉|[Dd]eg\.?\s*[CFK]?|[Dd]egrees?|[%％‰]|ppm|ppb|min|h|hrs?|hours?|sec|seconds?|d|days?"
    r"|rpm|r|rev|pcs|個|件|枚|本|台|回|円|万kW|度|分|秒|時|時間|日|人|in|inch|ft|gal|gpm|cfm|scfm|psi[ag]?|bar[ag]"
    r"|mbar|pH|NTU|FNU|EUR|USD|JPY|€|\$|¥|volts?|amps?|celsius|fahrenheit|kelvin|percent|micros?|mm/s|km/h)"
    r"(?:[²³23]|\^-?\d)?"
)
_UNIT_CELL = re.compile(
    rf"\s*[\[(（<{{]?\s*{_UNIT}(?:\s*[/*·.⋅]\s*{_UNIT}|\s+{_UNIT}|\s*rms)*\s*[\])）>}}]?\s*"
)
# What loggers write under the names instead of a unit: kinds, types, forms of time.
_KIND_CELL = re.compile(
    r"\s*(TS|RN|Smp|Avg|Min|Max|Std|Tot|bool(ean)?|u?int\d*|float\d*|real|double|string|text|date|time|datetime|numeric"
    r"|(datetime|time|index|u?short|u?long|word|dword|float|double|bit|string|trigger)\[.*\]"
    r"|[-–—]+|\[\s*-?\s*\]|\(\s*-?\s*\)|n/?a|none|unit|units|単位|yy(yy)?[-/.]mm.*|dd[-/.]mm.*|mm/dd.*|hh:mm.*)\s*",
    re.IGNORECASE,
)


def is_unit(cell: str) -> bool:
    """Whether a cell of a header holds a unit, such as `[m³/h]`."""
    return _UNIT_CELL.fullmatch(cell) is not None


def is_kind(cell: str) -> bool:
    """Whether a cell of a header holds what loggers write instead of a unit: a type, a statistic, a format of time."""
    return _KIND_CELL.fullmatch(cell) is not None


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
        scaled: column -> cells whose prefix (k, M, G) was multiplied out, so far.
    """

    def __init__(self, place: str, left_alone: frozenset[str]) -> None:
        self.units: dict[str, str] = {}
        self.scaled: dict[str, int] = {}
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
        units = match.field("unit")
        number = match.field("number")
        for unit in pc.unique(units.filter(found)).to_pylist():
            factor = _PREFIXES.get(unit.strip())
            if factor is None:
                self._note(name, unicodedata.normalize("NFKC", unit).strip())
            else:  # thousands on some cells, such as 1.02k beside 980
                mine = pc.equal(units, pa.scalar(unit))
                number = pc.if_else(mine, pc.binary_join_element_wise(number, factor, ""), number)
                self.scaled[name] = self.scaled.get(name, 0) + (pc.sum(mine).as_py() or 0)
        return pc.if_else(found, number, column)

    def _note(self, name: str, unit: str) -> None:
        known = self.units.setdefault(name, unit)
        if known != unit:
            fact = f"column '{name}' holds the units '{known}' and '{unit}'"
            raise InputError(self._place, fact, "write it in one unit, or leave it out with --ignore")
