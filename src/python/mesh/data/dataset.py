"""What a project says of its data."""

import importlib
from dataclasses import dataclass

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.data.rows import TextRow


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """The labelled data that a project is trained on.

    Args:
        project: its declaration.
        row: what every row must be.
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
