"""Order lines: ways to aggregate, categories, negative numbers, imports that came twice."""

import io
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logscan.config import InputConfig
from logscan.errors import UsageError
from logscan.evaluation.metrics import period_length
from logscan.read import read_log
from tests.conftest import Run
from tests.words import words

HEADER = "time,order,item,customer,quantity"


def order_lines(count=600, seed=5):
    """Lines of orders over some days: (minute, order, item, customer, quantity)."""
    draw = random.Random(seed)
    minute = 0
    lines = []
    for order in range(count):
        minute += draw.choice([0, 1, 3, 7, 19])
        for _ in range(draw.choice([1, 1, 2, 3])):
            item = draw.choice(["tea", "tea", "tea", "bread", "bread", "cake", "jam"])
            lines.append((minute, f"A{order}", item, f"C{draw.randrange(23)}", draw.choice([1, 2, 5])))
    return lines


def cells(lines):
    """The lines as cells of CSV."""
    clocks = [
        f"2024-03-{1 + line[0] // 1440:02d} {line[0] // 60 % 24:02d}:{line[0] % 60:02d}" for line in lines
    ]
    return [",".join([clock, *map(str, line[1:])]) for clock, line in zip(clocks, lines, strict=True)]


def read(rows, **config):
    """A log of events with a step of an hour."""
    data = "\n".join([HEADER, *rows]).encode()
    given = {"kind": "events", "every": "1h", "ignore": ("order",)} | config
    return read_log(["-"], InputConfig(**given), stdin=io.BytesIO(data))


def columns(log):
    """Channel -> its values."""
    series = log.series[0]
    return {name: series.values[:, place] for place, name in enumerate(series.channels)}


def hourly(lines):
    """Hour -> its lines."""
    hours = defaultdict(list)
    for line in lines:
        hours[line[0] // 60].append(line)
    first, last = min(hours), max(hours)
    return [hours[hour] for hour in range(first, last + 1)]


def test_every_way_equals_the_loop():
    """Sum, mean, count and distinct of a column are those of a plain loop; a mean of nothing is missing."""
    lines = order_lines()
    ways = ("quantity=sum", "quantity=mean", "quantity=count", "customer=distinct")
    found = columns(read(cells(lines), aggregate=ways))
    assert list(found) == ["count", "quantity", "quantity (mean)", "quantity (count)", "customer (distinct)"]
    hours = hourly(lines)
    quantities = [[line[4] for line in hour] for hour in hours]
    np.testing.assert_array_equal(found["count"], [len(hour) for hour in hours])
    np.testing.assert_array_equal(found["quantity"], [sum(some) for some in quantities])
    np.testing.assert_array_equal(found["quantity (count)"], [len(some) for some in quantities])
    np.testing.assert_array_equal(
        found["quantity (mean)"], [sum(some) / len(some) if some else np.nan for some in quantities]
    )
    np.testing.assert_array_equal(
        found["customer (distinct)"], [len({line[3] for line in hour}) for hour in hours]
    )


def test_categories_add_up_to_the_whole():
    """The most frequent values are counted apart, the rest together, and they sum to the total."""
    lines = order_lines()
    found = columns(read(cells(lines), split="item", top=2))
    assert [name for name in found if name.startswith("count")] == [
        "count",
        "count: tea",
        "count: bread",
        "count: (other)",
    ]
    for name in ("count", "quantity"):
        parts = [found[f"{name}: {value}"] for value in ("tea", "bread", "(other)")]
        np.testing.assert_allclose(sum(parts), found[name])
    tea = [sum(line[2] == "tea" for line in hour) for hour in hourly(lines)]
    np.testing.assert_array_equal(found["count: tea"], tea)


def test_named_categories_stand_even_where_none_came():
    """A category that a model knows is a channel of zeros in a log without it; an empty cell is of the rest."""
    rows = [*cells(order_lines(50)), "2024-03-01 00:00,Z,,C1,4"]
    log = read(rows, split="item", categories=("coffee", "tea"))
    found = columns(log)
    assert log.schema.shaping.categories == ("coffee", "tea")
    assert not found["count: coffee"].any()
    np.testing.assert_allclose(found["count: tea"] + found["count: (other)"], found["count"])


def test_negative_numbers_are_counted_apart_and_said():
    """Returns are a channel of their own, the sum stays net, and a note says so; a few are not enough."""
    lines = order_lines()
    back = [(minute, f"R{order}", item, who, -3) for minute, order, item, who, _ in lines[100:109]]
    log = read(cells(lines + back))
    found = columns(log)
    assert list(found) == ["count", "quantity", "quantity (negative)"]
    assert found["quantity (negative)"].sum() == 9
    assert found["quantity"].sum() == sum(line[4] for line in lines) - 27
    assert any("'quantity' is negative in 9 rows" in note for note in words(log.notes))
    assert list(columns(read(cells(lines + back[:4])))) == ["count", "quantity"]
    assert list(columns(read(cells(lines + back), negatives=()))) == ["count", "quantity"]
    forced = columns(read(cells(lines), negatives=("quantity",)))
    assert not forced["quantity (negative)"].any()


@pytest.mark.parametrize("times", [2, 3, 4])
def test_an_import_that_came_again_changes_nothing(times):
    """The whole log once more, or twice, is dropped, counted and said."""
    rows = cells(order_lines())
    once, more = read(rows), read(rows * times)
    np.testing.assert_array_equal(once.series[0].values, more.series[0].values)
    assert words(more.counts.dropped) == {"repeat an import": (times - 1) * len(rows)}
    assert more.counts.rows_used == len(rows)
    assert any("came twice" in note for note in words(more.notes))
    kept = read(rows * times, repeats="count")
    np.testing.assert_array_equal(times * once.series[0].values, kept.series[0].values)


def test_a_block_that_comes_again_is_dropped_alone():
    """Only the copies of a repeated stretch go, wherever they stand; the order of files does not matter."""
    rows = cells(order_lines())
    once = read(rows).series[0].values
    block = rows[200:500]
    for more in (rows + block, block + rows, rows[:700] + block + rows[700:]):
        log = read(more)
        np.testing.assert_array_equal(once, log.series[0].values)
        assert words(log.counts.dropped) == {"repeat an import": len(block)}


def test_orders_written_twice_at_once_are_counted():
    """Copies that lie beside one another are what the order system wrote: counted, said, dropped on request."""
    rows = cells(order_lines())
    twice = [row for row in rows for _ in range(2)]
    log = read(twice)
    assert words(log.counts.dropped) == {}
    assert log.series[0].values[:, 0].sum() == len(twice)
    assert any(f"{len(twice) - len(set(rows)):,} rows are exact copies" in note for note in words(log.notes))
    dropped = read(twice, repeats="drop")
    assert dropped.series[0].values[:, 0].sum() == len(set(rows))


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_shuffled_rows_give_the_same_series(draw):
    """The order of rows changes nothing, with categories, negatives and different values too."""
    lines = order_lines(150)
    rows = cells([*lines, *((minute, "R", item, who, -1) for minute, _, item, who, _ in lines[:7])])
    shape = {"split": "item", "top": 2, "aggregate": ("customer=distinct", "quantity=mean")}
    expected = read(rows, **shape)
    shuffled = list(rows)
    draw.shuffle(shuffled)
    found = read(shuffled, **shape)
    assert found.series[0].channels == expected.series[0].channels
    np.testing.assert_allclose(found.series[0].values, expected.series[0].values)


@pytest.mark.parametrize(
    ("config", "fact"),
    [
        ({"aggregate": ("last",)}, "--aggregate last: 'last' is no way to aggregate events"),
        ({"aggregate": ("distinct",)}, "--aggregate distinct: 'distinct' needs a column"),
        ({"aggregate": ("quantit=mean",)}, "no column 'quantit'"),
        ({"split": "itm"}, "no column 'itm'"),
        ({"categories": ("tea",)}, "categories: given without a column"),
        ({"status": "item"}, "--status: only readings have a status"),
        ({"kind": "samples", "split": "item"}, "--split: only events can be counted by category"),
    ],
)
def test_what_events_cannot_do_is_refused(config, fact):
    """Options that name nothing or do not fit say so."""
    with pytest.raises(UsageError) as refused:
        read(cells(order_lines(50)), **config)
    assert fact in str(refused.value)


def test_evaluate_reads_the_input_of_split_events_again(bench: Path, logscan: Run) -> None:
    """Channels that were made from events are no columns; the first real column, or the count, is read again."""
    lines = order_lines(900)
    back = [(minute, "R", item, who, -1) for minute, _, item, who, _ in lines[:40]]
    (bench / "o.csv").write_text("\n".join([HEADER, *cells(lines + back)]))
    (bench / "labels.csv").write_text("start,end\n2024-03-03 05:00,2024-03-03 09:00\n")
    shape = ["--kind", "events", "--every", "1h", "--split", "item", "--ignore", "order"]
    assert logscan("train", "o.csv", "--model", "m", "--no-fit", *shape).code == 0
    assert logscan("score", "o.csv", "--model", "m", "--out", "s.csv").code == 0
    found = logscan("evaluate", "s.csv", "--labels", "labels.csv", "--json")
    assert found.code == 0
    log = read(cells(lines + back), channels=("quantity",))
    period = period_length(log.series[0].values[:, 0])
    assert json.loads(found.out)["window"] == period
