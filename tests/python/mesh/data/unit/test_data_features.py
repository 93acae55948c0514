import io
import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from mesh.data.account import Rejects
from mesh.data.dataset import ClassifiedText
from mesh.data.features import Preparation, Prepared, prepare
from mesh.data.splitting import Fractions
from mesh.nlp.near_duplicates import jaccard, shingles
from mesh.nlp.words import words

PREPARATION = Preparation(
    near_duplicate=0.8, related=0.5, other_language=0.9, fractions=Fractions(0.2, 0.2), seed=1
)


def row(text: str, label: str = "good", language: str = "en") -> ClassifiedText:
    return ClassifiedText(text=text, label=label, language=language, domain="review")


def run(
    rows: list[ClassifiedText],
    preparation: Preparation = PREPARATION,
    earlier: dict[str, str] | None = None,
) -> tuple[Prepared, list[str]]:
    file = io.StringIO()
    prepared = prepare(rows, preparation, Rejects(file), "rows", earlier)
    return prepared, [json.loads(line)["reason"] for line in file.getvalue().splitlines()]


def test_texts_are_cleaned_and_get_ids_of_their_content() -> None:
    prepared, _ = run([row("<p>A fine &amp; small\n place</p>")])
    again, _ = run([row("A fine & small place")])
    assert prepared.features[0].row.text == "A fine & small place"
    assert prepared.features[0].id == again.features[0].id


def test_text_of_nothing_but_markup_is_left_out() -> None:
    prepared, reasons = run([row("<br><br>")])
    assert prepared.left_out == {"clean-up": 1}
    assert "text" in reasons[0]


def test_same_words_with_the_same_label_are_kept_once() -> None:
    prepared, reasons = run([row("Great phone!"), row("great  PHONE!"), row("Bad phone", "bad")])
    assert sorted(feature.row.labels for feature in prepared.features) == [("bad",), ("good",)]
    assert prepared.left_out == {"duplicate": 1}
    assert reasons[0].startswith("duplicate of ")


def test_same_words_with_different_labels_are_not_used() -> None:
    prepared, reasons = run([row("It was okay."), row("It was OKAY.", "bad"), row("A fine place.")])
    assert [feature.row.text for feature in prepared.features] == ["A fine place."]
    assert prepared.left_out == {"conflict": 2}
    assert "other labels" in reasons[0]


def test_nearly_the_same_text_is_kept_once_unless_its_label_differs() -> None:
    text = (
        "We waited for more than an hour until somebody brought the soup which was cold and tasted"
    )
    prepared, _ = run(
        [row(f"{text} bad", "bad"), row(f"{text} awful", "bad"), row(f"{text} great", "good")]
    )
    assert prepared.left_out == {"near-duplicate": 1}
    assert len({feature.cluster for feature in prepared.features}) == 1
    assert len({feature.split for feature in prepared.features}) == 1


def test_text_in_another_language_than_it_says_is_left_out() -> None:
    german = "Das Zimmer war klein und dunkel, aber das Frühstück war sehr gut."
    prepared, reasons = run([row(german), row(german, language="de"), row("ok")])
    assert prepared.left_out == {"language": 1}
    assert "looks like 'de'" in reasons[0]


tiny_texts = st.lists(
    st.sampled_from("red green blue one two six".split()), min_size=1, max_size=7
).map(" ".join)
tiny_rows = st.lists(st.builds(row, tiny_texts, st.sampled_from(["good", "bad"])), max_size=25)


@given(tiny_rows)
def test_no_similar_texts_are_in_different_splits(rows: list[ClassifiedText]) -> None:
    features = run(rows)[0].features
    sets = [shingles(words(feature.row.text), 2, keep_short=True) for feature in features]
    for left in range(len(features)):
        for right in range(left):
            if jaccard(sets[left], sets[right]) >= PREPARATION.related:
                assert features[left].split == features[right].split
                assert features[left].cluster == features[right].cluster


@given(tiny_rows, st.randoms())
def test_order_of_the_rows_does_not_matter_and_none_is_lost(
    rows: list[ClassifiedText], random: Random
) -> None:
    prepared, reasons = run(rows)
    assert run(random.sample(rows, len(rows)))[0] == prepared
    assert len(prepared.features) + sum(prepared.left_out.values()) == len(rows)
    assert len(reasons) == sum(prepared.left_out.values())
    assert len({feature.id for feature in prepared.features}) == len(prepared.features)


def test_texts_that_differ_in_a_sign_are_no_duplicates_and_no_contradiction() -> None:
    pairs = [
        ("Monday again 😀", "Monday again 😭"),
        ("I write C", "I write C++"),
        ("Fine.", "Fine?"),
    ]
    rows = [
        row(text, label)
        for pair in pairs
        for text, label in zip(pair, ("good", "bad"), strict=True)
    ]
    prepared, reasons = run(rows)
    assert {feature.row.text for feature in prepared.features} == {each.text for each in rows}
    assert reasons == []


def test_a_contradiction_is_shown_with_both_rows() -> None:
    _, reasons = run([row("It was okay."), row("it was okay.", "bad"), row("A fine place.")])
    assert len(reasons) == 2
    for reason in reasons:
        assert "'good'" in reason
        assert "'bad'" in reason
    assert any("'it was okay.'" in reason for reason in reasons)


def test_rows_keep_their_earlier_splits() -> None:
    old = [
        row(f"{left} {right} {number}")
        for number, (left, right) in enumerate(zip("abcdefghij" * 3, "klmnopqrst" * 3, strict=True))
    ]
    first = {feature.id: feature.split for feature in run(old)[0].features}
    added = [
        row(f"new text number {number} about {letter}{letter}")
        for number, letter in enumerate("uvwxyz" * 4)
    ]
    second = {
        feature.id: feature.split for feature in run([*old, *added], earlier=first)[0].features
    }
    assert first.items() <= second.items()
    assert len(second) > len(first)


def test_a_row_with_a_split_outlasts_new_ones_of_nearly_the_same_text() -> None:
    old = [
        row(" ".join(f"{letter}{number}{step}" for step in range(12)))
        for number, letter in enumerate("abcdefghij")
    ]
    first = {feature.id: feature.split for feature in run(old)[0].features}
    near = [row(f"{each.text} more") for each in old]
    second, _ = run([*near, *old], earlier=first)
    assert {feature.id: feature.split for feature in second.features} == first
    assert second.left_out == {"near-duplicate": len(near)}
