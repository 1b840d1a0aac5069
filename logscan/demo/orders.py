"""An office-supply shop that never was: order lines of 180 days, as its order system exports them (CP932).

One order holds one to four lines with the same time and number. The week, the hour, holidays,
promotions, closing day and slow growth are normal; everything in `_FAULTS` is labelled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from logscan.demo.draws import Draws
from logscan.demo.labels import Fault, Sample
from logscan.records import F64, I64, Bool
from logscan.time_units import HOUR_SECONDS

SEED = 20250401
START = datetime(2025, 4, 1)  # noqa: DTZ001 - the shop writes wall clock
TRAIN_UNTIL = START + timedelta(days=90)
DAYS = 180
ENCODING = "cp932"
COLUMNS = ("注文日時", "注文番号", "顧客コード", "分類", "数量", "金額")

_SLOT_MINUTES = 10
_SLOTS_A_DAY = 1440 // _SLOT_MINUTES
_SLOTS = DAYS * _SLOTS_A_DAY
_CUSTOMERS = 320
_ORDERS_A_DAY = 240.0  # on a plain weekday

# Category, share of lines, mean quantity above one, price of one piece in yen.
_CATEGORIES = (
    ("飲料", 0.24, 11.0, 110),
    ("用紙", 0.23, 4.0, 480),
    ("文具", 0.22, 3.0, 190),
    ("食品", 0.17, 5.0, 260),
    ("洗剤", 0.09, 2.0, 420),
    ("什器", 0.05, 0.3, 6800),
)
_DRINKS, _PAPER = 0, 1
# Relative orders by hour of the day: an office's day with a dip at noon, a few web orders at night.
_MORNING = (0.05, 0.03, 0.02, 0.02, 0.02, 0.04, 0.10, 0.30, 0.85, 1.60, 1.75, 1.50)
_AFTERNOON = (0.80, 1.35, 1.50, 1.45, 1.35, 1.05, 0.55, 0.30, 0.25, 0.22, 0.16, 0.09)
_WEEKDAYS = (1.08, 1.02, 0.98, 1.0, 1.06, 0.42, 0.26)
_HOLIDAYS = tuple(
    date.fromisoformat(f"2025-{day}")
    for day in ("04-29", "05-03", "05-04", "05-05", "05-06", "07-21", "08-11", "09-15", "09-23")
)
_SUMMER_BREAK = tuple(date(2025, 8, day) for day in (13, 14, 15, 16))
_PROMOTIONS = tuple(
    date.fromisoformat(f"2025-{first}") + timedelta(days=day)
    for first in ("04-16", "05-21", "06-18", "07-16", "09-10")
    for day in range(3)
)


def _fault(start: str, end: str, name: str, *channels: str) -> Fault:
    return Fault(datetime.fromisoformat(start), datetime.fromisoformat(end), name, channels)


_OUTAGE = _fault("2025-07-08 10:20", "2025-07-08 16:10", "outage", "数量", "金額")
_DOUBLE = _fault("2025-07-24 00:00", "2025-07-26 00:00", "double_import", "数量", "金額")
_SLIDE = _fault("2025-08-18 00:00", "2025-09-01 00:00", "slow_slide", "数量", "金額")
_SLIP = _fault("2025-09-03 00:00", "2025-09-04 00:00", "quantity_times_ten", "数量")
_GONE = _fault("2025-09-16 08:00", "2025-09-19 18:00", "category_missing", "数量", "金額")
_CLOCK = _fault("2025-09-24 00:00", "2025-09-26 09:00", "clock_nine_hours_ahead", "数量", "金額")
_FAULTS = (_OUTAGE, _DOUBLE, _SLIDE, _SLIP, _GONE, _CLOCK)
_CLOCK_SHIFT_SECONDS = 9 * HOUR_SECONDS
_SLIDE_DEPTH = 0.5  # of the orders are gone at its end


@dataclass(frozen=True, slots=True)
class _Lines:
    """Order lines, by time; all (lines,)."""

    seconds: I64  # since START
    order: I64
    customer: I64
    category: I64
    quantity: I64
    amount_yen: I64

    def where(self, kept: Bool | I64) -> _Lines:
        """The lines chosen by a mask or by indices."""
        return _Lines(
            self.seconds[kept],
            self.order[kept],
            self.customer[kept],
            self.category[kept],
            self.quantity[kept],
            self.amount_yen[kept],
        )


def _second(moment: datetime) -> int:
    return int((moment - START).total_seconds())


def _inside(seconds: I64, fault: Fault) -> Bool:
    return (seconds >= _second(fault.start)) & (seconds < _second(fault.end))


def _day_rates(draws: Draws) -> F64:
    """Orders expected on each day, (DAYS,)."""
    rates = np.empty(DAYS)
    for day in range(DAYS):
        today = START.date() + timedelta(days=day)
        factor = _WEEKDAYS[today.weekday()]
        if today in _HOLIDAYS or today in _SUMMER_BREAK:
            factor = min(factor, 0.3)
        if today in _PROMOTIONS:
            factor *= 1.45
        # Offices order before they close the month.
        if (today + timedelta(days=4)).month != today.month:
            factor *= 1.12
        rates[day] = _ORDERS_A_DAY * factor * (1.0 + 0.0003 * day)
    return np.asarray(rates * (1.0 + 0.05 * draws.normal(DAYS)))


def _order_seconds(draws: Draws) -> I64:
    """The time of every order, ascending, (orders,)."""
    by_hour = np.asarray(_MORNING + _AFTERNOON)
    by_hour /= by_hour.sum()
    by_slot = np.repeat(by_hour, 60 // _SLOT_MINUTES) / (60 // _SLOT_MINUTES)
    rates = (_day_rates(draws)[:, np.newaxis] * by_slot).ravel()
    rates = rates * (1.0 + np.clip(draws.wander(_SLOTS, 0.08, 12.0), -0.5, 0.5))

    slot_seconds = np.arange(_SLOTS) * _SLOT_MINUTES * 60
    sliding = _inside(slot_seconds, _SLIDE)
    rates[sliding] *= 1.0 - _SLIDE_DEPTH * np.linspace(0.0, 1.0, int(sliding.sum()))
    counts = draws.poisson(rates)
    within = np.floor(draws.uniform(int(counts.sum())) * _SLOT_MINUTES * 60).astype(np.int64)
    return np.sort(np.repeat(slot_seconds, counts) + within)


def _lines(draws: Draws) -> _Lines:
    """What was ordered, before anything went wrong with it."""
    times = _order_seconds(draws)
    customers = draws.choice(times.size, np.reciprocal(np.arange(5.0, 5.0 + _CUSTOMERS)))
    lines_an_order = 1 + draws.choice(times.size, np.asarray((0.52, 0.28, 0.13, 0.07)))
    order = np.repeat(np.arange(times.size), lines_an_order)
    category = draws.choice(order.size, np.asarray([share for _, share, _, _ in _CATEGORIES]))
    mean_extra = np.asarray([extra for _, _, extra, _ in _CATEGORIES])[category]
    price = np.asarray([yen for _, _, _, yen in _CATEGORIES])[category]
    # A product is a third cheaper or dearer than its category; its price is in tens of yen.
    unit_yen = np.round(price * (0.67 + 0.66 * draws.uniform(order.size)) / 10.0).astype(np.int64) * 10
    quantity = 1 + np.floor(mean_extra * 2.0 * draws.uniform(order.size) ** 1.5 + 0.5).astype(np.int64)
    return _Lines(times[order], order, customers[order], category, quantity, quantity * unit_yen)


def _with_faults(lines: _Lines) -> _Lines:
    """The lines as they reached the order system."""
    seconds = lines.seconds
    gone = _inside(seconds, _OUTAGE) | (_inside(seconds, _GONE) & (lines.category == _DRINKS))
    slipped = _inside(seconds, _SLIP) & (lines.category == _PAPER)
    quantity = np.where(slipped, lines.quantity * 10, lines.quantity)
    # Stamped by a clock nine hours ahead; the last of them carry the time at which the fault ends.
    ahead = _inside(seconds + _CLOCK_SHIFT_SECONDS, _CLOCK) & (seconds >= _second(_CLOCK.start))
    late = np.where(ahead, seconds + _CLOCK_SHIFT_SECONDS, seconds)
    stamped = replace(lines, seconds=late, quantity=quantity).where(~gone)
    twice = 1 + _inside(stamped.seconds, _DOUBLE).astype(np.int64)
    doubled = stamped.where(np.repeat(np.arange(twice.size), twice))
    return doubled.where(np.argsort(doubled.seconds, kind="stable"))


def _quantity_cells(lines: _Lines, draws: Draws) -> list[str]:
    """The quantities as text; a few were left empty or hold a word."""
    cells = [str(quantity) for quantity in lines.quantity.tolist()]
    lot = draws.uniform(len(cells))
    for line in np.flatnonzero(lot < 0.0006).tolist():
        cells[line] = "取消" if lot[line] < 0.0002 else ""
    return cells


def orders() -> Sample:
    """The shop's log of order lines: the same bytes at every call."""
    draws = Draws(SEED)
    lines = _with_faults(_lines(draws))
    days = [f"{START + timedelta(days=day):%Y/%m/%d}" for day in range(DAYS + 1)]
    categories = [name for name, _, _, _ in _CATEGORIES]
    rows = zip(
        lines.seconds.tolist(),
        lines.order.tolist(),
        lines.customer.tolist(),
        lines.category.tolist(),
        _quantity_cells(lines, draws),
        lines.amount_yen.tolist(),
        strict=True,
    )
    text = [",".join(COLUMNS)]
    for second, order, customer, category, quantity, amount in rows:
        clock = f"{second // HOUR_SECONDS % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        head = f"{days[second // 86400]} {clock},A{order + 10001},C{customer + 1:04d}"
        text.append(f"{head},{categories[category]},{quantity},{amount}")
    return Sample(("\r\n".join(text) + "\r\n").encode(ENCODING), _FAULTS, TRAIN_UNTIL)
