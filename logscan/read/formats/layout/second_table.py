"""A second table below the first with names of its own, found on a sample: refused, its rows are no readings. Pure."""

from __future__ import annotations

from logscan.errors import InputError
from logscan.read.values.numbers import MISSING_WORDS
from logscan.read.values.recognise import Rows, is_value
from logscan.read.values.vocabulary import HEADER_TIME_WORD

_MOST_BETWEEN = 3  # lines of units and the like between names and readings
_FEWEST_VALUES = 2  # a time and a reading


def refuse_second_table(rows: Rows, first: int, header_line: int | None, width: int, place: str) -> None:
    """Raise InputError where a row of other names stands among the rows of data.

    Args:
        rows: of the sample.
        first: index of the first row of data.
        header_line: of the first table, None where it has no header.
        width: usual number of cells.
        place: file name, for the message.
    """
    known = folded_rows(rows[:first])
    for index in range(first + 1, len(rows)):
        row = rows[index][1]
        if (
            len(row) == width
            and not is_value(row[0])
            and names_all(row, rows[first:])
            and folded(row) not in known
            and _is_apart(rows, index, width)
            and _stands_between(rows, index, width)
        ):
            _refuse(rows, index, header_line or rows[first][0], headed=header_line is not None, place=place)


def refuse_names_below(row: list[str], following: list[str], begin: int, *, headed: bool, place: str) -> None:
    """Raise InputError where a row far below is names with the time among them, above readings.

    Args:
        row: of as many cells as the table.
        following: the row below it.
        begin: line of the header, or of the first row of data.
        headed: whether it is that of the header.
        place: file name, for the message.
    """
    if names_all(row, []) and _names_the_time(row) and _values(following) >= _FEWEST_VALUES:
        option = "--header" if headed else "--data-from"
        raise InputError(
            place,
            f"there are two tables: one from line {begin}, and one far below with the columns {_shown(row)}",
            f"put them in files of their own, or pass {option} {begin} to read all rows as the first",
        )


def _refuse(rows: Rows, index: int, begin: int, *, headed: bool, place: str) -> None:
    line, row = rows[index]
    below = next(number for number, other in rows[index + 1 :] if _values(other) >= _FEWEST_VALUES)
    raise InputError(
        place,
        f"there are two tables: one from line {begin}, and one from line {line} with the columns {_shown(row)}",
        f"pass --header {line} --data-from {below} to read the second, "
        f"{f'--header {begin}' if headed else f'--data-from {begin}'} to read all rows as the first, "
        "or put them in files of their own",
    )


def _shown(row: list[str]) -> str:
    names = ", ".join(cell.strip() for cell in row)
    return names if len(names) <= 60 else f"{names[:57]}..."


def folded_rows(rows: Rows) -> frozenset[tuple[str, ...]]:
    """Rows as they are compared, to know a header that comes again."""
    return frozenset(folded(row) for _, row in rows)


def folded(row: list[str]) -> tuple[str, ...]:
    """A row without the case of letters and blanks around cells."""
    return tuple(cell.strip().casefold() for cell in row)


def _values(row: list[str]) -> int:
    return sum(map(is_value, row))


def names_all(row: list[str], data: Rows) -> bool:
    """Whether every cell is a name: distinct words, but for numbers that all rows of data hold too."""
    numbers = [place for place, cell in enumerate(row) if is_value(cell)]
    taken = set(numbers)
    words = [cell.strip() for place, cell in enumerate(row) if place not in taken]
    if len(words) < max(_FEWEST_VALUES, len(numbers)) or (numbers and not data):
        return False
    named = all(word and word.casefold() not in MISSING_WORDS for word in words)
    whole = [other for _, other in data if len(other) == len(row)]
    marks = all(other[place] == row[place] for place in numbers for other in whole)
    return named and marks and len(set(words)) == len(words)


def _names_the_time(row: list[str]) -> bool:
    return any(HEADER_TIME_WORD.search(cell) and not any(map(str.isdigit, cell)) for cell in row)


def _is_apart(rows: Rows, index: int, width: int) -> bool:
    """Whether a row names the time, or stands below an empty line or a title."""
    line, row = rows[index]
    above_line, above = rows[index - 1]
    return _names_the_time(row) or line - above_line > 1 or len(above) != width


def _stands_between(rows: Rows, index: int, width: int) -> bool:
    """Whether readings stand above a row and right below it, where it has words."""
    above = next((row for _, row in reversed(rows[:index]) if len(row) == width), None)
    below = next(
        (
            row
            for _, row in rows[index + 1 : index + 2 + _MOST_BETWEEN]
            if len(row) == width and _values(row) >= _FEWEST_VALUES
        ),
        None,
    )
    if above is None or below is None:
        return False
    both = sum(is_value(one) and is_value(other) for one, other in zip(above, below, strict=True))
    return both >= _FEWEST_VALUES and is_value(above[0]) == is_value(below[0])
