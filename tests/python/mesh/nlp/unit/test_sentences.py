import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.document import read_document
from mesh.nlp.sentences import split_sentences


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, language)]


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
        ("en", " \n ", []),
        ("en", "", []),
        ("en", "half \ud83d a character. Next.", ["half \ud83d a character.", "Next."]),
    ],
)
def test_sentences_of_a_language(language: str, text: str, expected: list[str]) -> None:
    assert sentences(text, language) == expected


def test_paragraphs_of_markup_end_sentences() -> None:
    text = read_document("<h1>Shares fall</h1><p>They fell. Again</p><p>And rose</p>").text
    assert sentences(text) == ["Shares fall", "They fell.", "Again", "And rose"]


@given(
    st.text(alphabet="ab. !?。😀\n\"'()\u0301\u200d é") | st.text(),
    st.sampled_from(["en", "de", "hi", "zh"]),
)
def test_sentences_are_in_order_and_leave_out_white_space_only(text: str, language: str) -> None:
    spans = split_sentences(text, language)
    edges = [edge for span in spans for edge in span]
    assert edges == sorted(edges)
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in spans)
    kept = "".join(text[start:end] for start, end in spans)
    assert "".join(kept.split()) == "".join(text.split())
