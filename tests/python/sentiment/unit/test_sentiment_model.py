import numpy as np
import pytest

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


@pytest.fixture
def network():
    return FakeNetwork()


@pytest.fixture
def analyser(network):
    return SentimentAnalyser(network, ORDER)


def analyse(analyser, text, *entities):
    document = Input.model_validate({"document": text, "entities": list(entities)})
    [prediction] = analyser.analyse([(document, "en")])
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


def test_offsets_of_an_entity_are_those_of_the_document_as_it_was_sent(analyser):
    text = "<p>Rome was good.</p><p>Rome&nbsp;was <b>bad</b>.</p>"
    start = text.rindex("Rome")
    [rome] = analyse(
        analyser, text, {"entity_text": "Rome", "start": start, "end": start + 4}
    ).entities
    assert rome.sentence_indexes == [1]
    assert rome.sentiment is not None
    assert rome.sentiment.label == "negative"


def test_markup_alone_at_an_entity_s_place_is_not_found(analyser):
    [entity] = analyse(analyser, "<br>Rome", {"entity_text": "x", "start": 0, "end": 4}).entities
    assert (entity.sentence_indexes, entity.sentiment) == ([], None)


def test_names_are_found_as_whole_words_with_any_characters(analyser):
    text = "Romeo came. C++ (good) is a language."
    found = analyse(analyser, text, {"entity_text": "Rome"}, {"entity_text": "C++"}).entities
    assert [entity.sentence_indexes for entity in found] == [[], [1]]


def test_documents_and_sentences_go_to_the_network_at_once(network, analyser):
    first = Input.model_validate(
        {
            "document": "Rome was good. Oslo was bad.",
            "entities": [{"entity_text": "Oslo"}, {"entity_text": "oslo"}],
        }
    )
    predictions = analyser.analyse([(first, "en"), (Input(document="Fine."), "en")])
    assert network.calls == [["Rome was good. Oslo was bad.", "Oslo was bad.", "Fine."]]
    assert [prediction.label for prediction in predictions] == ["positive", "neutral"]
