"""The shipped samples: the same bytes everywhere, and every fault is what its label says."""

import csv
import io
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from logscan.demo.draws import Draws
from logscan.demo.labels import Fault, Sample
from logscan.demo.orders import orders
from logscan.demo.pump_station import pump_station
from logscan.demo.samples import SAMPLES, write_samples
from logscan.errors import OutputError

SHIPPED = Path(__file__).parents[2] / "sample_data"


@pytest.fixture(scope="module")
def samples() -> dict[str, Sample]:
    """Both samples, made once."""
    return {name: make() for name, make in SAMPLES.items()}


@pytest.fixture(scope="module")
def pump(samples):
    """The pump log as numbers, NaN where a cell is none."""
    log = pd.read_csv(
        io.BytesIO(samples["pump_station"].csv), index_col="time", parse_dates=["time"], dtype=str
    )
    return log.apply(pd.to_numeric, errors="coerce")


@pytest.fixture(scope="module")
def lines(samples):
    """The order lines by time."""
    log = pd.read_csv(io.BytesIO(samples["orders"].csv), encoding="cp932", dtype={"注文番号": str})
    log["注文日時"] = pd.to_datetime(log["注文日時"], format="%Y/%m/%d %H:%M:%S")
    log["数量"] = pd.to_numeric(log["数量"], errors="coerce")
    return log.set_index("注文日時")


@pytest.fixture(scope="module")
def faults(samples) -> dict[str, Fault]:
    """All faults by name."""
    return {fault.name: fault for sample in samples.values() for fault in sample.faults}


def during(log: pd.DataFrame, fault: Fault, later: timedelta = timedelta(0)) -> pd.DataFrame:
    """The rows inside a fault, or inside its shadow some time later (earlier when negative)."""
    return log[(log.index >= fault.start + later) & (log.index < fault.end + later)]


def test_shipped_files_are_what_the_generator_makes(samples):
    """The committed samples have exactly the bytes that the generator makes."""
    for name, sample in samples.items():
        assert (SHIPPED / f"{name}.csv").read_bytes() == sample.csv
        assert (SHIPPED / f"{name}.labels.csv").read_bytes() == sample.labels_csv()


def test_write_samples_makes_the_shipped_folder(tmp_path):
    """Where there is no sample_data, as in a wheel, the same files can be made anywhere."""
    write_samples(tmp_path / "new" / "samples")
    made = {path.name: path.read_bytes() for path in (tmp_path / "new" / "samples").iterdir()}
    assert made == {path.name: path.read_bytes() for path in SHIPPED.glob("*.csv")}


def test_write_samples_into_a_file_is_an_output_error(tmp_path):
    """A path that is a file is refused with place, fact and remedy."""
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError) as caught:
        write_samples(tmp_path / "taken")
    assert (
        str(caught.value)
        == f"{tmp_path / 'taken'}: cannot be made a folder (File exists); name another folder"
    )


def test_samples_stay_small():
    """The whole folder stays under 8 MB."""
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 8e6


@pytest.mark.parametrize("make", [pump_station, orders])
def test_labels_are_apart_ordered_and_after_the_training_part(make):
    """Faults lie after the clean training part, in order, on channels that exist."""
    sample = make()
    header = sample.csv.split(b"\n", 1)[0].decode("cp932").strip().split(",")
    edges = [sample.train_until]
    for fault in sample.faults:
        edges += [fault.start, fault.end]
        assert timedelta(hours=1) <= fault.end - fault.start <= timedelta(days=14)
        assert set(fault.channels) <= set(header)
    assert edges == sorted(edges)
    assert len({fault.name for fault in sample.faults}) == len(sample.faults)


def test_label_file_reads_back(samples):
    """The label file holds every fault with its times, name and channels."""
    for sample in samples.values():
        rows = csv.DictReader(io.StringIO(sample.labels_csv().decode()))
        back = tuple(
            Fault(
                datetime.fromisoformat(row["start"]),
                datetime.fromisoformat(row["end"]),
                row["name"],
                tuple(row["channels"].split(";")),
            )
            for row in rows
        )
        assert back == sample.faults


def test_pump_log_is_a_month_of_minutes_with_gaps(pump):
    """The pump log has eight sensors, one row a minute with gaps, and a few cells that are no numbers."""
    assert pump.shape[1] == 8
    assert pump.index.is_monotonic_increasing
    assert pump.index.is_unique
    assert 42_500 < len(pump) < 43_200
    assert pump.index.to_series().diff().max() > timedelta(hours=3)
    assert pump.isna().to_numpy().any(axis=0).all()
    assert pump.isna().to_numpy().mean() < 0.005


def test_pump_log_holds_unreadable_cells(samples):
    """Some cells hold the logger's ERR, some hold nothing."""
    assert samples["pump_station"].csv.count(b"ERR") > 20
    assert samples["pump_station"].csv.count(b",,") > 100


def test_pump_stops_are_in_both_parts(pump, samples):
    """Maintenance stops occur in the clean part and after it."""
    until = samples["pump_station"].train_until
    stopped = pump["motor_current_a"] < 1.0
    assert stopped[pump.index < until].sum() > 100
    assert stopped[pump.index >= until].sum() > 100


def test_pump_sensor_frozen_repeats_one_value(pump, faults):
    """The frozen sensor shows one value all through its fault, and moves before it."""
    fault = faults["sensor_frozen"]
    frozen = during(pump, fault)[fault.channels[0]]
    assert frozen.min() == frozen.max()
    assert during(pump, fault, -timedelta(days=1))[fault.channels[0]].nunique() > 20


def test_pump_unit_change_is_a_factor_of_a_hundred(pump, faults):
    """Pressures in kPa are a hundred times those in bar."""
    fault = faults["unit_change_bar_to_kpa"]
    ratio = during(pump, fault).median() / during(pump, fault, -timedelta(days=7)).median()
    assert ratio[fault.channels[0]] == pytest.approx(100.0, rel=0.1)


def test_pump_valve_stuck_holds_its_position(pump, faults):
    """The stuck valve stays where it is over a change of shift, and the tank overfills."""
    fault = faults["valve_stuck"]
    held = during(pump, fault)[: fault.start + timedelta(hours=7)]
    assert held["valve_position_pct"].std() < 0.3
    assert held["tank_level_m"].iloc[-1] > pump["tank_level_m"][: fault.start].max() + 0.5


def test_pump_leak_lowers_the_tank_at_more_flow(pump, faults):
    """While it leaks, the flow at a given valve position is higher than ever before, and the level falls."""
    fault = faults["leak"]
    leaking, before = during(pump, fault), pump[(pump.index < fault.start) & (pump["flow_m3_h"] > 40.0)]
    gain = leaking["flow_m3_h"].median() / leaking["valve_position_pct"].median()
    near = (before["valve_position_pct"] - leaking["valve_position_pct"].median()).abs() < 2.0
    assert gain > 1.05 * (before["flow_m3_h"] / before["valve_position_pct"])[near].median()
    assert leaking["tank_level_m"].iloc[-1] < leaking["tank_level_m"].iloc[0] - 0.4


def test_pump_bearing_wear_grows(pump, faults):
    """Vibration rises through the fault and is back to normal after the repair."""
    fault = faults["bearing_wear"]
    vibration = during(pump, fault)["bearing_vibration_mm_s"].dropna().rolling(360).median().iloc[359::360]
    assert vibration.iloc[-1] > 1.6 * vibration.iloc[0]
    after = pump["bearing_vibration_mm_s"][fault.end + timedelta(hours=3) : fault.end + timedelta(hours=27)]
    assert after.median() == pytest.approx(vibration.iloc[0], rel=0.15)


@pytest.mark.parametrize(("name", "channel"), [("cavitation", "flow_m3_h"), ("valve_hunting", "flow_m3_h")])
def test_pump_flow_shakes_in_rough_faults(pump, faults, name, channel):
    """Cavitation and a hunting controller make the flow jump from minute to minute."""
    inside = during(pump, faults[name])[channel].diff().abs().median()
    assert inside > 2.0 * pump[channel].diff().abs().median()


def test_orders_are_japanese_and_not_utf8(samples, lines):
    """The order log is CP932 with Japanese column names, and no UTF-8."""
    assert list(lines.reset_index().columns) == ["注文日時", "注文番号", "顧客コード", "分類", "数量", "金額"]
    assert 60_000 <= len(lines) <= 80_000
    with pytest.raises(UnicodeDecodeError):
        samples["orders"].csv.decode("utf-8")


def test_orders_outage_has_no_line(lines, faults):
    """During the outage nothing came in; a week later at the same time much did."""
    assert len(during(lines, faults["outage"])) == 0
    assert len(during(lines, faults["outage"], timedelta(days=7))) > 100


def test_orders_double_import_repeats_every_line(lines, faults):
    """Every line of the double import is there an even number of times; else hardly any line repeats."""
    twice = during(lines, faults["double_import"]).reset_index().astype(str)
    assert all(count % 2 == 0 for count in Counter(map(tuple, twice.to_numpy())).values())
    week_before = during(lines, faults["double_import"], timedelta(days=-7)).reset_index()
    assert week_before.duplicated().mean() < 0.02


def test_orders_slow_slide_ends_at_half(lines, faults):
    """The second week of the slide has far fewer lines than the first; the week after it is normal."""
    fault = faults["slow_slide"]
    week = timedelta(days=7)
    first, second, after = (
        len(lines[(lines.index >= fault.start + week * k) & (lines.index < fault.start + week * (k + 1))])
        for k in range(3)
    )
    assert second < 0.8 * first
    assert after > 1.2 * second


def test_orders_quantity_slip_is_in_one_category(lines, faults):
    """Quantities of one category are tenfold for a day; the amounts are not."""
    inside, normal = (
        during(lines, faults["quantity_times_ten"], timedelta(days=day))
        .groupby("分類")[["数量", "金額"]]
        .mean()
        for day in (0, -1)
    )
    ratio = inside / normal
    assert ratio["数量"].nlargest(2).iloc[0] > 7.0
    assert ratio["数量"].nlargest(2).iloc[1] < 1.6
    assert ratio["金額"].max() < 1.8


def test_orders_missing_category_is_gone(lines, faults):
    """One category out of six has no line during its fault."""
    assert during(lines, faults["category_missing"])["分類"].nunique() == 5
    assert lines["分類"].nunique() == 6


def test_orders_clock_is_nine_hours_ahead(lines, faults):
    """With the clock ahead, evenings are far busier than two weeks before."""
    fault = faults["clock_nine_hours_ahead"]
    evening = during(lines, fault).between_time("18:00", "23:00")
    usual = during(lines, fault, timedelta(days=-14)).between_time("18:00", "23:00")
    assert len(evening) > 2 * len(usual)


def test_draws_are_the_same_for_a_seed_and_differ_between_seeds():
    """A seed gives the same numbers again, another seed gives others."""
    assert np.array_equal(Draws(3).normal(7), Draws(3).normal(7))
    assert not np.array_equal(Draws(3).normal(7), Draws(5).normal(7))


def test_draws_keep_the_promised_stream():
    """The first uniforms of a seed are those of PCG64, written down here."""
    raw = np.random.PCG64(2).random_raw(3)
    assert np.array_equal(Draws(2).uniform(3), (raw >> np.uint64(11)) * 2.0**-53)


def test_poisson_inverts_the_distribution_function():
    """Counts are the Poisson quantiles of the same uniforms."""
    rate = np.tile([0.0, 0.13, 1.7, 11.0, 83.0], 101)
    assert np.array_equal(
        Draws(7).poisson(rate), stats.poisson.ppf(Draws(7).uniform(rate.size), rate).clip(0)
    )


def test_normal_and_wander_have_the_stated_spread():
    """Noise has mean 0 and the spread that was asked for, from its first value on."""
    assert Draws(11).normal(20_011).std() == pytest.approx(1.0, rel=0.03)
    wander = Draws(13).wander(50_021, 0.7, 23.0)
    assert wander.std() == pytest.approx(0.7, rel=0.1)
    assert np.corrcoef(wander[:-23], wander[23:])[0, 1] == pytest.approx(np.exp(-1.0), abs=0.1)
    starts = [Draws(seed).wander(2, 0.7, 23.0)[0] for seed in range(499)]
    assert np.std(starts) == pytest.approx(0.7, rel=0.15)


def test_choice_follows_the_weights():
    """Indices are drawn as often as their weights say, and one of weight 0 never."""
    drawn = np.bincount(Draws(17).choice(30_011, np.asarray([3.0, 0.0, 5.0, 2.0])), minlength=4) / 30_011
    assert drawn == pytest.approx([0.3, 0.0, 0.5, 0.2], abs=0.01)
