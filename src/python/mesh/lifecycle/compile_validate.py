"""`compile:validate`: run the regression suite on the compiled model and leave a report."""

import importlib
import importlib.util
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.compile.spec import CompileSpec
from mesh.core.card import ARTIFACTS, COMPILED
from mesh.core.devices import ON_CPU, OPENVINO_CPU, Placement
from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, write_json_atomic
from mesh.core.manifest import Manifest
from mesh.core.precisions import FLOAT32, INT8, Precision
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.serving_defaults import ServingDefaults
from mesh.core.settings import MeshSettings
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.tracing import annotate_version
from mesh.core.urls import mask_url
from mesh.core.workspace import WorkspaceSettings
from mesh.data.settings import DataSettings
from mesh.lifecycle.compile_records import (
    PREDICTIONS_FILE,
    REPORT_FILE,
    CaseResult,
    Compilation,
    ValidationReport,
)
from mesh.lifecycle.compile_settings import expected_inputs, find_compiled
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.lifecycle.serving_measurement import measure
from mesh.lifecycle.version import RegressionTest

logger = logging.getLogger(__name__)

_SCORES = "mesh.lifecycle.quantized_scores"
"""Named, not imported: only projects that train on rows carry the packages that it needs."""


class ValidateSettings(MeshSettings):
    """Check the compiled model against the stored predictions of the uncompiled one."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_VALIDATE_")

    tolerance: float = Field(
        0.01, gt=0, lt=1, description="Largest accepted difference of a score."
    )
    force: bool = Field(False, description="Validate again even if the model is registered.")


def validate(
    recipe: Recipe,
    settings: ValidateSettings,
    workspace: WorkspaceSettings,
    data: DataSettings | None = None,
) -> None:
    """Run the common regression suite and the project's own, and score what is quantized.

    Args:
        data: where the test split is; None if the project has none.

    Raises:
        MeshError: a case failed, none ran, there is nothing to validate, the device or a precision
            isn't here that the model was compiled for, or nothing here can score int8.
    """
    compiled = workspace.output(recipe.project, "compile")
    compilation = Compilation.read(compiled)
    annotate_version(mask_url(compilation.source), compilation.fingerprint)
    if compilation.published and not settings.force:
        logger.info("%s is up to date: nothing to validate", compilation.published)
        return
    from mesh.compile.artifact import require_device, require_precisions

    spec = CompileSpec.model_validate(compilation.spec)
    require_device(spec.backend, spec.device, f"COMPILE_DEVICE={spec.device}")
    named = f"COMPILE_PRECISIONS={','.join(spec.precisions)}"
    require_precisions(spec.backend, spec.precisions, named)
    compare_scores = _comparison(recipe, data) if data and INT8 in spec.precisions else None
    digest = Manifest.of(compiled / ARTIFACTS).digest
    target = workspace.output(recipe.project, "validate")
    with atomic_directory(target, replace=True) as directory:
        passed, cases, predictions = run_suite(recipe, settings, workspace, spec.precisions)
        lost = ""
        if passed and compare_scores:
            version = compilation.source_version(workspace.output(recipe.project, "download"))
            scored = compare_scores(version, compiled / COMPILED, INT8)
            cases.append(scored)
            passed = scored.outcome != "failed"
            lost = "" if passed else scored.message
        report = ValidationReport(
            passed=passed,
            artifact_digest=digest,
            fingerprint=compilation.fingerprint,
            tolerance=settings.tolerance,
            precisions=spec.precisions,
            serving=_measure(recipe, compiled, workspace) if passed else None,
            cases=tuple(cases),
        )
        write_json_atomic(directory / REPORT_FILE, report.model_dump(mode="json"))
        write_json_atomic(directory / PREDICTIONS_FILE, predictions)
    if lost:
        raise MeshError(f"The scores in {INT8} are too low: {lost} (see {target / REPORT_FILE}).")
    if not passed:
        failed = [case.name for case in cases if case.outcome != "passed"]
        raise MeshError(
            f"{len(failed)} of {len(cases)} regression cases did not pass ({', '.join(failed)}); "
            f"see {target / REPORT_FILE}."
        )
    logger.info(
        "all %d regression cases passed in %s at tolerance %g",
        sum(case.outcome == "passed" for case in cases),
        " and ".join(spec.precisions),
        settings.tolerance,
    )


def _comparison(
    recipe: Recipe, data: DataSettings
) -> Callable[[Path, Path, Precision], CaseResult]:
    """See `mesh.lifecycle.quantized_scores.compare_scores`.

    Raises:
        MeshError: this program was built without it.
    """
    if importlib.util.find_spec(_SCORES) is None:
        raise MeshError(
            f"This program was built without {_SCORES}, which compares the scores in {INT8} with "
            f"those in {FLOAT32}: give `validate` the dependency "
            f"src/python/{_SCORES.replace('.', '/')}.py in "
            f"src/python/{recipe.project.package}/compile/BUILD, or leave {INT8} out of "
            "COMPILE_PRECISIONS."
        )
    return partial(importlib.import_module(_SCORES).compare_scores, recipe, data)


def _measure(recipe: Recipe, compiled: Path, workspace: WorkspaceSettings) -> ServingDefaults:
    """Measure on the stored inputs what suits the model's server, which computes as it would."""
    version = Compilation.read(compiled).source_version(
        workspace.output(recipe.project, "download")
    )
    stored = RegressionTest.read(version)
    placement = Placement()
    with placement.applied():
        predict = recipe.load_compiled(compiled / COMPILED)
    on_cpu = {*placement.runs_on} <= {*ON_CPU, OPENVINO_CPU}
    found = measure(
        lambda documents: predict(documents, stored.inference_params),
        stored.inputs,
        time.process_time if on_cpu else time.perf_counter,
    )
    logger.info(
        "its server computes up to %d requests together, and waits %g ms for them",
        found.max_batch,
        found.batch_wait_ms,
    )
    return found


def status(
    recipe: Recipe,
    _settings: ValidateSettings,
    workspace: WorkspaceSettings,
    _data: DataSettings | None = None,
) -> Status:
    """Whether the model that would be compiled now passed; a registered model did."""
    target = workspace.output(recipe.project, "validate")
    inputs = expected_inputs(recipe, workspace)
    if inputs is None:
        return NEVER_RUN
    if found := find_compiled(recipe, inputs):
        return up_to_date(found.reference)
    if not (target / REPORT_FILE).exists():
        return NEVER_RUN
    report = ValidationReport.read(target)
    if report.fingerprint != fingerprint(inputs):
        return out_of_date(str(target), ["compiled model"])
    return up_to_date(str(target)) if report.passed else out_of_date(str(target), ["it failed"])


def run_suite(
    recipe: Recipe,
    settings: ValidateSettings,
    workspace: WorkspaceSettings,
    precisions: Sequence[Precision] = (FLOAT32,),
) -> tuple[bool, list[CaseResult], list[object]]:
    """Run pytest on the suites in this process, in each precision.

    Returns:
        Whether all cases passed, the cases, and the compiled model's predictions.

    Raises:
        MeshError: the suites could not be run to their end.
    """
    import pytest

    from mesh.lifecycle.regression import RegressionPlugin

    suites = find_suites(recipe)
    plugin = RegressionPlugin(recipe, settings.tolerance, workspace, precisions)
    # Nothing outside may choose or change the cases.
    os.environ.pop("PYTEST_ADDOPTS", None)
    isolation = ["--noconftest", "-c", os.devnull, "--rootdir", str(Path(__file__).parent)]
    isolation += ["--disable-plugin-autoload", "-p", "no:cacheprovider"]
    # In paths, pytest would take `[` and `::` for the choice of a case. It explains the failures of
    # files that have the name of tests.
    names = "--override-ini=python_files=regression_suite.py"
    arguments = ["--pyargs", *suites, names, "-q", "--import-mode=importlib", *isolation]
    code = pytest.ExitCode(pytest.main(arguments, plugins=[plugin]))
    sys.stdout.flush()
    if code is pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise MeshError(
            f"The regression suite did not run to its end: {code.name}; see pytest's message above."
        )
    passed = code is pytest.ExitCode.OK and all(case.outcome == "passed" for case in plugin.cases)
    return passed, plugin.cases, plugin.predictions


def find_suites(recipe: Recipe) -> list[str]:
    """Modules of the common regression suite and, if there is one, of the project's own."""
    modules = (
        "mesh.lifecycle.regression_suite",
        f"{recipe.project.package}.compile.regression_suite",
    )
    return [module for module in modules if importlib.util.find_spec(module) is not None]


def program(project: Project) -> Program:
    """The program `compile:validate` of a project."""
    recipe = load_recipe(project)
    return Program(
        component=f"{project.package}.compile",
        name="validate",
        run=partial(validate, recipe),
        status=partial(status, recipe),
        settings=(
            ValidateSettings,
            WorkspaceSettings,
            *((DataSettings,) if recipe.training else ()),
        ),
    )
