"""ner from its shipped data to a compiled model, judged on unseen sentences."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from mesh.core.card import ARTIFACTS
from mesh.core.steps import find_program
from mesh.core.workspace import WorkspaceSettings
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings
from ner.project import PROJECT
from ner.schema import Request
from ner.serve.model import NerModel

STEPS = PROJECT.steps[: PROJECT.steps.index("serve:serve")]
CHAIN = [find_program(PROJECT, step) for step in STEPS]
UNSEEN = Path(__file__).parent.parent / "data/unseen.jsonl"
JUDGED = ("PER", "ORG", "LOC")


@pytest.fixture(scope="module", autouse=True)
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace in which every program has run once."""
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        # Fewer epochs than by default are enough for what is asked here.
        patch.setenv("TRAIN_EPOCHS", "3")
        assert [program.main([]) for program in CHAIN] == [0] * len(CHAIN)
        yield folder


@pytest.fixture(scope="module")
def model(workspace: Path) -> NerModel:
    model = NerModel(WorkspaceSettings().current_model(PROJECT))
    model.load()
    return model


def entities(model: NerModel, *documents: str) -> list[list[Any]]:
    request = Request.model_validate({"inputs": [{"document": text} for text in documents]})
    answer = model.predict(request).model_dump()
    return [output["entities"] for output in answer["outputs"]]


def test_names_in_plain_news_sentences_are_found(model: NerModel) -> None:
    rows = [json.loads(line) for line in UNSEEN.read_text().splitlines()]
    right = wrong = missed = 0
    for row, found in zip(rows, entities(model, *(row["text"] for row in rows)), strict=True):
        true = {tuple(entity) for entity in row["entities"] if entity[2] in JUDGED}
        got = {(one["start"], one["end"], one["entity_type"]) for one in found}
        got = {one for one in got if one[2] in JUDGED}
        right += len(true & got)
        wrong += len(got - true)
        missed += len(true - got)
    assert 2 * right / (2 * right + wrong + missed) >= 0.7


def test_card_has_scores(workspace: Path) -> None:
    card = open_registry(RegistrySettings()).get("NER-TRAINED-1").card
    assert card.metrics["test"]["f1"] >= 0.7
    assert set(card.metrics["test"]["per_label"]) == {"PER", "ORG", "LOC", "MISC"}


def test_transformers_cuts_text_as_the_training_did(workspace: Path) -> None:
    folder = WorkspaceSettings().output(PROJECT, "download") / "NER-TRAINED-1" / ARTIFACTS
    text = "Angela Merkel visited PARIS and Zürich, not new york. NASA's O'Brien."
    trained = Tokenizer.from_file(str(folder / "tokenizer.json"))
    trained.no_padding()
    ids = AutoTokenizer.from_pretrained(folder, local_files_only=True)(text)["input_ids"]
    assert ids == trained.encode(text).ids


def test_offsets_point_into_the_document_as_it_was_sent(model: NerModel) -> None:
    document = (
        "<div>\n  <p>Officials in&nbsp;<b>Berlin</b> met   Angela\tMerkel on Monday.</p></div>"
    )
    [found] = entities(model, document)
    texts = {one["entity_text"]: document[one["start"] : one["end"]] for one in found}
    assert texts == {"Berlin": "Berlin", "Angela Merkel": "Angela\tMerkel"}


def test_name_behind_the_first_window_is_found_in_its_place(model: NerModel) -> None:
    # One sentence with far more tokens than the network reads at once.
    document = (
        "he said " + "and then they went on and on, " * 120 + "until Angela Merkel came to Berlin."
    )
    [found] = entities(model, document)
    spans = {document[one["start"] : one["end"]] for one in found if one["start"] > 3_000}
    assert {"Angela Merkel", "Berlin"} <= spans


def test_second_run_changes_nothing(workspace: Path) -> None:
    assert [program.main([]) for program in CHAIN] == [0] * len(CHAIN)
    assert {version.version for version in open_registry(RegistrySettings()).list()} == {1}
