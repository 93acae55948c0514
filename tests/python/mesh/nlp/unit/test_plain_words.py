import sys

from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.plain_words import plain_words
from mesh.nlp.segmentation import word_spans

_DOUBTFUL = "\u0301\u00ad\u200d\u2019\u00b7\u0387\u2024\u00b2\u00aa\uff1a\U0001f1e9\U0001f44d京のไ한ש\u0661\ud800"


def _by_icu(text):
    return [text[start:end] for start, end in word_spans(text)]


@given(st.text(st.sampled_from("aZé_ß1 9.:,;'\"`-\n\u201d\u2013жΩ"), max_size=60))
def test_words_of_plain_texts_are_those_between_the_boundaries_of_icu(text):
    assert plain_words(text) == _by_icu(text)


@given(st.text(st.sampled_from("ab1_.:,' -\u201cé<p>&;" + _DOUBTFUL), max_size=40))
def test_texts_with_doubtful_characters_have_other_words_or_none(text):
    assert plain_words(text) in (None, _by_icu(text))


def test_each_doubtful_character_is_left_to_icu():
    assert [character for character in _DOUBTFUL if plain_words(f"a{character}b")] == []


def test_each_character_of_plain_texts_stands_in_words_as_icu_has_it():
    # A form feed parts the texts, and is a part of no word.
    plain = [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if plain_words(character) is not None
    ]
    assert len(plain) > 900
    text = "\f".join(
        f"a{c}b\f1{c}2\f_{c}_\f{c}{c}.{c}1\f{c}'a\f{c},1\f{c}:{c}\fa:{c}\f1;{c}" for c in plain
    )
    assert plain_words(text) == _by_icu(text)
