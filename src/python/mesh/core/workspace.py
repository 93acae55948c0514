"""The folders of programs' outputs."""

from pathlib import Path

from pydantic import BaseModel, Field
from pydantic_settings import SettingsConfigDict

from mesh.core.errors import MeshError
from mesh.core.files import read_model, write_json_atomic
from mesh.core.project import Project
from mesh.core.settings import MeshSettings


class _Current(BaseModel):
    reference: str


class WorkspaceSettings(MeshSettings):
    """Folders for outputs and models, the same for all programs."""

    model_config = SettingsConfigDict(env_prefix="MESH_")

    workspace: Path = Field(Path("."), description="Folder of outputs/ and models/.")

    def output(self, project: Project, step: str) -> Path:
        """The output folder of a project's step: `outputs/<project>/<step>`."""
        return self.workspace / "outputs" / project.name / step

    @property
    def models(self) -> Path:
        """The folder of downloaded model versions: `models/`."""
        return self.workspace / "models"

    def current_model(self, project: Project) -> Path:
        """The directory of the last downloaded compiled version: `models/<version>`.

        Raises:
            MeshError: no version was downloaded, or it was removed.
        """
        record = self._current_file(project)
        if not record.exists():
            raise MeshError(
                f"No model of {project.name} is in {self.models}; run `mesh run {project.name}` or serve:download."
            )
        current = read_model(_Current, record, "run serve:download again")
        directory = self.models / current.reference
        if not directory.is_dir():
            raise MeshError(f"The model {directory} was removed; run serve:download again.")
        return directory

    def find_model(self, project: Project) -> Path | None:
        """The directory of the version that was downloaded last, if it is there.

        Raises:
            MeshError: the record of it is malformed.
        """
        record = self._current_file(project)
        if not record.exists():
            return None
        current = read_model(_Current, record, "run serve:download again")
        directory = self.models / current.reference
        return directory if directory.is_dir() else None

    def served_model(self, project: Project) -> Path | None:
        """The directory that the project's server loads by default; None for code-only models.

        Raises:
            MeshError: a version is needed, and none was downloaded or it was removed.
        """
        if project.kind == "code-only" and not self._current_file(project).exists():
            return None
        return self.current_model(project)

    def set_current_model(self, project: Project, reference: str) -> None:
        """Record the compiled version that a server of the project loads by default."""
        write_json_atomic(self._current_file(project), _Current(reference=reference).model_dump())

    def _current_file(self, project: Project) -> Path:
        return self.models / f"{project.compiled_model}.json"
