"""`serve:upload-results`: attach the results of a load test to the version that was served."""

import logging
from functools import partial

from mesh.core.errors import MeshError, UsageError
from mesh.core.manifest import FileEntry
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.loadtest.report import LoadTestReport
from mesh.loadtest.results import RESULT_FILES, model_directory, results_directory
from mesh.loadtest.settings import ResultSettings
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class UploadResultsSettings(ResultSettings):
    """Attach the results of a load test to the version in the registry."""


def upload_results(
    project: Project,
    settings: UploadResultsSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Attach every file as `test_results/<image tag>/<file>`; what is there already is left as it is.

    Raises:
        UsageError: the project has no versions in the registry.
        MeshError: results are missing, or are those of another version.
    """
    if project.kind == "code-only":
        raise UsageError(
            f"The code of {project.name} is its model: no version in the registry could take test results."
        )
    directory = model_directory(project, settings, workspace)
    results = results_directory(directory, settings.image_tag)
    report = LoadTestReport.read(results)
    registry = open_registry(registry_settings)
    version = registry.get(directory.name)
    if (report.model_version, report.fingerprint) != (version.reference, version.card.fingerprint):
        raise MeshError(
            f"The results in {results} are not those of {version.reference} (its fingerprint or its number differs); "
            "run serve:load again."
        )
    for name in RESULT_FILES:
        if not (results / name).is_file():
            raise MeshError(f"{results / name} is missing; run serve:load again.")
    for name in RESULT_FILES:
        path = f"test_results/{settings.image_tag}/{name}"
        attached = version.attachments.get(path)
        if attached == FileEntry.of(results / name, path):
            logger.info("%s has %s already", version.reference, path)
        else:
            registry.attach(version.reference, path, results / name)
            logger.info("%s has %s now", version.reference, path)


def program(project: Project) -> Program:
    """The program `serve:upload-results` of a project."""
    return Program(
        component=f"{project.package}.serve",
        name="upload-results",
        run=partial(upload_results, project),
        settings=(UploadResultsSettings, WorkspaceSettings, RegistrySettings),
    )
