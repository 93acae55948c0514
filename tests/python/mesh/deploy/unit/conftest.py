"""Versions of keywords with and without load tests, in a registry that only holds them."""

import datetime
from collections.abc import Callable
from typing import cast

import pytest

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.loadtest.criteria import EvaluatedCriterion, LoadTestEvaluation
from mesh.loadtest.own_times import ServerFigures
from mesh.loadtest.report import LoadTestReport
from mesh.registry.base import ModelRegistry, ModelVersion

FINGERPRINT = "3f" * 32
PATH = "/v1/model/keywords/predict"
WHEN = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.UTC)
MEASURED = ServerFigures(resident_bytes=241 * 2**20, processor=1.43)

Versions = Callable[..., ModelRegistry]


class Registry:
    """A registry with one version of keywords, and its attachments."""

    def __init__(self, backend: str, tests: dict[str, tuple[ServerFigures | None, bool]]) -> None:
        self._attachments: dict[str, bytes] = {}
        for hours, (tag, (figures, passed)) in enumerate(tests.items()):
            self._attach(tag, figures, WHEN + datetime.timedelta(hours=hours), passed=passed)
        self._version = ModelVersion(
            name="KEYWORDS-COMPILED",
            version=7,
            card=ModelCard(
                project="keywords",
                model_type="compiled",
                code_revision="",
                fingerprint=FINGERPRINT,
                settings={"compile": {"backend": backend}},
            ),
            manifest=Manifest(
                files=(FileEntry(path="model.onnx", size=126_000_000, sha256="0" * 64),)
            ),
            created=WHEN,
            aliases=("prod",),
            attachments={
                path: FileEntry(path=path, size=len(content), sha256="0" * 64)
                for path, content in self._attachments.items()
            },
        )

    def _attach(
        self, tag: str, figures: ServerFigures | None, when: datetime.datetime, *, passed: bool
    ) -> None:
        report = LoadTestReport(
            project="keywords",
            model_version="KEYWORDS-COMPILED-7",
            fingerprint=FINGERPRINT,
            url="http://serve:8000",
            users=2,
            spawn_rate=2,
            think_seconds=0,
            start_time=when,
            end_time=when,
            duration_seconds=45,
            num_requests=900,
            num_requests_fail=0,
            completed={},
            server=figures,
        )
        criterion = EvaluatedCriterion(
            name="response_time_p99",
            threshold=800,
            endpoint_type="POST",
            endpoint_url=PATH,
            measured=700 if passed else 900,
            passed=passed,
        )
        evaluation = LoadTestEvaluation(evaluated_criteria=(criterion,), passed=passed)
        folder = f"test_results/{tag}"
        self._attachments[f"{folder}/load_test_report.json"] = report.model_dump_json().encode()
        self._attachments[f"{folder}/load_test_evaluation.json"] = (
            evaluation.model_dump_json().encode()
        )

    def damage(self) -> None:
        for path in self._attachments:
            self._attachments[path] = b"{}"

    def get(self, reference: str) -> ModelVersion:
        if reference not in ("KEYWORDS-COMPILED-7", "KEYWORDS-COMPILED:prod"):
            raise MeshError(f"There is no {reference}.")
        return self._version

    def read_attachment(self, _reference: str, path: str) -> bytes:
        return self._attachments[path]


@pytest.fixture
def versions() -> Versions:
    """Make a registry of a version.

    Args:
        tests: by the tag of the image, what its server said of itself, and whether it passed.
    """

    def make(
        backend: str = "onnx",
        *,
        damaged: bool = False,
        **tests: tuple[ServerFigures | None, bool],
    ) -> ModelRegistry:
        registry = Registry(backend, tests)
        if damaged:
            registry.damage()
        return cast("ModelRegistry", registry)

    return make


@pytest.fixture
def measured_version(versions: Versions) -> ModelRegistry:
    """The version of the checked-in example."""
    return versions(v1=(MEASURED, True))
