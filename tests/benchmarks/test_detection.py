"""The pure functions behind docs/results.md: the promise of false alarms, means, tables, marked places."""

import json

import numpy as np
import pytest

from benchmarks.attention.watch import watched_attention
from benchmarks.detection.peers import measured, peer_tasks
from benchmarks.detection.promise import promise
from benchmarks.detection.published import PublishedFile, shortened
from benchmarks.detection.results import RUNS, filled, peer_results
from benchmarks.detection.run import options
from benchmarks.detection.seeds import mean_over, seed_table
from benchmarks.detection.summary import MEAN_OVER, summarised
from benchmarks.detection.tables import (
    attention_table,
    causal_table,
    detection_table,
    seconds_table,
    series_table,
)
from logscan import pipeline
from logscan.config import Config, EncoderConfig
from logscan.model import history_attention, train_layer
from logscan.read import read_log
from tests.synthetic import values, write_log

HOUR_SECONDS = 3600.0
WATCHED = (
    (history_attention, "partial_attention"),
    (history_attention, "content_tree"),
    (history_attention, "EXACT_HISTORY_TOKENS"),
    (train_layer, "attend"),
)


def _kept(false_events, *, weeks, step_seconds=HOUR_SECONDS, false_alarms="1/week"):
    """The promise for a clean hourly log of so many weeks with so many false events of two steps."""
    steps = round(weeks * 168)
    alarms = np.zeros(steps, dtype=np.bool_)
    for i in range(false_events):
        alarms[5 * i : 5 * i + 2] = True
    return promise(
        np.zeros(steps, dtype=np.bool_),
        np.zeros(steps),
        alarms,
        train_rows=0,
        false_alarms=false_alarms,
        step_seconds=step_seconds,
    )


@pytest.mark.parametrize(
    ("weeks", "most"), [(0.5, 1), (1, 3), (2, 6), (2.5, 7)], ids=["half", "one", "two", "two and a half"]
)
def test_promise_is_kept_up_to_three_times_the_promised_count_and_broken_by_one_more(weeks, most):
    """At most three times the promised events keep a promise, and a single one always does."""
    assert _kept(most, weeks=weeks).promise_kept
    assert not _kept(most + 1, weeks=weeks).promise_kept


def test_promise_gives_rate_in_days_of_clean_time():
    """Three false events in two weeks of one-hour steps are three in fourteen days."""
    result = _kept(3, weeks=2)
    assert result.clean_days == pytest.approx(14)
    assert result.false_alarms_per_day == pytest.approx(3 / 14)
    assert result.promised_events == pytest.approx(2)


def test_promise_of_integer_time_is_one_in_ten_thousand_steps():
    """Without clock time the promise is per step, and a rate per day has no meaning."""
    result = _kept(5, weeks=100, step_seconds=None)
    assert result.promised_events == pytest.approx(1.68)
    assert result.promise_kept  # 5 <= 3 * 1.68
    assert not _kept(6, weeks=100, step_seconds=None).promise_kept
    assert np.isnan(result.clean_days)
    assert np.isnan(result.false_alarms_per_day)


def test_promise_counts_only_alarms_that_touch_no_label_on_judged_rows_after_training():
    """Training rows, events that touch a label and rows without a score are no part of the promise."""
    labels = np.zeros(31, dtype=np.bool_)
    labels[17:19] = True
    scores = np.zeros(31)
    scores[23:26] = np.nan
    alarms = np.zeros(31, dtype=np.bool_)
    alarms[[3, 12, 16, 17, 29]] = True  # in training; false; one that touches the label; false
    result = promise(labels, scores, alarms, train_rows=11, false_alarms="1/week", step_seconds=HOUR_SECONDS)
    assert result.false_events == 2
    assert result.clean_steps == 31 - 11 - 2 - 3
    assert result.clean_training


def test_promise_says_where_the_training_part_holds_a_labelled_row():
    """A label before the end of training makes the training part unclean; one after it does not."""
    for position, clean in ((6, False), (7, True)):
        labels = np.zeros(13, dtype=np.bool_)
        labels[position] = True
        result = promise(labels, np.zeros(13), labels, train_rows=7, false_alarms="1/day", step_seconds=60.0)
        assert result.clean_training is clean


def test_promise_without_a_clean_row_after_training_promises_nothing():
    """A log that ends with its training part has no rate."""
    nothing = np.zeros(5, dtype=np.bool_)
    result = promise(nothing, np.zeros(5), nothing, train_rows=5, false_alarms="1/day", step_seconds=60.0)
    assert (result.false_events, result.clean_steps, result.promised_events) == (0, 0, 0.0)
    assert np.isnan(result.false_alarms_per_day)


def _result(dataset, series, vus_pr, **changed):
    return {
        "dataset": dataset,
        "series": series,
        "status": "ok",
        "rows": 1009,
        "channels": 3,
        "vus_pr": vus_pr,
        "auc_pr": vus_pr / 2,
        "seconds_train": 2.0,
        "seconds_score": 3.0,
        "seconds_attention": 4.0,
        "seconds_attention_fit": 0.0,
        "seconds_tree": 1.0,
        "heads": {
            "form16": {"history_tokens": 701, "query_tokens": 997, "seconds": 3.0, "seconds_tree": 0.5},
            "form32": {"history_tokens": 353, "query_tokens": 499, "seconds": 1.0, "seconds_tree": 0.5},
        },
        "peak_memory_bytes": 7 * 2**20,
        "causal_vus_pr": vus_pr - 0.1,
        "causal_event_recall": 0.5,
        "causal_event_precision": 0.25,
        "causal_delay_steps": 11.0,
        "causal_clean_training": True,
        "causal_promise_kept": True,
        "causal_false_events": 2,
        "causal_promised_events": 0.5,
        "causal_clean_days": 4.0,
        "causal_false_alarms_per_day": 0.5,
        **changed,
    }


def _run(seed=0, gain=0.0):
    summary = summarised(
        [
            _result("nab", "one", 0.2 + gain, seconds_train=200.0),
            _result("nab", "two|three", 0.4 + gain, causal_false_events=7, causal_promise_kept=False),
            _result("nab", "unclean", 0.6 + gain, causal_clean_training=False, causal_delay_steps=None),
            _result("kpi", "four", 0.8 - gain, causal_clean_days=None, causal_delay_steps=17.0),
            _result("tep", "five", 0.1),
            {"dataset": "tep", "series": "six", "status": "failed", "reason": "no such file"},
        ]
    )
    return json.loads(json.dumps({**summary, "settings": {"seed": seed}}))


def test_summarised_means_per_data_set_and_adds_up_alarms_of_clean_series_only():
    """Figures are means over series; false events and days are sums over series with clean training."""
    part = _run()["datasets"]["nab"]
    assert part["vus_pr"] == pytest.approx(0.4)
    assert (part["causal_clean_series"], part["causal_promises_kept"]) == (2, 1)
    assert (part["causal_false_events"], part["causal_promised_events"]) == (9, 1.0)
    assert part["causal_false_alarms_per_day"] == pytest.approx(9 / 8)
    assert part["causal_delay_steps"] == 11
    assert part["seconds_max"] == pytest.approx(203)


def test_summarised_rate_per_day_leaves_out_events_of_series_without_clock_time():
    """Events of integer time add to the count, not to the rate per day."""
    alarms = _run()["alarms"]
    assert alarms["causal_false_events"] == 2 + 7 + 2 + 2
    assert alarms["causal_false_alarms_per_day"] == pytest.approx((2 + 7 + 2) / 12)


def test_summarised_of_batch_only_results_has_no_alarm_figures():
    """Where nothing was scored causally there is nothing to say about the promise."""
    batch = {name: value for name, value in _result("nab", "one", 0.5).items() if "causal" not in name}
    assert summarised([batch])["alarms"] == {}
    assert summarised([batch])["datasets"]["nab"]["causal_vus_pr"] is None


def test_mean_over_leaves_out_data_sets_that_stand_below_the_mean():
    """The mean is over the data sets of `MEAN_OVER` alone, each counting once."""
    assert "tep" not in MEAN_OVER
    assert mean_over(_run(), "vus_pr") == pytest.approx((0.4 + 0.8) / 2)


def test_seed_table_spreads_the_mean_and_not_the_means_of_the_spreads():
    """What one data set gains and another loses cancels in the mean of a run, so its spread is zero."""
    text = seed_table([_run(0), _run(1, 0.01), _run(2, -0.01)])
    assert "| nab | 0.4000 ± 0.0100 |" in text
    assert "| **mean over these 2** | **0.6000 ± 0.0000** |" in text
    assert "| tep | 0.1000 ± 0.0000 |" in text


@pytest.mark.parametrize(
    ("runs", "fact"),
    [
        ([_run(0)], "two seeds"),
        ([_run(3), _run(3)], "each once"),
        ([_run(0), {**_run(1), "datasets": {}}], "different"),
    ],
    ids=["one run", "same seed", "other data sets"],
)
def test_seed_table_refuses_runs_without_a_spread(runs, fact):
    """One run, the same seed twice or different data sets have no spread."""
    with pytest.raises(ValueError, match=fact):
        seed_table(runs)


def test_tables_have_as_many_cells_in_every_row_as_columns():
    """No table is torn, whatever figures are missing, and bars in names are escaped."""
    run = _run()
    for text in (
        detection_table(run, {"datasets": {}, "series": []}),
        causal_table(run),
        seconds_table(run),
        attention_table(run, run),
        series_table(run, run),
        seed_table([run, _run(1)]),
    ):
        counts = {line.replace("\\|", "").count("|") for line in text.splitlines()}
        assert len(counts) == 1


def test_seconds_table_counts_the_series_over_the_bar():
    """The longest series is shown, and how many took longer than three minutes."""
    assert "| nab | 3 | 71.0 | 203.0 | 1 |" in seconds_table(_run())


def test_attention_table_charges_the_tree_to_sparse_attention():
    """Exact attention needs no tree, so its time counts against sparse attention, in all heads and in the longest."""
    exact = _run()
    for one in exact["series"][:3]:
        one["heads"]["form16"] |= {"seconds": 21.0, "seconds_tree": 0.0}
    exact["datasets"]["nab"] |= {"seconds_attention": 66.0, "seconds_tree": 0.0}
    text = attention_table(exact, _run(gain=0.02))
    assert "| nab | 0.4000 | 0.4200 | +0.0200 | 66.0 | 15.0 | 4.40 | 701 | 63.0 | 10.5 | 6.00 |" in text
    assert "**+0.0000**" in text


def test_runs_of_the_results_are_options_that_the_benchmark_knows_and_differ():
    """No run fails on its options after an hour, and none repeats another."""
    asked = [vars(options().parse_args(words)) for words in RUNS.values()]
    assert all(one != other for i, one in enumerate(asked) for other in asked[:i])
    assert sorted(one["seed"] for one in asked if not one["no_fit"]) == [0, 1, 2, 3, 4]


def test_filled_replaces_marked_places_with_a_table_and_nothing_else():
    """Text around the marks stays, an unknown place stays, and filling twice changes nothing more."""
    document = (
        "a\n<!-- one: begin -->\nold\n<!-- one: end -->\nb\n<!-- two: begin -->\nkept\n<!-- two: end -->\n"
    )
    once = filled(document, {"one": "| new \\1 |"})
    assert once == document.replace("old", "\n| new \\1 |\n")
    assert filled(once, {"one": "| new \\1 |"}) == once


@pytest.mark.usefixtures("single")
def test_watched_attention_gives_the_same_trained_layers_whatever_the_kind(tmp_path):
    """Exact and sparse models differ in how they look, not in what they learned; only sparse ones have trees."""
    config = Config(encoder=EncoderConfig(scales=(8, 16), epochs=2))
    log = read_log([write_log(tmp_path / "log.csv", values(601))], config.input)
    heads, costs = {}, {}
    for kind in ("auto", "dense", "sparse"):
        with pytest.MonkeyPatch.context() as patch:  # puts back what the watch replaces
            for module, name in WATCHED:
                patch.setattr(module, name, getattr(module, name))
            watch = watched_attention(kind)
            model = pipeline.train(log, config, device="cpu")
            pipeline.score(log, model, device="cpu")
        heads[kind], costs[kind] = model.entities[0].heads, watch.costs()
    for one, other, third in zip(heads["dense"], heads["sparse"], heads["auto"], strict=True):
        for name in ("log_metric", "log_temperature", "gate", "mlp_in", "mlp_out"):
            np.testing.assert_array_equal(getattr(one.layer, name), getattr(other.layer, name))
        np.testing.assert_array_equal(one.unit, third.unit)
        assert one.tree is None
        assert other.tree is not None
    assert any(np.any(a.unit != b.unit) for a, b in zip(heads["dense"], heads["sparse"], strict=True))
    for head in heads["dense"]:
        cost = costs["dense"]["heads"][head.spec.name]
        assert cost["history_tokens"] == cost["query_tokens"] == len(head.starts)
    assert costs["dense"]["seconds_tree"] == 0
    assert all(cost["seconds_tree"] > 0 for cost in costs["sparse"]["heads"].values())
    for name in ("seconds_attention", "seconds_attention_fit", "seconds_tree"):
        assert costs["sparse"][name] > 0


def test_a_published_file_is_run_as_it_was_published(tmp_path):
    """Its last row is dropped, and the rows its name says are for training."""
    nab = tmp_path / "nab.csv"
    nab.write_text("timestamp,value\n" + "".join(f"{row},1\n" for row in range(9)))
    (tmp_path / "copies").mkdir()
    file = PublishedFile("007_NAB_id_7_Web_tr_5_1st_6.csv", nab, "timestamp", {})
    task = shortened(file, tmp_path / "copies", fit=False, threads=1)
    assert task.train_end == 5
    copy = tmp_path / "copies" / file.name
    assert task.file == str(copy)
    assert copy.read_text().splitlines() == nab.read_text().splitlines()[:-1]


def test_peers_are_run_on_the_series_that_are_asked_for(tmp_path):
    """The folder's series become tasks with detection's defaults, each with its own training part."""
    folder = tmp_path / "plant"
    folder.mkdir()
    series = {"a": {"file": "a.csv", "time_column": "t", "train_end": 7}}
    series["b"] = series["a"] | {"file": "b.csv", "train_end": None}
    (folder / "meta.json").write_text(json.dumps({"series": series}))
    (task,) = peer_tasks(tmp_path, ["plant/a"], threads=2)
    assert (task.name, task.train_end, task.threads) == ("plant/a", 7, 2)
    assert task.file == str(folder / "a.csv")
    assert task.fit
    assert task.batch_only
    assert len(peer_tasks(tmp_path, [], threads=1)) == 2


def test_a_peer_and_logscan_are_measured_on_the_same_rows(tmp_path, monkeypatch):
    """A spike far above everything is found whole by both, and both tell their time."""
    for module, name in WATCHED:  # patched for the rest of the process, which is a child's elsewhere
        monkeypatch.setattr(module, name, getattr(module, name))
    folder = tmp_path / "plant"
    folder.mkdir()
    value = np.sin(np.arange(600) / 5) + np.random.default_rng(0).normal(0, 0.1, 600)
    value[480:500] += 30
    label = (value > 10).astype(int)
    lines = [f"{row},{x:.4f},{y}\n" for row, (x, y) in enumerate(zip(value, label, strict=True))]
    (folder / "log.csv").write_text("t,value,label\n" + "".join(lines))
    meta = {"series": {"a": {"file": "log.csv", "time_column": "t", "train_end": 300}}}
    (folder / "meta.json").write_text(json.dumps(meta))
    (task,) = peer_tasks(tmp_path, [], threads=1)
    for result in measured(task, ["rms_row", "closed_form", "sparse"]):
        assert result["status"] == "ok", result
        assert result["vus_pr"] > 0.5
        assert result["seconds"] > 0


def test_logscan_stands_beside_its_peers_with_the_figures_of_its_own_runs(tmp_path):
    """What the file of the peers says of logscan itself is replaced; without the file there is no table."""
    ours = {"status": "ok", "dataset": "kpi", "series": "a", "vus_pr": 0.5, "auc_pr": 0.4}
    ours |= {"seconds_train": 2.0, "seconds_score": 1.0}
    runs = {"trained": {"series": [ours, ours | {"status": "skipped"}]}, "closed": {"series": [ours]}}
    file = tmp_path / "peers.json"
    assert peer_results(file, runs) == []
    peer = {"status": "ok", "dataset": "kpi", "series": "a", "vus_pr": 0.3, "auc_pr": 0.2, "seconds": 9.0}
    file.write_text(json.dumps({"results": [peer | {"method": name} for name in ("lof", "logscan")]}))
    found = {one["method"]: one for one in peer_results(file, runs)}
    assert set(found) == {"lof", "logscan", "closed_form"}
    assert found["logscan"]["vus_pr"] == 0.5
    assert found["logscan"]["seconds"] == 3.0
