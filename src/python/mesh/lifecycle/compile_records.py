"""The records that compile steps leave for later steps."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from mesh.core.errors import MeshError
from mesh.core.files import read_model, write_json_atomic
from mesh.core.manifest import Manifest, check_no_links
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.serving_defaults import ServingDefaults
from mesh.lifecycle.version import source_digest

DOWNLOADED_FILE = "downloaded.json"
BASE_FOLDER = "BASE"
COMPILATION_FILE = "compilation.json"
REPORT_FILE = "report.json"
PREDICTIONS_FILE = "predictions.json"


class Downloaded(BaseModel):
    """The uncompiled model in `outputs/<project>/download`.

    Args:
        source: the trained version's reference, or the address of a base model.
        trained_version: the same reference, if it is a registered version.
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
            MeshError: nothing is downloaded, or the record is malformed.
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
        """The version's directory, after checking every file against its manifest.

        Raises:
            MeshError: a file is missing, extra or changed.
        """
        version = directory / self.folder
        check_no_links(version)
        if problems := Manifest.read(version).problems(version):
            raise MeshError(f"{version} is damaged ({problems[0]}); run compile:download again.")
        return version


class Compilation(BaseModel):
    """A compiled model and its origins.

    Args:
        source: the trained version's reference, or the address of a base model.
        source_digest: the digest of its weights and regression test.
        made_from: the inputs of the fingerprint, by the names of `mesh.core.inputs`.
        published: the registered version with the same fingerprint, if there is one.
        extra_files: the project's facts about its own files.
        forced: whether it was compiled although an equal version exists, and is registered again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    fingerprint: str
    made_from: dict[str, Any] = {}
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
            MeshError: nothing is traced, or the record is malformed.
        """
        path = directory / COMPILATION_FILE
        if not path.exists():
            raise MeshError(f"There is no compiled model in {directory}; run compile:trace first.")
        return read_model(cls, path, "run compile:trace --force")

    def write(self, directory: Path) -> None:
        """Store the record."""
        write_json_atomic(directory / COMPILATION_FILE, self.model_dump(mode="json"))

    def source_version(self, downloads: Path) -> Path:
        """The directory of the uncompiled version, after checking every file.

        Args:
            downloads: `outputs/<project>/download`.

        Raises:
            MeshError: it is damaged, or another version was downloaded meanwhile.
        """
        downloaded = Downloaded.read(downloads)
        version = downloaded.verified(downloads)
        if source_digest(version) != self.source_digest:
            raise MeshError(
                f"{downloads} holds {downloaded.source} now, but the compiled model was made from "
                f"other files ({self.source}); run compile:trace again."
            )
        return version


class CaseResult(BaseModel):
    """One case of the regression suite."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    message: str = ""


class ValidationReport(BaseModel):
    """The verdict on the compiled files with a digest.

    Args:
        precisions: those in which the cases ran.
        serving: what was measured for its server; older reports lack it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    passed: bool
    artifact_digest: str
    fingerprint: str
    tolerance: float
    precisions: tuple[Precision, ...] = (FLOAT32,)
    serving: ServingDefaults | None = None
    cases: tuple[CaseResult, ...]

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the report of `outputs/<project>/validate`.

        Raises:
            MeshError: there is none, or it is malformed.
        """
        path = directory / REPORT_FILE
        if not path.exists():
            raise MeshError(
                f"There is no validation report in {directory}; run compile:validate first."
            )
        return read_model(cls, path, "run compile:validate again")
