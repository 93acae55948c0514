"""What is deployed: names, images, resources, and what is said of the version."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.deploy.names import LONGEST, check_name
from mesh.deploy.release import Release, check_asked, with_version
from mesh.deploy.resources import DEFAULT, measured
from mesh.loadtest.own_times import ServerFigures

from .conftest import MEASURED, Versions

PROJECT = Project(name="keywords", description="", port=1)
CODE = Project(name="lsh", description="", port=1, kind="code-only", steps=("serve:serve",))
PROD = "KEYWORDS-COMPILED:prod"


def release(**changes: Any) -> Release:
    return Release(**{"project": PROJECT, "name": "keywords", **changes})


@pytest.mark.parametrize(
    "name",
    [
        *("", "Keywords", "key_words", "-keywords", "keywords-", "7up", "a.b", "schlüssel", "a b"),
        *("keywords\n", "\u2170", "a/b", "k" * (LONGEST + 1)),
    ],
)
def test_names_that_kubernetes_forbids(name: str) -> None:
    with pytest.raises(UsageError, match="as the name of a deployment"):
        release(name=name)


@pytest.mark.parametrize("name", ["a", "keywords", "keywords-2", "a--b", "k" * LONGEST])
def test_names_that_kubernetes_takes(name: str) -> None:
    assert release(name=name).name == name


@given(st.text(max_size=60))
def test_every_name_is_a_label_or_refused(name: str) -> None:
    try:
        check_name(name)
    except UsageError:
        return
    assert name.isascii()
    assert name.replace("-", "").isalnum()
    assert name == name.lower()
    assert len(f"{name}-predictor-00001") <= 63


@pytest.mark.parametrize(
    ("registry", "tag", "image"),
    [
        ("", "latest", "keywords-serve:latest"),
        ("localhost:5000", "1.2", "localhost:5000/keywords-serve:1.2"),
        ("a.dkr.ecr.us-east-1.amazonaws.com", "v_1", None),
        ("ghcr.io/some-org/mesh", "a" * 128, None),
    ],
)
def test_images(registry: str, tag: str, image: str | None) -> None:
    expected = image or f"{registry}/keywords-serve:{tag}"
    assert release(image_registry=registry, image_tag=tag).image("serve") == expected


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"image_registry": "https://ghcr.io"}, "isn't a registry of images"),
        ({"image_registry": "ghcr.io/"}, "isn't a registry of images"),
        ({"image_registry": "GHCR.io"}, "isn't a registry of images"),
        ({"image_registry": "me:hunter2@ghcr.io"}, r"^'\*\*\*' isn't a registry"),
        ({"image_tag": ""}, "isn't the tag of an image"),
        ({"image_tag": "a:b"}, "isn't the tag of an image"),
        ({"image_tag": "-a"}, "isn't the tag of an image"),
        ({"image_tag": "a" * 129}, "isn't the tag of an image"),
    ],
)
def test_images_that_have_no_such_name(changes: Mapping[str, str], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        release(**changes)


@pytest.mark.parametrize(
    ("project", "reference", "problem"),
    [
        (PROJECT, None, "Name the version of keywords to deploy, such as --version KEYWORDS-COM"),
        (PROJECT, "keywords", "'keywords' isn't a version of a model"),
        (PROJECT, "", "isn't a version of a model"),
        (PROJECT, "NER-COMPILED:prod", "is a version of NER-COMPILED"),
        (PROJECT, "KEYWORDS-TRAINED-1", "is a version of KEYWORDS-TRAINED"),
        (CODE, "LSH-COMPILED-1", "it has no versions, so leave --version out"),
    ],
)
def test_versions_that_can_not_be_asked_for(
    project: Project, reference: str | None, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        check_asked(project, reference)


def test_versions_that_can_be_asked_for() -> None:
    check_asked(PROJECT, PROD)
    check_asked(CODE, None)


def test_alias_becomes_a_number(versions: Versions) -> None:
    found = with_version(release(image_tag="2"), versions(v1=(MEASURED, True)), PROD)
    assert found.version is not None
    assert found.version.reference == found.annotations["version"] == "KEYWORDS-COMPILED-7"
    assert found.image_tag == "2"
    assert found.warnings == []
    assert "warning" not in found.annotations
    assert found.annotations["load-test"] == (
        "its last load test, of image v1 at 2026-01-02 03:04, passed"
    )


def test_version_that_does_not_exist(versions: Versions) -> None:
    with pytest.raises(MeshError, match="There is no KEYWORDS-COMPILED-8"):
        with_version(release(), versions(), "KEYWORDS-COMPILED-8")


def test_version_without_a_load_test_gets_a_warning(versions: Versions) -> None:
    found = with_version(release(), versions(), PROD)
    [warning] = found.warnings
    assert warning == found.annotations["warning"]
    assert warning.startswith("KEYWORDS-COMPILED-7 is deployed although no load test of it is")
    assert found.resources == DEFAULT
    assert "load-test" not in found.annotations


def test_version_with_a_failed_load_test_gets_a_warning_and_its_footprint(
    versions: Versions,
) -> None:
    found = with_version(release(), versions(v1=(MEASURED, True), v2=(MEASURED, False)), PROD)
    [warning] = found.warnings
    assert "of image v2 at 2026-01-02 04:04, did not pass: response_time_p99 of POST " in warning
    assert "image v2" in found.resources.why


def test_version_with_damaged_load_tests_gets_a_warning(versions: Versions) -> None:
    found = with_version(release(), versions(v1=(MEASURED, True), damaged=True), PROD)
    [warning] = found.warnings
    assert "its load tests can't be read: " in warning
    assert found.resources == DEFAULT


def test_version_that_the_image_can_not_serve_gets_a_warning(versions: Versions) -> None:
    found = with_version(release(), versions("generic", v1=(MEASURED, True)), PROD)
    [warning] = found.warnings
    assert "compiled for the backend 'generic'" in warning
    assert "load-test" in found.annotations


def test_last_footprint_that_was_measured_counts(versions: Versions) -> None:
    larger = ServerFigures(resident_bytes=500 * 2**20, processor=0.2)
    registry = versions(v1=(MEASURED, True), v2=(larger, True), v3=(None, True))
    found = with_version(release(), registry, PROD).resources
    assert "image v2: 500 MiB resident, 0.20 cores" in found.why
    assert found.manifest == {
        "requests": {"cpu": "200m", "memory": "640Mi"},
        "limits": {"cpu": "2", "memory": "1280Mi"},
    }


@pytest.mark.parametrize(
    "figures",
    [
        None,
        ServerFigures(problem="it has restarted"),
        ServerFigures(resident_bytes=1),
        ServerFigures(processor=1.0),
    ],
)
def test_without_a_footprint_there_are_defaults(figures: ServerFigures | None) -> None:
    assert measured(figures, "v1") is DEFAULT
    assert DEFAULT.manifest == {
        "requests": {"cpu": "500m", "memory": "512Mi"},
        "limits": {"cpu": "2", "memory": "1024Mi"},
    }


@given(st.integers(0, 2**40), st.floats(0, 64))
def test_requests_cover_the_footprint_and_limits_cover_requests(
    resident: int, cores: float
) -> None:
    found = measured(ServerFigures(resident_bytes=resident, processor=cores), "v1")
    limits = found.manifest["limits"]
    assert found.memory_mib * 2**20 >= resident
    assert found.memory_mib % 64 == 0
    assert found.memory_mib > 0
    assert found.millicores >= max(1, cores * 1000 - 1e-6)
    assert int(limits["cpu"]) * 1000 >= found.millicores
    assert int(limits["memory"].removesuffix("Mi")) >= found.memory_mib + 512
