"""The model folder: what is saved is loaded, equal training gives equal bytes, damage is always noticed."""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from logscan import pipeline
from logscan.config import Config
from logscan.errors import ModelError, OutputError
from logscan.model import history_attention
from logscan.model.folder import load_model, save_model
from logscan.model.records import Model
from logscan.read import read_log
from logscan.results.targets import MODEL_FILES
from tests.synthetic import values, write_log

pytestmark = pytest.mark.usefixtures("single")


def arrays(model: Model) -> dict[str, np.ndarray]:
    """Every array of a model by name."""
    found = {}
    for entity in model.entities:
        found |= {"history": entity.history, "observed": entity.observed}
        found |= {"center": entity.scaler.center, "spread": entity.scaler.spread}
        for head in entity.heads:
            name = head.spec.name
            found |= {f"{name}.center": head.center, f"{name}.basis": head.basis, f"{name}.unit": head.unit}
            found |= {f"{name}.starts": head.starts, f"{name}.metric": head.layer.log_metric}
            found |= {f"{name}.in": head.layer.mlp_in, f"{name}.out": head.layer.mlp_out}
            if head.tree is not None:
                found |= {f"{name}.tree.{part}": one.numpy() for part, one in head.tree.to_tensors().items()}
    return found


def test_a_model_survives_the_disk(shop: tuple[Path, Model]) -> None:
    """Loaded, every array, threshold and setting is what was trained, digit for digit."""
    folder, model = shop
    loaded = load_model(folder / "model")
    for name, value in arrays(model).items():
        np.testing.assert_array_equal(arrays(loaded)[name], value, err_msg=name)
        assert arrays(loaded)[name].dtype == value.dtype, name
    assert (loaded.config, loaded.schema, loaded.model_id) == (model.config, model.schema, model.model_id)
    assert [one.threshold_batch for one in loaded.entities] == [one.threshold_batch for one in model.entities]
    assert [one.threshold_causal for one in loaded.entities] == [
        one.threshold_causal for one in model.entities
    ]


@pytest.fixture
def long(shop: tuple[Path, Model], tmp_path: Path, small_config: Config, monkeypatch) -> tuple[Path, Model]:
    """The folder of a model whose heads attend through trees: the limit of exact attention is set low."""
    monkeypatch.setattr(history_attention, "EXACT_HISTORY_TOKENS", 101)
    log = read_log([shop[0] / "log.csv"], small_config.input)
    model = pipeline.train(log, small_config, train_rows=401, device="cpu")
    save_model(model, tmp_path / "long")
    return tmp_path / "long", model


def _rewrite_history(folder: Path, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the arrays of the history, and the manifest to match."""
    stored = load((folder / "history.safetensors").read_bytes())
    change(stored)
    data = save(stored)
    (folder / "history.safetensors").write_bytes(data)
    sums = json.loads((folder / "manifest.json").read_text())
    sums["sha256"]["history.safetensors"] = hashlib.sha256(data).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(sums))


def test_the_tree_of_a_long_history_survives_the_disk(
    shop: tuple[Path, Model], long: tuple[Path, Model], small_config: Config
) -> None:
    """The loaded model has the trained trees digit for digit and scores as the trained one did."""
    folder, model = long
    loaded = load_model(folder)
    assert sum(".tree." in name for name in arrays(model)) == 3 * len(model.entities[0].heads)
    assert arrays(loaded).keys() == arrays(model).keys()
    for name, value in arrays(model).items():
        np.testing.assert_array_equal(arrays(loaded)[name], value, err_msg=name)
        assert arrays(loaded)[name].dtype == value.dtype, name
    log = read_log([shop[0] / "log.csv"], small_config.input)
    before, after = (pipeline.score(log, one, device="cpu").series[0].score for one in (model, loaded))
    np.testing.assert_array_equal(after, before)


def test_a_model_without_trees_is_read_and_scores_the_same(
    shop: tuple[Path, Model], long: tuple[Path, Model], small_config: Config
) -> None:
    """Models from before trees were stored need no training again: the tree is built when it is needed."""
    folder, model = long

    def without_trees(stored: dict[str, np.ndarray]) -> None:
        for name in [name for name in stored if ".tree." in name]:
            del stored[name]

    _rewrite_history(folder, without_trees)
    loaded = load_model(folder)
    assert all(head.tree is None for head in loaded.entities[0].heads)
    log = read_log([shop[0] / "log.csv"], small_config.input)
    before, after = (pipeline.score(log, one, device="cpu").series[0].score for one in (model, loaded))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("part", ["members", "direction"])
def test_a_tree_that_is_not_the_historys_is_refused(long: tuple[Path, Model], part: str) -> None:
    """A tree that lacks a part, or a leaf, is named as what it is: files that do not belong together."""

    def spoil(stored: dict[str, np.ndarray]) -> None:
        if part == "members":
            stored["0.0.tree.members"][0] = -1
        else:
            del stored[f"0.0.tree.{part}"]

    _rewrite_history(long[0], spoil)
    with pytest.raises(ModelError, match="the model's files do not fit together; train again"):
        load_model(long[0])


def test_equal_training_gives_equal_bytes(
    shop: tuple[Path, Model], tmp_path: Path, small_config: Config
) -> None:
    """The same log, settings and seed make the same files; another seed or log makes another model."""
    log = read_log([shop[0] / "log.csv"], small_config.input)
    save_model(pipeline.train(log, small_config, train_rows=401, device="cpu"), tmp_path / "again")
    for name in MODEL_FILES:
        assert (tmp_path / "again" / name).read_bytes() == (shop[0] / "model" / name).read_bytes(), name
    other = pipeline.train(log, small_config, train_rows=397, device="cpu")
    assert other.model_id != shop[1].model_id


def test_fitting_is_repeatable(tmp_path: Path) -> None:
    """Training with fit gives the same bytes twice."""
    log = read_log([write_log(tmp_path / "log.csv", values(307))], Config().input)
    config = Config.model_validate({"encoder": {"scales": (8,), "epochs": 2, "seed": 5}})
    for name in ("one", "two"):
        save_model(pipeline.train(log, config, device="cpu"), tmp_path / name)
    for name in MODEL_FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_manifest_sums_every_other_file(shop: tuple[Path, Model]) -> None:
    """The manifest is what the loader trusts: SHA-256 of each file beside it."""
    folder = shop[0] / "model"
    sums = json.loads((folder / "manifest.json").read_text())["sha256"]
    assert (
        sorted([*sums, "manifest.json"])
        == sorted(path.name for path in folder.iterdir())
        == sorted(MODEL_FILES)
    )
    for name, digest in sums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


@settings(max_examples=29, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(MODEL_FILES),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(["flip", "cut", "append"]),
)
def test_no_damage_goes_unnoticed(
    shop: tuple[Path, Model], tmp_path: Path, name: str, place: float, damage: str
) -> None:
    """A flipped bit, a cut or a longer file is a named error, or changes nothing of the model."""
    folder = tmp_path / "model"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(shop[0] / "model", folder)
    data = bytearray((folder / name).read_bytes())
    at = int(place * len(data))
    if damage == "flip":
        data[at] ^= 1
    elif damage == "cut":
        del data[at:]
    else:
        data += b"\x00"
    (folder / name).write_bytes(bytes(data))
    if name != "manifest.json":
        with pytest.raises(ModelError, match=re.escape(str(folder))):
            load_model(folder)
        return
    with suppress(ModelError):
        assert load_model(folder).model_id == shop[1].model_id


def test_the_card_names_what_matters(shop: tuple[Path, Model]) -> None:
    """The model card says rows, span, channels, promise and limits; names from data are no markup."""
    text = (shop[0] / "model" / "MODEL_CARD.md").read_text()
    assert f"# Model {shop[1].model_id}" in text
    assert "- Trained on 401 rows, 2024-01-01 00:00:00 to 2024-01-01 06:40:00." in text
    assert "- Channels: `flow`, `press`, `temp`" in text
    assert "1/week false alarms" in text


def test_a_folder_with_other_files_is_never_replaced(shop: tuple[Path, Model], tmp_path: Path) -> None:
    """Saving refuses a folder that is not a model's, whoever calls."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.csv").write_text("precious")
    with pytest.raises(OutputError, match=r"is not a model's folder, it holds 'mine\.csv'"):
        save_model(shop[1], tmp_path / "data")
    assert (tmp_path / "data" / "mine.csv").read_text() == "precious"
