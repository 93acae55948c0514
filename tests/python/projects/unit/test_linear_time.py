"""The work for a text grows with its length, whatever the text is made of."""

import time
from typing import Any

import pytest

from mesh.core.project import find_projects
from mesh.serve.documents import MAX_DOCUMENT_CHARACTERS
from mesh.serve.model import ServedModel
from projects.stand_ins import served_models

PROJECTS = [project.name for project in find_projects()]
CONFIGURATIONS: list[tuple[str, dict[str, Any]]] = [
    *((project, {}) for project in PROJECTS),
    ("keywords", {"candidate_mode": "phrases"}),
    ("lsh", {"markup": "markdown"}),
    ("lsh", {"markup": "html"}),
    ("summarization", {"language": "ja"}),
]
ALPHABETS = {
    "one letter": ["a"],
    "one broad letter": ["字"],
    "letters and marks": ["e\u0301\u0301", "\u1100\u1161"],
    "spaceless": ["ภาษาไทย日本語"],
    "white space": [" ", "\u3000\t"],
    "quotation marks": ['"a." ', "«", "“", "'", "\u2019a", "」"],
    "quotations": ["「a。」", "「a。", "『「", '"a" '],
    "brackets": ["(", "[", "(a. ", "{", ")", "]("],
    "tags": ["<", "<!", "<a ", "</", "<b>", "<td>a", "<script>"],
    "declarations": ["<!--", "<![CDATA[", "]]>", "-->", "&amp;", "&#x41"],
    "markdown": ["*", "**a", "_", "`", "```\n", "[a](", "![", "# a\n", "| a ", "[^a]: "],
    "deep blocks": ["> ", "a|b\n", "- ", "a\n===\n", "1. ", "[a\n", "[^a]: ", "---\n[^a]: "],
    "links": ['[a](b "c', "a\n", "[a](b (c", "a\n", "![](<", "[a]: b 'c\n"],
    "stops": [".", "a.", "A. ", "?!", "…", "。", "1. ", "(a) "],
    "separators": ["\n", "\n\n", "a\n", "\t", "a\tb\n", "\u2028", "\f1\n", "-\n"],
    "signs of lines": ["> a\n", "- a\n", "From: a\n", "Dear A,\n", "-- \n", "a-\n"],
    "addresses": ["@", "a@", "http://", "www.", "a.b.", "#a", "a@b.c "],
    "joined words": ["a'", "a-", "a/", "3.5,", "l'a", "U.S."],
    "names": ["Paris ", "Peter Jordan, ", "US ", "A. ", "Paris-"],
    "invisible": ["\u200b", "a\u00ad\n", "\u200d", "\ufeff"],
}
SHORT, LONG = 1_000, 16_000
MOST = 2.5
"""How many times as long as its length says a long text may take; the square takes 16 times."""
TRIALS = 5


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ServedModel]:
    folder = tmp_path_factory.mktemp("model")
    found: dict[str, ServedModel] = served_models(
        folder, {"en", "ja"}, {"Paris"}, ["good"], ["bad"]
    )
    return found


def made_of(alphabet: list[str], length: int) -> str:
    """A text in which each part of an alphabet stands in a row of its own."""
    rows = [part * (length // len(alphabet) // len(part)) for part in alphabet]
    return "".join(rows)


def work(model: ServedModel, configuration: dict[str, Any], text: str) -> float:
    """What a text takes, in seconds of this thread alone: others don't count."""
    body = {"configuration": configuration, "inputs": [{"document": text}]}
    request = model.request_model.model_validate(body)
    started = time.thread_time()
    model.predict_batch([request])
    return time.thread_time() - started


def growth(model: ServedModel, configuration: dict[str, Any], short: str, long: str) -> float:
    """How many times more work for its length the longer text is, in the best of some trials."""
    best = [float("inf"), float("inf")]
    for _ in range(TRIALS):
        for number, text in enumerate((short, long)):
            best[number] = min(best[number], work(model, configuration, text))
        found = best[1] / best[0] * len(short) / len(long)
        if found <= MOST:
            break
    return found


@pytest.mark.parametrize("name", ALPHABETS)
@pytest.mark.parametrize(("project", "configuration"), CONFIGURATIONS)
def test_work_grows_with_the_length(
    models: dict[str, ServedModel], project: str, configuration: dict[str, Any], name: str
) -> None:
    alphabet = ALPHABETS[name]
    short, long = made_of(alphabet, SHORT), made_of(alphabet, LONG)
    assert growth(models[project], configuration, short, long) <= MOST


@pytest.mark.parametrize(("project", "configuration"), CONFIGURATIONS)
def test_work_grows_with_the_length_up_to_the_limit(
    models: dict[str, ServedModel], project: str, configuration: dict[str, Any]
) -> None:
    parts = [part for alphabet in ALPHABETS.values() for part in alphabet]
    short, long = made_of(parts, LONG), made_of(parts, MAX_DOCUMENT_CHARACTERS)
    assert growth(models[project], configuration, short, long) <= MOST
