"""`compile:trace`: compile the downloaded model with a backend, if anything has changed."""

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.compile.backends import warn_of_serving
from mesh.compile.fingerprint import compile_inputs
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend, CompileSpec, Tolerances
from mesh.core.card import ARTIFACTS, COMPILED
from mesh.core.devices import CPU, NAMES, Device
from mesh.core.digest import fingerprint
from mesh.core.env_files import find_env_file
from mesh.core.environment import describe_environment
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory
from mesh.core.inputs import Inputs, differences, packages_of
from mesh.core.precisions import FLOAT32, Precisions
from mesh.core.program import Program, component_folder
from mesh.core.project import Project
from mesh.core.roots import DEFAULT_BACKEND
from mesh.core.settings import MeshSettings, load_settings
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.urls import mask_url
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_download import DownloadSettings
from mesh.lifecycle.compile_records import BASE_FOLDER, COMPILATION_FILE, Compilation, Downloaded
from mesh.lifecycle.extra_files import ExtraFiles
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.status import find_chosen, registered, status_of_model, with_fingerprint
from mesh.lifecycle.version import RegressionTest, digest_of, source_digest
from mesh.registry.base import ModelVersion
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

if TYPE_CHECKING:
    # It loads numpy, and the plan of a change needs only names.
    from mesh.compile.parity import ParityReport

logger = logging.getLogger(__name__)


class CompileSettings(MeshSettings):
    """Compile the downloaded model."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_")

    backend: Backend = Field(DEFAULT_BACKEND, description="Runtime of the compiled model.")
    device: Device = Field(
        CPU,
        description="What the model is compiled for, and its parity checked on: "
        f"{NAMES}; several, the preferred one first, are separated by commas.",
    )
    precisions: Precisions = Field(
        FLOAT32,
        description="What the model may compute in, and its parity is checked in: float32, with the "
        "backend openvino also bfloat16 or float16, and with onnx int8, separated by commas.",
    )
    max_length: int | None = Field(
        None, description="Tokens of one pass through the network; by default the model's maximum."
    )
    length_buckets: tuple[int, ...] | None = Field(
        None, description="Lengths, in ascending order, for backends with fixed shapes."
    )
    max_batch_tokens: int = Field(
        1024,
        description="Tokens of one pass, padding included; where shapes are free, a processor takes "
        "256 at most.",
    )
    max_abs_difference: float = Field(
        1e-4, description="Largest accepted difference of any output value."
    )
    min_cosine: float = Field(0.9999, description="Smallest accepted cosine of the outputs.")
    force: bool = Field(False, description="Compile even if nothing has changed.")

    def spec(self, source: Path, recipe: Recipe) -> CompileSpec:
        """The complete specification for compiling a model's folder.

        Raises:
            MeshError: the model can't be compiled in this way.
        """
        return spec_for(
            source,
            task=recipe.task,
            backend=self.backend,
            device=self.device,
            precisions=self.precisions.split(","),
            max_length=self.max_length,
            length_buckets=self.length_buckets,
            max_batch_tokens=self.max_batch_tokens,
            overflow=recipe.overflow,
            stride=recipe.stride,
            tolerances=Tolerances(
                max_abs_difference=self.max_abs_difference, min_cosine=self.min_cosine
            ),
        )


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


def inputs_of(
    recipe: Recipe, source: str, settings: CompileSettings, extra_files: ExtraFiles | None = None
) -> Inputs:
    """Everything that determines a compiled version, without reading its files.

    Args:
        source: the digest of the version's files.
    """
    chosen = {
        **recipe.declared,
        **settings.model_dump(mode="json", exclude={"force"}),
        **(extra_files.model_dump(mode="json") if extra_files else {}),
    }
    module = type(extra_files).__module__ if extra_files else None
    return compile_inputs(source, settings.backend, chosen, module)


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


def expected_inputs(recipe: Recipe, workspace: WorkspaceSettings) -> Inputs | None:
    """The inputs for compiling now, after a download; None if there is nothing to compile."""
    extra = (recipe.extra_files,) if recipe.extra_files else ()
    settings, source, registry_settings, *extra_files = load_settings(
        [CompileSettings, DownloadSettings, RegistrySettings, *extra],
        env_file=find_env_file(component_folder(f"{recipe.project.package}.compile")),
        complete=False,
    )
    if "://" in source.reference:
        downloads = workspace.output(recipe.project, "download")
        if not (downloads / BASE_FOLDER).is_dir():
            return None
        digest = source_digest(downloads / BASE_FOLDER)
    else:
        version = find_chosen(
            workspace,
            recipe.project,
            recipe.project.trained_model,
            source.reference,
            registry_settings,
        )
        if version is None:
            return None
        digest = digest_of(version.manifest)
    return inputs_of(recipe, digest, settings, *extra_files)


def find_compiled(recipe: Recipe, inputs: Inputs) -> ModelVersion | None:
    """The registered compiled version that was made from inputs."""
    (settings,) = load_settings(
        [RegistrySettings],
        env_file=find_env_file(component_folder(f"{recipe.project.package}.compile")),
        complete=False,
    )
    return with_fingerprint(registered(settings, recipe.project.compiled_model), inputs)


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
