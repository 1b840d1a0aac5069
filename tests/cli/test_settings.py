"""Settings: flags over file over defaults, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logscan.cli.settings import merged_config
from logscan.config import Config, parse_config
from logscan.errors import UsageError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_given_is_the_defaults() -> None:
    """No file and no flag leave the configuration as it is declared."""
    assert merged_config(None, {}) == Config()
    assert merged_config(None, {"input": {"time": None, "entity": ()}}) == Config()


def test_a_flag_beats_the_file_and_the_rest_of_the_file_stands() -> None:
    """Only what is given by flag is replaced, key by key."""
    Path("logscan.toml").write_text('[input]\ntime = "t"\nevery = "5min"\n[encoder]\nseed = 7\n')
    settings = merged_config(None, {"input": {"time": "when"}, "encoder": {"seed": None}})
    assert (settings.input.time, settings.input.every, settings.encoder.seed) == ("when", "5min", 7)


def test_a_named_file_replaces_the_default_one() -> None:
    """With `--config`, `logscan.toml` is not read."""
    Path("logscan.toml").write_text("[encoder]\nseed = 7\n")
    Path("other.toml").write_text("[encoder]\nscales = [5]\n")
    settings = merged_config(Path("other.toml"), {})
    assert (settings.encoder.seed, settings.encoder.scales) == (0, (5,))


REFUSED = {
    "[encoder]\nscales = []\n": (
        "logscan.toml: 'encoder.scales': Tuple should have at least 1 item after validation, not 0; got []"
    ),
    "[encoder]\nscales = [1]\n": (
        "logscan.toml: 'encoder.scales.0': Input should be greater than or equal to 2; got 1"
    ),
    "[encoder]\nseed = -5\n": (
        "logscan.toml: 'encoder.seed': Input should be greater than or equal to 0; got -5"
    ),
    '[input]\ntimes = "t"\n': "logscan.toml: unknown key 'input.times'; did you mean 'time'?",
    "[encoders]\nseed = 1\n": "logscan.toml: unknown key 'encoders'; did you mean 'encoder'?",
    "[alarm]\nzzz = 1\n": (
        "logscan.toml: unknown key 'alarm.zzz'; known keys: false_alarms, min_event_steps, merge_gap_steps"
    ),
    "input = 3\n": (
        "logscan.toml: 'input': Input should be a valid dictionary or instance of InputConfig; got 3"
    ),
    '[encoder]\nseed = "x"\n': (
        "logscan.toml: 'encoder.seed': Input should be a valid integer, unable to parse string as an "
        "integer; got 'x'"
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_file_with_unknown_keys_or_values_is_refused(text: str) -> None:
    """The message names the file, the key, and the nearest key or what is wrong with the value."""
    Path("logscan.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        merged_config(None, {"input": {"time": "t"}})
    assert str(caught.value) == REFUSED[text]


def test_a_file_that_is_no_toml_is_refused() -> None:
    """Missing, torn and binary files, and folders, each have a message of their own."""
    Path("a.toml").write_text("[input\n")
    Path("b.toml").write_bytes(b"\xff\xfe\x00")
    Path("c.toml").mkdir()
    expected = {
        "none.toml": "none.toml: no such configuration file; check --config",
        "a.toml": "a.toml: not TOML: ",
        "b.toml": "b.toml: not TOML: ",
        "c.toml": "c.toml: cannot be read (Is a directory); check its permissions",
    }
    for name, text in expected.items():
        with pytest.raises(UsageError) as caught:
            merged_config(Path(name), {})
        assert str(caught.value).startswith(text)


@given(st.integers(0, 2**31), st.sampled_from(["1/week", "2/day"]), st.booleans())
def test_a_configuration_survives_its_json(seed: int, false_alarms: str, fit: bool) -> None:
    """Stored and read again it is equal and has the same hash; another seed has another."""
    data = {"encoder": {"seed": seed, "fit": fit}, "alarm": {"false_alarms": false_alarms}}
    config = parse_config(data, "test")
    again = Config.model_validate_json(config.model_dump_json())
    assert (again, again.hash()) == (config, config.hash())
    assert parse_config({**data, "encoder": {"seed": seed + 1, "fit": fit}}, "test").hash() != config.hash()
