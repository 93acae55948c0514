import numpy as np
import pytest

from mesh.core.errors import UsageError
from mesh.nlp.language import write_languages
from sentiment.labels import LABELS
from sentiment.model import SentimentAnalyser
from sentiment.schema import Request
from sentiment.serve.model import SentimentModel


class Undecided:
    def logits(self, texts):
        return np.zeros((len(texts), len(LABELS)), np.float32)

    def unknown_fractions(self, texts):
        return [float("\u16a0" in text) for text in texts]


@pytest.fixture
def model(tmp_path, monkeypatch):
    write_languages(tmp_path, ["en"])
    monkeypatch.setattr(SentimentAnalyser, "load", lambda _: SentimentAnalyser(Undecided(), LABELS))
    model = SentimentModel(tmp_path)
    model.load_compiled(tmp_path)
    return model


def request(*documents, **configuration):
    return Request.model_validate(
        {"configuration": configuration, "inputs": [{"document": text} for text in documents]}
    )


def test_request_that_is_refused_does_not_spoil_the_others(model):
    requests = [request("One.", "Two."), request("One.", language="de"), request("Three.")]
    first, second, third = model.predict_batch(requests)
    assert (len(first.outputs), len(third.outputs)) == (2, 1)
    assert isinstance(second, UsageError)


GERMAN = "Die Regierung hat am Montag ein neues Gesetz über die Renten vorgelegt."
REFUSED = [
    (GERMAN, "looks like 'de'"),
    ("这家餐厅的服务很差\uff0c再也不来了。", "looks like 'zh'"),
    ("", "There is no text"),
    ("<p></p>", "There is no text"),
    ("\u16a0\u16a2", "can't read most of the text"),
]


@pytest.mark.parametrize(("document", "problem"), REFUSED)
def test_document_without_sentiment_is_refused_with_its_request(model, document, problem):
    with pytest.raises(UsageError, match=f"Document 1: .*{problem}"):
        model.predict(request("Fine.", document))


def test_document_is_refused_alone_where_the_request_says_so(model):
    texts = ["Fine.", *(document for document, _ in REFUSED), "Siobhán Ní Dhomhnaill sings."]
    outputs = model.predict(request(*texts, on_error="item")).model_dump()["outputs"]
    assert [set(output) == {"error"} for output in outputs] == [False, *[True] * 5, False]
    for output, (_, problem) in zip(outputs[1:-1], REFUSED, strict=True):
        assert problem in output["error"]


def test_language_check_can_be_switched_off(model):
    assert len(model.predict(request(GERMAN, check_language=False)).outputs) == 1


def test_entity_with_another_text_at_its_place_is_refused(model):
    entity = {"entity_text": "Rome", "start": 0, "end": 4}
    body = {"inputs": [{"document": "Oslo was fine.", "entities": [entity]}]}
    with pytest.raises(UsageError, match="Document 0: The entity 'Rome' isn't at 0:4"):
        model.predict(Request.model_validate(body))


def test_markup_is_that_of_the_document(model):
    [output] = model.predict(request("<p>Fine &amp; good.</p>")).outputs
    assert output.markup == "html"
