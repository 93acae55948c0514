"""What becomes `prod`, by scores on the same rows, slices and load tests."""

import datetime
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import BaseModel

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.data.settings import DataSettings
from mesh.lifecycle.about import PromoteIf
from mesh.lifecycle.promotion import compared, conditions
from mesh.lifecycle.recipe import Recipe, Training
from mesh.registry.base import ModelRegistry, ModelVersion
from tiny_data import DATASET, PROJECT

RECIPE = Recipe(
    project=PROJECT,
    task="text-classification",
    configuration=BaseModel,
    reference=lambda _: lambda documents, _params: list(documents),
    training=Training(dataset=DATASET, labels=("bad", "good")),
)
PROMOTE_IF = PromoteIf(scores={"macro_f1": 0.01}, slices=0.05, load_test=False)
SCORES = {
    "rows": 500,
    "accuracy": 0.82,
    "macro_f1": 0.8,
    "per_label": {"bad": {"precision": 0.8, "recall": 0.8, "f1": 0.8, "support": 200}},
    "per_domain": {
        "news": {"rows": 29, "accuracy": 0.9},
        "review": {"rows": 471, "accuracy": 0.8},
    },
}


class Attached:
    """A registry with the attachments of a version."""

    def __init__(self) -> None:
        self.attachments: dict[str, str] = {}

    def read_attachment(self, _reference: str, path: str) -> bytes:
        return self.attachments[path].encode()

    def add_test(self, tag: str, *, hour: int, passed: bool, fingerprint: str = "new") -> None:
        when = datetime.datetime(2026, 1, 1, hour, tzinfo=datetime.UTC).isoformat()
        folder = f"test_results/{tag}"
        measured = "5" if passed else "120.5"
        self.attachments[f"{folder}/load_test_report.json"] = (
            f'{{"project": "tiny", "model_version": "TINY-COMPILED-2", "fingerprint": "{fingerprint}",'
            f'"url": "", "users": 1, "spawn_rate": 1, "think_seconds": 0, "start_time": "{when}",'
            f'"end_time": "{when}", "duration_seconds": 1, "num_requests": 1,'
            '"num_requests_fail": 0, "completed": {}}'
        )
        self.attachments[f"{folder}/load_test_evaluation.json"] = (
            '{"evaluated_criteria": [{"name": "response_time_p99", "threshold": 100,'
            f'"endpoint_type": "POST", "endpoint_url": "/v1", "measured": {measured},'
            f'"passed": {str(passed).lower()}}}], "passed": {str(passed).lower()}}}'
        )


def version(
    number: int,
    scores: Mapping[str, Any] | None,
    attached: Attached | None = None,
    data: str = "d1",
) -> ModelVersion:
    return ModelVersion(
        name="TINY-COMPILED",
        version=number,
        card=ModelCard(
            project="tiny",
            model_type="compiled",
            code_revision="",
            fingerprint="new" if number == 2 else "old",
            data_version=data,
            metrics={"test": scores} if scores else {},
        ),
        manifest=Manifest(files=()),
        created=datetime.datetime.now(datetime.UTC),
        aliases=(),
        attachments={
            path: FileEntry(path=path, size=1, sha256="0" * 64)
            for path in (attached.attachments if attached else {})
        },
    )


def changed(scores: Mapping[str, Any], path: str, value: float) -> dict[str, Any]:
    """The scores with another value at a path such as `per_domain.news.accuracy`."""
    name, _, rest = path.partition(".")
    return {**scores, name: changed(scores[name], rest, value) if rest else value}


def refusals(
    new: ModelVersion,
    old: ModelVersion | None,
    promote_if: PromoteIf = PROMOTE_IF,
    registry: Attached | None = None,
    folder: Path = Path("nowhere"),
) -> list[str]:
    attached = cast("ModelRegistry", registry or Attached())
    same = compared(RECIPE, attached, DataSettings(root=str(folder)), new, old) if old else None
    found = conditions(RECIPE, promote_if, attached, new, old, same)
    return [one.found for one in found if not one.met]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("macro_f1", 0.9, ""),
        ("macro_f1", 0.8, ""),
        ("macro_f1", 0.79, ""),
        (
            "macro_f1",
            0.7899,
            "macro_f1 is 0.7899, 0.0101 below the 0.8000 of TINY-COMPILED-1 on the same 500 rows (at "
            "most 0.01 is allowed)",
        ),
        ("accuracy", 0.1, ""),
        ("per_domain.review.accuracy", 0.75, ""),
        ("per_domain.review.accuracy", 0.7499, "accuracy of domain 'review' (471) is 0.7499"),
        ("per_domain.news.accuracy", 0.0, ""),
        ("per_label.bad.f1", 0.7, "f1 of label 'bad' (200) is 0.7000"),
        ("per_label.bad.recall", 0.0, ""),
    ],
)
def test_scores_and_slices_may_lose_so_much(path: str, value: float, expected: str) -> None:
    found = refusals(version(2, changed(SCORES, path, value)), version(1, SCORES))
    assert len(found) == bool(expected)
    assert "".join(found).startswith(expected)


def test_small_slices_are_compared_if_the_recipe_says_so() -> None:
    new = version(2, changed(SCORES, "per_domain.news.accuracy", 0.5))
    assert not refusals(new, version(1, SCORES))
    [found] = refusals(new, version(1, SCORES), replace(PROMOTE_IF, slice_rows=29))
    assert "domain 'news' (29)" in found
    assert not refusals(new, version(1, SCORES), replace(PROMOTE_IF, slices=None))


def test_first_version_has_nothing_to_be_compared_with() -> None:
    assert refusals(version(2, SCORES), None) == []


def test_version_without_scores_is_refused() -> None:
    [found] = refusals(version(2, None), version(1, SCORES))
    assert found == (
        "it can't be compared with TINY-COMPILED-1 on the same rows: TINY-COMPILED-2 was not scored on "
        "a test split"
    )


@pytest.mark.parametrize(
    ("old", "data"), [(SCORES, "d0"), (None, "d1"), ({**SCORES, "per_domain": {}}, "d1")]
)
def test_rows_that_are_not_there_can_not_be_scored(old: Any, data: str, tmp_path: Path) -> None:
    scores = {**SCORES, "per_length": {}}
    [found] = refusals(version(2, scores), version(1, old, data=data), folder=tmp_path)
    assert found.startswith("it can't be compared with TINY-COMPILED-1 on the same rows: ")


def test_score_that_no_version_has() -> None:
    with pytest.raises(MeshError, match="names the score 'f1'; versions have accuracy, macro_f1"):
        refusals(version(2, SCORES), version(1, SCORES), PromoteIf(scores={"f1": 0.01}))


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([], "no load test of it is attached (run serve:load and serve:upload-results)"),
        ([("b", 1, True)], ""),
        (
            [("b", 1, False)],
            "its last load test, of image b at 2026-01-01 01:00, did not pass: response_time_p99 of POST "
            "/v1 is 120.5, not at most 100",
        ),
        ([("b", 2, True), ("a", 1, False)], ""),
        ([("b", 1, True), ("a", 2, False)], "its last load test, of image a at 2026-01-01 02:00"),
        ([("b", 1, True, "other")], "no load test of it is attached"),
    ],
)
def test_last_load_test_of_the_version_must_have_passed(
    tests: list[tuple[Any, ...]], expected: str
) -> None:
    registry = Attached()
    for tag, hour, passed, *fingerprint in tests:
        registry.add_test(tag, hour=hour, passed=passed, fingerprint=(fingerprint or ["new"])[0])
    only_tests = PromoteIf(scores={})
    found = refusals(version(2, SCORES, registry), version(1, SCORES), only_tests, registry)
    assert len(found) == bool(expected)
    assert "".join(found).startswith(expected)


def test_load_test_that_can_not_be_read_is_no_passed_one() -> None:
    registry = Attached()
    registry.add_test("b", hour=1, passed=True)
    registry.attachments["test_results/b/load_test_report.json"] = "{}"
    new = version(2, SCORES, registry)
    [found] = refusals(new, version(1, SCORES), PromoteIf(scores={}), registry)
    assert found.startswith(
        "its load tests can't be read: test_results/b/load_test_report.json of TINY-COMPILED-2 is "
        "malformed: project: "
    )


def test_trained_versions_are_never_load_tested() -> None:
    new = version(2, SCORES)
    trained = replace(new, card=new.card.model_copy(update={"model_type": "trained"}))
    assert refusals(trained, None, PromoteIf(scores={})) == []
