import pytest

from mesh.nlp.document import read_document
from summarization.passages import readable_blocks, split_passages


def passages_of(text, language):
    document = read_document(text, language=language)
    found = split_passages(document, language, readable_blocks(document))
    return [passage.text for passage in found]


@pytest.mark.parametrize(
    ("language", "text", "passages"),
    [
        ("en", "", []),
        ("en", " \n ", []),
        ("en", "One is here. Two  is\nthere.", ["One is here.", "Two is there."]),
        (
            "en",
            "“We go. Now we go,” she said. They went.",
            ["“We go. Now we go,” she said.", "They went."],
        ),
        ("en", 'He said "No. Never. Go." They went.', ['He said "No. Never. Go."', "They went."]),
        ("de", "„Wir gehen. Jetzt.“ Sie gingen.", ["„Wir gehen. Jetzt.“", "Sie gingen."]),
        ("fr", "« Venez. Maintenant. » Il part.", ["« Venez. Maintenant. »", "Il part."]),
        ("zh", "他说\uff1a“走吧。现在走。”他走了。", ["他说\uff1a“走吧。现在走。”", "他走了。"]),
        ("ja", "「行こう。今だ。」彼は行った。", ["「行こう。今だ。」", "彼は行った。"]),
    ],
)
def test_quotations_are_kept_whole(language, text, passages):
    assert passages_of(text, language) == passages


def test_long_quotation_over_many_sentences_is_one_passage():
    quotation = "“" + " ".join(f"We need line number {number}." for number in range(20)) + "”"
    passages = passages_of(f"The mayor spoke. {quotation} Nobody clapped.", "en")
    assert passages == ["The mayor spoke.", quotation, "Nobody clapped."]


@pytest.mark.parametrize(
    "text",
    [
        'He is 6" tall. She is small. They met.',
        "“It was never closed. She is small. They met.",
        "“A paragraph ends.\n\nIt was never closed.” They met.",
    ],
)
def test_mark_that_is_not_closed_opens_no_quotation(text):
    assert len(passages_of(text, "en")) >= 3
