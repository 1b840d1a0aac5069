"""Intervals and clocks as energy and weather services write them."""

import io

import numpy as np
import pandas as pd
import pytest

from logscan.config import InputConfig
from logscan.read import read_log

HOURS = pd.date_range("2024-01-29 22:00:00", periods=97, freq="1h")


def read_times(texts, name="time", **config):
    """The log of a column of times and a running value."""
    frame = pd.DataFrame({name: list(texts), "x": np.arange(len(texts)) % 7})
    return read_log(["-"], InputConfig(**config), stdin=io.BytesIO(frame.to_csv(index=False).encode()))


@pytest.mark.parametrize(
    ("form", "label"),
    [
        ("{a:%d.%m.%Y %H:%M} - {b:%d.%m.%Y %H:%M}", "DD.MM.YYYY hh:mm:ss"),
        ("{a:%d.%m.%Y %H:%M} - {b:%d.%m.%Y %H:%M} (CET/CEST)", "DD.MM.YYYY hh:mm:ss"),
        (
            "{a:%d/%m/%Y %H:%M:%S} (CET) - {b:%d/%m/%Y %H:%M:%S} (CET)",
            "DD/MM/YYYY hh:mm:ss",
        ),
        ("{a:%Y-%m-%dT%H:%M:%S}.0/{b:%Y-%m-%dT%H:%M:%S}.0", "YYYY-MM-DD hh:mm:ss"),
        ("{a:%Y-%m-%d %H:%M} - {b:%H:%M}", "YYYY-MM-DD hh:mm:ss"),
        ("{a:%d/%m/%y %H}", "DD/MM/YYYY hh:mm:ss"),
        ("{a:%d %m %Y %H:%M}", "DD/MM/YYYY hh:mm:ss"),
        ("{a:%Y %m %d %H:%M}", "YYYY-MM-DD hh:mm:ss"),
        ("{a:%Y%m%d:%H%M}", "YYYYMMDD hh:mm:ss"),
    ],
)
def test_intervals_and_rare_separators_are_read_at_their_begin(form, label):
    """Of an interval its begin is the time, and the label says so."""
    log = read_times([form.format(a=one, b=one + pd.Timedelta(hours=1)) for one in HOURS], name="MTU time")
    assert log.schema.time_format == label
    np.testing.assert_array_equal(log.series[0].row_times, HOURS.as_unit("ns").asi8)


@pytest.mark.parametrize("form", ["%I:%M%p", "%I:%M %p"])
def test_a_clock_with_one_letter_for_the_half_of_the_day_joins_its_date(form):
    """12:30a is half past midnight."""
    clock = [one.strftime(form).replace("AM", "a").replace("PM", "p").lstrip("0") for one in HOURS]
    frame = pd.DataFrame({"Date": HOURS.strftime("%m/%d/%y"), "Time": clock, "x": np.arange(len(HOURS)) % 7})
    log = read_log(["-"], InputConfig(), stdin=io.BytesIO(frame.to_csv(index=False, sep="\t").encode()))
    np.testing.assert_array_equal(log.series[0].row_times, HOURS.as_unit("ns").asi8)


@pytest.mark.parametrize(
    ("name", "form", "label"),
    [
        ("DATE (MM/DD/YYYY)", "%m/%d/%Y", "MM/DD/YYYY"),
        ("TT.MM.JJJJ hh:mm:ss", "%d.%m.%Y", "DD.MM.YYYY"),
        ("time [dd/MM/yyyy]", "%d/%m/%Y", "DD/MM/YYYY"),
    ],
)
def test_a_name_that_tells_the_order_of_the_date_is_believed(name, form, label):
    """Dates of the first days of a month do not tell; the header may."""
    days = pd.date_range("2024-03-01", periods=12)
    assert read_times(days.strftime(form), name=name).schema.time_format.startswith(label)
