"""`compile:trace`: compile the downloaded model with the chosen backend, unless nothing has changed."""

import logging
from functools import partial
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.compile.fingerprint import compile_fingerprint, compiler_versions
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend, CompileSpec, Tolerances
from mesh.core.card import ARTIFACTS, COMPILED
from mesh.core.digest import code_digest
from mesh.core.environment import describe_environment, package_versions
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_records import Compilation, Downloaded
from mesh.lifecycle.recipe import ExtraFiles, Recipe, load_recipe
from mesh.lifecycle.version import RegressionTest, source_digest
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

logger = logging.getLogger(__name__)


class CompileSettings(MeshSettings):
    """Compile the downloaded model."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_")

    backend: Backend = Field("onnx", description="What runs the compiled model.")
    max_length: int | None = Field(
        None, description="Tokens of one pass through the network; by default what the model takes."
    )
    length_buckets: tuple[int, ...] | None = Field(
        None, description="Ascending lengths that a backend with fixed shapes compiles for."
    )
    max_batch_tokens: int = Field(1024, description="Tokens of one pass, padding included.")
    max_abs_difference: float = Field(
        1e-4, description="Largest accepted difference of any number of the output."
    )
    min_cosine: float = Field(0.9999, description="Smallest accepted cosine of the outputs.")
    force: bool = Field(False, description="Compile even if nothing has changed.")

    def spec(self, source: Path, recipe: Recipe) -> CompileSpec:
        """The complete description of the compilation of a model's folder.

        Raises:
            MeshError: the model can't be compiled in this way.
        """
        return spec_for(
            source,
            task=recipe.task,
            backend=self.backend,
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
        MeshError: there is no intact uncompiled model, it can't be compiled, or the compiled one computes
            something else.
    """
    downloads = workspace.output(recipe.project, "download")
    target = workspace.output(recipe.project, "compile")
    downloaded = Downloaded.read(downloads)
    version = downloaded.verified(downloads)
    spec = settings.spec(version / ARTIFACTS, recipe)
    compilation = Compilation(
        fingerprint=fingerprint_of(recipe, version, spec, extra_files),
        source=downloaded.source,
        source_digest=source_digest(version),
        trained_version=downloaded.trained_version,
        spec=spec.model_dump(mode="json"),
        forced=settings.force,
        environment=describe_environment(compiler_versions(spec)),
    )
    if not settings.force and _up_to_date(recipe, compilation, target, registry_settings):
        return
    with atomic_directory(target, replace=True) as directory:
        _compile(spec, version, compilation, extra_files, directory)
    logger.info("compiled %s with %s into %s", downloaded.source, spec.backend, target)


def fingerprint_of(
    recipe: Recipe, version: Path, spec: CompileSpec, extra_files: ExtraFiles | None = None
) -> str:
    """The fingerprint of what compiling a downloaded version would give."""
    extra = {
        "code": code_digest(recipe.extra_code),
        "packages": package_versions(recipe.packages),
        "settings": extra_files.model_dump(mode="json") if extra_files else {},
    }
    return compile_fingerprint(source_digest(version), spec, extra)


def _up_to_date(
    recipe: Recipe, compilation: Compilation, target: Path, registry_settings: RegistrySettings
) -> bool:
    """Whether there is nothing to compile; leaves a record of the registered version with the same fingerprint."""
    registry = open_registry(registry_settings)
    found = registry.find(recipe.project.compiled_model, compilation.fingerprint)
    if found:
        _record_published(compilation.model_copy(update={"published": found.reference}), target)
        logger.info("%s is up to date: nothing it depends on has changed", found.reference)
        return True
    if _already_compiled(compilation, target):
        logger.info("%s holds this compilation already", target)
        return True
    return False


def _record_published(compilation: Compilation, target: Path) -> None:
    """Leave the record alone, or beside the files that it describes if they are there."""
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
    if not parity.passed:
        failed = [case for case in parity.cases if not case.passed]
        raise MeshError(
            f"The compiled model differs from the uncompiled one on {len(failed)} of {len(parity.cases)} texts "
            f"(largest difference {parity.max_abs_difference:.2g}, smallest cosine {parity.min_cosine:.6f}); "
            "choose another backend, or wider tolerances if that is acceptable."
        )
    logger.info(
        "parity on %d cases: largest difference %.2g, smallest cosine %.6f",
        len(parity.cases),
        parity.max_abs_difference,
        parity.min_cosine,
    )
    described = {
        "parity": parity.model_dump(mode="json"),
        "extra_files": extra_files.provenance(compiled) if extra_files else {},
    }
    compilation.model_copy(update=described).write(directory)


def program(project: Project) -> Program:
    """The program `compile:trace` of a project."""
    recipe = load_recipe(project)
    extra_files = (recipe.extra_files,) if recipe.extra_files else ()
    return Program(
        component=f"{project.package}.compile",
        name="trace",
        run=partial(trace, recipe),
        settings=(CompileSettings, WorkspaceSettings, RegistrySettings, *extra_files),
    )
