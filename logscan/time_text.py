"""Times of the grid as text for people and as columns of a file, and back."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from logscan.errors import UsageError
from logscan.records import I64, TimeKind
from logscan.time_units import MICROSECOND_NS, MILLISECOND_NS, SECOND_NS

_UNITS = (("s", SECOND_NS), ("ms", MILLISECOND_NS), ("us", MICROSECOND_NS), ("ns", 1))


def time_text(kind: TimeKind, value: int, timezone: str | None) -> str:
    """The time `value` as a person writes it.

    Args:
        kind: what the value is.
        value: nanoseconds since 1970-01-01 for timestamps (UTC with a timezone, wall clock without),
            else the integer step or row itself.
        timezone: IANA name or offset such as `+09:00`; None for wall clock.

    Returns:
        ISO 8601 without the parts that are zero below the second, such as `2024-01-02 03:04:05+09:00`
        or `2024-01-02 03:04:05.25`; the digits for integers.
    """
    if kind is not TimeKind.TIMESTAMP:
        return str(value)
    moment = pd.Timestamp(value, unit="ns")
    if timezone is not None:
        moment = moment.tz_localize("UTC").tz_convert(timezone)
    # Not `floor`: rounding would lose which pass of a repeated hour this is.
    whole = moment.to_pydatetime(warn=False).replace(microsecond=0).isoformat(sep=" ")
    fraction = f"{value % SECOND_NS:09d}".rstrip("0")
    return f"{whole[:19]}.{fraction}{whole[19:]}" if fraction else whole


def parse_time(text: str, kind: TimeKind, timezone: str | None, place: str) -> int:
    """A time a person wrote, in the grid's integers.

    Args:
        text: ISO 8601 or similar for timestamps, digits for integer steps and rows.
        kind: of the grid.
        timezone: of the grid; text without a zone is taken to be in it.
        place: for the message.

    Raises:
        UsageError: it is not a time of that kind.
    """
    if kind is not TimeKind.TIMESTAMP:
        try:
            return int(text)
        except ValueError as error:
            raise UsageError(place, f"'{text}' is not an integer step", "this log counts in steps") from error
    remedy = "write it like 2024-05-01 06:00"
    # pandas would take "12:00" for today, "" for no time at all, and guess the order of day and month.
    if not re.match(r"\s*\d{4}(?!\d)", text):
        raise UsageError(place, f"'{text}' is not a time", remedy)
    try:
        moment = pd.Timestamp(text)
        if timezone is not None:
            moment = moment.tz_localize(timezone) if moment.tzinfo is None else moment
            return int(moment.tz_convert("UTC").tz_localize(None).as_unit("ns").value)
        if moment.tzinfo is not None:
            moment = moment.tz_localize(None)
        return int(moment.as_unit("ns").value)
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(place, f"'{text}' is not a time", remedy) from error


def column_times(texts: Any, *, aware: bool) -> I64:
    """The times of a column that `time_text_column` wrote.

    Args:
        texts: Arrow column of text.
        aware: every text ends in an offset from UTC such as `+09:00`.

    Returns:
        (rows,) int64 nanoseconds since 1970: UTC where aware, else wall clock.

    Raises:
        pa.ArrowInvalid: a text is no such time, or a cell is empty.
    """
    if texts.null_count:
        raise pa.ArrowInvalid(f"{texts.null_count} cells are empty")
    column = texts.cast(pa.timestamp("ns", tz="UTC" if aware else None))
    return np.asarray(column.cast(pa.int64()).to_numpy(zero_copy_only=False), dtype=np.int64)


def time_column(times: I64, kind: TimeKind, timezone: str | None) -> Any:
    """Times as an Arrow column: timestamp[ns] (with the zone), or int64."""
    column = pa.array(times, pa.int64())
    return column.cast(pa.timestamp("ns", tz=timezone)) if kind is TimeKind.TIMESTAMP else column


def time_text_column(times: I64, kind: TimeKind, timezone: str | None) -> Any:
    """Times as an Arrow column of text, all with the same number of digits; int64 where they are integers."""
    if kind is not TimeKind.TIMESTAMP or len(times) == 0:
        return pa.array(times, pa.int64()) if kind is not TimeKind.TIMESTAMP else pa.array([], pa.string())
    if timezone is None:
        return _wall_text(times)
    local = pd.DatetimeIndex(times.view("datetime64[ns]")).tz_localize("UTC").tz_convert(timezone)
    wall = np.asarray(local.tz_localize(None).as_unit("ns").asi8, dtype=np.int64)
    offsets, codes = np.unique((wall - times) // SECOND_NS, return_inverse=True)
    texts = pa.array([_offset_text(int(offset)) for offset in offsets], pa.string()).take(codes)
    return pc.binary_join_element_wise(_wall_text(wall), texts, "")


def _wall_text(times: I64) -> Any:
    unit = next(unit for unit, unit_ns in _UNITS if not (times % unit_ns).any())
    moments: Any = pa.array(times).cast(pa.timestamp("ns")).cast(pa.timestamp(unit))
    return pc.strftime(moments, format="%Y-%m-%d %H:%M:%S")


def _offset_text(seconds: int) -> str:
    sign, minutes = ("-" if seconds < 0 else "+"), abs(seconds) // 60
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
