"""Changes to a CSV file that must not change how it is read: one per law of evidence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from logscan.records import InputSchema

_NUMBER = re.compile(r"\s*[($+-]*\d[\d,]*\.\d+(?:[eE][+-]?\d+)?\)?\s*")
_OTHER_LOCALE = str.maketrans(".,", ",.")
_ISO_DAY = re.compile(r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file as rows of cells.

    Attributes:
        head: settings and names above the rows of data.
        names: index in `head` of the line of names; None without one.
        body: rows of data, with what stands between and below them.
        delimiter: between cells.
        width: cells of a usual row.
        schema: how the file was read.
    """

    head: list[list[str]]
    names: int | None
    body: list[list[str]]
    delimiter: str
    width: int
    schema: InputSchema

    def text(self) -> str:
        """The file."""
        out = io.StringIO()
        csv.writer(out, delimiter=self.delimiter, lineterminator="\n").writerows([*self.head, *self.body])
        return out.getvalue()

    @property
    def named(self) -> list[str]:
        """The names of the columns."""
        return [] if self.names is None else [cell.strip() for cell in self.head[self.names]]


def table_of(data: bytes, schema: InputSchema) -> Table | None:
    """The file as rows of cells; None where it is not one that a CSV writer makes."""
    delimiter = schema.delimiter or ""
    if len(delimiter) != 1 or schema.quote not in ('"', "") or schema.data_line is None:
        return None
    text = data.decode(schema.encoding or "utf-8").lstrip("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline=None), delimiter=delimiter))
    body = rows[schema.data_line - 1 :]
    if len(rows) != len(text.splitlines()) or not body:  # a cell over several lines
        return None
    if schema.kind == "samples" and len(body[0]) == 1 < len(schema.channels):  # a line is written as one cell
        return None
    return Table(
        head=rows[: schema.data_line - 1],
        names=None if schema.header_line is None else schema.header_line - 1,
        body=body,
        delimiter=delimiter,
        width=len(body[0]),
        schema=schema,
    )


def neutral_names(table: Table) -> Table | None:
    """Channels are called c1, c2 ...; only where every channel is a column with a name in one line."""
    schema = table.schema
    if table.names is None or schema.header_end != schema.header_line or schema.kind != "samples":
        return None
    if len(set(table.named)) < len(table.named) or not set(schema.channels) <= set(table.named):
        return None
    head = list(table.head)
    old = head[table.names]
    new = [f"c{schema.channels.index(name) + 1}" if name in schema.channels else name for name in table.named]
    head[table.names] = new
    return replace(table, head=head, body=[new if row == old else row for row in table.body])


def text_column(table: Table) -> Table | None:
    """One more column with the same word in every row."""
    if table.delimiter == " ":  # as many blanks as align the columns
        return None
    first = table.names if table.names is not None else len(table.head)
    names = None if table.names is None else table.head[table.names]
    head = [
        [*row, "site" if at == table.names else ""] if at >= first and len(row) == table.width else row
        for at, row in enumerate(table.head)
    ]
    if names is not None and len(names) != table.width:
        return None
    body = [
        [*row, "site" if row == names else "north"] if len(row) == table.width else row for row in table.body
    ]
    return replace(table, head=head, body=body)


def doubled_rows(table: Table) -> Table | None:
    """All rows come a second time below the first."""
    return replace(table, body=[*table.body, *table.body])


def later_rows(table: Table) -> Table | None:
    """All rows come once more, so many whole days later that the beat goes on; times with the year first only."""
    days = [found for row in table.body if (found := _day(row))]
    if not days or len(table.body) < 2 or any(len(_ISO_DAY.findall(",".join(row))) > 1 for row in table.body):
        return None
    gaps = [(after - before).days for before, after in pairwise(days) if after != before]
    if any(gap < 0 for gap in gaps):
        return None
    later = (days[-1] - days[0]).days + (gaps[-1] if gaps else 1)
    return replace(table, body=[*table.body, *[_shifted(row, later) for row in table.body if _day(row)]])


def decimal_comma(table: Table) -> Table | None:
    """Semicolons between cells and commas in numbers, as another locale writes it."""
    if table.delimiter != "," or table.schema.decimal != ".":
        return None
    body = [
        [cell.translate(_OTHER_LOCALE) if _NUMBER.fullmatch(cell) else cell for cell in row]
        for row in table.body
    ]
    return replace(table, body=body, delimiter=";")


CHANGES: dict[str, Callable[[Table], Table | None]] = {
    "neutral names": neutral_names,
    "one more text column": text_column,
    "rows doubled": doubled_rows,
    "rows later again": later_rows,
    "decimal comma": decimal_comma,
}


def _day(row: list[str]) -> date | None:
    """The first day in a row."""
    found = _ISO_DAY.search(" ".join(row))
    return date(int(found[1]), int(found[3]), int(found[4])) if found else None


def _shifted(row: list[str], days: int) -> list[str]:
    """A row whose day is so much later, written as before."""

    def moved(found: re.Match[str]) -> str:
        day = date(int(found[1]), int(found[3]), int(found[4])) + timedelta(days=days)
        month, of_month = (
            (f"{day.month:02}", f"{day.day:02}") if len(found[0]) == 10 else (day.month, day.day)
        )
        return f"{day.year}{found[2]}{month}{found[2]}{of_month}"

    return [_ISO_DAY.sub(moved, cell) for cell in row]
