import json
from pathlib import Path

import pytest

from logscan.cli.console import Consoles
from logscan.cli.jobs.demo import run_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, run once with its default settings, training included."""
    folder = tmp_path_factory.mktemp("demo")
    assert run_demo(folder, Consoles.make(quiet=True, verbose=False, no_color=True)) == 0
    return folder


def test_demo_finds_the_sample_faults_and_keeps_its_promise(demo: Path) -> None:
    """At the default setting at least 80 % of the labelled faults are found, and at most one false event a week."""
    outcomes = json.loads((demo / "demo.json").read_text())
    assert [one["sample"] for one in outcomes] == ["pump_station", "orders"]
    for one in outcomes:
        assert one["found"] >= 0.8 * one["faults"], one
        assert one["false_events"] <= one["weeks"], one
        assert all(Path(report).stat().st_size > 100_000 for report in one["reports"])


def test_demo_names_the_failing_bearing(demo: Path) -> None:
    """The event of the bearing wearing out names its vibration first, well above what it should have been."""
    record = json.loads((demo / "pump_station" / "scores.run.json").read_text())
    during = [
        event
        for event in record["events"]
        if event["start"] < "2025-09-28 10:00:00" and event["end"] > "2025-09-26 12:00:00"
    ]
    first = max(during, key=lambda event: event["severity"])["channels"][0]
    assert first["channel"] == "bearing_vibration_mm_s"
    assert first["observed"] > 1.5 * first["expected"]
