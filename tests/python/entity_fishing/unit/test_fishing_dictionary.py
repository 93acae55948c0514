import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entity_fishing.dictionary import find_names
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.reading import Reading
from entity_fishing.schema import Language, Reason
from mesh.nlp.document import read_document

KNOWLEDGE = KnowledgeBase.open(None)


def mentions(text, language="en"):
    document = read_document(text, "auto", language)
    found = find_names(Reading(document, Language(language)), KNOWLEDGE)
    return [(document.text[mention.start : mention.end], mention) for mention in found]


def names(text, language="en"):
    """The names that aren't parts of longer ones."""
    return [name for name, mention in mentions(text, language) if mention.reason is None]


def doubtful(text, language="en"):
    return [name for name, mention in mentions(text, language) if mention.doubt]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Michael Jordan flew to New York City.", ["Michael Jordan", "New York City"]),
        ("AT&T and Coca-Cola sued McDonald's.", ["AT&T", "Coca-Cola", "McDonald's"]),
        (
            "McDonald\u2019s opened in Côte d\u2019Ivoire.",
            ["McDonald\u2019s", "Côte d\u2019Ivoire"],
        ),
        ("The UN met in Washington, D.C. today.", ["UN", "Washington, D.C."]),
        ("The US, the U.S. and the U.S.A.", ["US", "U.S.", "U.S.A."]),
        ("N.Y.C. has U. S. troops", ["N.Y.C.", "U. S."]),
        ("E.U. leaders and U.K. ministers met.", ["E.U.", "U.K."]),
        ("The UK's plan for a US-led force", ["UK", "US"]),
        ("They told us who did it.", []),
        ("An apple and some mercury", ["apple", "mercury"]),
        ("The guardian of the temple slept.", []),
        ("The Guardian reported it.", ["The Guardian"]),
        ("J.R.R. Tolkien met J. R. R. Tolkien.", ["J.R.R. Tolkien", "J. R. R. Tolkien"]),
        ("AT & T left, and McDonald`s stayed.", ["AT & T", "McDonald`s"]),
        ("Apple CEO Tim Cook met President Obama", ["Apple", "Tim Cook", "Obama"]),
        ("", []),
    ],
)
def test_longest_names_are_found(text, expected):
    assert names(text) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "barack obama was born in honolulu", ["barack obama", "honolulu"]),
        ("en", "she moved from paris to new york", ["paris", "new york"]),
        ("en", "they told us that the us left nato", ["us", "nato"]),
        ("en", "who told us about the who", ["who"]),
        ("en", "BARACK OBAMA MET ANGELA MERKEL", ["BARACK OBAMA", "ANGELA MERKEL"]),
        ("en", "WHO TOLD US ABOUT PARIS", ["PARIS"]),
        ("fr", "emmanuel macron est né à amiens, en france", ["emmanuel macron", "france"]),
        ("es", "messi nació en argentina", ["messi", "argentina"]),
        ("es", "MESSI NACIÓ EN ARGENTINA", ["MESSI", "ARGENTINA"]),
        ("it", "leonardo da vinci nacque vicino a firenze", ["leonardo da vinci", "firenze"]),
        ("de", "angela merkel wohnt in berlin", ["angela merkel", "berlin"]),
        # The document has capital letters, so it would have them in names.
        ("en", "We saw amazon and paris.", []),
    ],
)
def test_letter_case_counts_only_where_a_text_has_both(language, text, expected):
    assert names(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "Yesterday Obama met reporters.", ["Obama"]),
        ("en", "Striker Messi scored twice.", ["Messi"]),
        ("en", "Former President Obama spoke.", ["Obama"]),
        ("en", "The talks with Chancellor Merkel failed.", ["Merkel"]),
        ("en", "In Paris Macron said no.", ["Paris", "Macron"]),
        ("en", "Physicist Einstein played the violin.", ["Einstein"]),
        ("en", "Meanwhile Google closed its office.", ["Google"]),
        ("en", "Obama Visits Paris For Long Talks", ["Obama", "Paris"]),
        ("en", "Obama Wins In Ohio", ["Obama", "Ohio"]),
        (
            "en",
            "The Argentine Messi met Republican Bush.",
            ["Argentine", "Messi", "Republican", "Bush"],
        ),
        ("en", "On Monday British Prime Minister Cameron rested.", ["British", "Cameron"]),
        ("fr", "Hier Macron a rencontré Merkel.", ["Macron", "Merkel"]),
        ("fr", "Le Président Macron a parlé.", ["Macron"]),
        ("fr", "Selon M. Macron, tout va bien.", ["Macron"]),
        ("sv", "Statsminister Obama talade.", ["Obama"]),
        ("es", "Según Obama, no hay prisa.", ["Obama"]),
        ("es", "Ayer Sra Merkel y Sr Obama hablaron.", ["Merkel", "Obama"]),
        ("es", "El delantero Messi marcó dos goles.", ["Messi"]),
        ("it", "Ieri Obama ha incontrato i giornalisti.", ["Obama"]),
        ("pt", "Ontem Obama falou.", ["Obama"]),
        ("de", "Die Stadt Berlin wächst.", ["Berlin"]),
        ("de", "Gestern sprach Bundeskanzlerin Merkel.", ["Merkel"]),
    ],
)
def test_ordinary_words_and_titles_beside_a_name_are_no_part_of_it(language, text, expected):
    assert names(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "part"),
    [
        ("en", "We met Peter Jordan.", "Jordan"),
        ("en", "Peter Jordan spoke.", "Jordan"),
        ("en", "Zorblax Jordan spoke.", "Jordan"),
        ("en", "Jordan Smith spoke.", "Jordan"),
        ("en", "The judge heard S. Jordan.", "Jordan"),
        ("en", "Jordan-Smith spoke.", "Jordan"),
        ("en", "The Paris Agreement holds.", "Paris"),
        ("en", "Lake Mozart is wide.", "Mozart"),
        ("en", "West Austria lost.", "Austria"),
        ("en", "He moved to Little Honduras.", "Honduras"),
        ("en", "PETER JORDAN WAS LATE", "JORDAN"),
        ("en", "peter jordan was late", "jordan"),
        ("fr", "Pierre Jordan a parlé.", "Jordan"),
        ("es", "Carlos Washington habló.", "Washington"),
        ("it", "Giovanni Jordan ha parlato.", "Jordan"),
        ("de", "Peter Jordan kam zu spät.", "Jordan"),
    ],
)
def test_other_words_beside_a_name_may_belong_to_it(language, text, part):
    [(name, mention)] = mentions(text, language)
    assert (name, mention.reason) == (part, Reason.PART_OF_LONGER_NAME)


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("He moved to British Honduras.", [None, Reason.PART_OF_LONGER_NAME]),
        ("The British Labour Party won.", [None, None]),
        ("The American Messi lost.", [None, None]),
    ],
)
def test_a_nationality_makes_another_name_of_a_place_only(text, reasons):
    assert [mention.reason for _, mention in mentions(text)] == reasons


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Turkey tastes best when roasted slowly."),
        ("en", "He said: Turkey tastes best."),
        ("en", "“Turkey tastes best”, he said."),
        ("en", "1. Turkey tastes best"),
        ("en", "turkey tastes best"),
        ("en", "TURKEY TASTES BEST"),
        ("en", "Roast Turkey With Apple Sauce And Potatoes"),
        ("fr", "Mars est un mois souvent pluvieux."),
        ("es", "Plato principal: pescado con arroz."),
        ("it", "Riga dopo riga, lesse tutto il libro."),
        ("de", "Wilde Tiere leben im Wald. Wir sehen wilde Tiere."),
    ],
)
def test_common_words_where_letter_case_tells_nothing_are_doubtful(language, text):
    assert len(doubtful(text, language)) >= 1


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Iraq met Turkey. Turkey agreed."),
        ("en", "We roasted it in Turkey."),
        ("en", "Turkey's president left."),
        ("en", "<ul><li>Turkey</li><li>China</li></ul>"),
        ("en", "Tom Cruise left. Cruise had won."),
        ("en", "Obama left."),
        ("en", "US officials left."),
        ("fr", "Londres est grande. Obama est parti."),
        ("es", "Messi marcó dos goles."),
        ("de", "Merkel ging."),
    ],
)
def test_names_are_sure_by_their_case_elsewhere_or_as_no_other_words(language, text):
    assert doubtful(text, language) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Berlin\nParis\nLondon\nRome", ["Berlin", "Paris", "London", "Rome"]),
        ("<td>Costa</td><td>Rica</td>", []),
        ("<p>Paris</p><p>Hilton</p>", ["Paris"]),
        ("<p><b>New</b>\n <i>York</i> is big.</p>", ["New York"]),
    ],
)
def test_names_stay_within_a_block(text, expected):
    assert names(text) == expected


SENTENCES = (
    "Michael Jordan flew to New York City.",
    "Turkey's president met Angela Merkel in Paris.",
    "McDonald's opened in Côte d'Ivoire.",
    "AT&T left.",
)


@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4))
def test_spelling_and_markup_never_change_which_names_are_found(sentences):
    text = " ".join(sentences)
    expected = names(text)
    assert names(unicodedata.normalize("NFD", text)) == expected
    assert names(f"<p>{html.escape(text)}</p>".replace(" ", " <b></b>")) == expected
    assert names(text.replace("an", "a\u00adn")) == expected
    curly = [name.replace("'", "\u2019") for name in expected]
    assert names(text.replace("'", "\u2019")) == curly


@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4))
def test_names_of_a_document_are_those_of_its_blocks(sentences):
    together = names("".join(f"<p>{html.escape(sentence)}</p>" for sentence in sentences))
    assert together == [name for sentence in sentences for name in names(sentence)]
