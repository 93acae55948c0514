"""Compares registered versions with current inputs, for the status of steps; changes nothing."""

import functools
from pathlib import Path

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.inputs import Inputs, differences
from mesh.core.project import Project
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.results import chosen_reference
from mesh.registry.base import ModelVersion
from mesh.registry.factory import open_registry
from mesh.registry.reference import LATEST, ModelReference
from mesh.registry.settings import SQLITE, RegistrySettings


def registered(settings: RegistrySettings, name: str) -> list[ModelVersion]:
    """The versions of a model, oldest first; the registry is read once in a process.

    Raises:
        MeshError: the registry can't be reached or read; there is no second try.
    """
    found = read_registry(settings)
    if isinstance(found, MeshError):
        raise found
    return [version for version in found if version.name == name]


def find_registered(settings: RegistrySettings, reference: str) -> ModelVersion | None:
    """The version with a reference, if there is one.

    Raises:
        UsageError: the reference is malformed.
        MeshError: the registry can't be reached or read.
    """
    wanted = ModelReference.parse(reference)
    versions = registered(settings, wanted.name)
    if wanted.alias == LATEST:
        return versions[-1] if versions else None
    for version in versions:
        if version.version == wanted.version or wanted.alias in version.aliases:
            return version
    return None


def find_chosen(
    workspace: WorkspaceSettings,
    project: Project,
    name: str,
    text: str,
    settings: RegistrySettings,
) -> ModelVersion | None:
    """The version that a step would use now, as `chosen_reference` has it, or None.

    Raises:
        UsageError: the reference is malformed.
        MeshError: the registry can't be reached or read, or the workspace's record is malformed.
    """
    versions = functools.partial(registered, settings, name)
    return find_registered(
        settings, chosen_reference(workspace, project, name, text, settings, versions)
    )


def status_of_model(settings: RegistrySettings, name: str, inputs: Inputs) -> Status:
    """The state of a registered model, compared with its inputs now.

    Raises:
        MeshError: the registry can't be reached or read.
    """
    versions = registered(settings, name)
    if found := with_fingerprint(versions, inputs):
        return up_to_date(found.reference)
    if not versions:
        return NEVER_RUN
    latest = versions[-1]
    return out_of_date(latest.reference, differences(latest.card.made_from, inputs))


def with_fingerprint(versions: list[ModelVersion], inputs: Inputs) -> ModelVersion | None:
    """The newest version that was made from inputs."""
    wanted = fingerprint(inputs)
    return next((one for one in reversed(versions) if one.card.fingerprint == wanted), None)


@functools.cache
def read_registry(settings: RegistrySettings) -> list[ModelVersion] | MeshError:
    if settings.uri.startswith(SQLITE) and not Path(settings.uri.removeprefix(SQLITE)).exists():
        # Opening it would create it.
        return []
    try:
        versions = open_registry(settings).list()
    except MeshError as error:
        return error
    return sorted(versions, key=lambda version: (version.name, version.version))
