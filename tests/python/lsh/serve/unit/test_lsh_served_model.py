import pytest
from pydantic import ValidationError

from lsh.schema import Request
from lsh.serve.model import LshModel


def test_each_document_gets_its_signature_in_order():
    model = LshModel(None)
    model.load()
    text = "The city council approved a new tram line, connecting harbour and hospital."
    body = {"inputs": [{"document": text}, {"document": "Too short."}, {"document": text}]}
    request = Request.model_validate(body)
    response = model.predict(request)
    assert list(model.outputs(request)) == response.outputs
    first, short, again = (output.signature for output in response.outputs)
    assert first == again != []
    assert short is None
    assert response.signature_version == model.bio()["model_card"]["signature_version"]


def test_example_request_is_about_the_text():
    expected = Request.model_validate({"inputs": [{"document": "text"}]})
    assert LshModel(None).example_request("text") == expected


def test_too_long_document_is_refused():
    with pytest.raises(ValidationError):
        LshModel(None).example_request("x" * 200_001)
