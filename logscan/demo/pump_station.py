"""A pump station that never was: eight sensors, one row a minute, thirty days.

A pump lifts water through a control valve into a tank, and the town draws from the tank:

    shift plan, level ─ valve ─ flow ─ pressures, current ─ motor temperature (lags)
                                  └── level ── (back to the valve)

Everything in `_FAULTS` is labelled. Shifts, weekends, maintenance stops, the cooling of September,
gaps and unreadable cells are normal and are not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from logscan.demo.draws import Draws
from logscan.demo.labels import Fault, Sample
from logscan.records import F64, Bool

SEED = 20250905
START = datetime(2025, 9, 5)  # noqa: DTZ001 - loggers write wall clock; a Friday, so that two weekends are clean
TRAIN_UNTIL = START + timedelta(days=12)
MINUTES = 30 * 1440

_DECIMALS = {
    "bearing_vibration_mm_s": 2,
    "motor_current_a": 1,
    "motor_temp_c": 1,
    "inlet_pressure_bar": 3,
    "outlet_pressure_bar": 2,
    "flow_m3_h": 1,
    "tank_level_m": 3,
    "valve_position_pct": 1,
}
CHANNELS = tuple(_DECIMALS)
_VIBRATION, _CURRENT, _TEMPERATURE, _INLET, _OUTLET, _FLOW, _LEVEL, _VALVE = range(8)


def _fault(start: str, end: str, name: str, *channels: int) -> Fault:
    return Fault(
        datetime.fromisoformat(start), datetime.fromisoformat(end), name, tuple(CHANNELS[c] for c in channels)
    )


_STUCK = _fault("2025-09-18 19:10", "2025-09-19 09:00", "valve_stuck", _VALVE, _LEVEL)
_VALVE_FREED = "2025-09-19 02:40"  # the tank needs the rest of the fault to come back
_LEAK = _fault("2025-09-21 08:30", "2025-09-21 18:45", "leak", _FLOW, _OUTLET, _LEVEL)
_FROZEN = _fault("2025-09-23 03:15", "2025-09-23 13:30", "sensor_frozen", _TEMPERATURE)
_UNIT = _fault("2025-09-25 08:00", "2025-09-25 13:00", "unit_change_bar_to_kpa", _INLET)
_BEARING = _fault("2025-09-26 12:00", "2025-09-28 10:00", "bearing_wear", _VIBRATION, _TEMPERATURE)
_CAVITATION = _fault(
    "2025-09-30 14:20", "2025-09-30 17:40", "cavitation", _INLET, _VIBRATION, _FLOW, _CURRENT
)
_HUNTING = _fault("2025-10-02 10:00", "2025-10-02 12:30", "valve_hunting", _VALVE, _FLOW, _OUTLET)
_FAULTS = (_STUCK, _LEAK, _FROZEN, _UNIT, _BEARING, _CAVITATION, _HUNTING)

# Planned stops: start and minutes, every other weekday or so. Seven of them in the training part; the long
# one of 28 September is the repair.
_STOPS = (
    ("2025-09-05 10:10", 70),
    ("2025-09-08 09:10", 95),
    ("2025-09-09 13:20", 60),
    ("2025-09-11 13:30", 50),
    ("2025-09-13 08:20", 100),
    ("2025-09-15 08:50", 75),
    ("2025-09-16 10:05", 75),
    ("2025-09-18 09:30", 65),
    ("2025-09-20 08:15", 90),
    ("2025-09-24 13:10", 60),
    ("2025-09-26 09:20", 80),
    ("2025-09-28 10:00", 120),
    ("2025-09-30 09:10", 70),
    ("2025-10-03 09:30", 85),
)
# The logger was off: no rows.
_LOGGER_OFF = (
    ("2025-09-07 02:10", 25),
    ("2025-09-12 16:40", 140),
    ("2025-09-22 04:00", 40),
    ("2025-09-26 01:30", 200),
    ("2025-10-01 11:00", 15),
)
# One channel unreadable for a while: start, minutes, channel, what the logger wrote.
_UNREADABLE = (
    ("2025-09-10 05:20", 35, _LEVEL, ""),
    ("2025-09-15 17:05", 9, _OUTLET, "ERR"),
    ("2025-09-23 18:00", 8, _CURRENT, "ERR"),
)

_LEVEL_GOAL_M = 3.5
_TANK_AREA_M2 = 110.0
_SHUTOFF_BAR = 6.2  # head of the pump at no flow
_PUMP_CURVE = 1.2e-4  # bar lost per (m³/h)²
_VALVE_KV = 0.9  # m³/h per √bar and percent open
_LINE_BAR = 3.2  # back pressure of the line at an empty tank
_LEAK_RELIEF = 0.035  # bar of back pressure lost per m³/h that leaks behind the valve
_VALVE_SPEED_PCT = 4.0  # per minute


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the world does to the station, one value a minute, (MINUTES,)."""

    plan_m3_h: F64
    demand_m3_h: F64
    ambient_c: F64
    suction_bar: F64
    running: Bool
    stuck: Bool
    leak_m3_h: F64
    swing_pct: F64  # the controller hunting
    wear: F64  # of the bearing, 0..1


def _minute(text: str) -> int:
    return int((datetime.fromisoformat(text) - START).total_seconds()) // 60


def _span(fault: Fault) -> slice:
    return slice(_minute(str(fault.start)), _minute(str(fault.end)))


def _progress(fault: Fault) -> F64:
    """From 0 to 1 through the fault, 0 outside, (MINUTES,)."""
    span = _span(fault)
    progress = np.zeros(MINUTES)
    progress[span] = np.linspace(0.0, 1.0, span.stop - span.start)
    return progress


def _plan(draws: Draws) -> F64:
    """The flow planned for each shift, m³/h: three shifts, a noon dip, quieter weekends."""
    minutes = np.arange(MINUTES)
    late = np.repeat(np.round(5.0 * draws.normal(MINUTES // 1440)), 1440)  # nobody hands over to the minute
    hour = (minutes % 1440 - late) / 60.0
    weekday = (minutes // 1440 + START.weekday()) % 7
    plan = np.where((hour >= 6) & (hour < 14), 88.0, np.where((hour >= 14) & (hour < 22), 76.0, 46.0))
    plan = np.where((hour >= 12) & (hour < 12.75), plan - 10.0, plan)
    plan = np.where(weekday == 5, plan * 0.8, plan)
    return np.where(weekday == 6, plan * 0.68, plan)


def _inputs(draws: Draws) -> _Inputs:
    """The weather, the town and the faults."""
    minutes = np.arange(MINUTES)
    day = minutes / 1440.0
    plan = _plan(draws)
    running = np.ones(MINUTES, dtype=np.bool_)
    for start, length in _STOPS:
        running[_minute(start) : _minute(start) + length] = False
    # People come and go over half an hour; during a planned stop the large consumers wait.
    arrivals = np.convolve(np.pad(plan, 20, mode="edge"), np.full(41, 1.0 / 41.0), mode="valid")
    demand = (arrivals + draws.wander(MINUTES, 3.5, 90.0)) * np.where(running, 1.0, 0.45)
    ambient = 24.0 - 0.13 * day + 3.2 * np.sin(2 * np.pi * (day - 0.4)) + draws.wander(MINUTES, 0.7, 600.0)
    suction = 1.25 + 0.04 * np.sin(2 * np.pi * (day - 0.15)) + draws.wander(MINUTES, 0.02, 180.0)
    cavitation = _progress(_CAVITATION)
    suction -= 0.38 * np.minimum(1.0, 5.0 * cavitation) * (cavitation > 0)
    leak = _progress(_LEAK)
    stuck = np.zeros(MINUTES, dtype=np.bool_)
    stuck[_span(_STUCK).start : _minute(_VALVE_FREED)] = True
    swing = np.zeros(MINUTES)
    swing[_span(_HUNTING)] = 7.0
    return _Inputs(
        plan_m3_h=plan,
        demand_m3_h=demand,
        ambient_c=ambient,
        suction_bar=suction,
        running=running,
        stuck=stuck,
        leak_m3_h=25.0 * np.minimum(1.0, 8.0 * leak),
        swing_pct=swing * np.sin(2 * np.pi * minutes / 11.0),
        wear=_progress(_BEARING),
    )


def _flow(valve_pct: float, head_bar: float) -> float:
    """The flow of the pump, m³/h, where its curve meets the valve: `(a + 1 / kv²) q² = head`."""
    kv = _VALVE_KV * max(valve_pct, 0.5)
    return math.sqrt(head_bar / (_PUMP_CURVE + 1.0 / (kv * kv)))


def _simulate(world: _Inputs) -> F64:
    """The station minute by minute, without the noise of its sensors, (MINUTES, 8)."""
    states = np.empty((MINUTES, len(CHANNELS)))
    valve, level, temperature, outlet = 30.0, _LEVEL_GOAL_M, 40.0, 6.0
    rows = zip(
        world.plan_m3_h.tolist(),
        world.demand_m3_h.tolist(),
        world.ambient_c.tolist(),
        world.suction_bar.tolist(),
        world.running.tolist(),
        world.stuck.tolist(),
        world.leak_m3_h.tolist(),
        world.swing_pct.tolist(),
        world.wear.tolist(),
        strict=True,
    )
    for minute, (plan, demand, ambient, suction, running, stuck, leak, swing, wear) in enumerate(rows):
        if not stuck:
            goal = 0.63 * plan + 12.0 * (_LEVEL_GOAL_M - level) + swing if running else 0.0
            step = min(max(goal - valve, -_VALVE_SPEED_PCT), _VALVE_SPEED_PCT)
            valve = min(max(valve + step, 0.0), 100.0)
        if running:
            back = _LINE_BAR + 0.1 * level - _LEAK_RELIEF * leak
            flow = _flow(valve, suction + _SHUTOFF_BAR - back)
            inlet = suction - 1e-5 * flow * flow
            outlet = inlet + _SHUTOFF_BAR - _PUMP_CURVE * flow * flow
            current = 14.0 + 0.21 * flow + 0.8 * wear
            vibration = 1.6 + 2.5e-4 * (flow - 75.0) ** 2
            heat = 0.028 * current * current + 9.0 * max(0.0, wear - 0.6) / 0.4
            temperature += (ambient + heat - temperature) / 50.0
        else:
            flow, current, vibration, inlet = 0.0, 0.0, 0.05, suction
            outlet += (suction - outlet) / 4.0
            temperature += (ambient - temperature) / 110.0
        level = max(0.0, level + (flow - leak - demand) / _TANK_AREA_M2 / 60.0)
        states[minute] = (vibration, current, temperature, inlet, outlet, flow, level, valve)
    return states


def _measured(states: F64, world: _Inputs, draws: Draws) -> F64:
    """What the sensors show of the states, with their noise and their faults, (MINUTES, 8)."""
    seen = states.copy()
    on = world.running.astype(np.float64)
    spreads = (0.05, 0.15, 0.12, 0.004, 0.02, 0.5, 0.006, 0.15)
    for channel, spread in enumerate(spreads):
        seen[:, channel] += spread * draws.normal(MINUTES) * (on if channel in (_CURRENT, _FLOW) else 1.0)
    seen[:, _CURRENT] *= 1.0 + draws.wander(MINUTES, 0.006, 240.0)  # the mains voltage
    seen[:, _VIBRATION] *= 1.0 + draws.wander(MINUTES, 0.04, 15.0) * on

    # A worn bearing: louder, with more and more single knocks.
    knocks = draws.uniform(MINUTES) < 0.10 * world.wear * on
    seen[:, _VIBRATION] += on * (1.25 * world.wear + knocks * (0.3 + 0.9 * draws.uniform(MINUTES)))
    # Bubbles in the pump: everything it drives shakes.
    shake = np.minimum(1.0, 5.0 * _progress(_CAVITATION))
    seen[:, _VIBRATION] += shake * (0.35 + 0.30 * np.abs(draws.normal(MINUTES)))
    rough = draws.normal(MINUTES) * shake
    seen[:, _FLOW] += 2.2 * rough - 2.0 * shake
    seen[:, _CURRENT] += 0.6 * rough
    seen[:, _OUTLET] += 0.06 * rough

    frozen = _span(_FROZEN)
    seen[frozen, _TEMPERATURE] = seen[frozen.start, _TEMPERATURE]
    seen[_span(_UNIT), _INLET] *= 100.0
    return np.maximum(seen, 0.0)


def _kept_rows(draws: Draws) -> Bool:
    """The minutes for which the logger wrote a row, (MINUTES,)."""
    kept = draws.uniform(MINUTES) >= 0.0015
    for start, length in _LOGGER_OFF:
        kept[_minute(start) : _minute(start) + length] = False
    kept[0] = True
    return kept


def _cells(seen: F64, draws: Draws) -> list[list[str]]:
    """The text of every cell, one list per channel; a few are empty or unreadable."""
    columns = []
    for channel, decimals in enumerate(_DECIMALS.values()):
        column = [f"{value:.{decimals}f}" for value in seen[:, channel].tolist()]
        lot = draws.uniform(MINUTES)
        for minute in np.flatnonzero(lot < 0.0012).tolist():
            column[minute] = "ERR" if lot[minute] < 0.0002 else ""
        columns.append(column)
    for start, length, channel, text in _UNREADABLE:
        first = _minute(start)
        columns[channel][first : first + length] = [text] * length
    return columns


def pump_station() -> Sample:
    """The pump station's log: the same bytes at every call."""
    draws = Draws(SEED)
    world = _inputs(draws)
    seen = _measured(_simulate(world), world, draws)
    columns = _cells(seen, draws)
    kept = np.flatnonzero(_kept_rows(draws)).tolist()
    lines = [",".join(("time", *CHANNELS))]
    rows = list(zip(*columns, strict=True))
    lines += [f"{START + timedelta(minutes=m):%Y-%m-%d %H:%M}," + ",".join(rows[m]) for m in kept]
    return Sample(("\n".join(lines) + "\n").encode(), _FAULTS, TRAIN_UNTIL)
