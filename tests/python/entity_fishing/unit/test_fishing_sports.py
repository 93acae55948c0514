import pytest

from entity_fishing.reading import Reading
from entity_fishing.schema import Language
from entity_fishing.sports import is_placed, sport_of_team, sports_of
from mesh.nlp.document import read_document


def reading(text):
    return Reading(read_document(text), Language.ENGLISH)


@pytest.mark.parametrize(
    ("description", "sport"),
    [
        ("football club of Milan in Serie A", "football"),
        ("men's national association football team representing England", "football"),
        ("association football club in Lisbon, Portugal", "football"),
        ("American football team of Dallas in the NFL", "american football"),
        ("professional baseball team in Queens, New York, United States", "baseball"),
        ("basketball team of Chicago", "basketball"),
        ("Canadian ice hockey team", "hockey"),
        ("cricket team of countries and territories in the Caribbean", "cricket"),
        ("national rugby union team of New Zealand", "rugby"),
        ("highest football league of Spain", None),
        ("city in England", None),
        ("team of scientists", None),
    ],
)
def test_descriptions_tell_the_sport_of_a_team(description, sport):
    assert sport_of_team(description) == sport


def test_words_of_sports_are_english():
    document = read_document("Der FIFA gefiel das, England schoss ein goal.")
    assert sports_of(Reading(document, Language.GERMAN)) == frozenset()


PARLIAMENT = "The minister spoke of taxes, and the members of the house listened to him. " * 10


@pytest.mark.parametrize(
    ("text", "sports"),
    [
        ("A late goal beat the visitors.", {"any", "football"}),
        ("The pitcher left after the ninth inning.", {"any", "baseball"}),
        ("Two wickets fell before tea.", {"any", "cricket"}),
        ("The quarterback threw two touchdowns.", {"any", "american football"}),
        ("The club sold its captain.", {"any"}),
        ("He won the tennis match in two sets.", set()),
        ("The minister spoke of taxes.", set()),
        ("His goal is peace.", set()),
        # One word of a long text says nothing.
        (PARLIAMENT + "His goal is a lower rate.", set()),
        (PARLIAMENT + "The National League for Democracy of the north has a league office.", set()),
        # Tables of results have few words.
        ("Leeds 2 York 1 Bury 0 Hull 3 Stoke 1 Poole 1 Wigan 0 Luton 2 Ayr 1", {"any"}),
    ],
)
def test_words_tell_the_team_sports_of_a_text(text, sports):
    assert sports_of(reading(text)) == sports


@pytest.mark.parametrize(
    ("text", "name", "placed"),
    [
        ("They met in England on Friday.", "England", True),
        ("A flight from England was late.", "England", True),
        ("1. Jones (England) 52.1 seconds", "England", True),
        ("LONDON 1996-08-30 The bank said", "LONDON", True),
        ("Shares fell. LONDON (Agency) - The bank said", "LONDON", True),
        ("Bank lowers rate. Jane Smith LONDON 1996-08-30 The bank said", "LONDON", True),
        ("BIRMINGHAM, England 1996-08-30 Rain fell", "England", True),
        ("NEW YORK, Aug 3 - Shares fell", "NEW YORK", True),
        ("England beat Wales.", "England", False),
        ("A win over England was enough.", "England", False),
        ("ENGLAND BEAT WALES IN LAST MATCH", "ENGLAND", False),
        ("The captain of the England team", "England", False),
    ],
)
def test_words_around_a_name_tell_that_it_is_a_place(text, name, placed):
    start = text.index(name)
    assert is_placed(reading(text), start, start + len(name)) == placed
