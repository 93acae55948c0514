"""Pytest plugin with the model, samples and stored predictions for regression suites."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import pytest

from mesh.core.card import COMPILED
from mesh.core.devices import Placement
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_records import CaseResult, Compilation
from mesh.lifecycle.recipe import Predict, Recipe
from mesh.lifecycle.version import RegressionTest


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


class RegressionPlugin:
    """Provides the fixtures `regression` and `sample` (an index), and collects the results.

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

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test once in each precision, and if it takes `sample`, for each stored input."""
        if "regression" in metafunc.fixturenames and len(self._regressions) > 1:
            metafunc.parametrize("regression", list(self._regressions), indirect=True)
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
