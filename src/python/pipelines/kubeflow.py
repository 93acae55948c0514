"""Runs pipeline.yaml on a Kubeflow server."""

import warnings
from pathlib import Path
from typing import Any

import kfp
import kfp_server_api
import urllib3.exceptions
from kfp.client.token_credentials_base import TokenCredentialsBase
from rich.console import Console

from mesh.core.errors import MeshError, UsageError
from pipelines.following import PollError, RunState, follow, say, watch_command
from pipelines.plan import Plan
from pipelines.settings import KubeflowSettings

_ENDED = ("SUCCEEDED", "FAILED", "SKIPPED", "CANCELED")
_POLL_TIMEOUT_SECONDS = 30
# 0: no answer, such as after a failed TLS handshake. 401: the token is being rotated.
_PASSING = (0, 401, 408, 429)


def read_token(settings: KubeflowSettings) -> str | None:
    """The token for the server, if a token file is set.

    Raises:
        UsageError: the file can't be read, or holds something else.
    """
    if settings.token_file is None:
        return None
    try:
        token = settings.token_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(
            f"KUBEFLOW_TOKEN_FILE={settings.token_file} can't be read: {error.strerror}."
        ) from error
    except UnicodeDecodeError:
        token = ""
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise UsageError(f"KUBEFLOW_TOKEN_FILE={settings.token_file} holds no token.")
    return token


def run_on_kubeflow(
    plan: Plan, specification: Path, settings: KubeflowSettings, token: str | None
) -> int:
    """Submit the pipeline and show it until it ends; return its exit code.

    Raises:
        MeshError: the server refused it or can't be reached.
        WatchingError: the pipeline runs, but its state can't be read.
    """
    console = Console(stderr=True)
    client = _connect(settings, token)
    try:
        run = client.create_run_from_pipeline_package(
            str(specification),
            run_name=plan.name,
            experiment_name=settings.experiment,
            namespace=settings.namespace,
            enable_caching=plan.caching,
            service_account=settings.service_account,
        )
    except kfp_server_api.ApiException as error:
        raise MeshError(
            f"{settings.endpoint} can't run {plan.name}: HTTP {error.status} {error.reason}."
        ) from error
    except urllib3.exceptions.HTTPError as error:
        raise MeshError(f"{settings.endpoint} can't be reached: {error}.") from error
    except ValueError as error:
        raise MeshError(f"{settings.endpoint} can't run {plan.name}: {error}.") from error
    if not run.run_id:
        raise MeshError(
            f"{settings.endpoint} can't run {plan.name}: its answer isn't Kubeflow's, so check "
            "KUBEFLOW_ENDPOINT and the token."
        )
    say(console, f"{plan.name} is the run {run.run_id}")
    return _follow(plan.name, client, run.run_id, settings, console)


def watch_on_kubeflow(run: str, settings: KubeflowSettings, token: str | None) -> int:
    """Show a run until it ends; return its exit code.

    Raises:
        UsageError: there is no such run.
        WatchingError: the state of the run can't be read.
    """
    return _follow(run, _connect(settings, token), run, settings, Console(stderr=True))


class _Client(kfp.Client):  # type: ignore[misc]
    """Kubeflow's client, which takes the namespace from the settings alone.

    To find another one, the original asks the server, and writes a traceback for each failure.
    """

    def get_kfp_healthz(self, sleep_duration: int = 5) -> Any:  # noqa: ARG002
        return kfp_server_api.V2beta1GetHealthzResponse(multi_user=False)


class _Token(TokenCredentialsBase):  # type: ignore[misc]
    """Gives every request the token that the file has at that time, since tokens are rotated."""

    def __init__(self, settings: KubeflowSettings, token: str) -> None:
        self._settings = settings
        self._token = token

    def refresh_api_key_hook(self, config: Any) -> None:
        config.api_key["authorization"] = read_token(self._settings) or self._token


def _connect(settings: KubeflowSettings, token: str | None) -> _Client:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This client only works with", FutureWarning)
        return _Client(
            host=settings.endpoint,
            namespace=settings.namespace,
            credentials=_Token(settings, token) if token else None,
        )


def _follow(
    name: str, client: _Client, run: str, settings: KubeflowSettings, console: Console
) -> int:
    command = watch_command(
        "kubeflow",
        run,
        {"KUBEFLOW_ENDPOINT": settings.endpoint, "KUBEFLOW_TOKEN_FILE": settings.token_file},
    )
    return follow(name, lambda: _poll(client, run, settings), console, command)


def _poll(client: _Client, run: str, settings: KubeflowSettings) -> RunState:
    try:
        found = client.runs.run_service_get_run(run_id=run, _request_timeout=_POLL_TIMEOUT_SECONDS)
    except kfp_server_api.ApiException as error:
        if error.status == 404:
            raise UsageError(f"{settings.endpoint} has no run {run}.") from error
        passing = error.status in _PASSING or error.status >= 500
        raise PollError(f"HTTP {error.status} {error.reason}", lasting=not passing) from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise PollError(f"{settings.endpoint} can't be reached: {error}") from error
    except UsageError as error:
        raise PollError(error) from error
    if found.run_id != run:
        raise PollError(f"{settings.endpoint} answers something else")
    return _state(found)


def _state(run: Any) -> RunState:
    tasks = (run.run_details.task_details if run.run_details else None) or []
    return RunState(
        state=run.state or "PENDING",
        steps={
            task.display_name: task.state for task in tasks if task.state and task.parent_task_id
        },
        done=run.state in _ENDED,
        succeeded=run.state == "SUCCEEDED",
        problem=(run.error.message if run.error else "") or "",
    )
