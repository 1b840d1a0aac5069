"""Laws of the pipeline: a row's way from the file to its alarm, whatever the log looks like."""

import copy
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from logscan import pipeline
from logscan.config import Config, InputConfig
from logscan.errors import InputError
from logscan.model.folder import load_model
from logscan.model.records import Model
from logscan.read import read_log
from logscan.read.grid.step import step_from
from logscan.records import Log, LogKind, SeriesScores, StepQuality
from logscan.results.write_scores import write_scores
from tests.conftest import ROWS
from tests.synthetic import CHANNELS, PERIOD, lines, values
from tests.words import words

pytestmark = pytest.mark.usefixtures("single")
QUALITIES = tuple(StepQuality)
Shop = tuple[Path, Model]


def log_of(rows: list[str], header: str = "time,flow,press,temp", config: InputConfig | None = None) -> Log:
    """A log from CSV lines."""
    data = "\n".join([header, *rows]).encode() + b"\n"
    return read_log(["-"], config or InputConfig(every="1min", time="time"), stdin=io.BytesIO(data))


def scored(shop: Shop, cells: np.ndarray, *, causal: bool = False) -> SeriesScores:
    """The scores of cells as a log of one entity."""
    return pipeline.score(log_of(lines(cells)), shop[1], causal=causal, device="cpu").series[0]


def qualities(one: SeriesScores) -> list[str]:
    """The quality of every step by name."""
    return [QUALITIES[code].value for code in one.quality]


@pytest.mark.parametrize("causal", [False, True])
def test_a_model_from_disk_scores_as_the_one_in_memory(shop: Shop, causal: bool) -> None:
    """Save and load change no score."""
    log = log_of(lines(values(ROWS)))
    one, other = (
        pipeline.score(log, model, causal=causal, device="cpu").series[0]
        for model in (shop[1], load_model(shop[0] / "model"))
    )
    np.testing.assert_array_equal(one.contributions, other.contributions)
    assert one.threshold == other.threshold
    assert one.events == other.events


def test_scoring_twice_gives_the_same_bytes(shop: Shop, tmp_path: Path) -> None:
    """The same log and model make the same scores file."""
    for name in ("a", "b"):
        result = scored(shop, values(ROWS))
        write_scores(tmp_path / f"{name}.parquet", [result], metadata={}, log_kind=LogKind.SAMPLES)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_causal_scores_do_not_know_the_future(shop: Shop) -> None:
    """Cut anywhere, even inside a fault or a gap, the rows before the cut score exactly the same."""
    cells = values(ROWS)
    cells[503:541, 1] += 4
    cells[443:467] = np.nan
    cells[311:313] = np.nan
    whole = scored(shop, cells, causal=True)
    for cut in (17, 307, 312, 401, 449, 470, 509, 600):
        part = scored(shop, cells[:cut], causal=True)
        end = part.grid.steps
        np.testing.assert_array_equal(part.contributions, whole.contributions[:end], err_msg=str(cut))
        np.testing.assert_array_equal(part.score, whole.score[:end])
        assert part.threshold == whole.threshold
        # A gap still open may turn out to be long; what was judged keeps its quality.
        judged = np.isfinite(part.score)
        np.testing.assert_array_equal(part.quality[judged], whole.quality[:end][judged])


def test_batch_and_causal_differ_in_alignment_only(shop: Shop) -> None:
    """Both judge the same channels on the same grid; batch judges the first steps, causal has nothing before them."""
    batch, causal = scored(shop, values(ROWS)), scored(shop, values(ROWS), causal=True)
    assert (batch.channels, batch.grid) == (causal.channels, causal.grid)
    assert np.isfinite(batch.score).all()
    assert np.isnan(causal.score[:7]).all()
    assert np.isfinite(causal.score[15:]).all()


@pytest.mark.parametrize("causal", [False, True])
def test_contributions_add_up_to_the_score(shop: Shop, causal: bool) -> None:
    """The parts of the channels are not negative and sum to the score; NaN where and only where the score is."""
    cells = values(ROWS)
    cells[443:467] = np.nan
    one = scored(shop, cells, causal=causal)
    judged = np.isfinite(one.score)
    assert 0 < judged.sum() < ROWS
    np.testing.assert_allclose(one.contributions[judged].sum(axis=1), one.score[judged], rtol=1e-5)
    assert (one.contributions[judged] >= 0).all()
    assert np.isnan(one.contributions[~judged]).all()


def test_inputs_are_left_as_they_were(shop: Shop) -> None:
    """Neither training nor scoring changes the log or the model."""
    log = log_of(lines(values(ROWS)))
    log_before, model_before = copy.deepcopy(log), copy.deepcopy(shop[1])
    pipeline.score(log, shop[1], device="cpu")
    pipeline.train(log, shop[1].config, train_rows=211, device="cpu")
    np.testing.assert_array_equal(log.series[0].values, log_before.series[0].values)
    np.testing.assert_array_equal(log.series[0].row_times, log_before.series[0].row_times)
    np.testing.assert_array_equal(shop[1].entities[0].history, model_before.entities[0].history)
    assert shop[1].entities[0].threshold_batch == model_before.entities[0].threshold_batch


def _spike(cells: np.ndarray) -> None:
    cells[503:509, 0] += 9


def _shift(cells: np.ndarray) -> None:
    cells[503:565, 1] += 2


def _frozen(cells: np.ndarray) -> None:
    cells[503 : 503 + 2 * PERIOD, 2] = cells[503, 2]


FAULTS = {_spike: (0, 509), _shift: (1, 565), _frozen: (2, 503 + 2 * PERIOD)}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_found_in_its_channel(shop: Shop, plant, causal: bool) -> None:
    """A spike, a level shift and a frozen sensor make the worst event, at their place, their channel first."""
    channel, end = FAULTS[plant]
    cells = values(ROWS)
    plant(cells)
    events = scored(shop, cells, causal=causal).events
    assert events, "nothing found"
    worst = max(events, key=lambda event: event.severity)
    assert worst.start_step < end
    assert worst.end_step > 503
    assert worst.channels[0].channel == CHANNELS[channel]
    assert 503 - 16 <= worst.peak_step <= end + 16
    assert worst.severity > 1


def test_an_event_shows_what_should_have_been(shop: Shop) -> None:
    """Observed is what the log says, expected what the rhythm says, in original units."""
    cells = values(ROWS)
    _shift(cells)
    worst = max(scored(shop, cells).events, key=lambda event: event.severity)
    reading = worst.channels[0]
    assert reading.observed - reading.expected == pytest.approx(2, abs=0.7)
    assert worst.similar
    assert sum(period.weight for period in worst.similar) <= 1 + 1e-6


def test_a_dull_log_raises_no_alarm(shop: Shop) -> None:
    """The training rows themselves score below the threshold."""
    assert scored(shop, values(ROWS)[:401]).events == ()


@pytest.mark.parametrize("filler", ["", "inf", "-inf", "1e300", "ERR"])
@pytest.mark.parametrize("causal", [False, True])
def test_a_channel_gone_wild_leaves_finite_scores(shop: Shop, filler: str, causal: bool) -> None:
    """Empty, infinite, huge and unreadable cells in one channel never make a judged row's score non-finite."""
    rows = [line.split(",") for line in lines(values(ROWS))]
    for row in rows[401:]:
        row[2] = filler
    log = log_of([",".join(row) for row in rows])
    one = pipeline.score(log, shop[1], causal=causal, device="cpu").series[0]
    # Far from the change every row is judged by what is left, and says so.
    assert np.isfinite(one.score[100:]).all()
    assert not np.isinf(one.contributions).any()
    seen = filler == "1e300"
    assert set(qualities(one)[440:]) == ({"ok"} if seen else {"degraded"})


def test_a_constant_channel_is_trained_and_judged(small_config: Config) -> None:
    """A channel that never moves and one that never speaks neither stop training nor make a score non-finite."""
    cells = values(307)
    cells[:, 2] = 7.0
    model = pipeline.train(log_of(lines(cells)), small_config, device="cpu")
    one = pipeline.score(log_of(lines(cells)), model, device="cpu").series[0]
    assert np.isfinite(one.score).all()
    cells[200:220, 2] = 9.0
    moved = pipeline.score(log_of(lines(cells)), model, device="cpu").series[0]
    worst = max(moved.events, key=lambda event: event.severity)
    assert worst.channels[0].channel == "temp"


def test_a_sensor_that_is_dead_throughout_degrades_the_scores(shop: Shop) -> None:
    """A channel of the model that holds no number in the whole log is judged around, not refused."""
    cells = values(ROWS)
    cells[:, 1] = np.nan
    one = scored(shop, cells)
    assert np.isfinite(one.score).all()
    assert set(qualities(one)) == {"degraded"}


@pytest.mark.parametrize("sentinel", [9999.0, 3.4e38])
def test_one_wild_training_value_does_not_blind_its_channel(small_config: Config, sentinel: float) -> None:
    """A sentinel for "no reading" in the training rows leaves later faults of that channel visible."""
    cells = values(ROWS)
    cells[101, 0] = sentinel
    _spike(cells)
    log = log_of(lines(cells))
    model = pipeline.train(log, small_config, train_rows=401, device="cpu")
    events = pipeline.score(log, model, device="cpu").series[0].events
    assert any(event.start_step < 509 and event.end_step > 503 for event in events)


def test_a_log_that_repeats_exactly_does_not_alarm_at_a_trifle(small_config: Config) -> None:
    """A threshold stays far above rounding: noise of a ten-thousandth of the swing raises nothing."""
    cells = np.repeat((np.arange(307) % 7 < 3).astype(float)[:, None], 3, axis=1)
    model = pipeline.train(log_of(lines(cells)), small_config, device="cpu")
    cells[200:] += np.random.default_rng(0).normal(0, 1e-4, cells[200:].shape)
    assert pipeline.score(log_of(lines(cells)), model, device="cpu").series[0].events == ()


def test_a_gap_has_no_score(shop: Shop) -> None:
    """Where nothing was observed the score is NaN, never 0, and the quality says missing; short gaps are bridged."""
    cells = values(ROWS)
    cells[443:483] = np.nan
    cells[311:313] = np.nan
    one = scored(shop, cells)
    quality = qualities(one)
    assert np.isnan(one.score[443:483]).all()
    assert set(quality[443:483]) == {"missing"}
    assert np.isfinite(one.score[311:313]).all()
    assert quality[311:313] == ["bridged", "bridged"]
    assert not (one.score == 0).any()
    judged = np.isfinite(one.score)
    assert {quality[step] for step in np.flatnonzero(judged)} <= {"ok", "bridged", "degraded"}
    assert {quality[step] for step in np.flatnonzero(~judged)} <= {"missing", "not_judged"}


def test_the_order_of_rows_does_not_matter(shop: Shop) -> None:
    """Shuffled rows and rows that stand twice give the scores of the sorted log, and are counted."""
    rows = lines(values(ROWS))
    mixed = rows + rows[101:131]
    np.random.default_rng(5).shuffle(mixed)
    log = log_of(mixed)
    assert log.counts.duplicates == 30
    assert log.counts.out_of_order > 0
    one = pipeline.score(log, shop[1], device="cpu").series[0]
    want = scored(shop, values(ROWS))
    np.testing.assert_allclose(one.score, want.score, rtol=1e-5)
    assert len(one.row_times) == ROWS


def test_the_order_of_columns_does_not_matter(shop: Shop) -> None:
    """Columns in another order, and more of them, give the same scores; what is extra is told."""
    rows = [line.split(",") for line in lines(values(ROWS))]
    swapped = [",".join([row[0], row[3], "5", row[1], row[2]]) for row in rows]
    result = pipeline.score(log_of(swapped, "time,temp,extra,flow,press"), shop[1], device="cpu")
    np.testing.assert_array_equal(result.series[0].contributions, scored(shop, values(ROWS)).contributions)
    assert result.series[0].channels == CHANNELS
    assert words(result.notes) == ("The model does not know these channels; they are ignored: extra.",)


@pytest.mark.parametrize("causal", [False, True])
def test_entities_do_not_see_one_another(small_config: Config, causal: bool) -> None:
    """Every machine of a fleet is trained and scored as if it were alone; event ids are unique over all."""
    fleet = {name: values(307, seed) for name, seed in (("p2", 2), ("p3", 3), ("p5", 5))}
    for cells in fleet.values():
        cells[271:289, 0] += 5
    header = "time,flow,press,temp,machine"
    config = InputConfig(every="1min", time="time", entity=("machine",))
    rows = {name: [f"{line},{name}" for line in lines(cells)] for name, cells in fleet.items()}
    log = log_of([row for part in rows.values() for row in part], header, config)
    model = pipeline.train(log, small_config, train_rows=251, device="cpu")
    together = pipeline.score(log, model, causal=causal, device="cpu").series
    for one in together:
        alone_log = log_of(rows[one.entity], header, config)
        alone_model = pipeline.train(alone_log, small_config, train_rows=251, device="cpu")
        alone = pipeline.score(alone_log, alone_model, causal=causal, device="cpu").series[0]
        np.testing.assert_array_equal(one.contributions, alone.contributions)
        assert one.threshold == alone.threshold
        assert [event.start_step for event in one.events] == [event.start_step for event in alone.events]
    ids = [event.id for one in together for event in one.events]
    assert len(ids) == len(set(ids)) >= 3


def test_another_grid_step_is_refused(shop: Shop) -> None:
    """A model of minutes does not score a log read at five minutes."""
    log = log_of(lines(values(ROWS)), config=InputConfig(every="5min", time="time"))
    with pytest.raises(InputError) as caught:
        pipeline.score(log, shop[1], device="cpu")
    assert str(caught.value) == (
        "standard input: its grid (timestamp, step 300000000000) is not the model's (timestamp, step "
        "60000000000); score with the same time column and --every as in training, or train a new model"
    )


def test_the_training_part_is_rows_or_time(small_config: Config) -> None:
    """So many distinct input times, or all before a time; what comes later changes nothing of the model."""
    cells = values(ROWS)
    log = log_of(lines(cells))
    until = int(log.series[0].row_times[401])
    by_rows = pipeline.train(log, small_config, train_rows=401, device="cpu")
    by_time = pipeline.train(log, small_config, train_until=until, device="cpu")
    cells[401:] *= 7
    other = pipeline.train(log_of(lines(cells)), small_config, train_rows=401, device="cpu")
    assert by_rows.model_id == by_time.model_id == other.model_id
    assert by_rows.trained_rows == 401
    assert pipeline.train(log, small_config, train_rows=9999, device="cpu").trained_rows == ROWS


def test_scoring_reads_a_log_as_training_did(shop: Shop) -> None:
    """Time column, grid step and kind come from the model; what is said in scoring stands."""
    schema = shop[1].schema
    given = pipeline.scoring_input(InputConfig(), shop[1])
    assert (given.time, given.kind) == ("time", "samples")
    assert step_from(given.every, schema.time_kind) == schema.step
    other = pipeline.scoring_input(InputConfig(time="when", encoding="cp932"), shop[1])
    assert (other.time, other.encoding) == ("when", "cp932")


def test_integer_steps_work_as_times_do(small_config: Config) -> None:
    """A log without a clock gives the scores of the same log with one."""
    cells = values(307)
    rows = [f"{7 * i},{line.split(',', 1)[1]}" for i, line in enumerate(lines(cells))]
    stepped = log_of(rows, config=InputConfig(time="time"))
    clocked = log_of(lines(cells))
    results = []
    for log in (stepped, clocked):
        config = replace_promise(small_config)
        model = pipeline.train(log, config, device="cpu")
        results.append(pipeline.score(log, model, device="cpu").series[0])
    assert results[0].grid.step == 7
    np.testing.assert_array_equal(results[0].contributions, results[1].contributions)
    assert results[0].threshold == results[1].threshold


def replace_promise(config: Config) -> Config:
    """The same configuration with a promise in rows, which needs no clock."""
    return config.model_copy(
        update={"alarm": config.alarm.model_copy(update={"false_alarms": "1/rows:10000"})}
    )


def test_a_promise_is_kept_in_the_threshold(small_config: Config) -> None:
    """Fewer accepted false alarms never lower a threshold."""
    log = log_of(lines(values(ROWS)))
    thresholds = []
    for promise in ("1/hour", "1/day", "1/week", "0.1/month"):
        alarm = small_config.alarm.model_copy(update={"false_alarms": promise})
        model = pipeline.train(log, small_config.model_copy(update={"alarm": alarm}), device="cpu")
        thresholds.append(model.entities[0].threshold_batch.value)
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1]


def test_row_times_beside_the_grid_join_back(shop: Shop) -> None:
    """Rows a few seconds off the grid keep their own time in the scores."""
    rows = [line.replace(",", f":{i % 7:02},", 1) for i, line in enumerate(lines(values(ROWS)))]
    log = log_of(rows)
    one = pipeline.score(log, shop[1], device="cpu").series[0]
    np.testing.assert_array_equal(one.row_times, log.series[0].row_times)
    assert len(one.row_times) == ROWS
    assert replace(log.series[0].grid, start=0) == replace(one.grid, start=0)


def test_a_training_part_of_gaps_is_refused(small_config: Config) -> None:
    """Where no training window can be judged there would be no threshold: that is said, not shipped."""
    cells = np.full((307, 3), np.nan)
    cells[::60] = 1.0
    cells[::61] = 2.0
    with pytest.raises(InputError, match="nothing in the training part can be judged"):
        pipeline.train(log_of(lines(cells)), small_config, device="cpu")
