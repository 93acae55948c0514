import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarization.length import TOKEN_CHARACTERS, count_words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" \n", 0),
        ("— … !", 0),
        ("The tram doesn't stop.", 4),
        ("Die Straßenbahn hält.", 3),
        ("O trem não para aqui.", 5),
        ("기차가 멈추지 않는다.", 3),
        ("电车不停。", 4),
        ("電車は止まらない。", 8),
        ("Kraftfahrzeughaftpflicht", 1),
        ("x" * 5_000, 250),
        ("a" * 39 + " b", 2),
        ("https://example.org/" + "a1b2c3d4e5" * 20, 11),
        ("iVBORw0KGgo+/" * 100, 100),
        ("-" * 2_000, 100),
    ],
)
def test_words_are_counted_and_long_strings_by_their_characters(text, count):
    assert count_words(text) == count


@given(st.text(), st.text())
def test_length_is_that_of_the_parts_and_grows_with_the_characters(left, right):
    assert count_words(f"{left} {right}") == count_words(left) + count_words(right)
    longest = max(map(len, left.split()), default=0)
    assert count_words(left) >= longest // TOKEN_CHARACTERS


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc", "Zs"]), max_size=18))
def test_mark_of_no_word_makes_no_difference(token: str) -> None:
    # Without it, a word of ASCII's characters is counted by another way.
    assert count_words(f"{token}…") == count_words(token)
