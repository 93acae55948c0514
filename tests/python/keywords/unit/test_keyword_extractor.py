import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.embeddings import Vocabulary
from keywords.model import KeywordExtractor, TooManyCandidatesError
from keywords.schema import Configuration

ENGLISH = frozenset({"the", "and", "of", "is"})


class HashEncoder:
    """Embeds each text as a random direction that depends only on the text; reads 30 characters."""

    limit = 30

    def __init__(self):
        self.calls = []

    def embed(self, texts):
        self.calls.append(list(texts))
        return np.stack([self.vector(text) for text in texts])

    def vector(self, text):
        seed = int.from_bytes(hashlib.sha256(text[: self.limit].encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).normal(size=16).astype(np.float32)
        return vector / np.linalg.norm(vector)

    def overflow_tokens(self, texts):
        return [max(0, len(text) - self.limit) for text in texts]


def extractor(**options):
    return KeywordExtractor(HashEncoder(), ENGLISH, **options)


def tokens(prediction):
    return [keyword.keyword_token for keyword in prediction.predicted_document]


def scores(prediction):
    return [keyword.keyword_score for keyword in prediction.predicted_document]


WORDS = ["fox", "hen", "owl", "the", "and", "Wolf", "x", "日本語"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
DOCUMENTS = st.lists(TEXTS, min_size=1, max_size=4)
SETTINGS = {
    "candidates": st.none() | st.lists(st.sampled_from(["fox", "hen owl", "absent"]), max_size=3),
    "stop_words": st.sampled_from(["english", None, "de", ["fox"]]),
    "top_n": st.integers(1, 6),
    "min_df": st.integers(1, 2),
    "use_maxsum": st.booleans(),
    "use_mmr": st.booleans(),
    "diversity": st.floats(0, 1),
    "nr_candidates": st.integers(6, 9),
    "seed_keywords": st.none() | st.lists(st.sampled_from(["bird", "fox"]), max_size=2),
}
NGRAMS = st.builds(
    Configuration, keyphrase_ngram_range=st.sampled_from([(1, 1), (1, 2), (2, 3)]), **SETTINGS
)
PHRASES = st.builds(
    Configuration,
    candidate_mode=st.just("phrases"),
    max_phrase_words=st.integers(1, 5),
    **SETTINGS,
)
REQUESTS = st.lists(st.tuples(DOCUMENTS, NGRAMS | PHRASES), max_size=4)


@given(DOCUMENTS, NGRAMS)
def test_one_prediction_for_each_document(documents, configuration):
    predictions = extractor().extract(documents, configuration)
    assert len(predictions) == len(documents)
    for document, prediction in zip(documents, predictions, strict=True):
        words = set(document.lower().split())
        found = tokens(prediction)
        assert len(found) == len(set(found)) <= configuration.top_n
        assert all(set(token.split(" ")) <= words for token in found)
        assert prediction.truncated == (len(document) > HashEncoder.limit)
        ascending = configuration.use_maxsum and not configuration.use_mmr
        assert scores(prediction) == sorted(scores(prediction), reverse=not ascending)


@given(DOCUMENTS, NGRAMS)
def test_scores_are_cosine_similarities(documents, configuration):
    encoder = HashEncoder()
    for document, prediction in zip(
        documents, extractor().extract(documents, configuration), strict=True
    ):
        target = encoder.vector(document).astype(np.float64)
        if configuration.seed_keywords:
            seeds = [encoder.vector(seed) for seed in configuration.seed_keywords]
            target = 0.75 * target + 0.25 * np.mean(seeds, axis=0)
        for keyword in prediction.predicted_document:
            own = encoder.vector(keyword.keyword_token)
            cosine = own @ target / np.linalg.norm(own) / np.linalg.norm(target)
            assert keyword.keyword_score == pytest.approx(cosine, abs=1e-4)


@given(REQUESTS, REQUESTS)
def test_requests_get_the_same_together_as_alone(earlier, requests):
    together = extractor(cache_entries=5)
    together.extract_batch(earlier)
    alone = [extractor().extract(documents, configuration) for documents, configuration in requests]
    assert together.extract_batch(requests) == alone


@given(REQUESTS)
def test_embeds_each_text_once_and_in_one_call(requests):
    encoder = HashEncoder()
    KeywordExtractor(encoder, ENGLISH).extract_batch(requests)
    assert len(encoder.calls) <= 1
    embedded = [text for call in encoder.calls for text in call]
    assert len(embedded) == len(set(embedded))


def test_a_candidate_is_embedded_once_across_requests():
    encoder = HashEncoder()
    model = KeywordExtractor(encoder, ENGLISH)
    model.extract(["fox and hen"])
    model.extract(["hen and owl", "owl and fox"])
    assert [set(call) for call in encoder.calls] == [
        {"fox and hen", "fox", "hen"},
        {"hen and owl", "owl and fox", "owl"},
    ]
    assert model.cache.info()[:3] == (2, 3, 3)


@given(REQUESTS)
def test_a_vocabulary_changes_no_result_and_is_never_embedded(requests):
    encoder = HashEncoder()
    words = ["fox", "hen", "bird"]
    vocabulary = Vocabulary(words, np.stack([encoder.vector(word) for word in words]))
    model = KeywordExtractor(encoder, ENGLISH, vocabulary=vocabulary)
    assert model.extract_batch(requests) == extractor().extract_batch(requests)
    candidates = {"fox", "hen", "bird"} - {text for texts, _ in requests for text in texts}
    assert not candidates & {text for call in encoder.calls for text in call}


def test_words_of_the_vocabulary_take_no_room_in_the_cache():
    encoder = HashEncoder()
    vocabulary = Vocabulary(["fox"], encoder.vector("fox")[None])
    model = KeywordExtractor(encoder, ENGLISH, vocabulary=vocabulary)
    model.extract(["fox and hen"])
    assert encoder.calls == [["hen", "fox and hen"]]
    assert model.cache.info()[:3] == (0, 1, 1)


def test_documents_are_not_remembered():
    model = extractor()
    model.extract(["fox and hen"])
    assert model.cache.find(["fox and hen"])[0] == []


def test_a_document_that_is_its_own_candidate():
    [prediction] = extractor().extract(["fox"])
    assert tokens(prediction) == ["fox"]
    assert scores(prediction) == pytest.approx([1.0], abs=1e-4)


def test_a_full_cache_changes_no_result():
    documents = ["fox hen owl", "wolf hen", "owl wolf fox", "fox hen owl"]
    small = extractor(cache_entries=1)
    assert [small.extract([text]) for text in documents] == [
        extractor().extract([text]) for text in documents
    ]
    assert small.cache.info().entries == 1


@pytest.mark.parametrize("text", ["", "   ", "the and of", "🎉🎉", "a b c"])
def test_documents_without_candidates_are_not_embedded(text):
    encoder = HashEncoder()
    predictions = KeywordExtractor(encoder, ENGLISH).extract(
        [text, "fox"], Configuration(seed_keywords=["bird"])
    )
    assert [tokens(prediction) for prediction in predictions] == [[], ["fox"]]
    assert text not in encoder.calls[0]


def test_nothing_to_embed_makes_no_call():
    encoder = HashEncoder()
    model = KeywordExtractor(encoder, ENGLISH)
    assert [
        tokens(each) for each in model.extract(["", "the"], Configuration(seed_keywords=["bird"]))
    ] == [[], []]
    assert model.extract_batch([]) == []
    assert encoder.calls == []


def test_fewer_candidates_than_top_n():
    model = extractor()
    plain, diverse, spread = (
        model.extract(["fox hen"], configuration)[0]
        for configuration in (
            Configuration(),
            Configuration(use_mmr=True),
            Configuration(use_maxsum=True),
        )
    )
    assert set(tokens(plain)) == set(tokens(diverse)) == {"fox", "hen"}
    assert tokens(spread) == []


def test_mmr_wins_over_maxsum():
    model = extractor()
    text = "fox hen owl wolf bear"
    both = model.extract([text], Configuration(use_mmr=True, use_maxsum=True, top_n=3))
    assert both == model.extract([text], Configuration(use_mmr=True, top_n=3))


def test_an_empty_list_of_seeds_guides_nothing():
    model = extractor()
    assert model.extract(["fox hen"], Configuration(seed_keywords=[])) == model.extract(["fox hen"])


def test_seeds_draw_the_document_to_them():
    model = extractor()
    plain = model.extract(["fox hen owl"])[0]
    guided = model.extract(["fox hen owl"], Configuration(seed_keywords=["owl"]))[0]
    before = dict(zip(tokens(plain), scores(plain), strict=True))
    after = dict(zip(tokens(guided), scores(guided), strict=True))
    assert after["owl"] > before["owl"]


@pytest.mark.parametrize(
    ("stop_words", "expected"),
    [
        ("english", {"und", "fox"}),
        ("en", {"und", "fox"}),
        ("German", {"fox", "the", "and"}),
        (["fox"], {"und", "the", "and"}),
        ([], {"und", "fox", "the", "and"}),
        (None, {"und", "fox", "the", "and"}),
    ],
)
def test_stop_words(stop_words, expected):
    [prediction] = extractor().extract(["und the fox and"], Configuration(stop_words=stop_words))
    assert set(tokens(prediction)) == expected


def test_too_many_candidates():
    with pytest.raises(TooManyCandidatesError, match="4 distinct candidate keywords, more than 3"):
        extractor(max_candidates=3).extract(["fox hen", "owl wolf hen"])


def test_one_request_with_too_many_candidates_does_not_fail_the_others():
    model = extractor(max_candidates=2)
    answers = model.extract_batch(
        [(["fox"], Configuration()), (["fox hen owl"], Configuration()), (["hen"], Configuration())]
    )
    assert isinstance(answers[1], TooManyCandidatesError)
    assert [tokens(answers[0][0]), tokens(answers[2][0])] == [["fox"], ["hen"]]


def test_markup_is_no_keyword_and_phrases_stay_within_its_blocks():
    encoder = HashEncoder()
    text = '<div style="color:red"><p>Red&nbsp;fox</p><p>hen &mdash; owl</p></div>'
    options = Configuration(keyphrase_ngram_range=(2, 2))
    [prediction] = KeywordExtractor(encoder, ENGLISH).extract([text], options)
    assert prediction.markup == "html"
    assert set(tokens(prediction)) == {"red fox", "hen owl"}
    assert "Red fox\n\nhen \u2014 owl" in encoder.calls[0]


def test_given_candidates_come_back_as_given_and_missing_ones_are_named():
    options = Configuration(candidates=["Owl", "absent", "red FOX", "gone"])
    first, second = extractor().extract(["The red fox and an owl", ""], options)
    assert set(tokens(first)) == {"Owl", "red FOX"}
    assert first.unmatched_candidates == ["absent", "gone"]
    assert second.unmatched_candidates == ["Owl", "absent", "red FOX", "gone"]


def test_without_given_candidates_none_is_unmatched():
    [prediction] = extractor().extract(["red fox"])
    assert prediction.unmatched_candidates == []


@given(DOCUMENTS, PHRASES)
def test_phrases_are_ordered_by_their_scores(documents, configuration):
    for prediction in extractor().extract(documents, configuration):
        found = tokens(prediction)
        assert len(found) == len(set(found)) <= configuration.top_n
        assert all(0 <= score <= 1 for score in scores(prediction))
        ascending = configuration.use_maxsum and not configuration.use_mmr
        assert scores(prediction) == sorted(scores(prediction), reverse=not ascending)


def test_the_score_of_a_phrase_is_a_mean_of_similarity_length_and_position():
    text = "Red foxes, hens."
    [prediction] = extractor().extract([text], Configuration(candidate_mode="phrases"))
    encoder = HashEncoder()
    similarity = {
        phrase: max(0, float(encoder.vector(text) @ encoder.vector(phrase)))
        for phrase in ("red foxes", "hens")
    }
    expected = {
        "red foxes": (similarity["red foxes"] + 0.05 * 0.5 + 0.1 * 1) / 1.15,
        "hens": (similarity["hens"] + 0.05 * 0 + 0.1 * (1 - 11 / 16)) / 1.15,
    }
    found = dict(zip(tokens(prediction), scores(prediction), strict=True))
    assert found == pytest.approx(expected, abs=1e-4)


def test_given_candidates_are_ranked_as_phrases():
    configuration = Configuration(candidate_mode="phrases", candidates=["Hens", "gone", "FOXES"])
    [prediction] = extractor().extract(["Red foxes. No hens."], configuration)
    assert set(tokens(prediction)) == {"Hens", "FOXES"}
    assert prediction.unmatched_candidates == ["gone"]
    assert all(0 <= score <= 1 for score in scores(prediction))


def test_phrases_are_embedded_once_across_requests_and_modes():
    encoder = HashEncoder()
    model = KeywordExtractor(encoder, ENGLISH)
    phrases = Configuration(candidate_mode="phrases")
    model.extract(["red foxes and hens"], phrases)
    model.extract(["hens, the red foxes"], phrases)
    model.extract(["red foxes"], Configuration(keyphrase_ngram_range=(2, 2)))
    assert [set(call) for call in encoder.calls] == [
        {"red foxes", "hens", "red foxes and hens"},
        {"hens, the red foxes"},
    ]


def test_too_many_phrases():
    configuration = Configuration(candidate_mode="phrases")
    with pytest.raises(TooManyCandidatesError, match="4 distinct candidate keywords, more than 3"):
        extractor(max_candidates=3).extract(["fox, hen", "owl, wolf, hen"], configuration)
