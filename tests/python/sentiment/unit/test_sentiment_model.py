import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.document import read_document
from sentiment.model import SentimentAnalyser
from sentiment.schema import Input

ORDER = ("positive", "negative", "neutral")
WORDS = {"good": 0, "bad": 1}


class FakeNetwork:
    """Recognises single words; its labels have a different order."""

    def __init__(self):
        self.calls = []

    def logits(self, texts):
        self.calls.append(list(texts))
        rows = np.zeros((len(texts), 3), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[next((number for word, number in WORDS.items() if word in text), 2)] = 3
        return rows

    def unknown_fractions(self, texts):
        return [float("?" in text) for text in texts]


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def analyser(network):
    return SentimentAnalyser(network, ORDER)


def read(analyser, text, *entities):
    source = Input.model_validate({"document": text, "entities": list(entities)})
    return analyser.read(read_document(text), source.entities, "en")


def analyse(analyser, text, *entities):
    [prediction] = analyser.analyse([read(analyser, text, *entities)])
    return prediction


@pytest.mark.parametrize(
    ("text", "label"),
    [("It is good.", "positive"), ("It is bad.", "negative"), ("It is.", "neutral")],
)
def test_label_is_the_likeliest(analyser, text, label):
    prediction = analyse(analyser, text)
    probabilities = [prediction.negative_prob, prediction.neutral_prob, prediction.positive_prob]
    assert (prediction.label, prediction.entities) == (label, [])
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)
    assert getattr(prediction, f"{label}_prob") == max(probabilities)


def test_entity_has_the_sentiment_of_its_sentences(analyser):
    text = "Rome was good. Oslo was bad. Rome is a town."
    rome, oslo, ghent = analyse(
        analyser, text, {"entity_text": "rome"},
        {"entity_text": "Oslo", "entity_type": "LOC"}, {"entity_text": "Ghent"}
    ).entities  # fmt: skip
    assert (rome.sentence_indexes, oslo.sentence_indexes, ghent.sentence_indexes) == (
        [0, 2],
        [1],
        [],
    )
    assert oslo.sentiment is not None
    assert (oslo.sentiment.label, oslo.entity_type) == ("negative", "LOC")
    assert rome.sentiment is not None
    # The mean of a positive and a neutral sentence.
    assert (
        rome.sentiment.positive_prob == rome.sentiment.neutral_prob > rome.sentiment.negative_prob
    )
    assert ghent.sentiment is None


def test_entities_of_one_sentence_have_the_sentiment_of_their_clauses(network, analyser):
    text = "Rome was good, but Oslo was bad and Oslo is small. Rome was, as they say, good."
    rome, oslo = analyse(analyser, text, {"entity_text": "Rome"}, {"entity_text": "Oslo"}).entities
    assert (rome.sentence_indexes, oslo.sentence_indexes) == ([0, 1], [0])
    assert rome.sentiment.label == "positive"
    # The mean of a negative and a neutral clause.
    assert oslo.sentiment.negative_prob == oslo.sentiment.neutral_prob
    assert [part.strip() for part in network.calls[0][1:]] == [
        "Rome was good,",
        "but Oslo was bad",
        "and Oslo is small.",
        # A sentence with one name is not divided.
        "Rome was, as they say, good.",
    ]


def test_one_name_twice_does_not_divide_its_sentence(network, analyser):
    entities = [{"entity_text": "Rome"}, {"entity_text": "ROME"}]
    analyse(analyser, "Rome was good, but Rome is old.", *entities)
    assert network.calls[0][1:] == ["Rome was good, but Rome is old."]


def test_offsets_of_an_entity_are_those_of_the_document_as_it_was_sent(analyser):
    text = "<p>Rome was good.</p><p>Rome&nbsp;was <b>bad</b>.</p>"
    start = text.rindex("Rome")
    [rome] = analyse(
        analyser, text, {"entity_text": "Rome", "start": start, "end": start + 4}
    ).entities
    assert rome.sentence_indexes == [1]
    assert rome.sentiment is not None
    assert rome.sentiment.label == "negative"


def test_entity_that_is_not_at_its_place_is_refused(analyser):
    entity = {"entity_text": "Rome", "start": 0, "end": 4}
    for text, there in (("<br>Rome", ""), ("Oslo, Rome", "Oslo")):
        with pytest.raises(UsageError, match=f"'Rome' isn't at 0:4, .* has '{there}'"):
            read(analyser, text, entity)


@pytest.mark.parametrize("text", ["", "<p></p>", " \n\u200b", "? ?"])
def test_text_that_the_network_cannot_read_has_no_sentiment(analyser, text):
    with pytest.raises(UsageError, match="so there is no sentiment"):
        read(analyser, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("McDonald's", "Fine. McDonald\u2019s was good."),
        ("McDonald\u2019s", "Fine. McDonald's was good."),
        ("Café  Zoë", "Fine. CAFÉ\u00a0Zo\u00eb was good."),
        ("Cafe\u0301", "Fine. Café was good."),
        ("AT&amp;T", "Fine. AT&T was good."),
        ("AT&T", "Fine. AT&amp;T was good."),
        ("Łódź", "Fine. ŁÓDŹ was good."),
        ("Москва", "Fine. <b>Моск</b>ва was good."),
        ("東京", "Fine. 東京 was good."),
    ],
)
def test_entities_are_found_as_users_write_them(analyser, name, text):
    [entity] = analyse(analyser, text, {"entity_text": name}).entities
    assert (entity.sentence_indexes, entity.sentiment.label) == ([1], "positive")
    assert entity.entity_text == name


SENTENCES = st.lists(st.sampled_from(["Rome fell.", "Oslo rose.", "Rome, Rome!"]), max_size=6)


@given(SENTENCES)
def test_sentences_of_an_entity_are_those_that_contain_it(sentences):
    text = " ".join([*sentences, "The end."])
    [rome] = analyse(
        SentimentAnalyser(FakeNetwork(), ORDER), text, {"entity_text": "rome"}
    ).entities
    expected = [number for number, sentence in enumerate(sentences) if "Rome" in sentence]
    assert rome.sentence_indexes == expected


def test_names_are_found_as_whole_words_with_any_characters(analyser):
    text = "Romeo came. C++ (good) is a language."
    found = analyse(analyser, text, {"entity_text": "Rome"}, {"entity_text": "C++"}).entities
    assert [entity.sentence_indexes for entity in found] == [[], [1]]


def test_documents_and_sentences_go_to_the_network_at_once(network, analyser):
    entities = [{"entity_text": "Oslo"}, {"entity_text": "oslo"}]
    first = read(analyser, "Rome was good. Oslo was bad.", *entities)
    predictions = analyser.analyse([first, read(analyser, "Fine.")])
    assert network.calls == [["Rome was good. Oslo was bad.", "Oslo was bad.", "Fine."]]
    assert [prediction.label for prediction in predictions] == ["positive", "neutral"]
