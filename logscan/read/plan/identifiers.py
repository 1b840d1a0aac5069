"""Identifiers and coordinates: columns and folders that name things instead of measuring them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from logscan.read.values.vocabulary import (
    AMOUNT_WORD,
    CLOCKS,
    COORDINATE_NAME,
    DAYS,
    IDENTIFIER_ENDING,
    IDENTIFIER_NAMES,
    IDENTIFIER_TOKENS,
    MONTH,
    PART_NAME,
    QUARTER,
    YEAR,
    name_score,
)
from logscan.records import F64

_DATE = re.compile(r"\d{4}([-_.]?\d{2}){0,2}")  # of a day, a month or a year
_PARTS_OF_TIME = (YEAR, MONTH, QUARTER, *DAYS, *CLOCKS)


def named_identifier(name: str) -> bool:
    """Whether a name says that its column names things."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    tokens = [token for token in re.split(r"[\s_./()\[\]-]+", spaced.strip().casefold()) if token]
    named = IDENTIFIER_TOKENS.intersection(tokens) or " ".join(tokens) in IDENTIFIER_NAMES
    return bool(named or IDENTIFIER_ENDING.search(name))


def is_identifier(name: str, values: F64) -> bool:
    """Whether whole numbers name things instead of measuring them.

    Args:
        name: of their column.
        values: (rows,) float64, none missing.
    """
    if named_identifier(name):
        return True
    if AMOUNT_WORD.search(name) or len(values) < 100:
        return False
    distinct = np.unique(values)
    running = len(distinct) > 0.05 * len(values) and float((np.diff(values) >= 0).mean()) > 0.99
    same_digits = values.min() >= 10_000 and len(str(int(values.min()))) == len(str(int(values.max())))
    return bool(running or same_digits)


def is_coordinate(name: str) -> bool:
    """Whether a column holds a coordinate on the earth."""
    return COORDINATE_NAME.fullmatch(name.strip()) is not None


def machine_keys(partitions: Sequence[Sequence[tuple[str, str | None]]]) -> tuple[str, ...]:
    """The keys that tell machines apart.

    Args:
        partitions: of every file, its keys and their values.
    """
    values: dict[str, set[str | None]] = {}
    for one in partitions:
        for name, value in one:
            values.setdefault(name, set()).add(value)
    return tuple(name for name, found in values.items() if len(found) > 1 and _names_machines(name, found))


def _names_machines(name: str, values: set[str | None]) -> bool:
    timed = name_score(name) > 0 or any(pattern.fullmatch(name.strip()) for _, pattern in _PARTS_OF_TIME)
    dated = all(value is not None and _DATE.fullmatch(value) for value in values)
    return not (timed or dated or PART_NAME.fullmatch(name.strip()))
