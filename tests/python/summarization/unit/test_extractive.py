"""Summaries of documents by the backend `extractive`."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import UsageError
from mesh.nlp.document import read_document
from mesh.nlp.words import words
from summarization.extractive import MAX_PIECES, ExtractiveSummarizer
from summarization.length import count_words
from summarization.schema import Configuration, Language

DOCUMENT = (
    "The city council approved a new tram line on Tuesday. It will connect the harbour with the "
    "university hospital. “We have waited for this line for twenty years. Now it comes,” the mayor "
    "said. The tram line will cost the city 340 million euros. The council expects the new tram "
    "line to open in 2029. My aunt bakes bread with walnuts."
)
# Of each language: a subject in several forms, early and late, and one sentence beside it.
SUBJECTS = {
    "ca": (
        "El govern vol noves escoles.",
        "Fa bon temps avui.",
        "L'escola nova costa diners al govern.",
    ),
    "de": (
        "Die Regierung plant neue Brücken.",
        "Morgen scheint wieder die Sonne.",
        "Der Brückenbau kostet die Regierungen Geld.",
    ),
    "en": (
        "Farmers planted new orchards.",
        "Rain fell yesterday.",
        "The planting of an orchard takes a farmer years.",
    ),
    "es": (
        "El gobierno construye hospitales.",
        "Mañana lloverá mucho.",
        "Los gobiernos construyeron cada hospital tarde.",
    ),
    "fr": (
        "La ville construit des écoles.",
        "Demain il pleuvra beaucoup.",
        "La construction de l'école coûte cher à la ville.",
    ),
    "it": (
        "Il governo costruisce ospedali.",
        "Domani pioverà molto.",
        "La costruzione dell'ospedale costa al governo.",
    ),
    "ja": ("新しい病院が建設された。", "明日は雨が降る。", "病院の建設には時間がかかった。"),
    "ko": ("정부가 새 병원을 짓는다.", "내일은 비가 온다.", "병원은 정부의 돈으로 짓는다."),
    "pt": (
        "O governo constrói hospitais.",
        "Amanhã choverá muito.",
        "Os governos construíram o hospital tarde.",
    ),
    "zh": ("政府建设新的医院。", "明天会下雨。", "医院的建设由政府负责。"),
}
TOPICS = ("tram", "boat", "glacier", "yeast", "red", "blue")


def summarize(*documents, **configuration):
    """The texts of the summaries, or the error."""
    answer = answers(documents, **configuration)
    return answer if isinstance(answer, Exception) else [text for text, _ in answer]


def answers(documents, **configuration):
    [answer] = ExtractiveSummarizer().summarize([task(documents, **configuration)])
    return answer


def task(documents, **configuration):
    return [read_document(text) for text in documents], Configuration(**configuration)


@pytest.mark.parametrize("desired_length", [10, 20, 30, 40])
@pytest.mark.parametrize("position_weight", [0, 0.8, 1])
def test_summary_is_of_the_subject_and_of_the_length(desired_length, position_weight):
    [summary] = summarize(DOCUMENT, desired_length=desired_length, position_weight=position_weight)
    assert 0 < len(words(summary)) <= desired_length
    assert "tram line" in summary
    assert "walnuts" not in summary


@pytest.mark.parametrize("desired_length", range(5, 80, 5))
def test_quotation_is_whole_or_absent(desired_length):
    [summary] = summarize(DOCUMENT, desired_length=desired_length)
    assert summary.count("“") == summary.count("”")
    assert len(re.findall("twenty years. Now it comes,”", summary)) == summary.count("“")


def test_every_language_has_a_case():
    assert set(SUBJECTS) == set(Language)


@pytest.mark.parametrize("language", SUBJECTS)
def test_sentence_of_no_other_s_words_is_left_out(language):
    document = " ".join(SUBJECTS[language])
    subject = [SUBJECTS[language][0], SUBJECTS[language][2]]
    length = sum(map(count_words, subject))
    joint = "" if language in ("ja", "zh") else " "
    assert summarize(document, language=language, desired_length=length) == [joint.join(subject)]


def test_position_weighs_as_much_as_the_request_says():
    beside = ["Rain fell.", "Snow melts.", "Hail hits.", "Fog lifts.", "Frost bites.", "Dew dries."]
    late = ["Trams carry bells and goods.", "Goods trains ring bells."]
    document = " ".join(["Trams rang bells.", *beside, *late])
    [first] = summarize(document, desired_length=5, position_weight=1)
    [central] = summarize(document, desired_length=5, position_weight=0)
    assert (first, central) == ("Trams rang bells.", "Trams carry bells and goods.")


def test_sentences_that_say_the_same_come_once():
    [summary] = summarize("The tram is red. The tram is red. The boat is blue.")
    assert summary == "The tram is red. The boat is blue."


def test_empty_summary_says_why():
    documents = [
        "The red tram stops at the harbour.",
        "",
        "<p> </p>",
        "<script>go();</script>",
        "12 %",
    ]
    assert answers(documents, desired_length=3) == [
        ("", "no_sentence_fits"),
        *[("", "no_text")] * (len(documents) - 1),
    ]
    assert answers(["A tram rings."], desired_length=3) == [("A tram rings.", None)]


def test_chinese_is_joined_without_spaces_and_counted_in_characters():
    text = "电车很好用。电车是蓝色的。"
    assert summarize(text, language="zh", desired_length=20) == [text]
    assert summarize(text, language="zh", desired_length=5) == ["电车很好用。"]


@given(
    st.lists(st.lists(st.sampled_from(TOPICS), min_size=1, max_size=8), max_size=12),
    st.integers(1, 30),
    st.floats(0, 1),
)
def test_summary_is_short_enough_ordered_and_always_the_same(sentences, length, weight):
    passages = [" ".join(sentence).capitalize() + "." for sentence in sentences]
    configuration = {"desired_length": length, "position_weight": weight}
    [summary] = summarize(" ".join(passages), **configuration)
    assert count_words(summary) <= length
    position = 0
    for sentence in filter(None, summary.split(".")):
        position = passages.index(f"{sentence.strip()}.", position) + 1
    assert [summary] == summarize(" ".join(passages), **configuration)


def test_requests_are_summarised_as_alone():
    tasks = [
        task(["The tram is red. A boat sank."], desired_length=4),
        task(["Yeast grows."], target_language="fr"),
        task(["", "A glacier melts."]),
    ]
    first, refused, third = ExtractiveSummarizer().summarize(tasks)
    assert isinstance(refused, UsageError)
    assert "can't write fr summaries of en documents" in str(refused)
    assert third == [("", "no_text"), ("A glacier melts.", None)]
    assert [first] == ExtractiveSummarizer().summarize(tasks[:1])


def test_too_many_sentences_are_refused():
    answer = summarize("A tram. " * (MAX_PIECES // 2), "A boat. " * (MAX_PIECES // 2 + 1))
    assert isinstance(answer, UsageError)
    assert "20,001 sentences or lines" in str(answer)
