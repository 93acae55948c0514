"""How keywords is registered, compiled and checked."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from keywords.model import Encoder
from keywords.model import KeywordExtractor
from keywords.project import PROJECT
from keywords.schema import Configuration
from keywords.stop_words import read_english_stop_words
from mesh.lifecycle.recipe import Predict
from mesh.lifecycle.recipe import Recipe

_INFERENCE_PARAMS = {"keyphrase_ngram_range": [1, 1], "stop_words": "english", "top_n": 5}


def _reference(folder: Path) -> Predict:
    from keywords.stop_words_export import english_stop_words
    from mesh.compile.source import spec_for
    from mesh.compile.torch_model import load_reference

    spec = spec_for(folder, task="sentence-embedding", backend="generic")
    return _predictor(load_reference(folder, spec), english_stop_words())


def _compiled(folder: Path) -> Predict:
    from mesh.compile.artifact import CompiledModel

    return _predictor(CompiledModel.load(folder), read_english_stop_words(folder))


def _write_extra_files(folder: Path) -> None:
    from keywords.stop_words_export import write_english_stop_words

    write_english_stop_words(folder)


def _predictor(encoder: Encoder, english_stop_words: frozenset[str]) -> Predict:
    extractor = KeywordExtractor(encoder, english_stop_words)

    def predict(documents: Sequence[str], params: Mapping[str, Any]) -> list[Any]:
        predictions = extractor.extract(documents, Configuration.model_validate(params))
        return [prediction.model_dump(mode="json") for prediction in predictions]

    return predict


def differences(expected: Any, actual: Any, tolerance: float) -> list[str]:
    """Compare two predictions of a document, whatever the order of nearly equal keywords.

    Returns:
        One sentence for each keyword that only one of them has, or whose scores are further apart than `tolerance`.
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


RECIPE = Recipe(
    project=PROJECT,
    task="sentence-embedding",
    samples="keywords.train:samples.json",
    inference_params=_INFERENCE_PARAMS,
    configuration=Configuration,
    reference=_reference,
    compiled=_compiled,
    differences=differences,
    extra_files=_write_extra_files,
    code=(
        "keywords.candidates",
        "keywords.model",
        "keywords.ranking",
        "keywords.recipe",
        "keywords.schema",
        "keywords.stop_words",
        "mesh.nlp.stop_words",
    ),
    extra_code=("keywords.stop_words_export",),
    packages=("scikit-learn", "stopwordsiso"),
)
