import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentiment.augmentation import vary_form
from sentiment.dataset import Example

TEXT = "I can't say it's bad, honestly; don't go."


def varied(text, seed):
    row = Example(text=text, label="negative", language="en", domain="review")
    return vary_form(row, random.Random(seed))


@pytest.mark.parametrize(
    "form",
    [
        TEXT,
        "I can't say it's bad, honestly; don't go",
        "i ca n't say it 's bad , honestly ; do n't go .",
        f"@user {TEXT}",
        f"RT @user {TEXT}",
        f"{TEXT} #monday",
        f"{TEXT} https://t.co/user",
    ],
)
def test_texts_come_in_several_forms(form):
    assert form in {varied(TEXT, seed).text for seed in range(3000)}


def test_some_texts_are_repeated_in_each_epoch_alike():
    times = {}
    for number in range(500):
        text = f"It was bad {number}."
        counts = {varied(text, seed).text.lower().count(f"bad {number}") for seed in range(5)}
        assert len(counts) == 1
        times[number] = counts.pop()
    assert set(times.values()) == set(range(1, 9))
    assert sum(count > 1 for count in times.values()) < 60


@given(st.text(min_size=1).filter(str.strip), st.integers(0, 999))
def test_label_stays_and_only_the_form_changes(text, seed):
    row = varied(text, seed)
    assert (row.label, row.domain) == ("negative", "review")
    assert row == varied(text, seed)
    kept = "".join(text.rstrip(".").lower().split())
    assert kept in "".join(row.text.lower().split())
