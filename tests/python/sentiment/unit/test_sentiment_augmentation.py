import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.augmentation import vary_form
from sentiment.dataset import Example

TEXT = "I can't say it's bad, really; don't go."


def varied(text, seed):
    row = Example(text=text, label="negative", language="en", domain="review")
    return vary_form(row, random.Random(seed))


@pytest.mark.parametrize(
    "form",
    [
        TEXT,
        "I can't say it's bad, really; don't go",
        "i ca n't say it 's bad , really ; do n't go .",
        f"@user {TEXT}",
        f"RT @user {TEXT}",
        f"{TEXT} #monday",
        f"{TEXT} https://t.co/user",
    ],
)
def test_texts_come_in_several_forms(form):
    assert form in {varied(TEXT, seed).text for seed in range(3000)}


@given(st.text(min_size=1).filter(str.strip), st.integers(0, 999))
def test_label_stays_and_only_the_form_changes(text, seed):
    row = varied(text, seed)
    assert (row.label, row.domain) == ("negative", "review")
    assert row == varied(text, seed)
    kept = "".join(text.rstrip(".").lower().split())
    assert kept in "".join(row.text.lower().split())
