"""What holds for every text in all projects, whatever its form, markup and invisible characters."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mesh.core.project import find_projects
from mesh.serve.program import model_class
from projects.cases import Asker, knows, letters, read_cases, without_places
from projects.stand_ins import served_models

CASES = read_cases()
NAMES = {name for case in CASES for name in case.names or ()}
PLAIN = {
    case.text: case for case in CASES if case.kind == "normal form" and case.text == case.plain
}
PROJECTS = [project.name for project in find_projects()]
WITH_NAMES = ["ner", "entity-fishing"]
MODELS = {project.name: model_class(project) for project in find_projects()}

INVISIBLE = st.sampled_from(["\u00ad", "\u200b", "\u2060", "\ufeff", "\u200e", "\u202a"])
FRAGMENTS = st.lists(
    st.sampled_from(
        "Angela|Merkel|Paris|Zu\u0308rich|Kraków|北京|दिल्ली|the tram| | |\n|\n\n|\r\n|\t|. |, |<b>|</b>|<p>|<br>"
        "|<td>|&nbsp;|&amp;|&shy;|&#x301;|\u00ad|\u200b|\ufeff|\u0308|- |1. |# |**|_|`|```|~~|[|](x)|![|> "
        "|<!--|-->|<![CDATA[|]]>|<script>|</script>|<|&|@|#|https://x.org/|-\n|\f|\u2028|🎉|".split(
            "|"
        )
    ),
    max_size=14,
).map("".join)
BLOCKS = st.lists(st.sampled_from(sorted({*PLAIN, *NAMES})), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    languages = {case.language for case in CASES}
    return served_models(tmp_path_factory.mktemp("model"), languages, NAMES, ["good"], ["bad"])


HTML_WORDS = ["{}"] * 4 + ["<b>{}</b>", "<a href='x'>{}</a>", "<!-- x -->{}", "<![CDATA[{}]]>"]
MARKDOWN_WORDS = ["{}"] * 4 + ["**{}**", "[{}](https://example.org/a_b)", "**[{}](x)**"]
BLOCKS_OF = {
    "html": ["<p>{}</p>", "<li>{}</li>", "<tr><td>{}</td></tr>", "<div>{}</div>\n", "{}<br><br>"],
    "markdown": ["- **{}**\n\n", "**{}**\n\n", "1. __{}__\n\n"],
    "plain": ["{}\n\n", "\ufeff{}\r\n\r\n", "- {}\n\n"],
}
WORDS_OF = {"html": HTML_WORDS, "markdown": MARKDOWN_WORDS, "plain": ["{}"]}


@st.composite
def forms(draw: st.DrawFn, text: str) -> str:
    """A text in another form, with invisible characters and markup in and around its words."""
    markup = draw(st.sampled_from(sorted(WORDS_OF)))
    words = WORDS_OF[markup]
    blocks = []
    for block in text.split("\n\n"):
        written = [
            draw(st.sampled_from(words)).format(draw(spellings(word, markup)))
            for word in block.split(" ")
        ]
        blocks.append(draw(st.sampled_from(BLOCKS_OF[markup])).format(" ".join(written)))
    return unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), "".join(blocks))


@st.composite
def spellings(draw: st.DrawFn, word: str, markup: str) -> str:
    """A word with an invisible character or, in HTML, a reference in it."""
    if len(word) < 3 or not word.isalpha():
        return word
    cut = draw(st.integers(1, len(word) - 1))
    choices = [word, word[:cut] + draw(INVISIBLE) + word[cut:]]
    if markup == "html":
        choices += [
            f"{word[:cut]}&#{ord(word[cut])};{word[cut + 1:]}",
            f"{word[:cut]}<wbr>{word[cut:]}",
        ]
    return draw(st.sampled_from(choices))


@pytest.mark.parametrize("project", PROJECTS)
@settings(max_examples=20)
@given(st.data())
def test_form_markup_and_invisible_characters_change_no_answer(models, project, data):
    known = [text for text, case in PLAIN.items() if knows(MODELS[project], case.language)]
    text = data.draw(st.sampled_from(known))
    asker = Asker(models[project], PLAIN[text].language)
    [expected], [found] = asker.ask(text), asker.ask(data.draw(forms(text)))
    assert without_places(found) == without_places(expected)


@pytest.mark.parametrize("project", WITH_NAMES)
@settings(max_examples=60)
@given(FRAGMENTS)
@example("Merkel&shy;&#x301;")
def test_places_are_those_of_the_text_as_it_was_sent(models, project, text):
    [answer] = Asker(models[project], "en").ask(text)
    last = 0
    for entity in answer["entities"]:
        assert last <= entity["start"] < entity["end"] <= len(text)
        last = entity["end"]
        found = text[entity["start"] : last]
        assert found == found.strip()
        # Markup may stand between the letters of a name.
        remaining = iter(letters(found))
        assert all(letter in remaining for letter in letters(entity["entity_text"]))


@pytest.mark.parametrize("project", WITH_NAMES)
@settings(max_examples=20)
@given(
    BLOCKS,
    st.sampled_from(["\n\n", "\r\n\r\n", "\n \n", "<p>", "<br><br>", "<hr>", "</td><td>"]),
)
def test_names_of_a_document_are_those_of_its_blocks(models, project, blocks, border):
    asker = Asker(models[project], "en")
    whole, *parts = asker.ask(border.join(blocks), *blocks)
    assert [entity["entity_text"] for entity in whole["entities"]] == [
        entity["entity_text"] for part in parts for entity in part["entities"]
    ]


@pytest.mark.parametrize("project", PROJECTS)
@settings(max_examples=60)
@given(FRAGMENTS.map("An {} tram.".format), st.sampled_from(["auto", "html", "markdown", "plain"]))
def test_any_text_is_answered(models, project, text, markup):
    [answer] = Asker(models[project], "en", {"markup": markup}).ask(text)
    assert answer["markup"] in ("html", "markdown", "plain")
