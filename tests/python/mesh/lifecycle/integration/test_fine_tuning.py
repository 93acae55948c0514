"""`train:train` with fine-tuning: a tiny network, the real Trainer and the real registry."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mesh.core.card import ARTIFACTS
from mesh.core.errors import MeshError
from mesh.drift.reference import Reference
from mesh.lifecycle.recipe import HeldOut
from mesh.lifecycle.training import network
from mesh.lifecycle.training.details import Details
from mesh.lifecycle.training.epochs import Epochs
from tiny_training import weights


def predictions(tiny: Any) -> Any:
    """The stored logits of the samples."""
    return json.loads((tiny.output("train") / "test_files/predictions.json").read_text())


def test_version_has_network_scores_plots_and_data(tiny: Any) -> None:
    tiny.train()
    version = tiny.registry.get("TINY-TRAINED-1")
    card = version.card
    [features] = (
        path.name for path in (Path(tiny.data.root) / "tiny/features").iterdir() if path.is_dir()
    )
    assert card.data_version == features
    assert card.metrics["test"]["accuracy"] == 1
    assert set(card.metrics["test"]["per_label"]) == {"bad", "good"}
    assert set(card.metrics["test"]["per_domain"]) == {"review"}
    assert set(card.metrics["test"]["per_language"]) == {"en"}
    assert set(card.metrics["test"]["per_length"]) == {"0 to 9 words"}
    details = Details.model_validate_json(
        (tiny.output("train") / "evaluation/details.json").read_text()
    )
    assert details.rows == card.metrics["test"]["rows"]
    assert [list(row) for row in details.matrix.counts] == card.metrics["test"]["confusion_matrix"]
    assert len(card.metrics["epochs"]) == 3
    assert all({"loss", "eval_loss", "eval_score"} <= set(one) for one in card.metrics["epochs"])
    assert card.settings["training"]["learning_rate"] == 0.01
    files = {file.path for file in version.manifest.files}
    assert set(card.metrics["plots"]) <= files
    assert {
        "evaluation/confusion_matrix.png",
        "evaluation/details.json",
        "test_files/predictions.json",
    } <= files
    configuration = json.loads((tiny.output("train") / ARTIFACTS / "config.json").read_text())
    assert configuration["id2label"] == {"0": "bad", "1": "good"}
    assert not tiny.output("checkpoints").exists()


def test_reference_is_kept_where_the_type_of_responses_is_known(tiny: Any) -> None:
    tiny.train()
    kept = Reference.find(tiny.output("train"))
    assert kept
    rows = tiny.registry.get("TINY-TRAINED-1").card.metrics["test"]["rows"]
    assert (kept.rows, kept.sample.predictions) == (f"{rows} rows of the test split", rows)
    assert kept.sample.numbers["count"] == (2,) * rows
    assert len(kept.sample.numbers["document.characters"]) == rows
    tiny.recipe = replace(tiny.recipe, response=None)
    tiny.train(force=True)
    assert Reference.find(tiny.output("train")) is None


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of rows in the package `held`."""
    package = tmp_path / "code/held"
    package.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "code")
    rows = [
        {"text": f"thing5 is {word}", "label": label, "language": language, "domain": domain}
        for word, label, language, domain in (
            ("fine", "good", "en", "praise"),
            ("superb", "bad", "en", "praise"),
            ("awful", "bad", "de", "blame"),
        )
    ]
    file = package / "rows.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return file


def test_version_is_scored_on_sets_that_the_project_holds_out(tiny: Any, packaged: Path) -> None:
    row = tiny.recipe.training.dataset.row
    tiny.change_training(
        held_out={
            "odd": HeldOut("held:rows.jsonl", row),
            "counted": HeldOut("held:rows.jsonl", row, lambda _, rows: {"macro_f1": len(rows)}),
        }
    )
    tiny.train()
    found = tiny.registry.get("TINY-TRAINED-1").card.metrics["held_out"]
    assert found["odd"]["per_domain"] == {
        "blame": {"rows": 1, "accuracy": 1.0},
        "praise": {"rows": 2, "accuracy": 0.5},
    }
    assert found["counted"] == {"macro_f1": 3}
    packaged.write_text(packaged.read_text() * 2)
    tiny.train()
    assert tiny.registry.get("TINY-TRAINED-2").card.metrics["held_out"]["odd"]["rows"] == 6


def test_temperature_is_fitted_on_rows_in_the_languages_of_the_data(
    tiny: Any, packaged: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []

    def count(_: Any, labels: Any) -> float:
        counts.append(len(labels))
        return 1

    monkeypatch.setattr(network, "fit_temperature", count)
    tiny.train(epochs=1)
    tiny.change_training(calibration=HeldOut("held:rows.jsonl", tiny.recipe.training.dataset.row))
    tiny.train(epochs=1)
    packaged.write_text(packaged.read_text().replace('"en"', '"de"'))
    tiny.train(epochs=1)
    validation, english, german = counts
    assert english == 2
    assert german == validation > 3


def test_temperature_is_in_the_weights(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.train(epochs=1)
    expected = predictions(tiny)
    monkeypatch.setattr(network, "fit_temperature", lambda *_: 2.0)
    tiny.train(epochs=1, force=True)
    assert tiny.registry.get("TINY-TRAINED-2").card.metrics["temperature"] == 2
    before = tiny.registry.get("TINY-TRAINED-1").card.metrics["temperature"]
    for old, new in zip(expected, predictions(tiny), strict=True):
        assert new == pytest.approx([value * before / 2 for value in old], abs=1e-3)


def test_same_training_is_up_to_date_and_another_one_is_not(
    tiny: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tiny.train(epochs=1)
    tiny.train(epochs=1)
    assert "TINY-TRAINED-1 is up to date" in caplog.text
    tiny.train(epochs=1, seed=2)
    assert [version.version for version in tiny.registry.list("TINY-TRAINED")] == [1, 2]


def test_equal_seeds_give_equal_networks(tiny: Any) -> None:
    tiny.train(epochs=1)
    first = weights(tiny)
    tiny.train(epochs=1, force=True)
    assert weights(tiny) == first
    tiny.train(epochs=1, seed=2)
    assert weights(tiny) != first


def test_killed_training_resumes_where_it_was(
    tiny: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    tiny.train()
    expected = weights(tiny)

    class Killed(BaseException):
        pass

    def die_in_the_third_epoch(self: Any, args: Any, state: Any, *_: Any, **__: Any) -> None:
        if state.epoch > 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Epochs, "on_step_end", die_in_the_third_epoch)
        with pytest.raises(Killed):
            tiny.train(force=True)
    [work] = tiny.output("checkpoints").iterdir()
    half_written = work / "checkpoint-9999"
    half_written.mkdir()
    (half_written / "model.safetensors").write_bytes(b"half")
    tiny.train(force=True)
    assert f"{half_written} is incomplete" in caplog.text
    assert "training resumes from" in caplog.text
    assert weights(tiny) == expected


def test_new_version_is_compared_with_the_one_in_production(
    tiny: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tiny.train()
    tiny.registry.alias("TINY-TRAINED-1", "prod")
    tiny.train(epochs=1, learning_rate=1e-6, head_learning_rate=1e-6)
    compared = tiny.registry.get("TINY-TRAINED-2").card.metrics["compared_with"]
    assert (compared["version"], compared["alias"]) == ("TINY-TRAINED-1", "prod")
    assert compared["test"] == tiny.registry.get("TINY-TRAINED-1").card.metrics["test"]
    assert "TINY-TRAINED-1, which is prod now, has 1.000" in caplog.text


def test_base_model_that_does_the_task_is_registered_without_training(tiny: Any) -> None:
    tiny.train()
    done = tiny.output("train") / ARTIFACTS
    tiny.train(base_model=str(done), epochs=0)
    card = tiny.registry.get("TINY-TRAINED-2").card
    assert card.metrics["epochs"] == []
    assert card.metrics["test"] == tiny.registry.get("TINY-TRAINED-1").card.metrics["test"]


def test_base_model_without_a_head_needs_training(tiny: Any) -> None:
    with pytest.raises(MeshError, match="are not of a text-classification model"):
        tiny.train(epochs=0)
    assert not [one for one in tiny.registry.list() if one.name == "TINY-TRAINED"]
