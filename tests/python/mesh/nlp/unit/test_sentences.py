import tomllib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mesh.nlp.abbreviations
from mesh.nlp.abbreviations import KINDS, rules_of
from mesh.nlp.document import read_document
from mesh.nlp.quotations import LONGEST, quotations
from mesh.nlp.sentences import _candidates, _patterns, split_sentences


class Case(NamedTuple):
    """A text in a language (ISO 639-1 code), and its sentences."""

    language: str
    text: str
    expected: list[str]


def read_cases(name: str) -> list[Case]:
    cases = []
    language = ""
    path = Path(__file__).parents[1] / "data" / name
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            language = line.strip("[]")
        elif not line.startswith("#"):
            expected = [part.strip() for part in line.split("‖")]
            cases.append(Case(language, line.replace("‖", ""), expected))
    return cases


CASES = read_cases("sentences.txt")


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


def share_of(cases: list[Case]) -> float:
    return sum(sentences(case.text, case.language) == case.expected for case in cases) / len(cases)


def test_sentences_of_all_languages() -> None:
    assert len(CASES) >= 400
    assert share_of(CASES) >= 0.99


@pytest.mark.parametrize("language", list(dict.fromkeys(case.language for case in CASES)))
def test_sentences_of_a_language(language: str) -> None:
    assert share_of([case for case in CASES if case.language == language]) >= 0.95


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        (
            "en",
            'Dr. Smith paid $3.50 in Washington D.C. on Jan. 5th. "Really?" she asked. Yes.',
            [
                "Dr. Smith paid $3.50 in Washington D.C. on Jan. 5th.",
                '"Really?" she asked.',
                "Yes.",
            ],
        ),
        (
            "de",
            "Das ist z.B. Herr Dr. Müller am 5. Mai 2020. Er wohnt in Köln.",
            ["Das ist z.B. Herr Dr. Müller am 5. Mai 2020.", "Er wohnt in Köln."],
        ),
        ("es", "EE.UU. ganó. ¿Qué pasó? Nada.", ["EE.UU. ganó.", "¿Qué pasó?", "Nada."]),
        ("zh", "今天天气很好。我们去公园吧\uff01", ["今天天气很好。", "我们去公园吧\uff01"]),
        ("xx", "One. Two.", ["One.", "Two."]),
        ("en", "A title\n\nA sentence.", ["A title", "A sentence."]),
        ("en", "A title\r\n \r\nA sentence\nof two lines.", ["A title", "A sentence\nof two lines."]),
        ("en", " \n ", []),
        ("en", "", []),
        ("en", "half \ud83d a character. Next.", ["half \ud83d a character.", "Next."]),
        # Regions, and languages near to one with rules.
        ("pt-BR", "O Sr. Melo chegou. Bom.", ["O Sr. Melo chegou.", "Bom."]),
        ("DE_at", "Im 2. Stock. Dort.", ["Im 2. Stock.", "Dort."]),
        ("gl", "A Sra. Rei marchou. Bo.", ["A Sra. Rei marchou.", "Bo."]),
        ("sk", "Bolo to napr. Brno. Dnes.", ["Bolo to napr. Brno.", "Dnes."]),
        # Stops that end nothing.
        ("en", "...", ["..."]),
        ("en", "?", ["?"]),
        ("en", "1.", ["1."]),
        ("en", "A. B.", ["A. B."]),
        # Kinds of white space.
        ("fr", "Tu viens\u202f? «\xa0Oui\xa0!\xa0» Bien.", ["Tu viens\u202f?", "«\xa0Oui\xa0!\xa0»", "Bien."]),
    ],
)  # fmt: skip
def test_sentences_of_a_text(language: str, text: str, expected: list[str]) -> None:
    assert sentences(text, language) == expected


def test_paragraphs_of_markup_end_sentences() -> None:
    text = read_document("<h1>Shares fall</h1><p>They fell. Again</p><p>And rose</p>").text
    assert sentences(text) == ["Shares fall", "They fell.", "Again", "And rose"]


@pytest.mark.parametrize(
    ("row", "count"),
    [
        (".", 1),
        ("A. ", 1),
        ("e.g. ", 1),
        ('"', 1),
        ("(", 1),
        ("\n \n", 0),
        ("Why? ", 5_000),
        ("It ends. ", 5_000),
        ("。", 1),
        ("好。", 5_000),
    ],
)
def test_long_rows(row: str, count: int) -> None:
    assert len(split_sentences(row * 5_000)) == count


def test_long_quotation_is_divided() -> None:
    short, long = ('"' + "We ran home. " * count + 'It rained," he said.' for count in (2, 30))
    assert len(long) > LONGEST
    assert len(sentences(short)) == 1
    assert len(sentences(long)) == 31


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"a" b "c"', ['"a"', '"c"']),
        ("(a [b] c) d", ["(a [b] c)"]),
        ("„a“ “b” ”c” «d» »e« 「f」", ["„a“", "“b”", "”c”", "«d»", "»e«", "「f」"]),
        ("\u2018it\u2019s\u2019 the dogs\u2019 \u2018a\u2019", ["\u2018it\u2019s\u2019", "\u2018a\u2019"]),
        ('5" (a "b', []),
        ("a) b] c”", []),
        (f"({'a' * LONGEST}) (b)", ["(b)"]),
        (f"({'(b) ' * LONGEST}", ["(b)"] * LONGEST),
    ],
)  # fmt: skip
def test_quotations_and_brackets(text: str, expected: list[str]) -> None:
    assert [text[start:end] for start, end, _ in quotations(text)] == expected


def test_each_abbreviation_has_one_kind() -> None:
    path = Path(mesh.nlp.abbreviations.__file__).with_name("abbreviations.toml")
    for language, table in tomllib.loads(path.read_text("utf-8")).items():
        words = Counter(word for kind in KINDS for word in table.get(kind, "").split())
        assert [word for word, count in words.items() if count > 1] == [], language
        assert all(word[-1] != "." for word in words), language


def test_languages_without_rules_use_the_nearest() -> None:
    assert rules_of("af").kinds == rules_of("nl").kinds
    assert rules_of("xx") == rules_of("en")


LANGUAGES = st.sampled_from(["en", "de", "fr", "hi", "zh", "el", "xx"])
TEXTS = st.text(alphabet="abA1. !?。।…😀\n\"'«»()\u0301\u200d é\u2019") | st.text()


@given(TEXTS, LANGUAGES)
def test_sentences_are_in_order_and_leave_out_white_space_only(text: str, language: str) -> None:
    spans = split_sentences(text, language)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())


@given(TEXTS, TEXTS, LANGUAGES)
def test_empty_line_parts_a_text_into_texts(first: str, second: str, language: str) -> None:
    first, second = first.strip() + "\n\n", second.strip()
    expected = sentences(first, language) + sentences(second, language)
    assert sentences(first + second, language) == expected


@given(st.lists(st.sampled_from(CASES), min_size=2, max_size=3))
def test_texts_one_after_the_other_keep_their_sentences(cases: list[Case]) -> None:
    cases = [case for case in cases if case.language == cases[0].language]
    expected = [sentence for case in cases for sentence in sentences(case.text, case.language)]
    assert sentences("\n\n".join(case.text for case in cases), cases[0].language) == expected


@given(st.text(st.sampled_from("aIVX1 (.)!?;:…。\"'[2]\n\u3000\x1c"), max_size=60))
def test_candidates_are_all_matches_of_their_expression(text):
    for language in ("en", "el", "hy"):
        _, pattern = _patterns(language)
        expected = [match.span() for match in pattern.finditer(text)]
        assert [match.span() for match in _candidates(text, language)] == expected
