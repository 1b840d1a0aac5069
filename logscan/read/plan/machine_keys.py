"""Keys of folders that name machines: several values, and neither parts of a time nor parts of one log. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from logscan.read.values.vocabulary import CLOCKS, DAYS, MONTH, PART_NAME, QUARTER, YEAR, name_score

_DATE = re.compile(r"\d{4}([-_.]?\d{2}){0,2}")  # of a day, a month or a year
_PARTS_OF_TIME = (YEAR, MONTH, QUARTER, *DAYS, *CLOCKS)


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
