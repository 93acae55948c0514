"""What a project says of its data."""

from dataclasses import dataclass

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
