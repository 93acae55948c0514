"""`compile:upload`: register the validated model and link it from its trained version."""

import logging
import shutil
import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.core.card import ARTIFACTS, ModelCard
from mesh.core.environment import code_revision
from mesh.core.errors import MeshError, UsageError
from mesh.core.files import atomic_directory, write_json_atomic
from mesh.core.manifest import Manifest
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.serving_defaults import SERVING
from mesh.core.settings import MeshSettings
from mesh.core.status import NEVER_RUN, Status
from mesh.core.workspace import WorkspaceSettings
from mesh.drift.reference import REFERENCE_FILE
from mesh.lifecycle.about import PROMOTED
from mesh.lifecycle.compile_records import (
    PREDICTIONS_FILE,
    REPORT_FILE,
    Compilation,
    ValidationReport,
)
from mesh.lifecycle.compile_settings import expected_inputs
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.results import publish, record_result
from mesh.lifecycle.status import status_of_model
from mesh.lifecycle.version import TEST_FILES
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.factory import open_registry
from mesh.registry.provenance import record_lineage
from mesh.registry.reference import check_new_alias
from mesh.registry.settings import RegistrySettings

SCORES = ("test", "held_out", "temperature")
"""The figures of the trained version that hold for the compiled one, whose answers are the same."""

logger = logging.getLogger(__name__)


class UploadSettings(MeshSettings):
    """Register the compiled model."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_UPLOAD_")

    alias: str = Field("", description="Alias to move to the new version, such as dev.")


def upload(
    recipe: Recipe,
    settings: UploadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> None:
    """Publish `<KEY>-COMPILED-N`.

    Raises:
        UsageError: the alias is malformed, or has conditions that a new version can't meet yet.
        MeshError: the validation report is missing, failed, or belongs to other files.
    """
    if settings.alias:
        check_new_alias(settings.alias)
    if settings.alias == PROMOTED and recipe.promote_if:
        raise UsageError(
            f"COMPILE_UPLOAD_ALIAS can't be {PROMOTED}: {recipe.project.name} declares conditions for "
            f"it, such as a load test; move it later, with mesh registry alias."
        )
    compiled = workspace.output(recipe.project, "compile")
    compilation = Compilation.read(compiled)
    registry = open_registry(registry_settings)
    version = _registered(recipe, registry, compilation)
    if version:
        logger.info("%s is up to date: nothing to upload", version.reference)
    else:
        report = _passing_report(recipe, workspace, compilation)
        version = _publish(recipe, workspace, registry, compilation, report)
        logger.info("registered %s (%.1f MB)", version.reference, version.manifest.size / 1e6)
    compilation.model_copy(update={"published": version.reference}).write(compiled)
    record_result(workspace, recipe.project, version, registry_settings)
    record_lineage(registry, version)
    if settings.alias:
        registry.alias(version.reference, settings.alias)
        logger.info("%s is now %s:%s", version.reference, version.name, settings.alias)


def _registered(
    recipe: Recipe, registry: ModelRegistry, compilation: Compilation
) -> ModelVersion | None:
    """The version that this compilation already is, even if its recording was interrupted."""
    if compilation.published:
        return registry.get(compilation.published)
    if compilation.forced:
        return None
    return registry.find(recipe.project.compiled_model, compilation.fingerprint)


def _passing_report(
    recipe: Recipe, workspace: WorkspaceSettings, compilation: Compilation
) -> ValidationReport:
    report = ValidationReport.read(workspace.output(recipe.project, "validate"))
    digest = Manifest.of(workspace.output(recipe.project, "compile") / ARTIFACTS).digest
    if not report.passed:
        failed = ", ".join(case.name for case in report.cases if case.outcome != "passed")
        raise MeshError(
            f"The validation failed ({failed or 'no case ran'}); only a validated "
            "model is registered."
        )
    if report.artifact_digest != digest or report.fingerprint != compilation.fingerprint:
        raise MeshError(
            "The validation report belongs to other files than those in outputs; run "
            "compile:validate again."
        )
    checked = {*report.precisions} & _precisions_of_parity(compilation)
    if lacking := [
        name for name in compilation.spec.get("precisions", [FLOAT32]) if name not in checked
    ]:
        raise MeshError(
            f"The model may compute in {lacking[0]}, but its parity and its answers were checked in "
            f"{' and '.join(sorted(checked))}; run compile:trace and compile:validate again."
        )
    return report


def _precisions_of_parity(compilation: Compilation) -> set[Precision]:
    if compilation.parity is None:
        return {FLOAT32}
    from mesh.compile.parity import ParityReport

    return {*ParityReport.model_validate(compilation.parity).by_precision}


def _publish(
    recipe: Recipe,
    workspace: WorkspaceSettings,
    registry: ModelRegistry,
    compilation: Compilation,
    report: ValidationReport,
) -> ModelVersion:
    compiled = workspace.output(recipe.project, "compile")
    download = compilation.source_version(workspace.output(recipe.project, "download"))
    validated = workspace.output(recipe.project, "validate")
    source = ModelCard.read(download)
    card = ModelCard(
        project=recipe.project.name,
        model_type="compiled",
        description=recipe.project.description,
        base_model=source.base_model,
        trained_version=compilation.trained_version,
        data_version=source.data_version,
        settings={
            "compile": compilation.spec,
            "extra_files": compilation.extra_files,
            "source": source.settings,
            **({SERVING: report.serving.model_dump(mode="json")} if report.serving else {}),
        },
        metrics={
            **{name: source.metrics[name] for name in SCORES if name in source.metrics},
            "parity": compilation.parity,
            "regression_cases": len(report.cases),
        },
        code_revision=code_revision(),
        environment=compilation.environment,
        fingerprint=compilation.fingerprint,
        made_from=compilation.made_from,
        test_files=TEST_FILES,
    )
    with atomic_directory(workspace.output(recipe.project, "upload"), replace=True) as directory:
        with tempfile.TemporaryDirectory(dir=directory) as temporary:
            version_directory = Path(temporary)
            shutil.copytree(compiled / ARTIFACTS, version_directory / ARTIFACTS)
            for name in (TEST_FILES.inputs, TEST_FILES.inference_params):
                _copy(download / name, version_directory / name)
            if (download / REFERENCE_FILE).is_file():
                _copy(download / REFERENCE_FILE, version_directory / REFERENCE_FILE)
            _copy(validated / PREDICTIONS_FILE, version_directory / TEST_FILES.predictions)
            _copy(validated / REPORT_FILE, version_directory / "validation" / REPORT_FILE)
            name = recipe.project.compiled_model
            version = publish(registry, name, version_directory, card, force=compilation.forced)
        write_json_atomic(directory / "published.json", {"reference": version.reference})
        version.card.write(directory)
    return version


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise MeshError(f"{source} is missing; run the steps before compile:upload again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def status(
    recipe: Recipe,
    _settings: UploadSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
) -> Status:
    """Whether the model that would be compiled now is registered."""
    inputs = expected_inputs(recipe, workspace)
    if inputs is None:
        return NEVER_RUN
    found = status_of_model(registry_settings, recipe.project.compiled_model, inputs)
    return found if found.state != "out of date" else replace(found, because=("compiled model",))


def program(project: Project) -> Program:
    """The program `compile:upload` of a project."""
    return Program(
        component=f"{project.package}.compile",
        name="upload",
        run=partial(upload, load_recipe(project)),
        status=partial(status, load_recipe(project)),
        settings=(UploadSettings, WorkspaceSettings, RegistrySettings),
    )
