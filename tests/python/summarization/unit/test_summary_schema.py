import pytest
from pydantic import SecretStr, ValidationError

from summarization.prompts import prompt
from summarization.schema import Configuration, Language, Request
from summarization.serve.model import SummarizationModel
from summarization.settings import SummarizationSettings


def test_defaults():
    request = Request.model_validate({"inputs": [{"document": ""}]})
    assert request.configuration.model_dump() == {
        "markup": "auto",
        "desired_length": 100,
        "language": "en",
        "position_weight": 0.8,
        "target_language": None,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("desired_length", 0),
        ("desired_length", 501),
        ("language", "xx"),
        ("position_weight", -0.1),
        ("position_weight", 1.1),
        ("position_weight", float("nan")),
        ("target_language", ""),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        Configuration.model_validate({field: value})


@pytest.mark.parametrize("language", Language)
def test_every_language_has_an_instruction_with_the_length(language):
    instruction = prompt(language, 123)
    assert instruction.count("123") == 1
    assert "$" not in instruction
    assert len({prompt(other, 123) for other in Language}) == len(Language)


def test_key_is_not_shown():
    settings = SummarizationSettings(api_key=SecretStr("sk-secret"))
    assert "sk-secret" not in f"{settings!r} {settings.model_dump(mode='json')}"


def test_extractive_backend_needs_no_model():
    model = SummarizationModel(None, SummarizationSettings())
    model.load()
    assert model.computes_here
    assert model.bio()["model_card"]["backend"] == "extractive"
    texts = ["A tram rings. It stops.", ""]
    request = Request.model_validate({"inputs": [{"document": text} for text in texts]})
    response = model.predict(request)
    assert response.backend == "extractive"
    assert [output.summary for output in response.outputs] == texts
    assert list(model.outputs(request)) == response.outputs


def test_bio_of_the_chat_backend_names_the_model_and_no_key():
    model = SummarizationModel(
        None, SummarizationSettings(backend="chat", model="tiny", api_key=SecretStr("sk-secret"))
    )
    model.load()
    card = model.bio()["model_card"]
    assert (card["backend"], card["model"], card["prompts_version"]) == ("chat", "tiny", "1")
    assert "sk-secret" not in str(card)
    assert not model.computes_here
