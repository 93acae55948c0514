"""The cases of `data/cases.jsonl`, and the questions that they ask the projects."""

import html
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import regex
from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.nlp.stop_words import LANGUAGES as STOP_WORD_LANGUAGES
from mesh.serve.model import ServedModel

PATH = Path(__file__).parent / "data" / "cases.jsonl"
Answer = dict[str, Any]

_TAG = regex.compile(r"<!--.*?-->|</?[A-Za-z][^<>]*>|<!\[CDATA\[")
_NO_LETTER = regex.compile(r"[^\p{L}\p{M}\p{N}]")


class Case(BaseModel):
    """A text, and what the projects are to answer.

    Args:
        id: the kind, the language and a number.
        language: ISO 639-1 code.
        text: as it is sent.
        projects: the only ones that are asked; by default those that something is expected of.
        configuration: of each project, beside the language.
        plain: a text to which all projects give the same answers.
        markup: what is taken out of the text.
        names: all names that ner finds, in order.
        sentences: the numbers of the names' sentences.
        borders: what no name goes beyond: ner finds these, and others only apart from them.
        links: all entities with a link, with their identifiers; of `given` names, those linked.
        no_links: names that get no link.
        given: names that are sent with the text, and found.
        keywords: some of the keywords.
        no_keywords: what isn't among the keywords.
        candidates: for keywords.
        unmatched: those of the candidates that the text doesn't contain.
        summary: parts of the summary of the whole text.
        no_summary: what isn't in it.
        reason: whether the summary is empty, for a stated reason.
        refused: whether models that know only English refuse the text.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    kind: str
    language: str
    text: str
    projects: tuple[str, ...] | None = None
    configuration: dict[str, dict[str, Any]] = {}
    plain: str | None = None
    markup: str | None = None
    names: list[str] | None = None
    sentences: list[int] | None = None
    borders: list[str] | None = None
    links: dict[str, str] | None = None
    no_links: list[str] = []
    given: list[str] = []
    keywords: list[str] = []
    no_keywords: list[str] = []
    candidates: list[str] | None = None
    unmatched: list[str] | None = None
    summary: list[str] = []
    no_summary: list[str] = []
    reason: bool = False
    refused: bool | None = None


def read_cases() -> list[Case]:
    """All cases, in the order of the file."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    return [Case.model_validate_json(line) for line in lines]


class Asker:
    """Asks a project about texts of one language.

    Args:
        model: of the project.
        configuration: beside the language and what lets all answers be seen.
        given: names that are sent with each text, where the project takes names.
    """

    def __init__(
        self,
        model: ServedModel,
        language: str,
        configuration: Mapping[str, Any] | None = None,
        given: Sequence[str] = (),
    ) -> None:
        self._model = model
        self._configuration = {**settings(model.name, language), **(configuration or {})}
        takes_names = given and model.name in ("entity-fishing", "sentiment")
        self._more = {"entities": [{"entity_text": name} for name in given]} if takes_names else {}

    def ask(self, *texts: str) -> list[Answer]:
        """The predictions for texts in one request, as JSON values."""
        inputs = [{"document": text, **self._more} for text in texts]
        request = self._model.request_model.model_validate(
            {"configuration": self._configuration, "inputs": inputs}
        )
        outputs: list[Answer] = self._model.predict(request).model_dump(mode="json")["outputs"]
        return outputs


def knows(model: type[ServedModel], language: str) -> bool:
    """Whether a project takes texts in a language."""
    body = {"configuration": settings(model.name, language), "inputs": [{"document": "text"}]}
    try:
        model.request_model.model_validate(body)
    except ValidationError:
        return False
    return True


def settings(project: str, language: str) -> dict[str, Any]:
    """A configuration of a project in which as many answers as possible are seen."""
    if project == "keywords":
        words = language if language in STOP_WORD_LANGUAGES else None
        return {"stop_words": words, "top_n": 100}
    more: dict[str, dict[str, Any]] = {
        # Few words make few shingles.
        "lsh": {"shingle_list": 2},
        "summarization": {"desired_length": 500},
        "ner": {"check_language": False},
        "sentiment": {"check_language": False},
    }
    return {"language": language, **more.get(project, {})}


def without_places(answer: Answer) -> Answer:
    """What must not depend on the form in which a text is sent."""
    kept = {name: value for name, value in answer.items() if name != "markup"}
    if "entities" in kept:
        kept["entities"] = [
            {name: value for name, value in entity.items() if name not in ("start", "end")}
            for entity in kept["entities"]
        ]
    return kept


def require_places(text: str, answer: Answer) -> None:
    """Check that each entity's text is at its place in a text as it was sent, markup left aside."""
    for entity in answer.get("entities", ()):
        if entity.get("start") is not None:
            found = text[entity["start"] : entity["end"]]
            assert found == found.strip()
            assert letters(found) == letters(entity["entity_text"]), (found, entity)


def letters(text: str) -> str:
    """The letters and digits of a text without tags, in one form."""
    seen = html.unescape(_TAG.sub("", text))
    # A mark belongs to its letter, whatever invisible character is between them.
    seen = "".join(each for each in seen if unicodedata.category(each) != "Cf")
    kept: str = _NO_LETTER.sub("", unicodedata.normalize("NFKC", seen))
    return kept.casefold()
