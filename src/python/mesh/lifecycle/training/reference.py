"""The reference that a version keeps, with which predictions of its server are compared."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mesh.compile.text_model import TextModel
from mesh.drift.reference import Reference
from mesh.drift.sample import Sample
from mesh.lifecycle.recipe import Recipe
from mesh.serve.facts import Facts

MOST_ROWS = 2_000


def write_reference(recipe: Recipe, model: TextModel, test: Sequence[Any], directory: Path) -> None:
    """Keep the facts of the predictions for rows of the test split, in the version's directory.

    Predictions are made as the server makes them, each in its row's language.
    """
    if recipe.response is None:
        return
    rows = test[:: max(1, -(-len(test) // MOST_ROWS))]
    facts = Facts(recipe.response)
    predict = recipe.reference(model)
    takes_language = "language" in recipe.configuration.model_fields
    texts: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        texts[row.language if takes_language else ""].append(row.text)
    sample = Sample()
    for language, documents in texts.items():
        params = {**recipe.inference_params, **({"language": language} if language else {})}
        for document, prediction in zip(documents, predict(documents, params), strict=True):
            sample.add(facts.of_output(prediction), len(document), language or None)
    Reference.of(sample, f"{len(rows):,} rows of the test split").write(directory)
