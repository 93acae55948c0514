"""Whether a version may become `prod`, as its project's recipe declares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from mesh.core.card import TEST_RESULTS
from mesh.core.errors import MeshError, as_clause, describe_invalid
from mesh.core.project import find_projects
from mesh.data.settings import DataSettings
from mesh.lifecycle.about import PROMOTED, PromoteIf
from mesh.lifecycle.comparison import SameRows, score_same_rows
from mesh.lifecycle.recipe import Recipe, load_recipe
from mesh.loadtest.criteria import EVALUATION_FILE, LoadTestEvaluation
from mesh.loadtest.report import REPORT_FILE, LoadTestReport
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.history import shorten_reason

Attached = TypeVar("Attached", LoadTestReport, LoadTestEvaluation)


@dataclass(frozen=True)
class Condition:
    """One condition of a promotion: whether it is met, and what was found, as a clause."""

    met: bool
    found: str


@dataclass(frozen=True)
class LoadTest:
    """A load test of a version, as it is attached."""

    image_tag: str
    report: LoadTestReport
    evaluation: LoadTestEvaluation


def recipe_of(version: ModelVersion) -> Recipe | None:
    """The recipe of the project whose model a version is; None if no project here has one."""
    for project in find_projects():
        names = (project.trained_model, project.compiled_model)
        if version.name in names and project.kind == "trained":
            return load_recipe(project)
    return None


def promoted(registry: ModelRegistry, name: str) -> ModelVersion | None:
    """The version of a model that is `prod` now."""
    return next((one for one in registry.list(name) if PROMOTED in one.aliases), None)


def unmet(registry: ModelRegistry, data: DataSettings, version: ModelVersion) -> list[str]:
    """What keeps a version from becoming `prod`, as clauses; nothing if it is `prod` already.

    Raises:
        MeshError: the recipe's conditions name no scores, or the registry can't be read.
    """
    recipe = recipe_of(version)
    if recipe is None or recipe.promote_if is None or PROMOTED in version.aliases:
        return []
    now = promoted(registry, version.name)
    asked = recipe.promote_if.compares
    same = compared(recipe, registry, data, version, now) if now and asked else None
    found = conditions(recipe, recipe.promote_if, registry, version, now, same)
    return [one.found for one in found if not one.met]


def compared(
    recipe: Recipe,
    registry: ModelRegistry,
    data: DataSettings,
    new: ModelVersion,
    old: ModelVersion,
) -> SameRows | str:
    """The scores of two versions on the same rows, or a clause that says why there are none."""
    try:
        return score_same_rows(recipe, registry, data, new, old)
    except MeshError as error:
        return f"it can't be compared with {old.reference} on the same rows: {as_clause(error)}"


def approve(
    registry: ModelRegistry, data: DataSettings, version: ModelVersion, reason: str, *, force: bool
) -> str:
    """Let a version become `prod`.

    Args:
        reason: what the mover says.
        force: whether conditions are overruled.

    Returns:
        The reason to record, with the conditions that it overrules.

    Raises:
        MeshError: a condition is not met, and isn't overruled.
    """
    clauses = "; ".join(unmet(registry, data, version))
    if not clauses:
        return reason
    if not force:
        raise MeshError(
            f"{version.reference} can't become {version.name}:{PROMOTED}: {clauses}. Mend it, or move the "
            "alias with --force --why 'REASON', which the history records."
        )
    return shorten_reason(f"{reason} (in spite of: {clauses})")


def conditions(
    recipe: Recipe,
    promote_if: PromoteIf,
    registry: ModelRegistry,
    version: ModelVersion,
    now: ModelVersion | None,
    same: SameRows | str | None,
) -> list[Condition]:
    """Each condition of a promotion.

    Args:
        now: the version that is `prod`.
        same: what `compared` says of both.

    Raises:
        MeshError: the recipe names a score that versions don't have.
    """
    found: list[Condition] = []
    if now and same and promote_if.compares:
        if isinstance(same, str):
            found.append(Condition(met=False, found=same))
        else:
            found += _losses(recipe, promote_if, same, now.reference)
    if promote_if.load_test and version.card.model_type == "compiled":
        found.append(load_tested(registry, version))
    return found


def _losses(
    recipe: Recipe, promote_if: PromoteIf, same: SameRows, other: str
) -> Iterator[Condition]:
    scores = same.scores
    for name, most in promote_if.scores.items():
        if name not in scores:
            raise MeshError(
                f"promote_if of {recipe.project.name} names the score {name!r}; versions have "
                f"{', '.join(scores)}."
            )
        new, old = scores[name]
        rows = f"{other} on the same {same.rows} rows"
        yield _within(f"{name} is {new:.4f}", round(old - new, 4), f"the {old:.4f} of {rows}", most)
    if promote_if.slices is None:
        return
    for one in same.slices:
        if one.rows >= promote_if.slice_rows:
            what = f"{one.score} of {one.kind} {one.name!r} ({one.rows}) is {one.new:.4f}"
            yield _within(what, one.loss, f"the {one.old:.4f} of {other}", promote_if.slices)


def _within(what: str, loss: float, old: str, most: float) -> Condition:
    if loss <= 0:
        return Condition(met=True, found=f"{what}, not below {old}")
    found = f"{what}, {loss:.4f} below {old} (at most {most:g} is allowed)"
    return Condition(met=loss <= most, found=found)


def load_tested(registry: ModelRegistry, version: ModelVersion) -> Condition:
    """Whether the last load test of a version is there and passed."""
    try:
        tests = load_tests(registry, version)
    except MeshError as error:
        return Condition(met=False, found=f"its load tests can't be read: {as_clause(error)}")
    if not tests:
        advice = "run serve:load and serve:upload-results"
        return Condition(met=False, found=f"no load test of it is attached ({advice})")
    last = tests[-1]
    name = f"its last load test, of image {last.image_tag} at {last.report.end_time:%Y-%m-%d %H:%M}"
    if last.evaluation.passed:
        return Condition(met=True, found=f"{name}, passed")
    missed = [
        f"{one.name} of {one.endpoint_type} {one.endpoint_url} is {one.measured}, not "
        f"{'at most' if one.ensure_lower else 'at least'} {one.threshold:g}"
        for one in last.evaluation.evaluated_criteria
        if one.hard and not one.passed
    ]
    reasons = "; ".join((*last.evaluation.inconclusive, *missed)) or "nothing was requested"
    return Condition(met=False, found=f"{name}, did not pass: {reasons}")


def load_tests(registry: ModelRegistry, version: ModelVersion) -> Sequence[LoadTest]:
    """The load tests that are attached to a version and were made with it, the last one last.

    Raises:
        MeshError: an attachment is damaged or malformed.
    """
    tests = []
    for path in version.attachments:
        folder, _, file = path.rpartition("/")
        if file == REPORT_FILE and folder.startswith(f"{TEST_RESULTS}/"):
            evaluation = f"{folder}/{EVALUATION_FILE}"
            report = _attached(LoadTestReport, registry, version, path)
            if report.fingerprint == version.card.fingerprint and evaluation in version.attachments:
                verdict = _attached(LoadTestEvaluation, registry, version, evaluation)
                tests.append(LoadTest(folder.rpartition("/")[2], report, verdict))
    return sorted(tests, key=lambda test: test.report.end_time)


def _attached(
    kind: type[Attached], registry: ModelRegistry, version: ModelVersion, path: str
) -> Attached:
    try:
        return kind.model_validate_json(registry.read_attachment(version.reference, path))
    except ValidationError as error:
        problem = describe_invalid(error)
        raise MeshError(f"{path} of {version.reference} is malformed: {problem}.") from error
