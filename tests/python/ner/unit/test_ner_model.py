import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.compile.text_model import TokenLogits
from mesh.nlp.document import read_document
from mesh.nlp.words import split_words
from ner.model import EntityRecogniser, Reading
from ner.schema import Configuration

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
NAMES = {"Ann": 1, "Lee": 2, "Rome": 3, "New": 3, "York": 4, "Łódź": 3, "Москва": 3, "Zoë": 1}
# Marks that continue a name, as a network may tag them.
NAMES |= dict.fromkeys("@#:/([", 2)


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
            tag = NAMES.get(text[start:end], 0)
            row[tag] = 4 if text[start].isalnum() or not tag else 1.5
            if TAGS[tag].startswith("I"):
                # The second likeliest is the beginning of such a name.
                row[tag - 1] = row[tag] - 1
            cuts = [start, end - 1, end] if end - start > 3 else [start, end]
            offsets += list(pairwise(cuts))
            # A word's later tokens have no influence.
            rows += [row, np.ones(len(TAGS), dtype=np.float32)][: len(cuts) - 1]
        return TokenLogits(
            np.array(offsets, dtype=np.int64).reshape(-1, 2),
            np.array(rows, dtype=np.float32).reshape(-1, len(TAGS)),
        )

    def unknown_fractions(self, texts):
        return [float("\U0001f600" in text) for text in texts]


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def recogniser(network):
    return EntityRecogniser(network, TAGS)


def reading(document, **configuration):
    return Reading.of(read_document(document), Configuration(**{"min_score": 0, **configuration}))


def found(recogniser, document, **configuration):
    [prediction] = recogniser.recognise([reading(document, **configuration)])
    return prediction.entities


def names(recogniser, document):
    return [entity.entity_text for entity in found(recogniser, document)]


def test_entities_with_sentence_and_score(recogniser):
    entities = found(recogniser, "Ann Lee left. She saw Rome!")
    assert [
        (entity.entity_type, entity.entity_text, entity.sentence_index, entity.start, entity.end)
        for entity in entities
    ] == [("PER", "Ann Lee", 0, 0, 7), ("LOC", "Rome", 1, 22, 26)]
    first = np.exp(4) / (np.exp(4) + 4)
    second = np.exp(4) / (np.exp(4) + np.exp(3) + 3)
    assert [entity.score for entity in entities] == [
        pytest.approx((first + second) / 2, abs=1e-4),
        pytest.approx(first, abs=1e-4),
    ]


def test_offsets_point_into_the_document_as_it_was_sent(recogniser):
    document = "<p>Ann&nbsp;\n <b>Lee</b> left.</p>\n\n<p>In  New\t<i>York</i></p>"
    entities = found(recogniser, document)
    assert [entity.entity_text for entity in entities] == ["Ann Lee", "New York"]
    assert [document[entity.start : entity.end] for entity in entities] == [
        "Ann&nbsp;\n <b>Lee",
        "New\t<i>York",
    ]


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0, ["Ann Lee", "Rome"]), (0.8, ["Ann Lee", "Rome"]), (0.9, ["Rome"]), (1, [])],
)
def test_names_below_the_least_score_are_left_out(recogniser, least, expected):
    entities = found(recogniser, "Ann Lee left Rome", min_score=least)
    assert [entity.entity_text for entity in entities] == expected


def test_names_are_left_out_by_default_if_they_are_more_likely_wrong(recogniser):
    document = read_document("Lee left. Ann left.")
    [prediction] = recogniser.recognise([Reading.of(document, Configuration())])
    assert [entity.entity_text for entity in prediction.entities] == ["Ann"]
    assert names(recogniser, "Lee left. Ann left.") == ["Lee", "Ann"]


@pytest.mark.parametrize("document", ["", " \n", "<p></p>", "nothing here", "?!", "\ud800"])
def test_documents_without_entities(recogniser, document):
    assert found(recogniser, document) == []


def test_all_sentences_of_all_documents_go_to_the_network_at_once(network, recogniser):
    documents = ["Ann left. Lee stayed.", "", "Rome."]
    predictions = recogniser.recognise([reading(document) for document in documents])
    assert network.calls == [["Ann left.", "Lee stayed.", "Rome."]]
    assert [len(prediction.entities) for prediction in predictions] == [2, 0, 1]


def test_no_documents(recogniser):
    assert recogniser.recognise([]) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("@Ann Lee left", ["Lee"]),
        ("Ann @Lee left", ["Ann"]),
        ("Ann (@Lee) left", ["Ann"]),
        ("Ann Lee@example.org left", ["Ann"]),
        ("mail Ann.Lee@example.org", []),
        ("@Ann@Rome.social left", []),
        ("#Rome Rome", ["Rome"]),
        ("#Ann#Lee#Rome Rome", ["Rome"]),
        ("https://Rome.org\u2026Ann", ["Ann"]),
        ("Ann #Lee", ["Ann"]),
        ("\uff03Rome \uff20Ann", []),
        ("https://Rome.org/Ann?q=Lee Ann", ["Ann"]),
        ("Ann https://x.org/Lee", ["Ann"]),
        ("www.Rome.org, Rome", ["Rome"]),
        ("see example.org/Rome/Ann.", []),
        ("at Rome.com or rome.Rome.de", []),
        ("Rome.Ann left", ["Rome", "Ann"]),
        ("Ann/Lee", ["Ann/Lee"]),
        ("(Ann) [Lee:", ["Ann", "Lee"]),
        ("#\u041c\u043e\u0441\u043a\u0432\u0430, Москва", ["Москва"]),
        ("@Łódź: Łódź", ["Łódź"]),
        ("在 https://x.cn\uff0cRome", ["Rome"]),
    ],
)
def test_addresses_handles_and_tags_have_no_names(recogniser, document, expected):
    assert names(recogniser, document) == expected


def test_sentences_that_the_network_cannot_read_have_no_names(network, recogniser):
    entities = found(recogniser, "Ann left. \U0001f600 Ann. Rome fell.")
    assert [(entity.entity_text, entity.sentence_index) for entity in entities] == [
        ("Ann", 0),
        ("Rome", 2),
    ]
    assert network.calls == [["Ann left.", "Rome fell."]]


@pytest.mark.parametrize(
    "document",
    [
        "Ann\nLee\nNew\nYork",
        "Ann\r\nLee\r\nNew\r\nYork",
        "Ann\n\nLee\n\nNew\n\nYork",
        "- Ann\n- Lee\n- New\n- York",
        "\u2022 Ann\n\u2022 Lee\n\u2022 New\n\u2022 York",
        "1. Ann\n2. Lee\n3. New\n4. York",
        "Ann\tLee\tNew\tYork",
        "From: Ann\nTo: Lee\nCc: New\nSubject: York",
        "<p>Ann</p><p>Lee</p><p>New</p><p>York</p>",
        "<p>Ann<br>Lee<br>New<br>York</p>",
        "<ul><li>Ann<li>Lee<li>New<li>York</ul>",
        "<table><tr><td>Ann</td><td>Lee</td></tr><tr><td>New</td><td>York</td></tr></table>",
        "| Ann | Lee |\n|---|---|\n| New | York |",
        "# Ann\nLee\n\n# New\nYork",
    ],
)
def test_names_do_not_cross_blocks(recogniser, document):
    assert names(recogniser, document) == ["Ann", "Lee", "New", "York"]


@pytest.mark.parametrize(
    "document",
    [
        "We went by train to see the tall towers of New\nYork with our friends in the spring.",
        "<p>In New\n<b>York</b></p>",
        "<p>In New\n \tYork</p>",
        "In *New* **York**.",
        "In N\u00adew\u200b Yo\u2060rk",
    ],
)
def test_names_go_on_within_a_block(recogniser, document):
    assert len(names(recogniser, document)) == 1


def test_normal_forms_give_the_same_names(recogniser):
    text = "Zoë met Łódź"
    for form in ("NFC", "NFD"):
        document = unicodedata.normalize(form, text)
        entities = found(recogniser, document)
        assert [entity.entity_text for entity in entities] == ["Zoë", "Łódź"]
        assert [document[entity.start : entity.end] for entity in entities] == [
            unicodedata.normalize(form, "Zoë"),
            unicodedata.normalize(form, "Łódź"),
        ]


WORDS = st.sampled_from([*NAMES, "met", "in", "-", ".", "@Ann", "ab.com"])
TEXTS = st.lists(WORDS, min_size=1, max_size=10).map(" ".join)
RECOGNISER = EntityRecogniser(FakeNetwork(), TAGS)


@given(TEXTS)
def test_offsets_point_at_the_names_as_they_were_sent(text):
    for entity in found(RECOGNISER, text):
        assert text[entity.start : entity.end] == entity.entity_text


@given(TEXTS)
def test_invisible_characters_and_markup_change_no_names(text):
    expected = names(RECOGNISER, text)
    dressed = "<p>" + text.replace("e", "e\u00ad<b></b>\u200b").replace("o", "&#111;") + "</p>"
    entities = found(RECOGNISER, dressed)
    assert [entity.entity_text for entity in entities] == expected
    for entity in entities:
        assert read_document(dressed[entity.start : entity.end]).text == entity.entity_text


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_names_of_a_document_are_those_of_its_blocks(blocks):
    together = names(RECOGNISER, "".join(f"<p>{block}</p>" for block in blocks))
    assert together == [name for block in blocks for name in names(RECOGNISER, block)]
