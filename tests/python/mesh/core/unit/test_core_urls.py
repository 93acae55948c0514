import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import MeshError
from mesh.core.urls import mask_url, mask_urls, passwords

PASSWORDS = st.text(
    st.characters(exclude_categories=("Z", "C"), exclude_characters="/?#"), min_size=4
)


@pytest.mark.parametrize(
    ("url", "shown", "found"),
    [
        ("data/reviews", "data/reviews", []),
        ("/home/why?/data#1", "/home/why?/data#1", []),
        ("s3://bucket/data", "s3://bucket/data", []),
        ("https://me:a@b:c@host/x", "https://me:***@host/x", ["a@b:c"]),
        ("https://host/x?token=abc", "https://host/x?***", []),
        ("https://me@host/x", "https://me@host/x", []),
        ("https://a1b2c3d4e5@host/x", "https://***@host/x", []),
        ("http://host:80/?", "http://host:80/?", []),
        ("abfss://container@account.example/x", "abfss://container@account.example/x", []),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str, found: list[str]) -> None:
    assert mask_url(url) == shown
    assert passwords(url) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no address", "no address"),
        ("GET http://me:pw@h/x: 404", "GET http://me:***@h/x: 404"),
        ("'http://a:b@c' and 'redis://:pw@d'", "'http://a:***@c' and 'redis://:***@d'"),
        ("(postgresql+psycopg://u:p'w@h/d)", "(postgresql+psycopg://u:***@h/d)"),
        ("see http://h/x?token=abc, then", "see http://h/x?*** then"),
        ("http://h:80 is not me@h", "http://h:80 is not me@h"),
        ("hf://org/name@rev is unknown", "hf://org/name@rev is unknown"),
        ("registered sqlite:////a:b/c.db", "registered sqlite:////a:b/c.db"),
        (
            "sqlite:////a?b/100%/c.db and http://h/?k=1",
            "sqlite:////a?b/100%/c.db and http://h/?***",
        ),
    ],
)
def test_texts_are_shown_without_the_secrets_of_their_urls(text: str, shown: str) -> None:
    assert mask_urls(text) == shown
    assert str(MeshError(text)) == shown


@given(PASSWORDS, st.sampled_from(["{}", "{!r}", "at {}; try again", "({}): x@y", "[{}, {}]"]))
def test_no_sentence_shows_a_password(password: str, sentence: str) -> None:
    url = f"https://me:{password}@example.org:1/path"
    shown = str(MeshError(sentence.replace("{!r}", "'{}'").format(url, url)))
    assert f":{password}@" not in shown
    assert "https://me:***@example.org" in shown or password.startswith(tuple(string.punctuation))


@pytest.mark.parametrize(
    "part", ["http://", "://", "://@", "://a:", "x@://", "://:@", "a", "?://", "'://", "@\n://a:"]
)
def test_masking_takes_linear_time(part: str) -> None:
    # In quadratic time, it would take minutes.
    for end in ("", "://", "://x:y@"):
        text = part * (200_000 // len(part)) + end
        mask_urls(text)
        mask_url(text)
        passwords(text)
