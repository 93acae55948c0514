"""Datasets: labelled texts, and a project's declaration of its own."""

import importlib
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.data.languages import iso_code
from mesh.nlp.blocks import BLOCK_BREAK
from mesh.nlp.document import Document

Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
"""ISO 639 code in lower case, such as `en`."""


class TextRow(BaseModel):
    """A text with its language and domain, such as `review`; subclasses add the labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: Annotated[str, StringConstraints(pattern=r"\S")]
    language: Language
    domain: Annotated[str, StringConstraints(pattern=r"^\S+$")]

    @field_validator("language", mode="before")
    @classmethod
    def _code(cls, language: object) -> object:
        return iso_code(language) if isinstance(language, str) else language

    @property
    def labels(self) -> tuple[str, ...]:
        """The row's labels, each as often as it occurs."""
        raise NotImplementedError

    @property
    def annotation(self) -> object:
        """The right output for the text; two rows of one text conflict if it differs."""
        raise NotImplementedError

    @property
    def stratum(self) -> str:
        """The group of rows of which every split gets the same fraction."""
        return "/".join((self.language, self.domain, *(sorted(set(self.labels)) or ["none"])))

    def cleaned(self, text: Document) -> Self:
        """The row with the cleaned form of its text.

        Raises:
            ValueError: its labels don't fit the cleaned text.
        """
        return self.model_validate({**self.model_dump(), "text": text.text})


class ClassifiedText(TextRow):
    """A text of one class; subclasses narrow `label` to the project's own."""

    label: str

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.label,)

    @property
    def annotation(self) -> object:
        return self.label


class Entity(BaseModel):
    """A named entity: `text[start:end]`; subclasses narrow `label` to the project's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Annotated[int, Field(ge=0)]
    end: int
    label: Annotated[str, StringConstraints(min_length=1, pattern=r"\S")]


class AnnotatedText(TextRow):
    """A text with the entities in it, which neither overlap nor begin or end with white space."""

    entities: tuple[Entity, ...]

    @model_validator(mode="after")
    def _spans_fit(self) -> Self:
        before = 0
        for entity in sorted(self.entities, key=lambda entity: entity.start):
            span = f"entity {entity.start}:{entity.end}"
            if not entity.start < entity.end <= len(self.text):
                raise ValueError(f"{span} is not within a text of {len(self.text)} characters")
            if entity.start < before:
                raise ValueError(f"{span} overlaps another")
            found = self.text[entity.start : entity.end]
            if found != found.strip():
                raise ValueError(f"{span}, {found!r}, begins or ends with white space")
            before = entity.end
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(entity.label for entity in self.entities)

    @property
    def annotation(self) -> object:
        return sorted(
            (self.text[entity.start : entity.end].casefold(), entity.label)
            for entity in self.entities
        )

    def cleaned(self, text: Document) -> Self:
        """The row with the cleaned form of its text, and its entities where they are in it.

        Raises:
            ValueError: nothing is left of an entity, it is in two blocks, or two entities overlap
                now.
        """
        entities = []
        for entity in sorted(self.entities, key=lambda entity: entity.start):
            span = text.to_text(entity.start, entity.end)
            if span is None:
                raise ValueError(f"nothing is left of the entity {entity.start}:{entity.end}")
            if BLOCK_BREAK in text.text[span[0] : span[1]]:
                raise ValueError(f"the entity {entity.start}:{entity.end} is in two blocks")
            entities.append({"start": span[0], "end": span[1], "label": entity.label})
        return self.model_validate({**self.model_dump(), "text": text.text, "entities": entities})


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The labelled data that a project is trained on.

    Args:
        project: its declaration.
        row: the type of its rows.
        samples: folder of data files that the project ships, as `package:folder`.
    """

    project: Project
    row: type[TextRow]
    samples: str


def load_dataset(project: Project) -> Dataset:
    """The dataset of a project.

    Raises:
        UsageError: the project has none.
        MeshError: its `dataset.py` declares none.
    """
    if "ingest:ingest" not in project.steps:
        raise UsageError(f"{project.name} has no data of its own.")
    dataset = importlib.import_module(f"{project.package}.dataset").DATASET
    if not isinstance(dataset, Dataset):
        raise MeshError(f"{project.package}/dataset.py must declare a Dataset as DATASET.")
    return dataset
