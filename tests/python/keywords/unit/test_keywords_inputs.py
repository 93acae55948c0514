"""The inputs of the trained model's fingerprint, as its program computes them."""

from keywords.recipe import RECIPE
from mesh.core.card import BaseModelSource
from mesh.core.inputs import differences, packages_of
from mesh.lifecycle.version import base_inputs

SOURCE = BaseModelSource(uri="package://model", digest="a" * 64)


def test_code_and_packages_of_the_recipe_count() -> None:
    inputs = base_inputs(RECIPE, SOURCE, ["text"], {"top_n": 1})
    assert {
        "base model",
        "samples",
        "setting inference_params",
        "setting task",
        "file keywords/embeddings.py",
        "file keywords/model.py",
        "file keywords/ranking.py",
        "file keywords/stop_words_export.py",
        "file mesh/compile/text_model.py",
        "file mesh/nlp/stop_words.py",
        "file mesh/serve/documents.py",
    } <= set(inputs)
    assert {"numpy", "scikit-learn", "stopwordsiso", "tokenizers", "torch", "transformers"} <= set(
        packages_of(inputs)
    )


def test_each_argument_counts() -> None:
    inputs = base_inputs(RECIPE, SOURCE, ["text"], {"top_n": 1})
    other = SOURCE.model_copy(update={"digest": "b" * 64})
    assert differences(inputs, base_inputs(RECIPE, other, ["text"], {"top_n": 1})) == ["base model"]
    assert differences(inputs, base_inputs(RECIPE, SOURCE, ["other"], {"top_n": 1})) == ["samples"]
    [changed] = differences(inputs, base_inputs(RECIPE, SOURCE, ["text"], {"top_n": 2}))
    assert changed.startswith("setting inference_params")
