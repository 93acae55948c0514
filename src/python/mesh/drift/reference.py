"""The reference of a version: the facts of its predictions for rows that it wasn't trained on."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.core.files import read_model, write_json_atomic
from mesh.drift.sample import Sample, StoredSample

REFERENCE_FILE = "reference/predictions.json"
"""Its path in the directory of a version."""

MOST_VALUES = 2_000
"""Of a number; more tell no finer differences than those that matter."""


class Reference(BaseModel):
    """What the predictions of a version are compared with.

    Args:
        rows: where the documents come from, in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    rows: str
    sample: StoredSample

    @classmethod
    def of(cls, sample: Sample, rows: str) -> Self:
        """The reference that a sample makes."""
        return cls(rows=rows, sample=StoredSample.of(sample, MOST_VALUES))

    @classmethod
    def find(cls, directory: Path) -> Self | None:
        """The reference in the directory of a version; None if it keeps none.

        Raises:
            MeshError: it is malformed.
        """
        file = directory / REFERENCE_FILE
        return read_model(cls, file, "get the version again") if file.is_file() else None

    def write(self, directory: Path) -> None:
        """Keep it in the directory of a version."""
        write_json_atomic(directory / REFERENCE_FILE, self.model_dump(mode="json"))
