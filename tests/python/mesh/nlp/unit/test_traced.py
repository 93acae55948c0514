# ruff: noqa: RUF001 - the letters of other alphabets are meant

import sys
import unicodedata

import pytest

from mesh.nlp.traced import (
    _INVISIBLE,
    _SOFT_HYPHEN,
    TracedText,
    composed,
    without_invisible,
)


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("\ufeffzero\u200bwidth\x07", "zerowidth"),
        ("Kö\u00adln", "Köln"),
        ("Kö\u00ad \n ln", "Köln"),
        ("Kö\u200b\nln", "Kö\nln"),
        ("\u202aשלום\u202c", "שלום"),
        # The joiners change letters and emoji.
        ("می\u200cخواهم 👩\u200d👧 क्\u200dष", "می\u200cخواهم 👩\u200d👧 क्\u200dष"),
    ],
)
def test_invisible_characters_vanish(original: str, expected: str) -> None:
    assert without_invisible(TracedText.of(original)).text == expected


@pytest.mark.parametrize(
    "word", ["Zoë", "İstanbul", "Đồng", "한국", "Ångström", "हिन्दी", "ガラス", "≠"]
)
def test_composed_characters_stand_for_all_of_their_parts(word: str) -> None:
    original = f"a {unicodedata.normalize('NFD', word)} b"
    traced = composed(TracedText.of(original))
    assert traced.text == f"a {unicodedata.normalize('NFC', word)} b"
    end = len(traced.text) - 2
    assert original[traced.starts[2] : traced.ends[end - 1]] == original[2:-2]


def test_text_in_normal_form_is_not_copied() -> None:
    source = TracedText.of("Zoë")
    assert composed(source) is source


def test_many_marks_are_normalised_in_parts() -> None:
    traced = composed(TracedText.of("e" + "\u0301\u0316" * 50_000))
    assert traced.text.startswith("é\u0316")
    assert len(traced.text) > 99_000


def test_no_invisible_character_is_printable():
    # Printable texts are taken as they are.
    printable = "".join(filter(str.isprintable, map(chr, range(sys.maxunicode + 1))))
    assert _INVISIBLE.search(printable) is None
    assert _SOFT_HYPHEN.search(printable) is None
