"""The sets on which every version is scored."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from mesh.compile.text_model import TextModel
from mesh.data.dataset import AnnotatedText
from mesh.data.duplicates import find_duplicates
from mesh.data.formats import read_file
from mesh.data.sources import sample_files
from mesh.lifecycle.training.evaluation import read_held_out
from sentiment.dataset import DATASET, Example
from sentiment.labels import LABELS
from sentiment.recipe import RECIPE, score_entities

PAIRED = (
    "comparisons",
    "emoji",
    "irony",
    "names-of-feeling-words",
    "negated-advice",
    "negated-fault",
    "plain-facts",
    "ratings",
    "stretched-words",
    "wishes-and-questions",
)


@pytest.fixture(scope="module")
def held_out():
    training = RECIPE.training
    assert training
    assert training.calibration
    sets = {**training.held_out, "calibration": training.calibration}
    return {name: read_held_out(each) for name, each in sets.items()}


def test_each_kind_has_a_dozen_pairs_of_different_labels(held_out):
    labels: dict[str, Counter[str]] = {kind: Counter() for kind in PAIRED}
    for row in held_out["pairs"]:
        labels.setdefault(row.domain, Counter())[row.label] += 1
    for kind in PAIRED:
        assert labels[kind].total() >= 24
        assert labels[kind].total() - max(labels[kind].values()) >= 12
    assert min(counts.total() for counts in labels.values()) >= 12


def test_entities_of_a_sentence_have_different_sentiments(held_out):
    assert len(held_out["entities"]) >= 300
    for row in held_out["entities"]:
        first, second = row.labels
        assert first != second
        assert {first, second} <= set(LABELS)


def test_no_sample_is_held_out(held_out):
    samples = [
        Example.model_validate(row.fields)
        for file in sample_files(DATASET.samples)
        for row in read_file(Path(file.path), "jsonl")
    ]
    # Equal labels, so that what is said of a text makes no difference.
    texts = [row.text for rows in (samples, *held_out.values()) for row in rows]
    rows = [Example(text=text, label="neutral", language="en", domain="any") for text in texts]
    found = find_duplicates(rows, near=0.6, related=0.6)
    last = len(samples)
    shared = [
        (texts[position], texts[other])
        for position, other in {**found.same, **found.near}.items()
        if (position >= last) != (other >= last)
    ]
    assert shared == []


class Network:
    """Calls what has `good` positive and what has `bad` negative."""

    spec = SimpleNamespace(labels=LABELS)

    def logits(self, texts):
        return 9 * np.array([["bad" in text, 0.5, "good" in text] for text in texts])

    def unknown_fractions(self, texts):
        return [0.0 for _ in texts]


def test_entities_are_scored_by_their_own_sentences():
    row = AnnotatedText(
        text="Rome was good. Oslo was bad. Bonn is a town.",
        entities=[
            {"start": 0, "end": 4, "label": "positive"},
            {"start": 15, "end": 19, "label": "positive"},
            {"start": 29, "end": 33, "label": "neutral"},
        ],
        language="en",
        domain="review",
    )
    scores = score_entities(cast(TextModel, Network()), [row])
    assert scores["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert scores["confusion_matrix"] == [[0, 0, 0], [0, 1, 0], [1, 0, 1]]
