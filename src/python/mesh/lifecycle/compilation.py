"""The record that `compile:trace` leaves for `compile:validate` and `compile:upload`."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.core.errors import MeshError
from mesh.core.files import read_model, write_json_atomic
from mesh.lifecycle.downloaded import Downloaded
from mesh.lifecycle.version import source_digest

COMPILATION_FILE = "compilation.json"


class Compilation(BaseModel):
    """What was compiled from what.

    Args:
        source: the trained version's reference, or the address of a base model.
        source_digest: of its weights and regression test.
        published: the registered version with the same fingerprint, if there is one.
        extra_files: what the project says of the files that it added.
        forced: whether it was compiled although such a version exists, to be registered once more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    fingerprint: str
    source: str
    source_digest: str
    trained_version: str | None
    published: str | None = None
    forced: bool = False
    spec: dict[str, Any]
    parity: dict[str, Any] | None = None
    extra_files: dict[str, Any] = {}
    environment: dict[str, str] = {}

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the record of `outputs/<project>/compile`.

        Raises:
            MeshError: nothing was traced yet, or the record is malformed.
        """
        path = directory / COMPILATION_FILE
        if not path.exists():
            raise MeshError(f"There is no compiled model in {directory}; run compile:trace first.")
        return read_model(cls, path, "run compile:trace --force")

    def write(self, directory: Path) -> None:
        """Store the record."""
        write_json_atomic(directory / COMPILATION_FILE, self.model_dump(mode="json"))

    def source_version(self, downloads: Path) -> Path:
        """The directory of the uncompiled version that this was compiled from, every file checked.

        Args:
            downloads: `outputs/<project>/download`.

        Raises:
            MeshError: it is damaged, or another version was downloaded meanwhile.
        """
        downloaded = Downloaded.read(downloads)
        version = downloaded.verified(downloads)
        if source_digest(version) != self.source_digest:
            raise MeshError(
                f"{downloads} holds {downloaded.source} now, but the compiled model was made from other files "
                f"({self.source}); run compile:trace again."
            )
        return version
