from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.clauses import split_clauses


def parts(text, language="en"):
    return [text[start:end].strip() for start, end in split_clauses(text, language)]


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Rome was good but Oslo was bad.", ["Rome was good", "but Oslo was bad."]),
        ("I like Rome; Oslo bores me.", ["I like Rome;", "Oslo bores me."]),
        ("Although Oslo is dull, I like Rome.", ["Although Oslo is dull,", "I like Rome."]),
        ("Ann thanked Bob, who had saved her.", ["Ann thanked Bob,", "who had saved her."]),
        ("I hate Oslo \u2013 Rome is lovely.", ["I hate Oslo \u2013", "Rome is lovely."]),
        # Too short to say anything alone.
        ("Sadly, Oslo is dull.", ["Sadly, Oslo is dull."]),
        ("Rome is lovely, I think.", ["Rome is lovely, I think."]),
        ("Oslo", ["Oslo"]),
        ("", []),
        # Within words and numbers nothing ends.
        ("The sandwich costs 1,50 in Rome.", ["The sandwich costs 1,50 in Rome."]),
    ],
)
def test_sentence_has_clauses(text, clauses):
    assert parts(text) == clauses


def test_other_languages_have_marks_alone():
    text = "Rom ist schön, aber Oslo so grau wie immer."
    assert parts(text, "de") == ["Rom ist schön,", "aber Oslo so grau wie immer."]


@given(st.text(alphabet="ab ,;:-\u2013whoandbut", max_size=200))
def test_clauses_cover_the_sentence(text):
    spans = split_clauses(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(left.end == right.start for left, right in pairwise(spans))


@pytest.mark.parametrize("part", [" ", "a, ", "and ", " - ", "a and "])
def test_long_text_of_borders_is_split(part):
    # An expression whose time is quadratic would take half an hour.
    text = part * 200_000
    spans = split_clauses(text)
    assert "".join(text[start:end] for start, end in spans) == text
