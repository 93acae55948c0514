import json
from importlib.resources import files

import numpy as np
import pytest

from mesh.nlp.tagger_text import tagger_text
from mesh.nlp.tagging import LabelledSpan, read_tags, tag_set, tag_words, tagged_spans
from mesh.nlp.words import split_words
from ner.labels import LABELS

TAGS = tag_set(LABELS)


def _names(kind):
    path = files("ner.train") / "names" / f"{kind}.txt"
    return path.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def samples():
    """The shipped rows."""
    return [
        json.loads(line)
        for path in files("ner.ingest").joinpath("samples").iterdir()
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def test_shipped_names_are_those_that_a_tagger_can_find(samples):
    for row in samples:
        read = tagger_text(row["text"])
        words = split_words(read.text)
        names = [LabelledSpan(one["start"], one["end"], one["label"]) for one in row["entities"]]
        tags = tag_words(words, names, read.addresses)
        logits = 9 * np.array([[tag == other for other in TAGS] for tag in tags], dtype=np.float32)
        found = read_tags(read, np.array(words), logits, TAGS)
        spans = {
            LabelledSpan(words[span.first].start, words[span.last].end, span.label)
            for span in tagged_spans(found.tags)
        }
        assert spans == set(names), row["text"]


def test_shipped_compounds_of_two_names_are_two(samples):
    known = {
        name.casefold()
        for kind in ("cities", "countries", "nationalities", "regions")
        for name in _names(kind)
    }
    names = {row["text"][one["start"] : one["end"]] for row in samples for one in row["entities"]}
    halves = {name: [half.casefold() for half in name.split("-")] for name in names if "-" in name}
    assert len(halves) > 50
    assert [name for name, parts in halves.items() if known.issuperset(parts)] == []
