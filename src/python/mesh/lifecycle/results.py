"""The versions that the steps of a workspace made or found, which the next steps use."""

from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import BaseModel

from mesh.core.card import ModelCard
from mesh.core.files import read_model, write_json_atomic
from mesh.core.project import Project
from mesh.core.tracing import annotate_version
from mesh.core.workspace import WorkspaceSettings
from mesh.registry.base import ModelRegistry, ModelVersion, any_version
from mesh.registry.reference import reference_to
from mesh.registry.settings import RegistrySettings


class _Result(BaseModel):
    reference: str
    registry: str


def publish(
    registry: ModelRegistry, name: str, directory: Path, card: ModelCard, *, force: bool
) -> ModelVersion:
    """Publish what a step has made, unless the same has been published meanwhile; return either.

    Args:
        force: publish it in any case.
    """
    return registry.publish(name, directory, card, unless=None if force else any_version)


def record_result(
    workspace: WorkspaceSettings,
    project: Project,
    version: ModelVersion,
    settings: RegistrySettings,
) -> None:
    """Record the version of a model that a step has made, or found to be up to date."""
    annotate_version(version.reference, version.card.fingerprint)
    file = workspace.output(project, "results") / f"{version.name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    result = _Result(reference=version.reference, registry=settings.identity)
    write_json_atomic(file, result.model_dump())


def chosen_reference(
    workspace: WorkspaceSettings,
    project: Project,
    name: str,
    text: str,
    settings: RegistrySettings,
    versions: Callable[[], Iterable[ModelVersion]],
) -> str:
    """The version of a model that a step uses.

    It is the one that `text` names; else the one that the step before made or found last in this
    workspace, if the registry still has it; else the latest.

    Args:
        name: the model's name, such as `KEYWORDS-TRAINED`.
        versions: reads the model's versions in the registry; called only if the record may be used.

    Raises:
        UsageError: `text` is malformed, or names another model.
        MeshError: the workspace's record is malformed, or the versions can't be read.
    """
    file = workspace.output(project, "results") / f"{name}.json"
    if not text and file.exists():
        result = read_model(_Result, file, "remove it, or run the step before again")
        if result.registry == settings.identity and any(
            version.reference == result.reference for version in versions()
        ):
            return result.reference
    return reference_to(name, text)
