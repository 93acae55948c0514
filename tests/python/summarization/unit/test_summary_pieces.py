"""What summaries are made of: sentences of running text, or else lines."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.nlp.blocks import BlockKind
from mesh.nlp.document import read_document
from summarization.length import count_words
from summarization.passages import Passage
from summarization.pieces import (
    _STOP,
    STRETCH_WORDS,
    _has_stop,
    cut,
    is_sentence,
    read_pieces,
)
from summarization.schema import Configuration

BOAT = "A boat is red."


def pieces_of(text, **configuration):
    made = Configuration(**configuration)
    return read_pieces(read_document(text, made.markup, made.language), made)


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        (
            "en",
            "<h1>Trams are back</h1><p>The tram opens in May. It costs two euros.</p>",
            ["The tram opens in May.", "It costs two euros."],
        ),
        (
            "de",
            "<h2>Preise</h2><table><tr><td>Erwachsene</td><td>3 Euro</td></tr></table>"
            "<p>Die Bahn fährt ab Mai. Kinder fahren frei!</p>",
            ["Die Bahn fährt ab Mai.", "Kinder fahren frei!"],
        ),
        (
            "fr",
            "<ul><li>Accueil</li><li>Contact</li></ul><p>Le tramway ouvre en mai.</p>",
            ["Le tramway ouvre en mai."],
        ),
        (
            "es",
            "<nav><a>Inicio</a><br><a>Mapa</a></nav><p>¿Abre el tranvía en mayo? Sí, abre.</p>",
            ["¿Abre el tranvía en mayo?", "Sí, abre."],
        ),
        (
            "it",
            "<p>Leggi tutto...</p><p>Il tram apre a maggio (forse).</p><p>Seguici</p>",
            ["Il tram apre a maggio (forse)."],
        ),
        (
            "pt",
            "<style>p { color: red; }</style><p>O bonde abre em maio.[2]</p>"
            "<script>var a = 'O fim.';</script>",
            ["O bonde abre em maio.[2]"],
        ),
        (
            "ja",
            "<h1>電車</h1><p>電車は五月に開く。市長は喜んだ。</p>",
            ["電車は五月に開く。", "市長は喜んだ。"],
        ),
        (
            "zh",
            "<h1>电车新闻</h1><p>电车五月通车。票价两元。</p>",
            ["电车五月通车。", "票价两元。"],
        ),
        ("ko", "<h1>소식</h1><p>전차는 오월에 개통한다.</p>", ["전차는 오월에 개통한다."]),
    ],
)
def test_sentences_are_taken_and_headings_cells_and_labels_are_not(language, text, sentences):
    pieces = pieces_of(text, language=language)
    assert pieces.texts == sentences
    assert pieces.separator == ("" if language in ("ja", "zh") else " ")


@pytest.mark.parametrize(
    ("kind", "text", "alone", "sentence"),
    [
        (BlockKind.PARAGRAPH, "It rained.", False, True),
        (BlockKind.PARAGRAPH, "It rained.", True, False),
        (BlockKind.PARAGRAPH, "It rained all day.", True, True),
        (BlockKind.PARAGRAPH, "The following holds:", False, False),
        (BlockKind.PARAGRAPH, "Read more about this...", False, False),
        (BlockKind.PARAGRAPH, "It rained all day", False, False),
        (BlockKind.HEADING, "It rained all day in the north.", True, False),
        (BlockKind.CELL, "approx. 3 kg excl. packaging.", True, False),
        (BlockKind.CELL, "The tram line opens again in the spring.", True, True),
        (BlockKind.ITEM, "Bring a lamp.", True, False),
        (BlockKind.ITEM, "Everybody must bring a lamp and warm clothes.", True, True),
    ],
)
def test_sentence_has_a_stop_and_stands_in_running_text(kind, text, alone, sentence):
    assert is_sentence(Passage(text, kind, alone), count_words(text)) == sentence


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("en", ["Council approves tram line", "Glacier loses three per cent", "Bakers on strike"]),
        ("de", ["Rat beschließt Tramlinie", "Gletscher schrumpft", "Bäcker streiken"]),
        ("fr", ["Le conseil approuve le tram", "Le glacier recule", "Les boulangers en grève"]),
        ("es", ["El consejo aprueba el tranvía", "El glaciar retrocede", "Huelga de panaderos"]),
        ("pt", ["Conselho aprova o bonde", "A geleira recua", "Padeiros em greve"]),
        ("zh", ["市议会批准电车", "冰川缩小", "面包师罢工"]),
    ],
)
def test_headlines_are_pieces_on_lines_of_their_own(language, lines):
    text = "".join(f"<h2>{line}</h2>" for line in lines)
    found = pieces_of(text, language=language)
    assert (found.texts, found.separator) == (lines, "\n")


def test_a_few_questions_do_not_stand_for_a_text_without_stops():
    told = "and then we went down to the harbour where the boats are kept " * 20
    pieces = pieces_of(f"<p>Where were you then?</p><p>{told}</p>")
    assert pieces.texts[0] == "Where were you then?"
    assert len(pieces.texts) > 5
    assert all(count_words(text) <= STRETCH_WORDS for text in pieces.texts)


def test_stretches_are_cut_to_the_desired_length():
    pieces = pieces_of("so " * 100, desired_length=8)
    assert {count_words(text) for text in pieces.texts} <= {8, 4}


@pytest.mark.parametrize(
    ("text", "longest", "pieces"),
    [
        ("one two three four five", 2, ["one two", "three four", "five"]),
        ("well I went, and she came too later", 4, ["well I went,", "and she came too", "later"]),
        ("a yes, that is what I heard then", 6, ["a yes, that is what I", "heard then"]),
        ("Ann: we go now Bob: so do we all", 5, ["Ann: we go now", "Bob: so do we all"]),
        ("[00:01] we go now [00:05] they stay", 6, ["[00:01] we go now", "[00:05] they stay"]),
        ("电车五月通车票价两元", 4, ["电车五月", "通车票价", "两元"]),
        (
            "电车五月通车\uff0c票价两元\uff0c孩子免费",
            9,
            ["电车五月通车\uff0c", "票价两元\uff0c孩子免费"],
        ),
        ("기차가 오월에 다시 다닌다", 2, ["기차가 오월에", "다시 다닌다"]),
        ("a " + "x" * 100 + " b", 3, ["a", "x" * 100, "b"]),
    ],
)
def test_text_without_stops_is_cut_at_pauses_speakers_or_words(text, longest, pieces):
    assert cut(text, longest) == pieces


@given(st.text(alphabet="ab ,:[电。\n-", min_size=1), st.integers(1, 9))
def test_no_cut_piece_is_too_long_and_nothing_is_lost(text, longest):
    pieces = cut(text, longest)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    # A string without spaces isn't divided; marks alone are no words.
    strings = [sum(count_words(part) > 0 for part in piece.split()) for piece in pieces]
    for piece, count in zip(pieces, strings, strict=True):
        assert count_words(piece) <= longest or count == 1


@pytest.mark.parametrize(
    ("blocks", "texts"),
    [
        ([(BlockKind.CODE, "return value;")], []),
        ([(BlockKind.CODE, "return value;"), (BlockKind.HEADING, "Values")], ["Values"]),
        ([(BlockKind.HEADING, "Trams ring."), (BlockKind.PARAGRAPH, "A boat is red.")], [BOAT]),
        ([(BlockKind.QUOTED, "The tram is red."), (BlockKind.PARAGRAPH, "A boat is red.")], [BOAT]),
        ([(BlockKind.GREETING, "Hi Ann,"), (BlockKind.QUOTED, "A boat is red.")], [BOAT]),
        (
            [(BlockKind.CELL, "Boat"), (BlockKind.CELL, "12"), (BlockKind.ITEM, "Red")],
            ["Boat", "Red"],
        ),
    ],
)
def test_body_is_read_and_without_one_all_but_code(blocks, texts):
    document = read_document("\n\n".join(text for _, text in blocks))
    kinds = [kind for kind, _ in blocks]
    marked = [block._replace(kind=kind) for block, kind in zip(document.blocks, kinds, strict=True)]
    made = dataclasses.replace(document, blocks=tuple(marked))
    assert read_pieces(made, Configuration()).texts == texts


@given(st.text(st.sampled_from('a .!?…。)"\u201d[1]\n'), max_size=12))
def test_stop_at_the_end_is_the_one_of_the_expression(text):
    assert _has_stop(text) == bool(_STOP.search(text))
