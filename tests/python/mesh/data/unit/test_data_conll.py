"""Files of tokens and tags as people have them."""

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import MeshError
from mesh.data.conll import read_conll
from mesh.data.raw_row import RawRow
from mesh.nlp.segmentation import has_spaceless, is_unspaced

Found = list[tuple[str, list[tuple[str, str]]]]


def read(content: str, *columns: str) -> list[RawRow]:
    return list(read_conll(io.StringIO(content, newline=""), columns))


def found(content: str, *columns: str) -> Found:
    """The text of each sentence, and its entities with their labels."""
    rows = []
    for row in read(content, *columns):
        assert row.fields is not None, row
        text = row.fields["text"]
        rows.append(
            (
                text,
                [
                    (text[each["start"] : each["end"]], each["label"])
                    for each in row.fields["entities"]
                ],
            )
        )
    return rows


ROSA = [("Rosa lives in Lima .", [("Rosa", "PER"), ("Lima", "LOC")])]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # Two to ten columns.
        ("Rosa B-PER\nlives O\nin O\nLima B-LOC\n. O\n", ROSA),
        (
            "Rosa NNP B-NP B-PER\nlives VBZ B-VP O\nin IN B-PP O\nLima NNP B-NP B-LOC\n. . O O\n",
            ROSA,
        ),
        ("Rosa\tB-PER\nlives\tO\nin\tO\nLima\tB-LOC\n.\tO\n", ROSA),
        # The tag first.
        ("B-PER Rosa\nO lives\nO in\nB-LOC Lima\nO .\n", ROSA),
        # GermEval: a counter, outer and inner names, a source.
        (
            "#\thttp://example.org/1\t[2010-03-01]\n1\tRosa\tB-PER\tO\n2\tlives\tO\tO\n3\tin\tO\tO\n"
            "4\tLima\tB-LOC\tO\n5\t.\tO\tO\n",
            ROSA,
        ),
        (
            "1\tLima\tB-ORG\tB-LOC\n2\tSport\tI-ORG\tO\n\n1\tvon\tO\tO\n2\tRosa\tB-PER\tO\n",
            [("Lima Sport", [("Lima Sport", "ORG")]), ("von Rosa", [("Rosa", "PER")])],
        ),
        # CoNLL-U with a tag for names in place of one of its columns.
        (
            "# sent_id = 1\n# text = Vámonos a Lima.\n"
            "1-2\tVámonos\t_\t_\t_\t_\t_\t_\tO\t_\n"
            "1\tVamos\tir\tVERB\t_\t_\t0\troot\tO\t_\n2\tnos\tyo\tPRON\t_\t_\t1\tobj\tO\t_\n"
            "3\ta\ta\tADP\t_\t_\t4\tcase\tO\t_\n3.1\tx\t_\t_\t_\t_\t_\t_\tO\t_\n"
            "4\tLima\tLima\tPROPN\t_\t_\t1\tobl\tB-LOC\tSpaceAfter=No\n"
            "5\t.\t.\tPUNCT\t_\t_\t1\tpunct\tO\t_\n",
            [("Vamos nos a Lima.", [("Lima", "LOC")])],
        ),
        # White space within a token.
        (
            "New Haven\tB-LOC\n1\u00a0000\tO\nis\tO\n",
            [("New Haven 1\u00a0000 is", [("New Haven", "LOC")])],
        ),
        ("1\u00a0000 O\nRosa B-PER\n", [("1\u00a0000 Rosa", [("Rosa", "PER")])]),
        # Markers and comments go alone.
        (
            "-DOCSTART- -X- O O\nRosa NNP B-NP B-PER\n-DOCSTART- -X- O O\nLima NNP B-NP B-LOC\n",
            [("Rosa", [("Rosa", "PER")]), ("Lima", [("Lima", "LOC")])],
        ),
        ("# text = Rosa\nRosa\tB-PER\n# newpar\nis\tO\n", [("Rosa is", [("Rosa", "PER")])]),
        ("# O\n1 O\nRosa B-PER\n#fun O\n", [("# 1 Rosa #fun", [("Rosa", "PER")])]),
        # Line ends, spaces at the end, empty lines of spaces.
        (
            "Rosa B-PER \r\n \r\n\r\nLima  B-LOC\r\n",
            [("Rosa", [("Rosa", "PER")]), ("Lima", [("Lima", "LOC")])],
        ),
        ("", []),
        ("-DOCSTART- O\n\n", []),
    ],
)
def test_sentences_with_their_names(content: str, expected: Found) -> None:
    assert found(content) == expected


@pytest.mark.parametrize(
    ("tags", "names"),
    [
        # IOB1: `B` only where two names of a type meet.
        ("I-PER B-PER I-PER O", [("a", "PER"), ("b c", "PER")]),
        ("I-PER I-LOC I-LOC O", [("a", "PER"), ("b c", "LOC")]),
        # IOB2
        ("B-PER B-PER I-PER O", [("a", "PER"), ("b c", "PER")]),
        # IOBES and BILOU
        ("S-PER B-LOC I-LOC E-LOC", [("a", "PER"), ("b c d", "LOC")]),
        ("U-PER B-LOC I-LOC L-LOC", [("a", "PER"), ("b c d", "LOC")]),
        ("U-PER U-PER O B-work-of-art", [("a", "PER"), ("b", "PER"), ("d", "work-of-art")]),
    ],
)
def test_schemes_of_tags(tags: str, names: list[tuple[str, str]]) -> None:
    lines = zip("abcd", tags.split(), strict=True)
    assert found("".join(f"{token}\t{tag}\n" for token, tag in lines)) == [("a b c d", names)]


def test_columns_can_be_named() -> None:
    content = "1 Lima B-ORG B-LOC\n2 Sport I-ORG O\n"
    assert found(content, "id", "token", "outer", "tag") == [("Lima Sport", [("Lima", "LOC")])]


@pytest.mark.parametrize(
    ("content", "columns", "sentence"),
    [
        ("Rosa lives in Lima\nand works there\n", (), "has no column of tags"),
        ("Rosa PER\nis O\nin O\n", ("word", "names"), "no columns token and tag"),
        ("Lima B-ORG B-LOC\nSport I-ORG O\n", (), "tags in the columns 2 and 3"),
    ],
)
def test_unclear_columns_are_refused_with_the_first_lines(
    content: str, columns: tuple[str, ...], sentence: str
) -> None:
    with pytest.raises(MeshError, match=sentence) as refused:
        read(content, *columns)
    assert "INGEST_COLUMNS" in str(refused.value)
    assert content.splitlines()[0] in str(refused.value)


def test_a_malformed_line_rejects_its_sentence_only() -> None:
    rows = read("Rosa\tB-PER\nis\n\nLima\tB-LOC\n\nQuito\tX-LOC\nin\tO\n\nhere\tO\n")
    assert [(row.line, row.fields is None) for row in rows] == [
        (2, True),
        (4, False),
        (6, True),
        (9, False),
    ]
    assert rows[0].problem == "1 columns instead of 2: 'is'"
    assert "column 2: 'Quito\\tX-LOC'" in rows[2].problem


TOKENS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="#-"),
    min_size=1,
    max_size=5,
)
SENTENCES = st.lists(
    st.lists(st.tuples(TOKENS, st.sampled_from(["PER", "LOC", ""])), min_size=1, max_size=6),
    min_size=1,
    max_size=5,
)


@given(SENTENCES, st.booleans(), st.booleans())
def test_written_sentences_come_back(
    sentences: list[list[tuple[str, str]]], tabs: bool, documents: bool
) -> None:
    separator = "\t" if tabs else " "
    border = "-DOCSTART- O\n" if documents else "\n"
    blocks = (
        "".join(
            f"{token}{separator}{f'B-{label}' if label else 'O'}\n" for token, label in sentence
        )
        for sentence in sentences
    )
    rows = found(border.join(blocks))
    assert [text.replace(" ", "") for text, _ in rows] == [
        "".join(token for token, _ in sentence) for sentence in sentences
    ]
    for sentence, (text, entities) in zip(sentences, rows, strict=True):
        assert entities == [(token, label) for token, label in sentence if label]
        words = [token for token, _ in sentence]
        joined = " ".join(words)
        if not (has_spaceless(joined) or any(is_unspaced(*pair) for pair in pairwise(words))):
            assert text == joined
