"""Links with embeddings that are known: a text's vector tells whether it has certain words."""

import numpy as np
import pytest

from entity_fishing.embedded import EmbeddedLinker
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.linker import Task
from entity_fishing.schema import Language
from mesh.nlp.document import read_document

ABOUT_COUNTRIES = ("country", "joined", "elections", "Ankara")


class Encoder:
    """Tells texts about countries from others, and counts the texts."""

    def __init__(self):
        self.texts = []

    def embed(self, texts):
        self.texts += texts
        kinds = [any(word in text for word in ABOUT_COUNTRIES) for text in texts]
        return np.array([[1.0, 0.0] if kind else [0.0, 1.0] for kind in kinds], np.float32)


@pytest.fixture(scope="module")
def knowledge():
    return KnowledgeBase.open(None)


def link(text, knowledge, encoder=None):
    task = Task(read_document(text), Language.ENGLISH, None)
    [links] = EmbeddedLinker(knowledge, encoder or Encoder()).link([task], 0.0)
    assert isinstance(links, list)
    return [(text[found.mention.start : found.mention.end], found.wikidata_id) for found in links]


def test_doubtful_name_needs_a_sentence_about_its_entity(knowledge):
    assert link("Turkey joined the talks.", knowledge) == [("Turkey", "Q43")]
    assert link("Turkey tastes best when roasted.", knowledge) == []
    assert link("We ate in Turkey.", knowledge)[0][0] == "Turkey"


def test_sentence_without_its_doubtful_names_is_embedded_once(knowledge):
    encoder = Encoder()
    link("turkey, " * 500 + "joined.", knowledge, encoder)
    assert len([text for text in encoder.texts if "joined." in text]) == 2


def test_context_of_a_name_is_its_sentence(knowledge):
    encoder = Encoder()
    link("Obama won. He met Macron in Paris. Then it rained.", knowledge, encoder)
    assert {"Obama won.", "He met Macron in Paris."} <= set(encoder.texts)
    assert "Then it rained." not in encoder.texts
