import pytest

from keywords.schema import Request
from keywords.serve.model import KeywordsModel
from keywords.serve.serve import create_model
from mesh.core.errors import UsageError


def test_server_needs_a_version():
    with pytest.raises(UsageError, match="directory of a compiled version"):
        create_model(None)


def test_example_asks_about_the_text(tmp_path):
    model = create_model(tmp_path)
    assert isinstance(model, KeywordsModel)
    example = model.example_request("tram depot")
    assert isinstance(example, Request)
    assert [item.document for item in example.inputs] == ["tram depot"]


def test_bio_of_a_model_that_is_not_loaded_has_no_card(tmp_path):
    assert create_model(tmp_path).bio() == {"model_name": "keywords", "model_card": {}}
