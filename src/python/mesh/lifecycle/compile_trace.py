"""`compile:trace`: compile the downloaded model with a backend, if anything has changed."""

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.compile.backends import warn_of_serving
from mesh.compile.spec import CompileSpec
from mesh.core.card import ARTIFACTS, COMPILED
from mesh.core.devices import CPU
from mesh.core.digest import fingerprint
from mesh.core.environment import describe_environment
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory
from mesh.core.inputs import differences, packages_of
from mesh.core.precisions import FLOAT32
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.urls import mask_url
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_records import COMPILATION_FILE, Compilation, Downloaded
from mesh.lifecycle.compile_settings import CompileSettings, expected_inputs, inputs_of
from mesh.lifecycle.extra_files import ExtraFiles
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.status import status_of_model
from mesh.lifecycle.version import RegressionTest, source_digest
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

if TYPE_CHECKING:
    # It loads numpy, and the plan of a change needs only names.
    from mesh.compile.parity import ParityReport

logger = logging.getLogger(__name__)


def trace(
    recipe: Recipe,
    settings: CompileSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
    extra_files: ExtraFiles | None = None,
) -> None:
    """Write `outputs/<project>/compile`.

    Raises:
        MeshError: there is no intact uncompiled model, it can't be compiled, the device isn't here,
            or the compiled model has different outputs.
    """
    if settings.device != CPU:
        from mesh.compile.artifact import require_device

        named = f"COMPILE_DEVICE={settings.device}"
        require_device(settings.backend, settings.device, named)
    if settings.precisions != FLOAT32:
        from mesh.compile.artifact import require_precisions

        named = f"COMPILE_PRECISIONS={settings.precisions}"
        require_precisions(settings.backend, settings.precisions.split(","), named)
    warn_of_serving(settings.backend)
    downloads = workspace.output(recipe.project, "download")
    target = workspace.output(recipe.project, "compile")
    downloaded = Downloaded.read(downloads)
    version = downloaded.verified(downloads)
    spec = settings.spec(version / ARTIFACTS, recipe)
    made_from = inputs_of(recipe, source_digest(version), settings, extra_files)
    compilation = Compilation(
        fingerprint=fingerprint(made_from),
        made_from=made_from,
        source=downloaded.source,
        source_digest=source_digest(version),
        trained_version=downloaded.trained_version,
        spec=spec.model_dump(mode="json"),
        forced=settings.force,
        environment=describe_environment(packages_of(made_from)),
    )
    annotate_version(mask_url(downloaded.source), compilation.fingerprint)
    if not settings.force and _up_to_date(recipe, compilation, target, registry_settings):
        return
    with atomic_directory(target, replace=True) as directory:
        _compile(spec, version, compilation, extra_files, directory)
    logger.info("compiled %s with %s into %s", downloaded.source, spec.backend, target)


def _up_to_date(
    recipe: Recipe, compilation: Compilation, target: Path, registry_settings: RegistrySettings
) -> bool:
    """Whether nothing is to be compiled; records a registered version with this fingerprint."""
    registry = open_registry(registry_settings)
    found = registry.find(recipe.project.compiled_model, compilation.fingerprint)
    if found:
        _record_published(compilation.model_copy(update={"published": found.reference}), target)
        logger.info("%s is up to date: nothing it depends on has changed", found.reference)
        return True
    if _already_compiled(compilation, target):
        logger.info("%s already holds this compilation", target)
        return True
    return False


def _record_published(compilation: Compilation, target: Path) -> None:
    """Store the record: beside the compiled files if they are here, or alone."""
    try:
        here = Compilation.read(target).fingerprint == compilation.fingerprint
    except MeshError:
        here = False
    if here:
        compilation.write(target)
    else:
        with atomic_directory(target, replace=True) as directory:
            compilation.write(directory)


def _already_compiled(compilation: Compilation, target: Path) -> bool:
    from mesh.compile.artifact import check_complete

    try:
        before = Compilation.read(target)
        check_complete(target / COMPILED)
    except MeshError:
        return False
    return before.fingerprint == compilation.fingerprint and before.published is None


def _compile(
    spec: CompileSpec,
    version: Path,
    compilation: Compilation,
    extra_files: ExtraFiles | None,
    directory: Path,
) -> None:
    from mesh.compile.compiler import compile_model
    from mesh.compile.parity import check_parity

    compiled = directory / COMPILED
    logger.info("compiling %s with %s", compilation.source, spec.backend)
    write = extra_files.write if extra_files else None
    compile_model(version / ARTIFACTS, spec, compiled, write)
    parity = check_parity(version / ARTIFACTS, compiled, RegressionTest.read(version).inputs)
    for report in parity.by_precision.values():
        _require_parity(report)
    described = {
        "parity": parity.model_dump(mode="json"),
        "extra_files": extra_files.provenance(compiled) if extra_files else {},
    }
    compilation.model_copy(update=described).write(directory)


def _require_parity(report: "ParityReport") -> None:
    failed = [case for case in report.cases if not case.passed]
    if failed:
        way = (
            "choose another backend, or wider tolerances if that is acceptable"
            if report.precision == FLOAT32
            else "choose another backend, or leave this precision out"
        )
        raise MeshError(
            f"The compiled model differs in {report.precision} from the uncompiled one on "
            f"{len(failed)} of {len(report.cases)} texts (largest difference "
            f"{report.max_abs_difference:.2g}, smallest cosine {report.min_cosine:.6f}); {way}."
        )
    logger.info(
        "parity on %d cases, by %s in %s: largest difference %.2g, smallest cosine %.6f",
        len(report.cases),
        " and ".join(report.runs_on),
        report.precision,
        report.max_abs_difference,
        report.min_cosine,
    )


def status(
    recipe: Recipe,
    _settings: CompileSettings,
    workspace: WorkspaceSettings,
    registry_settings: RegistrySettings,
    _extra_files: ExtraFiles | None = None,
) -> Status:
    """Whether the model that would be compiled now is registered or in `outputs`."""
    inputs = expected_inputs(recipe, workspace)
    if inputs is None:
        return NEVER_RUN
    found = status_of_model(registry_settings, recipe.project.compiled_model, inputs)
    target = workspace.output(recipe.project, "compile")
    if found.state == "up to date" or not (target / COMPILATION_FILE).exists():
        return found
    here = Compilation.read(target)
    if here.fingerprint == fingerprint(inputs):
        return up_to_date(str(target))
    return found if found.result else out_of_date(str(target), differences(here.made_from, inputs))


def program(project: Project) -> Program:
    """The program `compile:trace` of a project."""
    recipe = load_recipe(project)
    extra_files = (recipe.extra_files,) if recipe.extra_files else ()
    return Program(
        component=f"{project.package}.compile",
        name="trace",
        run=partial(trace, recipe),
        status=partial(status, recipe),
        settings=(CompileSettings, WorkspaceSettings, RegistrySettings, *extra_files),
    )
