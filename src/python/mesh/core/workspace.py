"""Where programs put what they make."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.project import Project
from mesh.core.settings import MeshSettings


class WorkspaceSettings(MeshSettings):
    """Folders for outputs and models, the same for all programs."""

    model_config = SettingsConfigDict(env_prefix="MESH_")

    workspace: Path = Field(Path("."), description="Folder that holds outputs/ and models/.")

    def output(self, project: Project, step: str) -> Path:
        """The folder that a step of a project writes: `outputs/<project>/<step>`."""
        return self.workspace / "outputs" / project.name / step

    @property
    def models(self) -> Path:
        """The folder of model versions ready to serve: `models/`."""
        return self.workspace / "models"
