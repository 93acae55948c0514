import json

import google.auth
import google.auth.exceptions
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineState, PipelineTaskDetail

from mesh.core.errors import UsageError
from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project
from pipelines import vertex
from pipelines.plan import make_plan
from pipelines.settings import ImageSettings, PipelineSettings, VertexSettings
from pipelines.specification import write_specification

MOODS = Project(name="moods", description="", port=1, steps=(*DATA_STEPS, *TRAINED_STEPS))
SETTINGS = {
    "project": "team",
    "location": "us-central1",
    "pipeline_root": "gs://bucket/root",
    "service_account": "pipelines@team.iam.gserviceaccount.com",
    "labels": {"team": "nlp"},
}


class Service:
    """Replaces the generated client; its job ends at the third poll."""

    def __init__(self, state: PipelineState) -> None:
        self.sent: dict[str, object] = {}
        self._states = [PipelineState.PIPELINE_STATE_PENDING] * 2 + [state] * 3
        self._failed = state == PipelineState.PIPELINE_STATE_FAILED

    def create_pipeline_job(self, **request):
        self.sent = request
        return self.get_pipeline_job("")

    def get_pipeline_job(self, name, retry=None, timeout=None):
        job = PipelineJob(
            name="projects/1/locations/us-central1/pipelineJobs/moods-1",
            state=self._states.pop(0) if len(self._states) > 1 else self._states[0],
        )
        if self._failed:
            job.error = {"message": "The container ingest ended with 3."}
            job.job_detail = {
                "task_details": [
                    {
                        "task_id": 2,
                        "parent_task_id": 1,
                        "task_name": "ingest",
                        "state": PipelineTaskDetail.State.FAILED,
                    }
                ]
            }
        return job


@pytest.fixture
def prepared(tmp_path):
    chosen = PipelineSettings(project="moods", run_containers=[1, 4])
    plan = make_plan(MOODS, chosen, ImageSettings(registry="registry.example", tag="7"))
    path = tmp_path / "pipeline.yaml"
    write_specification(plan, path)
    return plan, path


def submit(prepared, monkeypatch, service):
    plan, path = prepared
    make_job = vertex.make_job

    def make_job_of_service(*arguments):
        job = make_job(*arguments)
        job.api_client = service
        return job

    monkeypatch.setattr(vertex, "make_job", make_job_of_service)
    monkeypatch.setattr(
        "google.cloud.aiplatform.utils.gcs_utils."
        "create_gcs_bucket_for_pipeline_artifacts_if_it_does_not_exist",
        lambda **bucket: None,
    )
    monkeypatch.setattr("pipelines.following.POLL_SECONDS", 0)
    settings = VertexSettings.model_validate(SETTINGS)
    return vertex.run_on_vertex(plan, path, settings, AnonymousCredentials())


def test_job_that_is_sent_is_the_compiled_pipeline_with_account_labels_and_caching(
    prepared, monkeypatch
):
    service = Service(PipelineState.PIPELINE_STATE_SUCCEEDED)
    assert submit(prepared, monkeypatch, service) == 0
    assert service.sent["parent"] == "projects/team/locations/us-central1"
    job = json.loads(PipelineJob.to_json(service.sent["pipeline_job"]))
    assert job["displayName"] == "moods-ingest-to-train"
    assert job["serviceAccount"] == SETTINGS["service_account"]
    assert job["labels"].items() >= {"mesh-project": "moods", "team": "nlp"}.items()
    assert job["runtimeConfig"]["gcsOutputDirectory"] == "gs://bucket/root"
    tasks = job["pipelineSpec"]["root"]["dag"]["tasks"]
    assert {task["cachingOptions"]["enableCache"] for task in tasks.values()} == {False}
    assert tasks["train"]["dependentTasks"] == ["ingest"]
    container = job["pipelineSpec"]["deploymentSpec"]["executors"]["exec-train"]["container"]
    assert container["image"] == "registry.example/moods-train:7"


def test_failed_job_fails_the_command_and_names_the_step(prepared, monkeypatch, capsys):
    service = Service(PipelineState.PIPELINE_STATE_FAILED)
    assert submit(prepared, monkeypatch, service) == 1
    shown = capsys.readouterr().err
    assert "ingest: FAILED" in shown
    assert "The container ingest ended with 3." in shown


def test_missing_credentials_are_one_sentence(monkeypatch):
    def none(scopes):
        raise google.auth.exceptions.DefaultCredentialsError("none")

    monkeypatch.setattr(google.auth, "default", none)
    with pytest.raises(UsageError, match="gcloud auth application-default login"):
        vertex.find_credentials()
