import pytest

from keywords.documents import read_passages
from keywords.schema import Configuration


@pytest.mark.parametrize(
    ("text", "markup", "blocks", "embedded"),
    [
        ("The red fox\nand the hen.", "plain", 1, None),
        ("- oat milk\n- bin bags\n- cherry jam", "plain", 3, None),
        ("the trans\u00adport plan", "plain", 1, "the transport plan"),
        ("<p>Red&nbsp;fox</p><ul><li>hen</li></ul>", "html", 2, "Red fox\n\nhen"),
        ("## Prices\n\nA **red** fox", "markdown", 2, "Prices\n\nA red fox"),
        (
            "Hello Ann,\n\nThe tram depot opens on Monday at nine.\n\nBest regards,\nBob\n",
            "plain",
            1,
            "The tram depot opens on Monday at nine.",
        ),
        ("", "plain", 0, None),
    ],
)
def test_passages_of_a_document(text, markup, blocks, embedded):
    passages = read_passages(text, Configuration())
    assert (passages.markup, len(passages.blocks)) == (markup, blocks)
    assert passages.text == (text if embedded is None else embedded)


def test_markup_that_is_told_is_not_guessed():
    passages = read_passages("<b>fox</b>", Configuration(markup="plain"))
    assert passages.markup == "plain"
    assert passages.text == "<b>fox</b>"


def test_a_document_without_a_body_counts_whole():
    code = "```\ntotal = fox + hen\n```"
    passages = read_passages(code, Configuration())
    assert passages.blocks == ("total = fox + hen",)
