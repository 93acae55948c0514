"""Runs pipeline.yaml on Vertex AI."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import google.api_core.exceptions
import google.auth
import google.auth.exceptions
import google.auth.transport.requests
from google.auth.credentials import Credentials
from google.cloud import aiplatform
from google.cloud.aiplatform import utils
from google.cloud.aiplatform_v1.types import PipelineState, PipelineTaskDetail
from rich.console import Console

from mesh.core.errors import MeshError, UsageError
from pipelines.following import PollError, RunState, follow, say, watch_command
from pipelines.plan import Plan
from pipelines.rules import PROJECT_LABEL
from pipelines.settings import VertexSettings, require

_ENDED_WELL = PipelineState.PIPELINE_STATE_SUCCEEDED
_ENDED = (
    _ENDED_WELL,
    PipelineState.PIPELINE_STATE_FAILED,
    PipelineState.PIPELINE_STATE_CANCELLED,
    PipelineState.PIPELINE_STATE_PAUSED,
)
_PASSING = (
    google.api_core.exceptions.RetryError,
    google.api_core.exceptions.ServerError,
    google.api_core.exceptions.TooManyRequests,
    google.api_core.exceptions.Unauthorized,
    google.api_core.exceptions.Aborted,
    google.api_core.exceptions.Cancelled,
)
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def find_credentials() -> Credentials:
    """The caller's own credentials for Google Cloud.

    Raises:
        UsageError: there are none.
    """
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except google.auth.exceptions.DefaultCredentialsError as error:
        raise UsageError(
            "No credentials for Google Cloud were found; run `gcloud auth application-default "
            "login`."
        ) from error
    return credentials


def check_location(location: str) -> None:
    """Make sure that Vertex AI is there.

    Raises:
        UsageError: it isn't.
    """
    try:
        utils.validate_region(location)
    except ValueError as error:
        raise UsageError(
            f"{location} is no location of Vertex AI; take a region such as us-central1."
        ) from error


def make_job(
    plan: Plan, specification: Path, settings: VertexSettings, credentials: Credentials
) -> aiplatform.PipelineJob:
    """The job to submit.

    Raises:
        UsageError: Vertex AI doesn't allow a label or name.
    """
    try:
        return aiplatform.PipelineJob(
            display_name=plan.name,
            template_path=str(specification),
            pipeline_root=settings.pipeline_root,
            enable_caching=plan.caching,
            labels={PROJECT_LABEL: plan.project, **settings.labels},
            project=settings.project,
            location=settings.location,
            credentials=credentials,
            # Steps run one after another, so a failed step ends the pipeline.
            failure_policy="fast",
        )
    except ValueError as error:
        raise UsageError(f"Vertex AI does not take this job: {error}.") from error


def run_on_vertex(
    plan: Plan, specification: Path, settings: VertexSettings, credentials: Credentials
) -> int:
    """Submit the pipeline and show it until it ends; return its exit code.

    Raises:
        MeshError: Vertex AI refused it or can't be reached.
        WatchingError: the pipeline runs, but its state can't be read.
    """
    console = Console(stderr=True)
    job = make_job(plan, specification, settings, credentials)
    try:
        job.submit(service_account=settings.service_account)
    except (
        google.api_core.exceptions.GoogleAPIError,
        google.auth.exceptions.GoogleAuthError,
    ) as error:
        raise MeshError(f"Vertex AI can't run {plan.name}: {error}.") from error
    say(console, f"{plan.name} is {job.resource_name}")
    return _follow(plan.name, job.resource_name, lambda: job, credentials, console)


def watch_on_vertex(run: str, settings: VertexSettings, credentials: Credentials) -> int:
    """Show a run until it ends; return its exit code.

    Args:
        run: its whole name, or the last part of it for a run of the settings' project and location.

    Raises:
        UsageError: there is no such run, or a setting is missing.
        WatchingError: the state of the run can't be read.
    """
    name = _full_name(run, settings)
    _, project, _, location, *_ = name.split("/")
    check_location(location)

    # A failed call isn't kept.
    @functools.cache
    def find_job() -> aiplatform.PipelineJob:
        return aiplatform.PipelineJob.get(
            name, project=project, location=location, credentials=credentials
        )

    return _follow(run, name, find_job, credentials, Console(stderr=True))


def _full_name(run: str, settings: VertexSettings) -> str:
    if "/" in run:
        return run
    require(settings, "project", "location")
    return f"projects/{settings.project}/locations/{settings.location}/pipelineJobs/{run}"


def _follow(
    name: str,
    run: str,
    find_job: Callable[[], aiplatform.PipelineJob],
    credentials: Credentials,
    console: Console,
) -> int:
    command = watch_command("vertex", run, {})
    return follow(name, lambda: _poll(run, find_job, credentials), console, command)


def _poll(
    run: str, find_job: Callable[[], aiplatform.PipelineJob], credentials: Credentials
) -> RunState:
    try:
        return _state(find_job())
    except google.api_core.exceptions.NotFound as error:
        raise UsageError(f"Vertex AI has no run {run}.") from error
    except google.api_core.exceptions.GoogleAPIError as error:
        if isinstance(error, google.api_core.exceptions.Unauthorized):
            _refresh(credentials)
        passing = isinstance(error, _PASSING) or getattr(error, "code", None) == 408
        raise PollError(error, lasting=not passing) from error
    except (google.auth.exceptions.GoogleAuthError, OSError) as error:
        raise PollError(error) from error


def _refresh(credentials: Credentials) -> None:
    try:
        credentials.refresh(google.auth.transport.requests.Request())
    except google.auth.exceptions.GoogleAuthError as error:
        raise PollError(f"the credentials can't be renewed: {error}") from error


def _state(job: aiplatform.PipelineJob) -> RunState:
    state = job.state
    # What the server answered, from one request.
    found: Any = job.gca_resource
    # The first task is the pipeline itself.
    steps = {
        task.task_name: _task_state(task)
        for task in found.job_detail.task_details
        if task.parent_task_id
    }
    return RunState(
        state=state.name.removeprefix("PIPELINE_STATE_"),
        steps=steps,
        done=state in _ENDED,
        succeeded=state == _ENDED_WELL,
        problem=found.error.message,
    )


def _task_state(task: PipelineTaskDetail) -> str:
    name = PipelineTaskDetail.State(task.state).name
    return f"{name}: {task.error.message}" if task.error.message else name
