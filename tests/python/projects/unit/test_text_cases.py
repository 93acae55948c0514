"""All projects treat texts alike: each case of `data/cases.jsonl` through each project's model."""

from collections import defaultdict

import pytest

from mesh.core.errors import UsageError
from mesh.core.project import find_projects
from mesh.serve.program import model_class
from projects.cases import (
    Answer,
    Asker,
    Case,
    knows,
    read_cases,
    require_places,
    without_places,
)
from projects.stand_ins import served_models

CASES = read_cases()
ALL = [project.name for project in find_projects()]
LANGUAGES = {case.language for case in CASES}
NAMES = {name for case in CASES for name in case.names or case.borders or ()}
GOOD = "good gut bon bueno buono dobry bra अच्छी جيد 好 良い ดี".split()
BAD = "bad schlecht mauvais malo cattivo zły dålig बुरी سيئ 坏 悪い แย่".split()


def asked(case: Case) -> list[str]:
    """The projects that a case expects something of."""
    if case.projects or case.plain is not None:
        return list(case.projects or ALL)
    expected = {
        "ner": case.names is not None or case.borders is not None or case.refused is not None,
        "entity-fishing": case.links is not None or case.no_links,
        "sentiment": case.given or case.refused is not None,
        "keywords": case.keywords or case.no_keywords or case.candidates is not None,
        "summarization": case.summary or case.no_summary or case.reason,
    }
    return [name for name, value in expected.items() if value]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return served_models(tmp_path_factory.mktemp("model"), LANGUAGES, NAMES, GOOD, BAD)


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    """Models that know only English."""
    return served_models(tmp_path_factory.mktemp("model"), ["en"], NAMES, GOOD, BAD)


def check_ner(case: Case, answer: Answer) -> None:
    found = [entity["entity_text"] for entity in answer["entities"]]
    if case.names is not None:
        assert found == case.names
    if case.sentences is not None:
        assert [entity["sentence_index"] for entity in answer["entities"]] == case.sentences
    if case.borders is not None:
        assert [name for name in found if name in case.borders] == case.borders


def check_links(case: Case, answer: Answer) -> None:
    entities = answer["entities"]
    linked = {each["entity_text"]: each["wikidata_id"] for each in entities if each["wikidata_id"]}
    if case.links is not None:
        assert linked == case.links
    assert not linked.keys() & set(case.no_links)
    assert {each["entity_text"] for each in entities if each["start"] is None} == set()


def check_sentiment(case: Case, answer: Answer) -> None:
    assert all(entity["sentence_indexes"] for entity in answer["entities"])


def check_keywords(case: Case, answer: Answer) -> None:
    found = {keyword["keyword_token"] for keyword in answer["predicted_document"]}
    assert set(case.keywords) <= found
    assert not set(case.no_keywords) & found
    if case.candidates is not None:
        assert answer["unmatched_candidates"] == case.unmatched


def check_summary(case: Case, answer: Answer) -> None:
    for part in case.summary:
        assert part in answer["summary"]
    for part in case.no_summary:
        assert part not in answer["summary"]
    if case.reason:
        assert answer["summary"] == ""
        assert answer["reason"]


CHECKS = {
    "ner": check_ner,
    "entity-fishing": check_links,
    "sentiment": check_sentiment,
    "keywords": check_keywords,
    "summarization": check_summary,
}


MODELS = {project.name: model_class(project) for project in find_projects()}
PAIRS = [
    (case, name)
    for case in CASES
    if case.refused is None
    for name in asked(case)
    if knows(MODELS[name], case.language)
]


@pytest.mark.parametrize(
    ("case", "project"), [pytest.param(case, name, id=f"{case.id} {name}") for case, name in PAIRS]
)
def test_answers(models, case, project):
    configuration = {**case.configuration.get(project, {})}
    if project == "keywords" and case.candidates is not None:
        configuration |= {"candidates": case.candidates, "keyphrase_ngram_range": (1, 3)}
    asker = Asker(models[project], case.language, configuration, case.given)
    [answer] = asker.ask(case.text)
    require_places(case.text, answer)
    if project in CHECKS:
        CHECKS[project](case, answer)
    if case.markup is not None:
        assert answer["markup"] == case.markup
    if case.plain is not None:
        [expected] = asker.ask(case.plain)
        assert without_places(answer) == without_places(expected)


@pytest.mark.parametrize("project", ["ner", "sentiment"])
@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.id) for case in CASES if case.refused is not None]
)
def test_language_is_checked(english, project, case):
    asker = Asker(english[project], "en", {"check_language": True})
    if case.refused:
        with pytest.raises(UsageError):
            asker.ask(case.text)
    else:
        assert asker.ask(case.text)


def test_kinds_are_tried_in_five_languages():
    languages = defaultdict(set)
    for case in CASES:
        languages[case.kind].add(case.language)
    few = {kind for kind, found in languages.items() if len(found) < 5}
    # A model that knows only English decides.
    assert few <= {"language"}


def test_every_case_is_asked():
    assert {case.id for case, _ in PAIRS} == {case.id for case in CASES if case.refused is None}
