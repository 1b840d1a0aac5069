"""Time zones: names checked, wall clocks to UTC (summer time gap and fold)."""

from __future__ import annotations

from zoneinfo import available_timezones

import numpy as np
import pandas as pd

from logscan.errors import UsageError
from logscan.nearest_name import did_you_mean
from logscan.records import I64
from logscan.time_units import DAY_NS


def checked_timezone(name: str) -> str:
    """An IANA time zone; raises UsageError with the nearest name where there is none."""
    try:
        pd.Timestamp(0).tz_localize(name)
    except (LookupError, ValueError, OSError, AttributeError, TypeError) as error:
        remedy = did_you_mean(name, sorted(available_timezones())) or "use an IANA name such as Asia/Tokyo"
        raise UsageError("--timezone", f"unknown time zone '{name}'", remedy) from error
    return name


def localised(times: I64, timezone: str) -> tuple[I64, int, int]:
    """Wall-clock nanoseconds as UTC nanoseconds.

    An hour that occurs twice (end of summer time) is read as its first pass. An hour that does not
    exist (begin of summer time) is read with the offset of the day before.

    Args:
        times: (rows,) int64 wall clock, no INVALID.
        timezone: IANA name.

    Returns:
        (rows,) int64 UTC, how many rows fell in a repeated hour, and how many in a missing one.
    """
    wall = pd.DatetimeIndex(times.view("datetime64[ns]"))
    first = wall.tz_localize(timezone, ambiguous=np.ones(len(wall), dtype=np.bool_), nonexistent="NaT")
    second = wall.tz_localize(timezone, ambiguous=np.zeros(len(wall), dtype=np.bool_), nonexistent="NaT")
    utc = np.array(first.asi8, dtype=np.int64)
    missing = np.asarray(first.isna(), dtype=np.bool_)
    repeated = int((first.asi8 != second.asi8).sum())
    if missing.any():
        day_before = pd.DatetimeIndex((times[missing] - DAY_NS).view("datetime64[ns]"))
        shifted = day_before.tz_localize(timezone, ambiguous=True, nonexistent="shift_forward")
        utc[missing] = shifted.asi8 + DAY_NS
    return utc, repeated, int(missing.sum())
