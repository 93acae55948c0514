import pytest

from mesh.core.addresses import mask_address, passwords


@pytest.mark.parametrize(
    ("address", "shown", "found"),
    [
        ("data/reviews", "data/reviews", []),
        ("s3://bucket/data", "s3://bucket/data", []),
        ("https://me:a@b:c@host/x", "https://me:***@host/x", ["a@b:c"]),
        ("https://host/x?token=abc", "https://host/x?***", []),
        ("https://me@host/x", "https://me@host/x", []),
    ],
)
def test_addresses_are_shown_without_secrets(address, shown, found):
    assert mask_address(address) == shown
    assert passwords(address) == found
