import pytest
from pydantic import ValidationError

from lsh.schema import Configuration, Request


def test_defaults():
    request = Request.model_validate({"inputs": [{"document": ""}]})
    assert request.configuration.model_dump() == {
        "markup": "auto",
        "language": "en",
        "shingle_list": 3,
        "threshold": 0.4,
        "num_perm": 128,
    }


@pytest.mark.parametrize("threshold", [0.05, 0.07, 0.1, 0.57, 0.58, 0.95])
def test_thresholds_in_hundredths_are_taken(threshold):
    assert Configuration(threshold=threshold).threshold == threshold


@pytest.mark.parametrize("language", ["de", "DE", "german", " German "])
def test_languages_are_named_by_code_or_english_name(language):
    assert Configuration(language=language).language == "de"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "xx"),
        ("language", "klingon"),
        ("shingle_list", 0),
        ("shingle_list", 51),
        ("threshold", 0),
        ("threshold", 1),
        ("threshold", 0.555),
        ("threshold", float("nan")),
        ("num_perm", 15),
        ("num_perm", 257),
        ("seed", 1),
    ],
)
def test_values_out_of_bounds_are_refused(field, value):
    with pytest.raises(ValidationError, match=field):
        Configuration.model_validate({field: value})
