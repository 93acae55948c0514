"""The record that `compile:download` leaves for the steps after it."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from mesh.core.errors import MeshError
from mesh.core.files import read_model, write_json_atomic
from mesh.core.manifest import Manifest

DOWNLOADED_FILE = "downloaded.json"
BASE_FOLDER = "BASE"


class Downloaded(BaseModel):
    """Which uncompiled model lies in `outputs/<project>/download`.

    Args:
        source: the trained version's reference, or the address of a base model.
        trained_version: the reference again, if it is a registered version.
        folder: the version's directory below `outputs/<project>/download`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    trained_version: str | None
    folder: str

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the record.

        Raises:
            MeshError: nothing was downloaded yet, or the record is malformed.
        """
        path = directory / DOWNLOADED_FILE
        if not path.exists():
            raise MeshError(
                f"There is no uncompiled model in {directory}; run compile:download first."
            )
        return read_model(cls, path, "run compile:download again")

    def write(self, directory: Path) -> None:
        """Store the record."""
        write_json_atomic(directory / DOWNLOADED_FILE, self.model_dump(mode="json"))

    def verified(self, directory: Path) -> Path:
        """The version's directory, every file checked against its manifest.

        Raises:
            MeshError: a file is missing, extra or changed.
        """
        version = directory / self.folder
        if problems := Manifest.read(version).problems(version):
            raise MeshError(f"{version} is damaged ({problems[0]}); run compile:download again.")
        return version
