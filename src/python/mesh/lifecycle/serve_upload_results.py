"""`serve:upload-results`: attach the results of a load test to the version that was served."""

import logging
from functools import partial

from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import FileEntry
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.status import find_registered
from mesh.loadtest.report import LoadTestReport
from mesh.loadtest.results import RESULT_FILES, model_directory, results_directory
from mesh.loadtest.settings import ResultSettings
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class UploadResultsSettings(ResultSettings):
    """Attach the results of a load test to the version in the registry."""

    shares_prefix = True


def upload_results(
    project: Project,
    settings: UploadResultsSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Attach every file as `test_results/<image tag>/<file>`; existing attachments stay unchanged.

    Raises:
        UsageError: the project has no versions in the registry.
        MeshError: results are missing or belong to another version.
    """
    if project.kind == "code-only":
        raise UsageError(
            f"The code of {project.name} is its model: no version in the registry can take test "
            "results."
        )
    directory = model_directory(project, settings, workspace)
    results = results_directory(directory, settings.image_tag)
    report = LoadTestReport.read(results)
    registry = open_registry(registry_settings)
    version = registry.get(directory.name)
    annotate_version(version.reference, version.card.fingerprint)
    if (report.model_version, report.fingerprint) != (version.reference, version.card.fingerprint):
        raise MeshError(
            f"The results in {results} don't belong to {version.reference} (its fingerprint or "
            "number differs); run serve:load again."
        )
    for name in RESULT_FILES:
        if not (results / name).is_file():
            raise MeshError(f"{results / name} is missing; run serve:load again.")
    for name in RESULT_FILES:
        path = f"test_results/{settings.image_tag}/{name}"
        attached = version.attachments.get(path)
        if attached == FileEntry.of(results / name, path):
            logger.info("%s already has %s", version.reference, path)
        else:
            registry.attach(version.reference, path, results / name)
            logger.info("%s has %s now", version.reference, path)


def status(
    project: Project,
    settings: UploadResultsSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> Status:
    """Whether the served version has the local results."""
    directory = settings.model_directory or workspace.find_model(project)
    version = find_registered(registry_settings, directory.name) if directory else None
    if directory is None or version is None:
        return NEVER_RUN
    results = results_directory(directory, settings.image_tag)
    for name in RESULT_FILES:
        path = f"test_results/{settings.image_tag}/{name}"
        attached, here = version.attachments.get(path), results / name
        if attached is None:
            return NEVER_RUN
        if here.is_file() and attached != FileEntry.of(here, path):
            return out_of_date(version.reference, [f"file {here}"])
    return up_to_date(version.reference)


def program(project: Project) -> Program:
    """The program `serve:upload-results` of a project."""
    return Program(
        component=f"{project.package}.serve",
        name="upload-results",
        run=partial(upload_results, project),
        status=partial(status, project) if project.kind == "trained" else None,
        settings=(UploadResultsSettings, WorkspaceSettings, RegistrySettings),
    )
