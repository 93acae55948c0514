import json
from collections.abc import Sequence

import google.auth
import google.auth.exceptions
import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform
from google.cloud.aiplatform_v1.types import PipelineJob, PipelineState, PipelineTaskDetail

from mesh.core.errors import MeshError, UsageError
from mesh.core.project import DATA_STEPS, TRAINED_STEPS, Project
from pipelines import following, vertex
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
RUN = "projects/1/locations/us-central1/pipelineJobs/moods-1"
COMMAND = f"./pants run src/python/pipelines:run-kfp -- --target vertex --watch {RUN}"


class Service:
    """Replaces the generated client; its job ends at the third poll."""

    def __init__(self, state: PipelineState, failures: Sequence[Exception] = ()) -> None:
        self.sent: dict[str, object] = {}
        self.asked: list[str] = []
        self._failures = [*failures]
        self._states = [PipelineState.PIPELINE_STATE_PENDING] * 2 + [state] * 3
        self._failed = state == PipelineState.PIPELINE_STATE_FAILED

    def create_pipeline_job(self, **request):
        self.sent = request
        return self._job()

    def get_pipeline_job(self, name, retry=None, timeout=None):
        self.asked.append(name)
        if self._failures:
            raise self._failures.pop(0)
        return self._job()

    def _job(self):
        job = PipelineJob(
            name=RUN,
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


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(following, "POLL_SECONDS", 0)


def submit(prepared, monkeypatch, service, credentials=None):
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
    settings = VertexSettings.model_validate(SETTINGS)
    return vertex.run_on_vertex(plan, path, settings, credentials or AnonymousCredentials())


def watch(monkeypatch, service, run, **settings):
    monkeypatch.setattr(aiplatform.PipelineJob, "_instantiate_client", lambda *_, **__: service)
    return vertex.watch_on_vertex(
        run, VertexSettings.model_validate(settings), AnonymousCredentials()
    )


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


class Credentials(AnonymousCredentials):
    """Count how often they are renewed."""

    renewed = 0

    def refresh(self, request):
        self.renewed += 1


PASSING = [
    exceptions.ServiceUnavailable("overloaded"),
    exceptions.DeadlineExceeded("late"),
    exceptions.TooManyRequests("wait"),
    exceptions.InternalServerError("oops"),
    exceptions.BadGateway("proxy"),
    exceptions.RetryError("gave up", exceptions.ServiceUnavailable("overloaded")),
    exceptions.from_http_status(408, "late"),
    google.auth.exceptions.TransportError("no route"),
    ConnectionResetError("reset"),
]


def test_passing_failures_do_not_end_the_command(prepared, monkeypatch):
    service = Service(PipelineState.PIPELINE_STATE_SUCCEEDED, PASSING)
    assert submit(prepared, monkeypatch, service) == 0


def test_credentials_that_the_server_refuses_are_renewed(prepared, monkeypatch):
    service = Service(
        PipelineState.PIPELINE_STATE_SUCCEEDED, [exceptions.Unauthenticated("expired")]
    )
    credentials = Credentials()
    assert submit(prepared, monkeypatch, service, credentials) == 0
    assert credentials.renewed == 1


@pytest.mark.parametrize(
    ("failure", "readings"),
    [
        (exceptions.ServiceUnavailable("overloaded"), following.MOST_FAILURES),
        # These credentials can't be renewed.
        (exceptions.Unauthenticated("expired"), following.MOST_FAILURES),
        (exceptions.PermissionDenied("not yours"), 1),
    ],
)
def test_watching_ends_with_3_and_the_command_that_goes_on(
    prepared, monkeypatch, failure, readings
):
    service = Service(PipelineState.PIPELINE_STATE_SUCCEEDED, [failure] * 100)
    with pytest.raises(following.WatchingError) as ended:
        submit(prepared, monkeypatch, service)
    assert ended.value.exit_code == 3
    assert str(ended.value).endswith(f"the run goes on; to watch it again: {COMMAND}")
    assert len(service.asked) == readings


def test_refused_job_is_no_end_of_watching(prepared, monkeypatch):
    class Refusing(Service):
        def create_pipeline_job(self, **request):
            raise exceptions.InvalidArgument("bad account")

    with pytest.raises(MeshError, match="can't run moods-ingest-to-train.*bad account") as refused:
        submit(prepared, monkeypatch, Refusing(PipelineState.PIPELINE_STATE_SUCCEEDED))
    assert refused.value.exit_code == 1


@pytest.mark.parametrize(
    ("run", "settings", "asked"),
    [
        (RUN, {}, RUN),
        (
            "moods-1",
            {"project": "team", "location": "europe-west1"},
            "projects/team/locations/europe-west1/pipelineJobs/moods-1",
        ),
    ],
)
def test_started_run_is_watched_to_its_end(monkeypatch, capsys, run, settings, asked):
    failures = [exceptions.ServiceUnavailable("overloaded")]
    service = Service(PipelineState.PIPELINE_STATE_FAILED, failures)
    assert watch(monkeypatch, service, run, **settings) == 1
    assert service.asked[0] == asked
    assert "The container ingest ended with 3." in capsys.readouterr().err


def test_unknown_run_and_missing_settings_are_one_sentence(monkeypatch):
    service = Service(PipelineState.PIPELINE_STATE_FAILED, [exceptions.NotFound("none")])
    with pytest.raises(UsageError, match=f"Vertex AI has no run {RUN}"):
        watch(monkeypatch, service, RUN)
    with pytest.raises(UsageError, match="VERTEX_PROJECT is required\n  VERTEX_LOCATION"):
        watch(monkeypatch, service, "moods-1")


def test_location_without_vertex_ai_is_one_sentence():
    with pytest.raises(UsageError, match="mars-north1 is no location of Vertex AI"):
        vertex.check_location("mars-north1")
