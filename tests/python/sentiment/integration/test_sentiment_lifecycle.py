"""sentiment from its shipped data to a compiled model, judged on unseen sentences."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh.core.steps import find_program
from mesh.core.workspace import WorkspaceSettings
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from sentiment.labels import LABELS
from sentiment.project import PROJECT
from sentiment.schema import Request
from sentiment.serve.model import SentimentModel

STEPS = PROJECT.steps[: PROJECT.steps.index("serve:serve")]
CHAIN = [find_program(PROJECT, step) for step in STEPS]
UNSEEN = Path(__file__).parent.parent / "data/unseen.jsonl"


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which every program has run once."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Less than by default, which is enough for these tests.
        patch.setenv("INGEST_SOURCE", '[{"source": "shipped", "weight": 0.7}]')
        patch.setenv("TRAIN_EPOCHS", "2")
        assert [program.main([]) for program in CHAIN] == [0] * len(CHAIN)
        yield folder


@pytest.fixture(scope="module")
def model(workspace: Path) -> SentimentModel:
    model = SentimentModel(WorkspaceSettings().current_model(PROJECT))
    model.load()
    return model


def outputs(model: SentimentModel, *documents: dict[str, Any]) -> list[Any]:
    request = Request.model_validate({"inputs": list(documents)})
    return list(model.predict(request).model_dump()["outputs"])


def test_plain_sentences_are_right_four_times_in_five(model: SentimentModel) -> None:
    rows = [json.loads(line) for line in UNSEEN.read_text().splitlines()]
    found = outputs(model, *({"document": row["text"]} for row in rows))
    right = sum(one["label"] == row["label"] for one, row in zip(found, rows, strict=True))
    assert right >= 0.8 * len(rows)


def test_card_has_scores_and_training_data(workspace: Path) -> None:
    card = open_registry(RegistrySettings()).get("SENTIMENT-TRAINED-1").card
    assert card.data_version in {
        path.name for path in Path(".mesh/data/sentiment/features").iterdir()
    }
    # The samples come in pairs that differ in a word.
    assert card.metrics["test"]["accuracy"] >= 0.7
    assert set(card.metrics["test"]["per_label"]) == set(LABELS)
    assert {"news", "review", "social"} <= set(card.metrics["test"]["per_domain"])
    assert "evaluation/calibration.png" in card.metrics["plots"]


def test_bio_has_the_scores_on_held_out_sets(model: SentimentModel) -> None:
    metrics = model.bio()["model_card"]["metrics"]
    assert metrics["temperature"] > 1
    pairs, entities = metrics["held_out"]["pairs"], metrics["held_out"]["entities"]
    assert pairs["accuracy"] >= 0.6
    assert "irony" in pairs["per_domain"]
    assert set(entities["per_label"]) == set(LABELS)
    assert entities["accuracy"] >= 0.6


def test_long_text_is_read_to_its_end(model: SentimentModel) -> None:
    neutral = "The museum is open from ten to six. " * 30
    good, bad = outputs(
        model,
        {"document": neutral + "It was wonderful and everyone loved it. " * 240},
        {"document": neutral + "It was awful and everyone hated it. " * 240},
    )
    assert (good["label"], bad["label"]) == ("positive", "negative")


def test_emoji_alone_have_sentiments(model: SentimentModel) -> None:
    good, bad = outputs(model, {"document": "\U0001f60d"}, {"document": "\U0001f621"})
    assert good["positive_prob"] > bad["positive_prob"]
    assert bad["negative_prob"] > good["negative_prob"]


def test_entities_of_one_document_differ(model: SentimentModel) -> None:
    document = (
        "<p>The staff at the Ritz were wonderful.</p><p>The food at Claridge's was disgusting.</p>"
    )
    [prediction] = outputs(
        model,
        {
            "document": document,
            "entities": [{"entity_text": "Ritz"}, {"entity_text": "Claridge's"}],
        },
    )
    labels = [entity["sentiment"]["label"] for entity in prediction["entities"]]
    assert labels == ["positive", "negative"]


def test_second_run_changes_nothing(workspace: Path) -> None:
    assert [program.main([]) for program in CHAIN] == [0] * len(CHAIN)
    assert {version.version for version in open_registry(RegistrySettings()).list()} == {1}
