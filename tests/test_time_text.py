"""Times as text."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from logscan.records import TimeKind
from logscan.time_text import time_text, time_text_column
from logscan.time_units import MINUTE_NS


@pytest.mark.parametrize(
    ("kind", "value", "zone", "text"),
    [
        (TimeKind.TIMESTAMP, 1_704_164_645_000_000_000, None, "2024-01-02 03:04:05"),
        (TimeKind.TIMESTAMP, 1_704_164_645_250_000_000, "Asia/Tokyo", "2024-01-02 12:04:05.25+09:00"),
        (TimeKind.TIMESTAMP, -1, "UTC", "1969-12-31 23:59:59.999999999+00:00"),
        (TimeKind.INTEGER, 17, None, "17"),
    ],
)
def test_time_text(kind, value, zone, text):
    """Times are ISO 8601 in their zone, without zeros below the second; integers are digits."""
    assert time_text(kind, value, zone) == text


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York", "Asia/Kolkata", "+09:00"])
def test_time_text_column_agrees_with_time_text(zone):
    """The vectorised text is the text of each time, also over a clock change."""
    times = pd.Timestamp("2024-11-03 04:30").value + np.arange(7) * 30 * MINUTE_NS
    column = time_text_column(times, TimeKind.TIMESTAMP, zone)
    assert column.to_pylist() == [time_text(TimeKind.TIMESTAMP, int(time), zone) for time in times]
    assert column.type == pa.string()
