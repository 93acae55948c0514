# ruff: noqa: RUF001 - the letters of other alphabets are meant

from itertools import accumulate
from typing import Any

import pytest
from pyromark import Options, events_with_range

from mesh.nlp.document import read_document


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("# Prices\n\nThe ticket costs 3 euros.", "Prices|The ticket costs 3 euros."),
        ("## Preise\n| Fahrt | Preis |\n|---|--:|\n| kurz | 3 |", "Preise|Fahrt|Preis|kurz|3"),
        ("### Один\nтекст\n### Два\nтекст", "Один|текст|Два|текст"),
        ("# 标题\n\n北京", "标题|北京"),
        ("\ufeff# Berlin", "Berlin"),
        ("# Berlin\n## Paris ##\nBonn", "Berlin|Paris|Bonn"),
        ("# Один\n\n# Два", "Один|Два"),
        ("Ville | Prix\n--|--\nNice | 2", "Ville|Prix|Nice|2"),
        ("Vea [el plan](https://example.org/plan.html) de Lima.", "Vea el plan de Lima."),
        ("Vea [el plan][1] de Lima.\n\n[1]: https://example.org", "Vea el plan de Lima."),
        ("Voir [Lyon](https://example.org/wiki/Lyon_(ville)).", "Voir Lyon."),
        ("# A\r\n\r\n```\r\nx = 1\r\ny = 2\r\n```\r\nb", "A|x = 1|y = 2|b"),
        ("![tram](images/tram.png) The tram.", "The tram."),
        ("[![state](a/b.png)](https://example.org) The tram.", "The tram."),
        (
            "The **council of Berlin** met *again*, not ~~today~~.",
            "The council of Berlin met again, not today.",
        ),
        ("```\nx = 1\ny = 2\n```\nRun `it <b>`.", "x = 1|y = 2|Run it <b>."),
        ("- [ ] buy bread\n- [x] pay", "buy bread|pay"),
        ("**A**\n\n1. one\n2. two\n\n> said\n\n---\n", "A|one|two|said"),
        ("**A** x\\*y &amp; z<sup>2</sup><!-- no -->", "A x*y & z2"),
        ("**A** **B** [C](d/)\n\n<div>\none\n<hr>two\n</div>", "A B C|one|two"),
        ("**A** a<b and c>d", "A a<b and c>d"),
        ("Das ***neue*** Gleis", "Das neue Gleis"),
        ("1. __A tram.__\n\n1. __A lake.__", "A tram.|A lake."),
        ("****मारिया** ने शोध किया।**", "मारिया ने शोध किया।"),
        ("| a | b |\n| :-- | --: |\n| New<br>York | 2 |", "a|b|New|York|2"),
        ("---\ntitle: no\n---\n\n# A\n\nb[^1]\n\n[^1]: c", "A|b|c"),
        ("**A**\n\n    x = 1", "A|x = 1"),
    ],
)
def test_marks_are_taken_out(original: str, expected: str) -> None:
    document = read_document(original)
    assert (document.markup, document.text.replace("\n\n", "|")) == ("markdown", expected)


@pytest.mark.parametrize(
    "original",
    [
        "#berlin is great #paris",
        "#1 in Berlin",
        "# a\nb = 1",
        "C# is nice\n\nF# too",
        "- Berlin\n- Paris",
        "* footnote",
        "2 * 3 * 4 = 24",
        "a ** b ** c, 2**3**4, f(*a, **kw)",
        "f**k this s**t",
        "call __init__ and snake_case_name, or _this_",
        "def __init__(self, __x__): pass",
        "> The plan was good.\n\nYes.",
        "SELECT a FROM t WHERE x = 1;\nSELECT * FROM u;",
        "# Read the file.\n\nimport os\n\ndef f(**kw):\n    return kw",
        "# Database\nhost = localhost\n\n# Cache\n\nport = 80",
        "#!/bin/sh\n# Build\n\nmake all;",
        "name,city\nAnna,Berlin",
        "id | name\n---+-----\n1 | Anna",
        "+----+\n| id |\n+----+",
        "| Berlin | Paris |",
        "[INFO] started\n[WARN](x) done",
        "array[i](x), [sic](p. 3)",
        "[1] https://example.org\n[2] https://example.com",
        "Title\n=====\n\ntext",
        "~~~~~~~\nTitle\n~~~~~~~",
        "`code` here, and $5 **",
    ],
)
def test_other_texts_are_plain(original: str) -> None:
    assert read_document(original).markup == "plain"


def test_html_wins_where_it_has_more_elements_of_blocks() -> None:
    assert read_document("<p>The **first** plan.</p><p>Two</p>").markup == "html"
    assert read_document("# Plan\n\n<p>**Two** [parts](a/b)</p>\n").markup == "markdown"


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("# A\n\nb\n\n- c\n\n  d\n\n> e", "heading paragraph item item paragraph"),
        ("| a |b|\n|---|---|\n", "cell cell"),
        ("```\na\n```\nb", "code paragraph"),
    ],
)
def test_marks_make_the_kinds_of_blocks(original: str, expected: str) -> None:
    assert [block.kind for block in read_document(original).blocks] == expected.split()


@pytest.mark.parametrize("name", ["Zoë Müller", "Ёлкин", "王小明", "😀 Ann", "Ann\ud800"])
def test_places_are_those_of_characters(name: str) -> None:
    original = f"# Äß 😀\n\nВот **{name}** (`x`)."
    document = read_document(original)
    start = document.text.index(name)
    first, last = document.to_original(start, start + len(name))
    assert original[first:last] == name


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("---\ntitle: Zürich\n---\n\n# Head\n\n*text*", "Head|text"),
        ("---\r\ntitle: x\r\n...\r\n*text*", "text"),
        ("---\ntitle: x", "title: x"),
        ("*a*\n\n---\n\nb\n\n---\n\nc", "a|b|c"),
        ('[a](b "the title") [c](d) "quoted" (text) \'s', 'a c "quoted" (text) \'s'),
        ("[a](b 'c') [d](e (f)) g", "a d g"),
        ('[a](b "c\nd") e', "a e"),
        ('[a](b "open) *text*', '[a](b "open) text'),
        # Blocks within blocks.
        ("> " * 40 + "deep *text*", "deep text"),
        ("- " * 20 + "*a*", "a"),
        ("* " * 40 + "\n\n*a*", "a"),
        ("- " * 40, ""),
    ],
)
def test_front_matter_titles_and_blocks_of_any_depth(original: str, expected: str) -> None:
    assert read_document(original, "markdown").text == expected.replace("|", "\n\n")


@pytest.mark.parametrize(
    "link", ['[a](b "c', "[](b 'c", "[a](b (c", '[a](b "', '[a](b\n"c', '[a](b "c)']
)
def test_the_parser_gets_no_titles_that_are_not_closed(
    monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    read: list[str] = []

    def record(text: str, options: Any) -> Any:
        read.append(text)
        return events_with_range(text, options=options)

    monkeypatch.setattr("pyromark.events_with_range", record)
    original = f"{link * 100} [a](b 'c') {link * 100}"
    document = read_document(original, "markdown")
    assert len(read[0]) == len(original)
    # The last one may be closed by a mark of another kind within reach, but not all of them.
    assert sum(read[0].count(mark) for mark in "\"'") <= 2 * (1 + link.count('"'))
    assert document.text.count("c") == original.count("c") - 1


@pytest.mark.parametrize("opening", [">", "> ", "- ", "* ", "1. ", "[^a]: ", "> - ", "\t> 1) "])
def test_the_parser_gets_no_deep_blocks(monkeypatch: pytest.MonkeyPatch, opening: str) -> None:
    read: list[str] = []

    def record(text: str, options: Any) -> Any:
        read.append(text)
        return events_with_range(text, options=options)

    monkeypatch.setattr("pyromark.events_with_range", record)
    original = f"{opening * 1000}a\nb\n\n{opening * 3}c"
    read_document(original, "markdown")
    assert len(read[0]) == len(original)
    events = [event for event, _ in events_with_range(read[0], options=Options.ENABLE_FOOTNOTES)]
    depths = accumulate(("Start" in event) - ("End" in event) for event in events)
    # A list and its item are two.
    assert max(depths) <= 2 * 30 + 2
