from itertools import pairwise

import numpy as np
import pytest

from mesh.compile.text_model import TokenLogits
from mesh.nlp.words import split_words
from ner.model import EntityRecogniser

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
NAMES = {"Ann": 1, "Lee": 2, "Rome": 3, "New": 3, "York": 4}


class FakeNetwork:
    """Knows a few names; each word is a token, and so is the last letter of long words."""

    def __init__(self):
        self.calls = []

    def token_logits(self, texts):
        self.calls.append(list(texts))
        return [self._tagged(text) for text in texts]

    def _tagged(self, text):
        offsets, rows = [], []
        for start, end in split_words(text):
            row = np.zeros(len(TAGS), dtype=np.float32)
            row[NAMES.get(text[start:end], 0)] = 4
            cuts = [start, end - 1, end] if end - start > 3 else [start, end]
            offsets += list(pairwise(cuts))
            # A word's later tokens have no influence.
            rows += [row, np.ones(len(TAGS), dtype=np.float32)][: len(cuts) - 1]
        return TokenLogits(
            np.array(offsets, dtype=np.int64).reshape(-1, 2),
            np.array(rows, dtype=np.float32).reshape(-1, len(TAGS)),
        )


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def recogniser(network):
    return EntityRecogniser(network, TAGS)


def found(recogniser, document):
    [prediction] = recogniser.recognise([(document, "en")])
    return prediction.entities


def test_entities_with_sentence_and_score(recogniser):
    entities = found(recogniser, "Ann Lee left. She saw Rome!")
    assert [
        (entity.entity_type, entity.entity_text, entity.sentence_index, entity.start, entity.end)
        for entity in entities
    ] == [("PER", "Ann Lee", 0, 0, 7), ("LOC", "Rome", 1, 22, 26)]
    assert {entity.score for entity in entities} == {round(np.exp(4) / (np.exp(4) + 4), 4)}


def test_offsets_point_into_the_document_as_it_was_sent(recogniser):
    document = "<p>Ann&nbsp;\n <b>Lee</b> left.</p>\n\n<p>In  New\t<i>York</i></p>"
    entities = found(recogniser, document)
    assert [entity.entity_text for entity in entities] == ["Ann Lee", "New York"]
    assert [document[entity.start : entity.end] for entity in entities] == [
        "Ann&nbsp;\n <b>Lee",
        "New\t<i>York",
    ]


@pytest.mark.parametrize("document", ["", " \n", "<p></p>", "nothing here", "?!", "\ud800"])
def test_documents_without_entities(recogniser, document):
    assert found(recogniser, document) == []


def test_all_sentences_of_all_documents_go_to_the_network_at_once(network, recogniser):
    documents = [("Ann left. Lee stayed.", "en"), ("", "en"), ("Rome.", "en")]
    predictions = recogniser.recognise(documents)
    assert network.calls == [["Ann left.", "Lee stayed.", "Rome."]]
    assert [len(prediction.entities) for prediction in predictions] == [2, 0, 1]


def test_no_documents(recogniser):
    assert recogniser.recognise([]) == []
