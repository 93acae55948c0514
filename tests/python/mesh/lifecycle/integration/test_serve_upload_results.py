"""`serve:upload-results` with a new registry."""

import datetime
import json
import logging
from pathlib import Path

import pytest

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.serve_upload_results import UploadResultsSettings, upload_results
from mesh.loadtest.criteria import evaluate
from mesh.loadtest.plan import Exchange, GeneratorFigures, LoadPlan, PlannedRequest
from mesh.loadtest.report import Outcome, make_report
from mesh.loadtest.results import RESULT_FILES, ImageSpec, results_directory, write_results
from mesh.registry.factory import open_registry
from mesh.registry.settings import RegistrySettings

PROJECT = Project(name="tiny", description="", port=1)
VERSION = "TINY-COMPILED-1"
SETTINGS = UploadResultsSettings(image_tag="v1")


@pytest.fixture
def registry_settings(tmp_path: Path) -> RegistrySettings:
    return RegistrySettings(
        uri=f"sqlite:///{tmp_path}/registry.db", artifacts=str(tmp_path / "artifacts")
    )


@pytest.fixture
def workspace(tmp_path: Path, registry_settings: RegistrySettings) -> WorkspaceSettings:
    """A workspace with a published version, as `serve:download` leaves it."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "weights").write_text("1")
    card = ModelCard(project="tiny", model_type="compiled", code_revision="a", fingerprint="one")
    registry = open_registry(registry_settings)
    registry.publish(PROJECT.compiled_model, source, card)
    workspace = WorkspaceSettings(workspace=tmp_path)
    registry.fetch(VERSION, workspace.models / VERSION)
    workspace.set_current_model(PROJECT, VERSION)
    return workspace


def write(workspace: WorkspaceSettings, fingerprint: str = "one", version: str = VERSION) -> Path:
    plan = LoadPlan(
        url="http://server",
        users=1,
        spawn_rate=1,
        run_seconds=1,
        timeout_seconds=1,
        think_seconds=0,
        requests=(PlannedRequest(method="GET", path="/bio"),),
    )
    outcomes = [Outcome(Exchange(request=0, start=0, seconds=0.1, status=200), None)]
    report = make_report(
        plan,
        outcomes,
        project="tiny",
        model_version=version,
        fingerprint=fingerprint,
        started=datetime.datetime.now(datetime.UTC),
        generator=GeneratorFigures(
            users_started=plan.users,
            processor=0.1,
            lag_p50_ms=1,
            lag_max_ms=1,
            connections_reopened=0,
            connections_refused_here=0,
        ),
    )
    results = results_directory(workspace.models / VERSION, "v1")
    image = ImageSpec(image_name=None, image_tag="v1")
    write_results(results, plan, report, evaluate([], report), outcomes, image)
    return results


def test_every_file_is_attached_once(workspace, registry_settings, caplog):
    results = write(workspace)
    caplog.set_level(logging.INFO)
    upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    registry = open_registry(registry_settings)
    attached = [f"test_results/v1/{name}" for name in RESULT_FILES]
    assert sorted(registry.get(VERSION).attachments) == sorted(attached)
    for path, name in zip(attached, RESULT_FILES, strict=True):
        assert registry.read_attachment(VERSION, path) == (results / name).read_bytes()
    assert caplog.text.count(" now") == len(RESULT_FILES)

    caplog.clear()
    upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    assert caplog.text.count(" already") == len(RESULT_FILES)
    assert registry.verify(VERSION) == []


def test_results_of_a_later_test_replace_those_before(workspace, registry_settings):
    write(workspace)
    upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    results = write(workspace)
    upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    path = "test_results/v1/load_test_report.json"
    stored = open_registry(registry_settings).read_attachment(VERSION, path)
    assert stored == (results / "load_test_report.json").read_bytes()


def test_fetching_the_version_again_keeps_the_results(workspace, registry_settings, caplog):
    results = write(workspace)
    caplog.set_level(logging.INFO)
    open_registry(registry_settings).fetch(VERSION, workspace.models / VERSION)
    assert "is already in" in caplog.text
    assert json.loads((results / "load_test_evaluation.json").read_text())["passed"]


@pytest.mark.parametrize("wrong", [{"fingerprint": "two"}, {"version": "TINY-COMPILED-2"}])
def test_results_of_another_version_are_refused(workspace, registry_settings, wrong):
    write(workspace, **wrong)
    with pytest.raises(MeshError, match="don't belong to TINY-COMPILED-1"):
        upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    assert open_registry(registry_settings).get(VERSION).attachments == {}


def test_missing_results_are_named_and_nothing_is_attached(workspace, registry_settings):
    with pytest.raises(MeshError, match="load_test_report.json does not exist; run serve:load"):
        upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    (write(workspace) / RESULT_FILES[-1]).unlink()
    with pytest.raises(MeshError, match=f"{RESULT_FILES[-1]} is missing; run serve:load again"):
        upload_results(PROJECT, SETTINGS, workspace, registry_settings)
    assert open_registry(registry_settings).get(VERSION).attachments == {}


def test_code_only_project_has_no_version(workspace, registry_settings):
    project = Project(name="lsh", description="", port=1, kind="code-only", steps=("serve:serve",))
    with pytest.raises(UsageError, match="The code of lsh is its model"):
        upload_results(project, SETTINGS, workspace, registry_settings)
