"""Links with embeddings that are known: a text's vector tells whether it has certain words."""

import numpy as np
import pytest

from entity_fishing.embedded import EmbeddedLinker
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.linker import Mention, Task
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


class Flat:
    """Finds all texts equally similar."""

    def embed(self, texts):
        return np.full((len(texts), 1), 0.47, np.float32)


def link_names(text, knowledge, *names):
    """The entities of given names, the first occurrence of each, without help of descriptions."""
    mentions = [Mention(at := text.index(name), at + len(name)) for name in names]
    task = Task(read_document(text), Language.ENGLISH, mentions)
    [links] = EmbeddedLinker(knowledge, Flat()).link([task], 0.0)
    assert isinstance(links, list)
    return [found.wikidata_id for found in links]


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


@pytest.mark.parametrize(
    ("text", "names", "expected"),
    [
        # Nationalities are their countries, and languages where a sentence is about languages.
        ("The German chancellor met Iraqis.", ("German", "Iraqis"), ["Q183", "Q796"]),
        ("DUTCH BEAT SWISS", ("DUTCH", "SWISS"), ["Q55", "Q39"]),
        ("Muslim and Jewish leaders met.", ("Muslim", "Jewish"), ["Q432", "Q7325"]),
        ("The novel was translated from German.", ("German",), ["Q188"]),
        ("She speaks German, and takes French lessons.", ("German", "French"), ["Q188", "Q150"]),
        ("She spoke to German voters in French towns.", ("German", "French"), ["Q183", "Q142"]),
        # Teams play, places are where they play.
        ("England scored a late goal in England.", ("England",), ["Q47762"]),
        ("The striker scored a goal in England.", ("England",), ["Q21"]),
        ("Elections in England are on Thursday.", ("England",), ["Q21"]),
        ("Iraq said that its goal was peace.", ("Iraq",), ["Q796"]),
        ("England votes on Thursday.", ("England",), ["Q21"]),
        ("The English striker scored a goal.", ("English",), ["Q21"]),
        ("The quarterback threw a touchdown for Dallas.", ("Dallas",), ["Q204862"]),
        ("The mayor of Dallas spoke.", ("Dallas",), ["Q16557"]),
        ("Jones (Britain) beat Smith (Kenya)", ("Britain", "Kenya"), ["Q145", "Q114"]),
        # The region behind a city tells which one.
        ("He lives in Athens, Georgia, now.", ("Athens", "Georgia"), ["Q203263", None]),
        ("He lives in London, Ontario.", ("London", "Ontario"), ["Q92561", "Q1904"]),
        ("He lives in Portland, Oregon.", ("Portland", "Oregon"), ["Q6106", "Q824"]),
        ("England, Scotland and Wales agreed.", ("England", "Scotland"), ["Q21", "Q22"]),
        ("He lives in Rochester, N.H.", ("Rochester", "N.H."), [None, "Q759"]),
        # No team of this sport is known.
        ("Austin won the baseball match in the last inning.", ("Austin",), [None]),
        # Short names of those who are named in full, and of others.
        ("Yasser Arafat spoke. Arafat left.", ("Yasser Arafat", "Arafat"), ["Q34211"] * 2),
        ("Jordan is unwell, said Neil Jordan.", ("Jordan", "Neil Jordan"), [None, None]),
        ("Maria Washington left.", ("Washington",), [None]),
        ("President Clinton spoke.", ("Clinton",), ["Q1124"]),
        ("The flight to Washington left from Washington.", ("Washington",), ["Q61"]),
        # Abbreviations, other spellings and forms of names.
        ("The IMF and the U.N. met.", ("IMF", "U.N."), ["Q7804", "Q1065"]),
        ("The World Trade Organisation met.", ("World Trade Organisation",), ["Q7825"]),
        ("A London-based bank and Bogota", ("London-based", "Bogota"), ["Q84", "Q2841"]),
        ("BELGRADE 1996-08-30 The army left.", ("BELGRADE",), ["Q3711"]),
        ("He comes from Austin, Tex.", ("Austin", "Tex"), ["Q16559", "Q1439"]),
    ],
)
def test_words_around_a_name_choose_its_entity(text, names, expected, knowledge):
    assert link_names(text, knowledge, *names) == expected


def test_unknown_initials_stand_for_the_name_that_has_them(knowledge):
    text = "The Catholic Church (CC) said no. CC and XY left."
    assert link_names(text, knowledge, "Catholic Church", "CC", "XY") == ["Q9592", "Q9592", None]
