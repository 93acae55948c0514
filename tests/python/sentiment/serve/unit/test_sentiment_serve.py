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


@pytest.mark.parametrize("document", ["", " \n", "<p></p>"])
def test_document_without_text_has_no_sentiment(model, document):
    with pytest.raises(UsageError, match="Document 1 has no text"):
        model.predict(request("Fine.", document))


def test_other_language_is_refused_unless_told_otherwise(model):
    text = "Die Regierung hat am Montag ein neues Gesetz über die Renten vorgelegt."
    with pytest.raises(UsageError, match="looks like 'de'"):
        model.predict(request(text))
    assert len(model.predict(request(text, check_language=False)).outputs) == 1
