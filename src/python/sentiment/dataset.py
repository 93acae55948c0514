"""The training data of sentiment."""

from mesh.data.dataset import ClassifiedText, Dataset
from sentiment.labels import Label
from sentiment.project import PROJECT


class Example(ClassifiedText):
    """A text with its sentiment."""

    label: Label


DATASET = Dataset(project=PROJECT, row=Example, samples="sentiment.ingest:samples")
