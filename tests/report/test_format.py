"""Numbers, times and texts of the report."""

from __future__ import annotations

import math
import re
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscan.messages import text as note_text
from logscan.messages.report import TEXTS, counted, report_text
from logscan.quality.grades import channel_qualities
from logscan.records import InputSchema, Log, LogKind, ReadCounts, Series, TimeGrid, TimeKind
from logscan.report.format import DAY_SECONDS, SECOND_NS, Clock, comparison, number, percent, seconds, zone

NOON = 1_781_265_600 * SECOND_NS  # 2026-06-12 12:00 UTC
MINUTE = 60 * SECOND_NS


def clock(lang="en", **changes):
    """A clock with a one-minute grid in Tokyo."""
    given = {"kind": TimeKind.TIMESTAMP, "timezone": "Asia/Tokyo", "step": MINUTE, **changes}
    return Clock(lang, given["kind"], given["timezone"], given["step"])


def fields_of(template):
    """The names a template asks for."""
    return sorted(name for _, name, _, _ in string.Formatter().parse(template) if name)


def test_texts_have_the_same_keys_and_fields_in_both_languages():
    """A key in one language is in the other, asks for the same fields, and is never empty."""
    for key, (english, japanese) in TEXTS.items():
        assert fields_of(english) == fields_of(japanese) or key.endswith("_one"), key
        assert english.strip(), key
        assert japanese.strip(), key


def test_japanese_texts_are_japanese():
    """Every Japanese text holds Japanese script, so that none was left untranslated."""
    same = {key for key, (_, words) in TEXTS.items() if not re.search(r"[぀-ヿ一-鿿]", words)}
    assert same == {"where_channel", "where_entity"}


def test_counted_texts_come_in_pairs():
    """What has a form for one has a form for many."""
    for key in TEXTS:
        if key.endswith("_one"):
            assert key.removesuffix("_one") + "_many" in TEXTS


def test_counted_chooses_by_number():
    """One event and two events are worded apart in English."""
    assert counted("en", "badge_events", 1) == "1 event"
    assert counted("en", "badge_events", 1234) == "1,234 events"
    assert counted("ja", "badge_events", 3) == "イベント 3件"


def test_text_of_unknown_key_is_an_error():
    """A misspelled key never shows up as a blank in a report."""
    with pytest.raises(KeyError):
        report_text("en", "no_such_text")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (12.345, "12.3"),
        (-3.14159, "−3.14"),
        (123_456.0, "123,456"),
        (0.00123, "0.00123"),
        (1.2e9, "1.20 × 10⁹"),
        (-4e-7, "−4.00 × 10⁻⁷"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_number_has_three_significant_digits(value, shown):
    """Numbers are short, with a true minus, and what is unknown is a dash."""
    assert number(value) == shown


@pytest.mark.parametrize(
    ("observed", "expected", "shown"),
    [
        (84.13, 61.02, ("84.1", "61.0", "+23.1")),
        (293.15, 293.40, ("293.1", "293.4", "−0.2")),
        (0.00123, 0.001, ("0.00123", "0.00100", "+0.00023")),
        (100.0, 100.0, ("100", "100", "0")),
        (123.565, 1.25685, ("124", "1.26", "+122")),
        (None, 3.0, ("–", "3.00", "–")),
        (math.nan, 3.0, ("–", "3.00", "–")),
        (0.0, 0.0, ("0", "0", "0")),
    ],
)
def test_comparison_shows_the_difference(observed, expected, shown):
    """Observed and expected share their decimals, and those show how far they lie apart."""
    assert comparison(observed, expected) == shown


@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.floats(-1e12, 1e12, allow_nan=False),
)
def test_comparison_never_fails(observed, expected):
    """Any two finite numbers can be written side by side."""
    assert all(comparison(observed, expected))


def test_percent_never_rounds_to_nothing_or_all():
    """A little is not 0 % and almost all is not 100 %."""
    assert percent(0.0, "en") == "0%"
    assert percent(0.0004, "en") == "<0.1%"
    assert percent(0.034, "en") == "3.4%"
    assert percent(0.5, "en") == "50%"
    assert percent(0.99999, "en") == ">99.9%"
    assert percent(1.0, "en") == "100%"
    assert (percent(0.0004, "ja"), percent(0.99999, "ja")) == ("0.1%未満", "99.9%超")


@pytest.mark.parametrize(
    ("length", "english", "japanese"),
    [
        (0.004, "<0.01 s", "0.01秒未満"),
        (12.34, "12.3 s", "12.3秒"),
        (60, "1 min", "1分"),
        (19_800, "5 h 30 min", "5時間30分"),
        (86_400, "1 d", "1日"),
        (90_061, "1 d 1 h", "1日1時間"),
    ],
)
def test_durations_have_two_units(length, english, japanese):
    """Durations are written with their two largest units."""
    assert seconds(length, "en") == english
    assert seconds(length, "ja") == japanese


def test_times_follow_language_zone_and_step():
    """A time is written in the log's zone, as the language writes it, as finely as the grid is."""
    assert clock().moment(NOON) == "12 Jun 2026, 21:00"
    assert clock("ja").moment(NOON) == "2026/06/12 21:00"
    assert clock("ja").long(NOON) == "2026年6月12日 21:00"
    assert clock(timezone=None).moment(NOON) == "12 Jun 2026, 12:00"
    assert clock(timezone="+05:30").moment(NOON) == "12 Jun 2026, 17:30"
    assert clock(step=SECOND_NS).moment(NOON + 5 * SECOND_NS) == "12 Jun 2026, 21:00:05"
    assert clock(step=10_000_000).moment(NOON + 250_000_000) == "12 Jun 2026, 21:00:00.250"
    assert clock(step=DAY_SECONDS * SECOND_NS).moment(NOON) == "12 Jun 2026"


def test_integer_times_are_numbers():
    """Where the log counts steps, times are counts and lengths are steps."""
    steps = clock(kind=TimeKind.ROW, timezone=None, step=1)
    assert steps.span(3, 12_345) == "3–12,345"
    assert steps.duration(1) == "1 step"
    assert clock("ja", kind=TimeKind.INTEGER, step=1).duration(1_200) == "1,200ステップ"
    assert steps.stamp("20240101") == "20240101"


def test_span_within_one_day_names_it_once():
    """A period inside a day repeats no date; a longer one does."""
    assert clock().span(NOON, NOON + 90 * MINUTE) == "12 Jun 2026, 21:00–22:30"
    assert clock("ja").span(NOON, NOON + 90 * MINUTE) == "2026/06/12 21:00～22:30"
    assert clock().span(NOON, NOON + 300 * MINUTE) == "12 Jun 2026, 21:00 – 13 Jun 2026, 02:00"


def test_stamp_is_shown_in_the_logs_zone():
    """Run times recorded in UTC are told in the zone of the log."""
    assert clock().stamp("2026-07-01T02:00:03+00:00") == "1 Jul 2026, 11:00"
    assert clock("ja").stamp("2026-07-01T02:00:03+00:00") == "2026/07/01 11:00"
    assert clock(timezone=None).stamp("2026-07-01T02:00:03+00:00") == "1 Jul 2026, 02:00 UTC"
    assert clock().stamp("yesterday") == "yesterday"


@pytest.mark.parametrize("name", ["../etc/passwd", "No/Such", "", "</script>"])
def test_unknown_zone_is_utc(name):
    """A zone name from a file never becomes a path or an error."""
    assert zone(name).utcoffset(None) is not None


def test_every_reason_of_a_grade_has_a_translation():
    """No grade is explained in English in a Japanese report."""
    draw = np.random.default_rng(5)
    noise = draw.standard_normal(1_009)
    columns = {
        "empty": np.full(1_009, np.nan),
        "constant": np.full(1_009, 3.0),
        "gap": np.where(np.arange(1_009) < 503, np.nan, noise),
        "stuck": np.where(np.arange(1_009) < 401, 1.5, noise),
        "jump": noise + np.where(np.arange(1_009) < 503, 0.0, 900.0),
        "unit": (noise + 50) * np.where(np.arange(1_009) < 503, 1.0, 100.0),
        "stretch": (noise + 50) * np.where(np.abs(np.arange(1_009) - 503) < 61, 100.0, 1.0),
        "switch": np.round(draw.random(1_009)),
        "outlier": np.where(np.arange(1_009) == 7, 999.0, noise),
    }
    grid = TimeGrid(TimeKind.ROW, 0, 1, 1_009)
    long = Series("", tuple(columns), grid, np.stack(list(columns.values()), axis=1), None)
    short = Series("s", ("a",), TimeGrid(TimeKind.ROW, 0, 1, 101), noise[:101, None], None)
    brief = Series("b", ("a",), TimeGrid(TimeKind.ROW, 0, 1, 23), noise[:23, None], None)
    schema = InputSchema(
        ("f",),
        "csv",
        None,
        None,
        None,
        None,
        LogKind.SAMPLES,
        None,
        TimeKind.ROW,
        None,
        None,
        (),
        ("a",),
        {},
        1,
    )
    log = Log(schema, (long, short, brief), ReadCounts(0, 0, {}, 0, 0, {}))
    reasons = {reason for quality in channel_qualities(log) for reason in quality.reasons}
    assert len(reasons) >= 9
    assert [reason for reason in reasons if note_text(reason, "ja") == note_text(reason, "en")] == []
