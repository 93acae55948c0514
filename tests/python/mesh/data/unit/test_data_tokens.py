"""Files of tokens and tags of every kind: the rows that are taken, and the reasons of the others."""

from pathlib import Path

import pytest

from mesh.data.dataset import AnnotatedText
from small_files import ingest, shown

# ruff: noqa: RUF001 - Signs of other scripts look like Latin ones.
ULM = [("Nora in Ulm", [("Nora", "PER"), ("Ulm", "LOC")])]
TWO = [("Nora in", [("Nora", "PER")]), ("Ulm is", [("Ulm", "LOC")])]


@pytest.mark.parametrize(
    ("content", "expected", "reasons"),
    [
        pytest.param(
            "#\thttp://x.org [2011]\n1\tNora\tB-PER\tO\n2\tin\tO\tO\n3\tUlm\tB-LOC\tB-LOCderiv\n",
            ULM,
            [],
            id="germeval",
        ),
        pytest.param(
            "1\tNora\tB-PER\n2\tin\tO\n\n3\tUlm\tB-LOC\n4\tis\tO\n",
            TWO,
            [],
            id="counter-of-the-file",
        ),
        pytest.param(
            "1 Nora B-PER\n1 in O\n\n2 Ulm B-LOC\n2 is O\n", TWO, [], id="number-of-the-sentence"
        ),
        pytest.param(
            "s1 Nora B-PER\ns1 in O\n\ns2 Ulm B-LOC\ns2 is O\n", TWO, [], id="name-of-the-sentence"
        ),
        pytest.param(
            "1\tNora\tB-PER\n2\tin\tO\n2\tUlm\tB-LOC\n", ULM, [], id="counter-with-a-mistake"
        ),
        pytest.param(
            "0 4 Nora B-PER\n5 7 in O\n8 11 Ulm B-LOC\n", ULM, [], id="places-before-tokens"
        ),
        pytest.param(
            "Nora 0 4 B-PER\nin 5 7 O\nUlm 8 11 B-LOC\n", ULM, [], id="places-after-tokens"
        ),
        pytest.param("NN Nora B-PER\nIN in O\nNN Ulm B-LOC\n", ULM, [], id="parts-of-speech-first"),
        pytest.param(
            "-DOCSTART- -X- O\nNora -X- _ B-PER\nin -X- _ O\n\nUlm -X- _ B-LOC\nis -X- _ O\n",
            TWO,
            [],
            id="label-studio-conll",
        ),
        pytest.param(
            "# id 7-a\tdomain=en\nNora _ _ B-PER\nin _ _ O\n\n# id 8\tdomain=en\nUlm _ _ B-LOC\nis _ _ O\n",
            TWO,
            [],
            id="multiconer",
        ),
        pytest.param("Nora B-PER\nin O\nUlm\tB-LOC\n", ULM, [], id="tabs-in-some-lines"),
        pytest.param("Nora \t B-PER\nin\t O\nUlm\tB-LOC\n", ULM, [], id="spaces-around-tabs"),
        pytest.param(
            "Nora I-PER\nAda B-PER\nUlm I-LOC\nRom B-LOC\n",
            [
                (
                    "Nora Ada Ulm Rom",
                    [("Nora", "PER"), ("Ada", "PER"), ("Ulm", "LOC"), ("Rom", "LOC")],
                )
            ],
            [],
            id="iob1-adjacent",
        ),
        pytest.param(
            "Nora S-PER\nBad B-LOC\nUlm E-LOC\n",
            [("Nora Bad Ulm", [("Nora", "PER"), ("Bad Ulm", "LOC")])],
            [],
            id="iobes",
        ),
        pytest.param(
            "Nora U-PER\nBad B-LOC\nUlm L-LOC\n",
            [("Nora Bad Ulm", [("Nora", "PER"), ("Bad Ulm", "LOC")])],
            [],
            id="bilou",
        ),
        pytest.param("Nora B-PER\nin O\n\nUlm B-LOC\nis O", TWO, [], id="no-line-end"),
        pytest.param(
            "id\tword\tpos_tag\tner\n1\tNora\tNN\tB-PER\n2\tin\tIN\tO\n3\tUlm\tNN\tB-LOC\n",
            ULM,
            [],
            id="header-of-four",
        ),
        pytest.param("Token\tTag\nNora\tB-PER\nin\tO\n\nUlm\tB-LOC\nis\tO\n", TWO, [], id="header"),
        pytest.param(
            "# token tag\nNora B-PER\nin O\n\nUlm B-LOC\nis O\n", TWO, [], id="header-as-comment"
        ),
        pytest.param(
            "1\tNora\tB-PER\t-\t-\n2-3\tinUlm\t_\t-\t-\n2\tin\tO\t-\t-\n3\tUlm\tB-LOC\t-\t-\n",
            ULM,
            [],
            id="uner",
        ),
        pytest.param(
            "Nora\tB-person\n@ada\tO\n#fun\tO\n",
            [("Nora @ada #fun", [("Nora", "person")])],
            [],
            id="wnut",
        ),
        pytest.param("Nora\tB-PER\t\nin\tO\tx\nUlm\tB-LOC\tx\n", ULM, [], id="empty-last-column"),
        pytest.param("Nora\tB-PER\r\nin\tO\r\nUlm\tB-LOC\r\n", ULM, [], id="crlf"),
        pytest.param(
            "Nora\tB-PER\tSpaceAfter=No\n,\tO\t_\nUlm\tB-LOC\t_\n",
            [("Nora, Ulm", [("Nora", "PER"), ("Ulm", "LOC")])],
            [],
            id="space-after",
        ),
        pytest.param(
            "-DOCSTART- O\nNora B-PER\nin O\n-DOCSTART- O\nUlm B-LOC\nis O\n",
            TWO,
            [],
            id="documents-without-empty-lines",
        ),
        pytest.param(
            "Nora B-PER\nin 0\n\nUlm B-LOC\nis O\nbig O\n",
            [("Ulm is big", [("Ulm", "LOC")])],
            ["not a token with a tag in column 2: 'in 0'"],
            id="zero-for-o",
        ),
        pytest.param(
            "New York B-LOC\nis O\n\nUlm B-LOC\nis O\n",
            [("Ulm is", [("Ulm", "LOC")])],
            ["3 columns instead of 2: 'New York B-LOC'"],
            id="space-in-a-token",
        ),
        pytest.param(
            "北京\tB-LOC\n的\tO\n王小明\tB-PER\n，\tO\n2024\tO\n年\tO\n来\tO\n了\tO\n。\tO\n",
            [("北京的王小明，2024 年来了。", [("北京", "LOC"), ("王小明", "PER")])],
            [],
            id="chinese-words",
        ),
        pytest.param(
            "在\tO\nU\tB-ORG\nN\tI-ORG\n的\tO\n2\tO\n4\tO\n年\tO\n东\tB-LOC\n京\tI-LOC\n",
            [("在UN的24年东京", [("UN", "ORG"), ("东京", "LOC")])],
            [],
            id="chinese-characters",
        ),
        pytest.param(
            "サッカー\tO\n「\tO\nUlm\tB-LOC\n」\tO\n東京\tB-LOC\n",
            [("サッカー「Ulm」東京", [("Ulm", "LOC"), ("東京", "LOC")])],
            [],
            id="japanese",
        ),
        pytest.param(
            "서울\tB-LOC\n시장\tO\n",
            [("서울 시장", [("서울", "LOC")])],
            [],
            id="korean",
        ),
        pytest.param("A O\nB B-PER\n", [("A B", [("B", "PER")])], [], id="single-latin-letters"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tokens(
    tmp_path: Path, content: str, expected: object, reasons: list[str], encoding: str
) -> None:
    rows, found, account, _ = ingest(tmp_path, "a.conll", content.encode(encoding), AnnotatedText)
    assert [shown(row) for row in rows] == expected
    assert found == reasons
    assert account.read == len(rows) + len(reasons)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Köln\tB-LOC\nund\tO\nÄrger\tO\nfür\tO\n", "cp1252"),
        ("東京\tB-LOC\nで\tO\n会議\tO\nが\tO\n開かれた\tO\n", "shift-jis"),
        ("Łódź\tB-LOC\nświeci\tO\nżółto\tO\n", "cp1250"),
        ("Москва\tB-LOC\nсегодня\tO\nпразднует\tO\n", "cp1251"),
    ],
)
def test_tokens_in_older_encodings(tmp_path: Path, content: str, encoding: str) -> None:
    [row], reasons, _, _ = ingest(tmp_path, "a.conll", content.encode(encoding), AnnotatedText)
    tokens = [line.split("\t")[0] for line in content.splitlines()]
    space = "" if encoding == "shift-jis" else " "
    assert shown(row) == (space.join(tokens), [(tokens[0], "LOC")])
    assert not reasons
