import bz2
import gzip
import json
import lzma
import os
from pathlib import Path

import pytest

from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.knowledge_base import build as building
from entity_fishing.knowledge_base.build import main
from entity_fishing.knowledge_base.dump import parse_line, read_lines
from entity_fishing.knowledge_file import Name, NameKind
from mesh.core.errors import MeshError

DUMP = Path(__file__).parents[1] / "data" / "dump.jsonl"


def build(dump: Path, output: Path, *flags: str) -> int:
    return main.main(["--dump", str(dump), "--output", str(output), *flags])


def found(knowledge, name, language="en"):
    return [candidate.id for candidate in knowledge.find([name], language).get(name, ())]


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".bz2", bz2.compress), (".gz", gzip.compress), (".xz", lzma.compress)],
)
def test_dump_becomes_a_knowledge_base(tmp_path, suffix, compress):
    dump = tmp_path / f"dump.json{suffix}"
    dump.write_bytes(compress(DUMP.read_bytes()))
    assert build(dump, tmp_path / "kb.sqlite") == 0
    knowledge = KnowledgeBase.open(tmp_path / "kb.sqlite")
    assert len(knowledge) == 5
    assert found(knowledge, "apple") == ["Q89", "Q312"]
    assert found(knowledge, "munchen", "de") == ["Q1726"]
    assert found(knowledge, "munchen", "fr") == []
    assert found(knowledge, "sandbox") == []
    [paris] = knowledge.find(["city of light"], "en")["city of light"]
    assert (paris.id, paris.label, paris.type) == ("Q90", "Paris", "place")
    assert 0 < paris.popularity < 1
    assert paris.kind is NameKind.ALIAS
    types = {
        name: knowledge.find([name], "en")[name][0].type for name in ("douglas adams", "apple inc")
    }
    assert types == {"douglas adams": "person", "apple inc": "organisation"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [dump.name, "kb.sqlite"]


def test_settings_choose_languages_and_fame(tmp_path):
    flags = ("--languages", "de", "--minimum-sitelinks", "25")
    assert build(DUMP, tmp_path / "kb.sqlite", *flags) == 0
    assert len(KnowledgeBase.open(tmp_path / "kb.sqlite")) == 1


def test_interrupted_build_resumes_and_gives_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(building, "LINES_PER_TRANSACTION", 2)
    read: list[int] = []

    def interrupted(path):
        for number, line in enumerate(read_lines(path)):
            if number == 5 and not read:
                read.append(number)
                raise KeyboardInterrupt
            yield line

    monkeypatch.setattr(building, "read_lines", interrupted)
    output = tmp_path / "kb.sqlite"
    assert build(DUMP, output) == 130
    assert not output.exists()
    parsed: list[bytes] = []

    def counted(line, *arguments):
        parsed.append(line)
        return parse_line(line, *arguments)

    monkeypatch.setattr(building, "parse_line", counted)
    assert build(DUMP, output) == 0
    assert len(parsed) == len(DUMP.read_bytes().splitlines()) - 4
    assert len(KnowledgeBase.open(output)) == 5


def test_changed_dump_is_read_from_the_start(tmp_path, monkeypatch):
    dump, output = tmp_path / "dump.json", tmp_path / "kb.sqlite"
    dump.write_bytes(DUMP.read_bytes()[:-2])
    monkeypatch.setattr(building, "LINES_PER_TRANSACTION", 2)
    assert build(dump, output) == 1
    dump.write_bytes(DUMP.read_bytes())
    os.utime(dump, (1, 1))
    assert build(dump, output) == 0
    assert len(KnowledgeBase.open(output)) == 5


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'[\n{"id": "Q1"},\n]\n', "Line 2 of"),
        (b"[\nno json,\n]\n", "Line 2 of"),
        (DUMP.read_bytes()[:-2], "ends before its closing bracket"),
        (b"", "ends before its closing bracket"),
    ],
)
def test_damaged_dump_is_a_sentence(tmp_path, capsys, content, sentence):
    dump = tmp_path / "dump.json"
    dump.write_bytes(content)
    assert build(dump, tmp_path / "kb.sqlite") == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "kb.sqlite").exists()


def test_truncated_archive_is_a_sentence(tmp_path, capsys):
    dump = tmp_path / "dump.json.gz"
    dump.write_bytes(gzip.compress(DUMP.read_bytes())[:-20])
    assert build(dump, tmp_path / "kb.sqlite") == 1
    assert "can't be read" in capsys.readouterr().err


def test_missing_dump_is_a_sentence(tmp_path, capsys):
    assert build(tmp_path / "none.json", tmp_path / "kb.sqlite") == 1
    assert "does not exist" in capsys.readouterr().err


def test_other_files_are_not_knowledge_bases(tmp_path):
    path = tmp_path / "kb.sqlite"
    with pytest.raises(MeshError, match="does not exist"):
        KnowledgeBase.open(path)
    for content in (b"", b"something else entirely" * 100):
        path.write_bytes(content)
        with pytest.raises(MeshError, match="knowledge base"):
            KnowledgeBase.open(path)


def test_line_of_another_format_is_refused():
    with pytest.raises(ValueError, match="format"):
        parse_line(json.dumps({"id": "Q1", "labels": 5}).encode(), ["en"], 0)


def item(**fields):
    """A line of a dump about an item that enough wikis have a page of."""
    links = {f"w{number}wiki": {"title": "page"} for number in range(9)}
    empty = {"labels": {}, "descriptions": {}, "aliases": {}, "claims": {}, "sitelinks": links}
    return json.dumps({"type": "item", "id": "Q1", **empty, **fields}).encode()


def parsed(languages, **fields):
    record = parse_line(item(**fields), languages, 0)
    assert record is not None
    return record


def texts(**values):
    return {language: {"language": language, "value": text} for language, text in values.items()}


def claim(value):
    return {"mainsnak": {"datavalue": {"value": value}}}


@pytest.mark.parametrize(
    ("labels", "label"),
    [
        (texts(mul="Prince"), "Prince"),
        (texts(mul="Prince", en="The Artist"), "The Artist"),
        (texts(mul="Prince", de="Der Prinz"), "Der Prinz"),
        (texts(mul="Prince", fr="Le Prince"), "Prince"),
    ],
)
def test_names_of_all_languages_come_after_those_asked_for(labels, label):
    record = parsed(["en", "de"], labels=labels)
    assert record.label == label
    assert [name for name in record.names if name.language == "mul"] == [
        Name("Prince", "mul", NameKind.LABEL)
    ]


def test_aliases_and_descriptions_of_all_languages_are_read():
    aliases = {"mul": [{"language": "mul", "value": "TAFKAP"}], "fr": []}
    labels, descriptions = texts(mul="Prince"), texts(mul="singer")
    record = parsed(["en"], labels=labels, aliases=aliases, descriptions=descriptions)
    assert record.names[-1] == Name("TAFKAP", "mul", NameKind.ALIAS)
    assert record.description == "singer"


def test_an_entity_without_a_name_in_these_languages_is_left_out():
    assert parse_line(item(labels=texts(fr="Le Prince")), ["en"], 0) is None


def test_demonyms_are_names():
    values = [("French", "en"), ("Frenchman", "en"), ("français", "fr"), ("Franzose", "de")]
    claims = {"P1549": [claim({"text": text, "language": code}) for text, code in values]}
    record = parsed(["en", "fr"], labels=texts(en="France"), claims=claims)
    assert record.names[1:] == [
        Name("French", "en", NameKind.DEMONYM),
        Name("Frenchman", "en", NameKind.DEMONYM),
    ]


@pytest.mark.parametrize(
    "kind",
    [
        *("Q4167410", "Q22808320", "Q4167836", "Q11266439", "Q15184295", "Q4663903", "Q13406463"),
        *("Q101352", "Q202444", "Q12308941", "Q11879590", "Q3409032"),
    ],
)
def test_pages_about_pages_and_names_of_people_are_no_entities(kind):
    labels = texts(en="Mercury")
    assert parse_line(item(labels=labels, claims={"P31": [claim({"id": kind})]}), ["en"], 0) is None
    assert parse_line(item(labels=labels, claims={"P31": [claim({"id": "Q5"})]}), ["en"], 0)
