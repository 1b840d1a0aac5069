"""Identifiers and coordinates: columns of numbers that name things instead of measuring them."""

from __future__ import annotations

import re

import numpy as np

from logscan.read.values.vocabulary import (
    AMOUNT_WORD,
    COORDINATE_NAME,
    IDENTIFIER_ENDING,
    IDENTIFIER_NAMES,
    IDENTIFIER_TOKENS,
)
from logscan.records import F64


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
