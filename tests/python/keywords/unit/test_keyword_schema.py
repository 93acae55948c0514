import json

import pytest
from pydantic import ValidationError

from keywords.schema import Configuration, Request, Response
from mesh.serve.documents import MAX_DOCUMENT_CHARACTERS, MAX_DOCUMENTS


def request_of(configuration=None, texts=("some text",)):
    body = {"inputs": [{"document": text} for text in texts]}
    if configuration is not None:
        body["configuration"] = configuration
    return Request.model_validate_json(json.dumps(body))


def test_the_configuration_is_optional():
    assert request_of().configuration.model_dump(mode="json") == {
        "markup": "auto",
        "candidate_mode": "ngrams",
        "max_phrase_words": 4,
        "candidates": None,
        "keyphrase_ngram_range": [1, 1],
        "stop_words": "english",
        "top_n": 5,
        "min_df": 1,
        "use_maxsum": False,
        "use_mmr": False,
        "diversity": 0.5,
        "nr_candidates": 20,
        "seed_keywords": None,
    }


@pytest.mark.parametrize(
    "configuration",
    [
        {"stop_words": None},
        {"stop_words": "de"},
        {"stop_words": "Spanish"},
        {"stop_words": []},
        {"stop_words": ["the", "and"]},
        {"candidates": ["machine learning"]},
        {"candidates": []},
        {"seed_keywords": ["technology"]},
        {"keyphrase_ngram_range": [1, 5]},
        {"keyphrase_ngram_range": [3, 3]},
        {"use_maxsum": True, "top_n": 10, "nr_candidates": 20},
        {"top_n": 100},
        {"use_mmr": True, "use_maxsum": True, "top_n": 50, "nr_candidates": 10},
        {"use_mmr": True, "diversity": 1},
        {"min_df": 2},
        {"candidate_mode": "phrases"},
        {"candidate_mode": "phrases", "max_phrase_words": 10, "use_mmr": True},
        {"candidate_mode": "phrases", "keyphrase_ngram_range": [1, 1], "stop_words": None},
        {"candidate_mode": "phrases", "candidates": ["machine learning"], "use_maxsum": True},
        {"candidate_mode": "ngrams", "max_phrase_words": 4},
    ],
)
def test_accepts(configuration):
    accepted = request_of(configuration).configuration.model_dump(mode="json", exclude_unset=True)
    assert accepted == configuration


@pytest.mark.parametrize(
    ("configuration", "location", "message"),
    [
        ({"unknown": 1}, ("unknown",), "Extra inputs"),
        ({"keyphrase_ngram_range": [2, 1]}, ("keyphrase_ngram_range",), "longer than the longest"),
        (
            {"keyphrase_ngram_range": [0, 1]},
            ("keyphrase_ngram_range", 0),
            "greater than or equal to 1",
        ),
        (
            {"keyphrase_ngram_range": [1, 6]},
            ("keyphrase_ngram_range", 1),
            "less than or equal to 5",
        ),
        ({"keyphrase_ngram_range": [1]}, ("keyphrase_ngram_range", 1), "Field required"),
        ({"candidate_mode": "words"}, ("candidate_mode",), "'ngrams' or 'phrases'"),
        (
            {"candidate_mode": "phrases", "max_phrase_words": 0},
            ("max_phrase_words",),
            "greater than or equal to 1",
        ),
        (
            {"candidate_mode": "phrases", "max_phrase_words": 11},
            ("max_phrase_words",),
            "less than or equal to 10",
        ),
        (
            {"candidate_mode": "phrases", "keyphrase_ngram_range": [1, 3]},
            (),
            "keyphrase_ngram_range has no effect with the candidate_mode phrases",
        ),
        (
            {"max_phrase_words": 3},
            (),
            "max_phrase_words has no effect with the candidate_mode ngrams",
        ),
        ({"stop_words": "klingon"}, ("stop_words",), "german \\(de\\)"),
        ({"top_n": 0}, ("top_n",), "greater than or equal to 1"),
        ({"top_n": 101}, ("top_n",), "less than or equal to 100"),
        ({"min_df": 0}, ("min_df",), "greater than or equal to 1"),
        ({"diversity": 1.1}, ("diversity",), "less than or equal to 1"),
        ({"diversity": "NaN"}, ("diversity",), "equal to"),
        ({"candidates": [""]}, ("candidates", 0), "at least 1 character"),
        ({"candidates": ["x" * 201]}, ("candidates", 0), "at most 200 characters"),
        ({"candidates": ["x"] * 5001}, ("candidates",), "at most 5000 items"),
        ({"seed_keywords": ["x"] * 101}, ("seed_keywords",), "at most 100 items"),
        (
            {"use_maxsum": True, "top_n": 21},
            (),
            "nr_candidates \\(20\\) is smaller than top_n \\(21\\)",
        ),
        ({"use_maxsum": True, "top_n": 97, "nr_candidates": 100}, (), "752,875,200 comparisons"),
        ({"use_maxsum": True, "top_n": 10, "nr_candidates": 30}, (), "1,352,025,675 comparisons"),
    ],
)
def test_refuses_and_says_where(configuration, location, message):
    with pytest.raises(ValidationError, match=message) as caught:
        request_of(configuration)
    assert [error["loc"] for error in caught.value.errors()] == [("configuration", *location)]


def test_max_sum_counts_for_all_documents_together():
    configuration = {"use_maxsum": True, "top_n": 10, "nr_candidates": 20}
    assert Configuration(**configuration).comparisons == 184_756 * 45
    request_of(configuration, texts=["x"])
    message = "by max-sum for 2 documents takes 16,628,040 comparisons, more than 10,000,000"
    with pytest.raises(ValidationError, match=message):
        request_of(configuration, texts=["x", "y"])
    request_of({**configuration, "use_mmr": True}, texts=["x", "y"])
    request_of({"use_maxsum": True}, texts=["x"] * MAX_DOCUMENTS)


@pytest.mark.parametrize(
    ("configuration", "phrases"),
    [
        ({}, 1),
        ({"keyphrase_ngram_range": (1, 5)}, 15),
        ({"keyphrase_ngram_range": (2, 3)}, 5),
        ({"candidate_mode": "phrases"}, 1),
    ],
)
def test_counts_the_phrases_that_a_word_may_be_in(configuration, phrases):
    assert Configuration(**configuration).phrases_of_word == phrases


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "at least 1 item"),
        (["x"] * (MAX_DOCUMENTS + 1), "at most 64 items"),
        (["x" * (MAX_DOCUMENT_CHARACTERS + 1)], "at most 200000 characters"),
        (["x" * MAX_DOCUMENT_CHARACTERS] * 6, "1,200,000 characters together"),
    ],
)
def test_refuses_too_few_and_too_much(texts, message):
    with pytest.raises(ValidationError, match=message):
        request_of(texts=texts)


def test_accepts_the_largest_request():
    assert len(request_of(texts=["x" * MAX_DOCUMENT_CHARACTERS] * 5).inputs) == 5


@pytest.mark.parametrize(
    "body", ["null", "[]", '{"inputs": [{"document": null}]}', '{"inputs": ["text"]}', "{}"]
)
def test_refuses_other_shapes(body):
    with pytest.raises(ValidationError):
        Request.model_validate_json(body)


@pytest.mark.parametrize(
    ("stop_words", "language"),
    [("english", "en"), ("German", "de"), ("zh", "zh"), (None, "en"), (["the"], "en")],
)
def test_language_is_that_of_the_stop_words(stop_words, language):
    assert Configuration(stop_words=stop_words).language == language


def test_refuses_half_a_surrogate_pair():
    with pytest.raises(ValidationError):
        Request.model_validate_json('{"inputs": [{"document": "\\ud83c"}]}')


@pytest.mark.parametrize("model", [Request, Response])
def test_every_field_of_the_json_schema_is_described(model):
    schema = model.model_json_schema()
    objects = [schema, *schema["$defs"].values()]
    undescribed = [
        (item["title"], name)
        for item in objects
        for name, field in item["properties"].items()
        if "description" not in field and "$ref" not in field
    ]
    assert undescribed == []


def test_examples_of_the_configuration_are_valid():
    for name, field in Configuration.model_fields.items():
        for example in field.examples or []:
            assert Configuration.model_validate({name: example})
