"""A network's predictions for labelled rows, and their scores.

A network is scored as the server runs it: texts in windows, by the tokenizer's offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesh.compile.text_model import TextModel
from mesh.core.errors import MeshError
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.training.details import Details, FoundEntity, class_details, entity_details
from mesh.lifecycle.training.examples import spans_of
from mesh.lifecycle.training.scores import classification_scores, entity_scores
from mesh.lifecycle.training.slices import scores_by_slice
from mesh.nlp.softmax import softmax
from mesh.nlp.tagger_text import tagger_text
from mesh.nlp.tagging import TaggedWords, read_tags, tag_words, tagged_spans


@dataclass(frozen=True)
class ClassPredictions:
    """Predictions of the class of each row.

    Args:
        true: the number of each row's class.
        probabilities: (rows, labels).
    """

    rows: Sequence[Any]
    labels: tuple[str, ...]
    true: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    def scores(self) -> dict[str, Any]:
        """The scores of all rows and of each slice."""
        right = self.probabilities.argmax(axis=1) == self.true
        return {
            **classification_scores(self.true.tolist(), self.probabilities, self.labels),
            **scores_by_slice(
                self.rows, lambda some: {"accuracy": round(float(right[some].mean()), 4)}
            ),
        }

    def details(self) -> Details:
        """What a report shows beside the scores."""
        return class_details(self.rows, self.labels, self.true, self.probabilities)


@dataclass(frozen=True)
class TagPredictions:
    """Predictions of the entities of each row.

    Args:
        true: tags of each row's words.
        found: the words, with the network's tags.
    """

    rows: Sequence[Any]
    true: list[list[str]]
    found: list[TaggedWords]

    def scores(self) -> dict[str, Any]:
        """The scores of all rows and of each slice."""
        predicted = [each.tags for each in self.found]
        return {
            **entity_scores(self.true, predicted),
            **scores_by_slice(
                self.rows,
                lambda some: {
                    "f1": entity_scores(
                        [self.true[number] for number in some],
                        [predicted[number] for number in some],
                    )["f1"]
                },
            ),
        }

    def details(self) -> Details:
        """What a report shows beside the scores."""
        return entity_details(
            self.rows,
            [
                _entities(each, true, each.probabilities)
                for each, true in zip(self.found, self.true, strict=True)
            ],
            [_entities(each, each.tags, each.probabilities) for each in self.found],
        )


def evaluate(recipe: Recipe, model: TextModel, rows: Sequence[Any]) -> dict[str, Any]:
    """Score a network on rows.

    Raises:
        MeshError: its outputs aren't the project's.
    """
    return predict(recipe, model, rows).scores()


def predict(
    recipe: Recipe, model: TextModel, rows: Sequence[Any]
) -> ClassPredictions | TagPredictions:
    """Run a network on labelled rows.

    Raises:
        MeshError: its outputs aren't the project's.
    """
    if recipe.task == "text-classification":
        return _predict_classes(model, rows)
    return _predict_entities(model, rows)


def _predict_classes(model: TextModel, rows: Sequence[Any]) -> ClassPredictions:
    labels = model.spec.labels
    if unknown := sorted({row.label for row in rows} - set(labels)):
        raise MeshError(
            f"The network's classes are {', '.join(labels)}; the data also has "
            f"{', '.join(unknown)}. Fine-tune it (TRAIN_EPOCHS), or correct id2label in its "
            "config.json."
        )
    probabilities = softmax(model.logits([row.text for row in rows]))
    true = np.array([labels.index(row.label) for row in rows])
    return ClassPredictions(rows, labels, true, probabilities)


def _predict_entities(model: TextModel, rows: Sequence[Any]) -> TagPredictions:
    tags = model.spec.labels
    if unknown := [tag for tag in tags if tag != "O" and tag[:2] not in ("B-", "I-")]:
        raise MeshError(
            f"The network's outputs {', '.join(unknown[:3])} aren't tags such as O, B-PER and "
            "I-PER. Fine-tune it (TRAIN_EPOCHS), or take another base model."
        )
    true, tagged = [], []
    read = [tagger_text(row.text) for row in rows]
    outputs = model.token_logits([each.text for each in read])
    for row, each, found in zip(rows, read, outputs, strict=True):
        tagged.append(read_tags(each, found.offsets, found.logits, tags))
        true.append(tag_words(tagged[-1].words, spans_of(row)))
    return TagPredictions(rows, true, tagged)


def _entities(
    tagged: TaggedWords, tags: Sequence[str], probabilities: NDArray[np.float64]
) -> list[FoundEntity]:
    """The entities of tags, each with the mean probability of what was predicted for its words."""
    return [
        FoundEntity(
            start=tagged.words[span.first].start,
            end=tagged.words[span.last].end,
            label=span.label,
            score=round(float(probabilities[span.first : span.last + 1].mean()), 4),
        )
        for span in tagged_spans(tags)
    ]
