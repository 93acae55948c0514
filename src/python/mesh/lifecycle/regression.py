"""Pytest plugin with the model, samples and stored predictions for regression suites."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pytest

from mesh.core.card import COMPILED
from mesh.core.devices import Placement
from mesh.core.precisions import FLOAT32, INT8, Precision
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_records import CaseResult, Compilation
from mesh.lifecycle.recipe import Predict, Recipe
from mesh.lifecycle.version import RegressionTest

LEAST_SAME = 0.9
"""The share of the answers to all stored inputs that must be the same in int8."""
_INT8_TOLERANCE = 0.05
"""Of scores in int8, where a project doesn't say what its answers are."""


class Regression:
    """The compiled model in one precision, and the regression test of what it was made from."""

    def __init__(
        self,
        recipe: Recipe,
        tolerance: float,
        workspace: WorkspaceSettings,
        precision: Precision = FLOAT32,
    ) -> None:
        self._precision = precision
        self._recipe = recipe
        self._tolerance = tolerance
        self._compiled = workspace.output(recipe.project, "compile") / COMPILED
        compilation = Compilation.read(workspace.output(recipe.project, "compile"))
        version = compilation.source_version(workspace.output(recipe.project, "download"))
        self.stored = RegressionTest.read(version)

    @cached_property
    def predict(self) -> Predict:
        """The compiled model, loaded like in the server."""
        with Placement(precision=self._precision).applied():
            return self._recipe.load_compiled(self._compiled)

    @cached_property
    def together(self) -> list[Any]:
        """The compiled model's predictions for all stored inputs in one call."""
        return self.predict(self.stored.inputs, self.stored.inference_params)

    def alone(self, index: int) -> Any:
        """The compiled model's prediction for one stored input in a separate call."""
        return self.predict([self.stored.inputs[index]], self.stored.inference_params)[0]

    def differences(self, expected: Any, actual: Any) -> list[str]:
        """The differences above the tolerance; empty if the predictions agree."""
        return self._recipe.differences(expected, actual, self._tolerance)

    @property
    def share_of_same_answers(self) -> float:
        """How much of the answers to all stored inputs is as by the uncompiled model, 0 to 1."""
        tolerance = max(self._tolerance, _INT8_TOLERANCE)
        return share_of_same(self._recipe, self.stored.predictions, self.together, tolerance)


def share_of_same(
    recipe: Recipe, expected: Sequence[Any], actual: Sequence[Any], tolerance: float
) -> float:
    """How much of the answers of predictions is the same, 0 to 1.

    Args:
        tolerance: of scores; without `Recipe.answers`, a prediction within it is the same.
    """
    pairs = list(zip(expected, actual, strict=True))
    answers = recipe.answers
    if answers is None:
        same = [not recipe.differences(*pair, tolerance) for pair in pairs]
        return sum(same) / len(same)
    sets = [(answers(before), answers(after)) for before, after in pairs]
    most = sum(max(len(before), len(after)) for before, after in sets)
    return sum(len(before & after) for before, after in sets) / most if most else 1.0


class RegressionPlugin:
    """Provides the fixtures `regression`, `exact_regression` and `sample`; collects the results.

    Args:
        precisions: each case runs in each of them.
    """

    def __init__(
        self,
        recipe: Recipe,
        tolerance: float,
        workspace: WorkspaceSettings,
        precisions: Sequence[Precision] = (FLOAT32,),
    ) -> None:
        self._regressions = {
            precision: Regression(recipe, tolerance, workspace, precision)
            for precision in precisions
        }
        self._regression = self._regressions[precisions[0]]
        self.cases: list[CaseResult] = []

    @property
    def predictions(self) -> list[Any]:
        """The compiled model's predictions for the stored inputs, in the first precision."""
        return self._regression.together

    @pytest.fixture
    def regression(self, request: pytest.FixtureRequest) -> Regression:
        """The compiled model and the stored regression test."""
        return self._regressions.get(getattr(request, "param", FLOAT32), self._regression)

    @pytest.fixture
    def exact_regression(self, request: pytest.FixtureRequest) -> Regression:
        """The same, in a precision that changes no answer."""
        return self._regressions.get(getattr(request, "param", FLOAT32), self._regression)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test once in each precision, and if it takes `sample`, for each stored input."""
        if len(self._regressions) > 1:
            exact = [precision for precision in self._regressions if precision != INT8]
            for name, precisions in (
                ("regression", self._regressions),
                ("exact_regression", exact),
            ):
                if name in metafunc.fixturenames:
                    metafunc.parametrize(name, list(precisions), indirect=True)
        if "sample" in metafunc.fixturenames:
            metafunc.parametrize("sample", range(len(self._regression.stored.inputs)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the outcome of each case, set-up failures included."""
        if report.when == "call" or report.failed:
            message = "" if report.passed else _reason(report)
            self.cases.append(
                CaseResult(
                    name=report.nodeid.rpartition("::")[2], outcome=report.outcome, message=message
                )
            )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that can't be imported is a failed case."""
        if report.failed:
            self.cases.append(
                CaseResult(
                    name="collection", outcome="failed", message=str(report.longreprtext)[-500:]
                )
            )


def _reason(report: pytest.TestReport) -> str:
    """The message of a failed comparison."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash else report.longreprtext)[:1000]
