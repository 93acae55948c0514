"""Runs pipeline.yaml on a Kubeflow server."""

import warnings
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3.exceptions
from rich.console import Console

from mesh.core.errors import MeshError, UsageError
from pipelines.following import RunState, follow
from pipelines.plan import Plan
from pipelines.settings import KubeflowSettings

_ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")


def read_token(settings: KubeflowSettings) -> str | None:
    """The token for the server, if a token file is set.

    Raises:
        UsageError: the file can't be read.
    """
    if settings.token_file is None:
        return None
    try:
        return settings.token_file.read_text().strip()
    except OSError as error:
        raise UsageError(
            f"KUBEFLOW_TOKEN_FILE={settings.token_file} can't be read: {error.strerror}."
        ) from error


def run_on_kubeflow(
    plan: Plan, specification: Path, settings: KubeflowSettings, token: str | None
) -> int:
    """Submit the pipeline and show it until it ends; return its exit code.

    Raises:
        MeshError: the server refused it or can't be reached.
    """
    console = Console(stderr=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "This client only works with", FutureWarning)
            client = kfp.Client(
                host=settings.endpoint, namespace=settings.namespace, existing_token=token
            )
        run = client.create_run_from_pipeline_package(
            str(specification),
            run_name=plan.name,
            experiment_name=settings.experiment,
            namespace=settings.namespace,
            enable_caching=plan.caching,
            service_account=settings.service_account,
        )
        console.print(f"{plan.name} is the run {run.run_id}", highlight=False)
        return follow(plan.name, lambda: _state(client.get_run(run.run_id)), console)
    except kfp_server_api.ApiException as error:
        raise MeshError(
            f"{settings.endpoint} can't run {plan.name}: HTTP {error.status} {error.reason}."
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise MeshError(f"{settings.endpoint} can't be reached: {error}.") from error


def _state(run: Any) -> RunState:
    tasks = (run.run_details.task_details if run.run_details else None) or []
    return RunState(
        state=run.state or "PENDING",
        steps={
            task.display_name: task.state for task in tasks if task.state and task.parent_task_id
        },
        done=run.state in _ENDED,
        succeeded=run.state == "SUCCEEDED",
        problem=run.error.message if run.error else "",
    )
