import numpy as np
import pytest

from mesh.compile.text_model import TokenLogits
from mesh.core.errors import UsageError
from mesh.nlp.language import write_languages
from ner.model import EntityRecogniser
from ner.schema import Request
from ner.serve.model import NerModel


class NoEntities:
    def token_logits(self, texts):
        return [
            TokenLogits(np.zeros((0, 2), np.int64), np.zeros((0, 1), np.float32)) for _ in texts
        ]

    def unknown_fractions(self, texts):
        return [0.0] * len(texts)


@pytest.fixture
def model(tmp_path, monkeypatch):
    write_languages(tmp_path, ["en"])
    monkeypatch.setattr(EntityRecogniser, "load", lambda _: EntityRecogniser(NoEntities(), ("O",)))
    model = NerModel(tmp_path)
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
    assert "'de' is not supported" in str(second)


def test_other_language_is_refused_unless_told_otherwise(model):
    text = "Die Regierung hat am Montag ein neues Gesetz über die Renten vorgelegt."
    with pytest.raises(UsageError, match="looks like 'de'"):
        model.predict(request(text))
    assert len(model.predict(request(text, check_language=False)).outputs) == 1


def test_document_is_refused_alone_where_the_request_says_so(model):
    german = "Die Regierung hat am Montag ein neues Gesetz vorgelegt."
    texts = ["Siobhán Ní Dhomhnaill lives in Dún Laoghaire.", german, ""]
    with pytest.raises(UsageError, match="Document 1: The text looks like 'de'"):
        model.predict(request(*texts))
    response = model.predict(request(*texts, on_error="item")).model_dump()
    assert [sorted(output) for output in response["outputs"]] == [
        ["entities", "markup"],
        ["error"],
        ["entities", "markup"],
    ]
