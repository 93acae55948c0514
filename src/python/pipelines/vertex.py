"""Runs pipeline.yaml on Vertex AI."""

from pathlib import Path
from typing import Any

import google.api_core.exceptions
import google.auth
import google.auth.exceptions
from google.auth.credentials import Credentials
from google.cloud import aiplatform
from google.cloud.aiplatform_v1.types import PipelineState, PipelineTaskDetail
from rich.console import Console

from mesh.core.errors import MeshError, UsageError
from pipelines.following import RunState, follow
from pipelines.plan import Plan
from pipelines.settings import VertexSettings

_ENDED_WELL = PipelineState.PIPELINE_STATE_SUCCEEDED
_ENDED = (
    _ENDED_WELL,
    PipelineState.PIPELINE_STATE_FAILED,
    PipelineState.PIPELINE_STATE_CANCELLED,
    PipelineState.PIPELINE_STATE_PAUSED,
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
            labels={"mesh-project": plan.project, **settings.labels},
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
    """
    console = Console(stderr=True)
    job = make_job(plan, specification, settings, credentials)
    try:
        job.submit(service_account=settings.service_account)
        console.print(f"{plan.name} is {job.resource_name}", highlight=False)
        return follow(plan.name, lambda: _state(job), console)
    except (
        google.api_core.exceptions.GoogleAPIError,
        google.auth.exceptions.GoogleAuthError,
    ) as error:
        raise MeshError(f"Vertex AI can't run {plan.name}: {error}.") from error


def _state(job: aiplatform.PipelineJob) -> RunState:
    state = job.state
    # The first task is the pipeline itself.
    steps = {task.task_name: _task_state(task) for task in job.task_details if task.parent_task_id}
    error: Any = job.gca_resource.error
    return RunState(
        state=state.name.removeprefix("PIPELINE_STATE_"),
        steps=steps,
        done=state in _ENDED,
        succeeded=state == _ENDED_WELL,
        problem=error.message,
    )


def _task_state(task: PipelineTaskDetail) -> str:
    name = PipelineTaskDetail.State(task.state).name
    return f"{name}: {task.error.message}" if task.error.message else name
