"""What a network scores on held-out rows, read as the server reads texts: in windows, by the tokenizer's offsets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mesh.compile.text_model import TextModel
from mesh.core.errors import MeshError
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.training.examples import spans_of
from mesh.lifecycle.training.scores import classification_scores, entity_scores
from mesh.nlp.softmax import softmax
from mesh.nlp.tagging import first_tokens, tag_words
from mesh.nlp.words import split_words


def evaluate(recipe: Recipe, folder: Path, rows: Sequence[Any]) -> dict[str, Any]:
    """Score the network in a folder on rows.

    Raises:
        MeshError: it can't be loaded, or its outputs are not those of the project.
    """
    model = recipe.load_reference(folder)
    if recipe.task == "text-classification":
        return _evaluate_classes(model, rows)
    return _evaluate_entities(model, rows)


def _evaluate_classes(model: TextModel, rows: Sequence[Any]) -> dict[str, Any]:
    labels = model.spec.labels
    if unknown := sorted({row.label for row in rows} - set(labels)):
        raise MeshError(
            f"The network's classes are {', '.join(labels)}; it can't tell {', '.join(unknown)} of the data. "
            "Fine-tune it (TRAIN_EPOCHS), or correct id2label in its config.json."
        )
    probabilities = softmax(model.logits([row.text for row in rows]))
    return classification_scores([labels.index(row.label) for row in rows], probabilities, labels)


def _evaluate_entities(model: TextModel, rows: Sequence[Any]) -> dict[str, Any]:
    tags = model.spec.labels
    if unknown := [tag for tag in tags if tag != "O" and tag[:2] not in ("B-", "I-")]:
        raise MeshError(
            f"The network's outputs {', '.join(unknown[:3])} are no tags such as O, B-PER and I-PER. "
            "Fine-tune it (TRAIN_EPOCHS), or take another base model."
        )
    true, predicted = [], []
    for row, found in zip(rows, model.token_logits([row.text for row in rows]), strict=True):
        words = split_words(row.text)
        tokens = first_tokens(words, [(int(start), int(end)) for start, end in found.offsets])
        best = found.logits.argmax(axis=1)
        predicted.append([tags[best[token]] if token is not None else "O" for token in tokens])
        true.append(tag_words(words, spans_of(row)))
    return entity_scores(true, predicted)
