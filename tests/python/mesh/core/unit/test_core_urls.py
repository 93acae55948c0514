import pytest

from mesh.core.urls import mask_url, passwords


@pytest.mark.parametrize(
    ("url", "shown", "found"),
    [
        ("data/reviews", "data/reviews", []),
        ("/home/why?/data#1", "/home/why?/data#1", []),
        ("s3://bucket/data", "s3://bucket/data", []),
        ("https://me:a@b:c@host/x", "https://me:***@host/x", ["a@b:c"]),
        ("https://host/x?token=abc", "https://host/x?***", []),
        ("https://me@host/x", "https://me@host/x", []),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str, found: list[str]) -> None:
    assert mask_url(url) == shown
    assert passwords(url) == found
