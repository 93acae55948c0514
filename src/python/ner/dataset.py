"""The training data of ner."""

from mesh.data.dataset import AnnotatedText, Dataset, Entity
from ner.labels import Label
from ner.project import PROJECT


class NamedEntity(Entity):
    """A name in a text."""

    label: Label


class Example(AnnotatedText):
    """A text with the names in it."""

    entities: tuple[NamedEntity, ...]


DATASET = Dataset(project=PROJECT, row=Example, samples="ner.ingest:samples")
