import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.border_words import resolve_border_words
from keywords.candidates import Place
from keywords.documents import Passages, read_passages
from keywords.key_phrases import PhraseRules, find_phrases, match_phrases
from keywords.schema import Configuration


def rules(stop_words="english", longest=4):
    language = Configuration(stop_words=stop_words).language
    return PhraseRules(resolve_border_words(stop_words), language, longest)


def read(text):
    return read_passages(text, Configuration(candidate_mode="phrases"))


def found(text, stop_words="english", longest=4):
    [candidates] = find_phrases([read(text)], rules(stop_words, longest), 1)
    assert candidates.unmatched == []
    assert len(candidates.places) == len(candidates.found)
    return candidates.found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A garden wall and the old oak tree", ["garden wall", "oak tree"]),
        ("Trams, buses; night trains (express trains)", "trams|buses|night trains|express trains"),
        ("It describes how bakers quickly show bread ovens", "bakers|bread ovens"),
        # Marks within words, and digits.
        ("the state-of-the-art oven", ["state-of-the-art oven"]),
        ("client/server and peer-to-peer links", ["client/server", "peer-to-peer links"]),
        ("Fitzhugh\u2013Nagumo waves", ["fitzhugh\u2013nagumo waves"]),
        ("a 3D printer, an x86 chip and the 3.5 mm jack", "3d printer|x86 chip|mm jack"),
        ("C++, C# and node.js at AT&T", ["c++", "c#", "node.js", "at&t"]),
        ("the N=4 field", ["n=4 field"]),
        ("vitamin C for 12 patients with Windows 10", "vitamin c|patients|windows 10"),
        ("in 1995, 7 and 2001", []),
        (
            "Alzheimer\u2019s disease, the company's trams",
            ["alzheimer's disease", "company's trams"],
        ),
        # An abbreviation ends no phrase, a sentence does.
        ("St. Petersburg. Bridges, e.g. swing bridges.", "st. petersburg|bridges|swing bridges"),
        ("Smith et al. built kilns", ["smith", "kilns"]),
        ("the oven.Bread rises", ["oven", "bread rises"]),
        # Each line and each block stands alone.
        ("Green pears\nRed apples", ["green pears", "red apples"]),
        ("<p>Red fox</p><p>hen &mdash; owl</p>", ["red fox", "hen", "owl"]),
        ("**Red fox**\n\n- brown hen\n- grey owl", ["red fox", "brown hen", "grey owl"]),
        # Addresses are no phrases.
        ("ovens: https://www.example.org/a,b?c=d kilns", ["ovens", "kilns"]),
        ("www.example.org, ann.lee@example.org or @ann", ["ann"]),
        ("", []),
        (" ... ?! ", []),
        ("the and of", []),
        ("x y", ["x y"]),
        ("x", []),
    ],
)
def test_phrases_are_runs_of_words_between_borders(text, expected):
    assert found(text) == (expected.split("|") if isinstance(expected, str) else expected)


@pytest.mark.parametrize(
    ("stop_words", "text", "expected"),
    [
        ("fr", "L'avion de la compagnie aérienne", ["avion", "compagnie aérienne"]),
        ("de", "der Motor für das neue Boot", ["motor", "neue boot"]),
        ("zh", "深度神经网络的应用很多。", ["深度神经网络", "应用"]),
        ("ja", "深層学習モデルの開発を行う", ["深層学習モデル", "開発", "行う"]),
        ("fi", "kissa ja vanha koira, mutta ei hevonen", ["kissa", "vanha koira", "hevonen"]),
        ("uk", "старий міст через річку", ["старий міст", "річку"]),
        ("hi", "राम का घर और बाज़ार", ["राम", "घर", "बाज़ार"]),
        ("ar", "البيت في المدينة القديمة", ["البيت", "المدينة القديمة"]),
        (["old", "as well as"], "The old oak as well as the elm", ["oak", "the elm", "the"]),
        ([], "The oak, the elm", ["the oak", "the elm"]),
        (None, "The oak, the elm", ["the oak", "the elm"]),
    ],
)
def test_borders_are_those_of_the_configuration(stop_words, text, expected):
    assert sorted(found(text, stop_words)) == sorted(expected)


@pytest.mark.parametrize(
    ("longest", "expected"),
    [(2, ["elm", "bark", "moss"]), (3, ["old oak trees", "elm", "bark", "moss"])],
)
def test_longer_runs_are_no_phrases(longest, expected):
    assert found("old oak trees, elm, bark, moss", [], longest) == expected


@pytest.mark.parametrize(
    ("longest", "expected"),
    [
        (1, ["old", "oak", "trees", "grow", "slowly", "elm"]),
        (2, ["old oak", "oak trees", "trees grow", "grow slowly", "elm"]),
        (4, ["old oak", "oak trees", "trees grow", "grow slowly", "elm"]),
        (5, ["old oak trees grow slowly", "elm"]),
    ],
)
def test_longer_runs_are_parted_where_most_words_stand_in_them(longest, expected):
    assert found("old oak trees grow slowly, elm", [], longest) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A kiln, the kilns", ["kilns"]),
        ("Real time systems; a real-time system", ["real time systems"]),
        ("one theory, all theories, boxes, a box", ["theories", "boxes"]),
        ("CAFE\u0301S, cafés", ["cafés"]),
        ("fish soup, soup", ["fish soup", "soup"]),
        ("glass, the gas, analysis, a virus", ["glass", "gas", "analysis", "virus"]),
        ("lap1, lap2", ["lap1", "lap2"]),
    ],
)
def test_of_equal_phrases_the_longest_is_taken(text, expected):
    assert found(text) == expected


def test_places_are_those_of_the_first_occurrence():
    document = Passages(("Kilns heat. An old kiln", "the client/server link"), "html", "")
    [candidates] = find_phrases([document], rules(), 1)
    assert candidates.found == ["kilns heat", "kiln", "client/server link"]
    assert candidates.places == [Place(0, 2), Place(19 / 45, 1), Place(27 / 45, 2)]
    [equal] = find_phrases([read("A kiln: the brick kilns and kilns")], rules(), 1)
    assert equal == (["kilns", "brick kilns"], [], [Place(2 / 33, 1), Place(12 / 33, 2)])


def test_min_df_counts_documents_in_any_spelling():
    documents = [read("kilns and a kiln"), read("the kiln, bricks"), read("bricks")]
    counted = find_phrases(documents, rules(), 2)
    assert [own.found for own in counted] == [["kilns"], ["kiln", "bricks"], ["bricks"]]
    assert [len(own.places) for own in counted] == [1, 2, 1]


def test_given_phrases_are_found_as_written_within_a_sentence():
    document = Passages(("We use C++. The state of the art; Kilns", "burn"), "html", "")
    given = ["kilns", "gone", "C++", "state of the art", "c++. the", "Kilns burn", "kilns"]
    [own] = match_phrases([document], given, rules())
    assert own.found == ["kilns", "C++", "state of the art"]
    assert own.unmatched == ["gone", "c++. the", "Kilns burn"]
    assert own.places == [Place(12 / 43, 1), Place(0, 1), Place(12 / 43, 4)]


WORDS = st.sampled_from(["the", "kiln", "Kilns", "e-mail", "of", "9", "x", "机器", "o'clock", "3D"])
MARKS = st.sampled_from([" ", " ", " ", ", ", ". ", "\n", "/", "-", "' "])
TEXTS = st.lists(st.tuples(WORDS, MARKS), max_size=20).map(
    lambda parts: "".join(word + mark for word, mark in parts)
)


@given(st.lists(TEXTS, min_size=1, max_size=3), st.integers(1, 5))
def test_phrases_are_parts_of_the_text_without_borders(texts, longest):
    documents = [read(text) for text in texts]
    for document, own in zip(
        documents, find_phrases(documents, rules("en", longest), 1), strict=True
    ):
        blocks = [block.lower() for block in document.blocks]
        assert len(set(own.found)) == len(own.found) == len(own.places)
        for phrase, place in zip(own.found, own.places, strict=True):
            assert any(phrase in block for block in blocks)
            assert not {"the", "of"} & set(phrase.split(" "))
            assert 0 <= place.start < 1
            assert 1 <= place.words <= longest


@given(st.text(max_size=200), st.sampled_from(["en", "zh", "fr", None]))
def test_any_text_has_phrases_or_none(text, stop_words):
    assert all(phrase.strip() == phrase for phrase in found(text, stop_words, 10))


@pytest.mark.parametrize(
    "text", ["a/" * 20_000, "kiln " * 8_000, "x. " * 12_000, "'s " * 12_000, "习" * 40_000]
)
def test_long_text_is_searched(text):
    # With a search whose time is quadratic, the test wouldn't end.
    [own] = find_phrases([Passages((text,), "plain", text)], rules([]), 1)
    assert len(own.found) == len(own.places)
