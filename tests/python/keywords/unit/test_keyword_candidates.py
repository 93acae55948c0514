import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from keywords.candidates import (
    NO_STOP_WORDS,
    find_candidates,
    is_word,
    match_candidates,
    phrases,
    words,
)
from keywords.documents import Passages
from mesh.nlp.segmentation import has_spaceless
from mesh.nlp.stop_words import StopWords

WORDS = st.sampled_from(
    ["red", "Red", "fox", "a", "I", "the", "über", "Straße", "x9", "московский", "3d", "_id", "m²"]
)
SEPARATORS = st.sampled_from([" ", ", ", "-", "' ", "\n", "。", " 🦊 ", ""])
# Without marks, apostrophes and scripts without spaces, scikit-learn's pattern tears no word. The
# form of a capital sigma depends on what is around it.
CHARACTERS = st.characters(
    exclude_categories=("M", "Cs", "Cn"),
    exclude_characters="\u03a3'\u2018\u2019\uff07\u0130\u200c\u200d\"·",
).filter(lambda character: not has_spaceless(character))
TEXTS = st.one_of(
    st.lists(st.tuples(WORDS, SEPARATORS), max_size=25).map(
        lambda parts: "".join(word + separator for word, separator in parts)
    ),
    st.text(CHARACTERS, max_size=60),
)
RANGES = st.tuples(st.integers(1, 4), st.integers(0, 3)).map(
    lambda pair: (pair[0], pair[0] + pair[1])
)
STOP_WORDS = st.sets(st.sampled_from(["the", "red", "fox", "über"]))


def plain(*texts):
    return [Passages((text,), "plain", text) for text in texts]


def found(documents, ngram_range=(1, 1), stop_words=(), min_df=1):
    candidates = find_candidates(documents, ngram_range, StopWords(stop_words), min_df)
    assert all(own.unmatched == [] for own in candidates)
    return [own.found for own in candidates]


def matched(documents, given, ngram_range=(1, 1), stop_words=()):
    candidates = match_candidates(documents, given, ngram_range, StopWords(stop_words))
    assert all(own.places == () for own in candidates)
    return [(own.found, own.unmatched) for own in candidates]


def count_vectorizer(documents, ngram_range, stop_words, min_df, vocabulary=None):
    """The candidates by scikit-learn; empty if it finds no vocabulary at all."""
    vectorizer = CountVectorizer(
        ngram_range=ngram_range, stop_words=list(stop_words), min_df=min_df, vocabulary=vocabulary
    )
    try:
        counts = vectorizer.fit(documents).transform(documents)
    except ValueError:
        return [[] for _ in documents]
    names = vectorizer.get_feature_names_out()
    return [list(names[np.unique(row.nonzero()[-1])]) for row in counts]


@settings(max_examples=300)
@given(st.lists(TEXTS, min_size=1, max_size=5), RANGES, STOP_WORDS, st.integers(1, 4))
def test_same_as_count_vectorizer(documents, ngram_range, stop_words, min_df):
    expected = count_vectorizer(documents, ngram_range, stop_words, min_df)
    assert found(plain(*documents), ngram_range, stop_words, min_df) == expected


@settings(max_examples=200)
@given(
    st.lists(TEXTS, min_size=1, max_size=4),
    RANGES,
    STOP_WORDS,
    st.lists(
        st.sampled_from(["red", "fox", "red fox", "fox red fox", "über", "absent"]),
        min_size=1,
        unique=True,
    ),
)
def test_given_candidates_of_count_vectorizer_match(documents, ngram_range, stop_words, given):
    expected = count_vectorizer(documents, ngram_range, stop_words, 1, given)
    for theirs, own in zip(
        expected, matched(plain(*documents), given, ngram_range, stop_words), strict=True
    ):
        assert set(theirs) <= set(own[0])
        assert sorted([*own[0], *own[1]]) == sorted(given)


@given(TEXTS, RANGES)
def test_a_candidate_is_made_of_words_of_its_document(text, ngram_range):
    shortest, longest = ngram_range
    [candidates] = found(plain(text), ngram_range)
    for phrase in candidates:
        words = phrase.split(" ")
        assert shortest <= len(words) <= longest
        assert all(word in text.lower() for word in words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The company's trams don't stop", ["the", "company", "trams", "don't", "stop"]),
        ("They\u2019ve met O\u2019Brien\u2019s dog", ["they", "met", "o'brien", "dog"]),
        ("L\u2019avion d'Air France qu'il prend", ["avion", "air", "france", "qu", "il", "prend"]),
        ("Dell'acqua e un'altra", ["dell", "acqua", "un", "altra"]),
        ("rock'n'roll 'til 'em", ["rock'n'roll", "til", "em"]),
        ("आधुनिक हिन्दी", ["आधुनिक", "हिन्दी"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("தமிழ் மொழி", ["தமிழ்", "மொழி"]),
        ("తెలుగు భాష", ["తెలుగు", "భాష"]),
        ("ગુજરાતી ભાષા", ["ગુજરાતી", "ભાષા"]),
        ("اَلسَّلَامُ عَلَيْكُمْ", ["اَلسَّلَامُ", "عَلَيْكُمْ"]),
        ("שָׁלוֹם צה\"ל ג'ירפה", ["שָׁלוֹם", 'צה"ל', "ג'ירפה"]),
        ("می\u200cخو\u0627\u0647م", ["می\u200cخو\u0627\u0647م"]),
        ("ภาษาไทย", ["ภาษา", "ไทย"]),
        ("机器学习可以帮助iPhone手机", ["机器", "学习", "可以", "帮助", "iphone", "手机"]),
        ("京都のラーメン、2024年", ["京都", "ラーメン", "2024"]),
        ("İstanbul", ["i\u0307stanbul"]),
        ("п'ять col·lecció", ["п'ять", "col·lecció"]),
        ("node.js e-mail user_id2 m²", ["node", "js", "mail", "user_id2", "m²"]),
        ("1\ufe0f\u20e3 ❤\ufe0f b'bytes'", ["bytes"]),
    ],
)
def test_words(text, expected):
    assert words(text, NO_STOP_WORDS) == expected


@pytest.mark.parametrize(
    ("text", "stop_words", "expected"),
    [
        ("They've said we'll and don\u2019t", ["they", "we", "and", "not"], ["said"]),
        ("Vitamin C, vitamin D", ["Vitamin C"], ["vitamin"]),
        ("New York and York", ["new york", "AND"], ["york"]),
        ("E-Mail mail", ["e-mail"], ["mail"]),
        ("Qu\u2019il prend", ["qu'il"], ["prend"]),
        ("我们的机器学习模型", ["我们", "机器学习"], ["模型"]),
    ],
)
def test_words_without_stop_words(text, stop_words, expected):
    assert words(text, StopWords(stop_words)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fox", True),
        ("i\u0307", True),
        ("Fox", False),
        ("fox hen", False),
        ("x", False),
        ("", False),
    ],
)
def test_is_word(text, expected):
    assert is_word(text) == expected


def test_a_phrase_spans_a_dropped_stop_word():
    assert found(plain("state of the art"), (2, 2), ["of", "the"]) == [["state art"]]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [("plain", ["hen owl", "red fox", "fox hen"]), ("html", ["hen owl", "red fox"])],
)
def test_a_phrase_crosses_blocks_of_plain_text_only(markup, expected):
    assert found([Passages(("red fox", "hen owl"), markup, "")], (2, 2)) == [sorted(expected)]


def test_min_df_counts_documents_not_occurrences():
    assert found(plain("fox fox hen", "hen owl"), min_df=2) == [["hen"], ["hen"]]


def test_min_df_above_the_number_of_documents_leaves_nothing():
    assert found(plain("fox", "fox"), min_df=3) == [[], []]


@pytest.mark.parametrize("text", ["", " ", "a b c", "🎉🎉", "?!"])
def test_texts_without_candidates(text):
    assert found(plain(text), (1, 2)) == [[]]


TEXT = (
    "Vitamin C, C++ and Node.js: AT&T's O\u2019Brien sent an E-Mail from the Capital. "
    "Le café. 我们使用机器学习。 ภาษาไทย. हिन्दी भाषा. İstanbul STRASSE state of the art; slow, rude."
)


@pytest.mark.parametrize(
    "candidate",
    [
        "vitamin c",
        "Vitamin  C",
        "c++",
        "node.js",
        "at&t",
        "o'brien",
        "O\u2019Brien",
        "e-mail",
        "capital",
        "CAPITAL",
        "cafe\u0301",
        "机器学习",
        "学习",
        "ไทย",
        "हिन्दी भाषा",
        "istanbul",
        "straße",
        "the capital",
        "from the capital. le café",
    ],
)
def test_a_candidate_matches_as_it_is_written(candidate):
    [own] = matched(plain(TEXT), [candidate], stop_words=["the", "c"])
    assert own == ([candidate], [])


@pytest.mark.parametrize(
    "candidate", ["brien", "vitamin d", "nod", "习", "café 我们", "art state", " "]
)
def test_a_candidate_that_the_document_lacks(candidate):
    assert matched(plain(TEXT), [candidate]) == [([], [candidate])]


def test_candidates_of_keybert_match_in_its_range_only():
    given = ["state art", "slow rude"]
    assert matched(plain(TEXT), given, (1, 2), ["of", "the"]) == [(given, [])]
    assert matched(plain(TEXT), given, (1, 1), ["of", "the"]) == [([], given)]


@pytest.mark.parametrize("markup", ["plain", "html"])
def test_candidates_cross_no_block(markup):
    document = Passages(("Paris", "London calling"), markup, "")
    [own] = matched([document], ["paris london", "london calling"], (1, 2))
    assert own == (["london calling"], ["paris london"])


def test_candidates_keep_their_order_and_count_once():
    given = ["hen", "absent", "fox", "hen", "Hen", "missing"]
    assert matched(plain("fox hen"), given) == [(["hen", "fox", "Hen"], ["absent", "missing"])]


@given(st.lists(WORDS, min_size=1, max_size=12), st.lists(WORDS, max_size=4))
def test_every_given_candidate_is_found_or_named(text, given):
    [own] = matched(plain(" ".join(text)), given)
    folded = [word.casefold() for word in text]
    assert own[0] == [word for word in dict.fromkeys(given) if word.casefold() in folded]
    assert set(own[0]) ^ set(own[1]) == set(given)


def test_phrases_of_several_lengths():
    assert phrases(["red", "fox", "hen"], (2, 3)) == {"red fox", "fox hen", "red fox hen"}
