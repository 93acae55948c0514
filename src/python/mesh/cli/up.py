"""`mesh up`: from nothing to a served model."""

import json
import os
import shlex
import ssl
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx
from rich.console import Console

from mesh.cli.predict import create_model
from mesh.cli.steps import SERVE, run_steps, select_steps
from mesh.core.devices import AUTO, CPU
from mesh.core.errors import MeshError, UsageError
from mesh.core.process import exit_code_of
from mesh.core.project import Project
from mesh.core.steps import find_program
from mesh.serve.addresses import create_listener, own_url, with_port
from mesh.serve.documents import EXAMPLE_TEXT
from mesh.serve.settings import ServeSettings

COMPILING = ("compile:trace", "serve:download")
"""The steps that compile networks; a project that has the first doesn't compile in the second."""
POLL_SECONDS = 0.05


def up(
    project: Project, *, host: str | None, port: int | None, force: bool, console: Console
) -> int:
    """Run the missing steps, start the server, show a real response, and wait for its end.

    Args:
        host: None for the server's own setting.
        port: None for the server's own setting.

    Returns:
        The server's exit code.

    Raises:
        MeshError: settings of the server are wrong, the port is taken, the device isn't here, a
            step failed, or the server ended before it was ready.
    """
    settings: ServeSettings
    settings, *_ = find_program(project, SERVE).load_settings()
    host = settings.host if host is None else host
    port = settings.port if port is None else port
    if port == 0:
        raise UsageError("`mesh up` needs the server's port; set SERVE_PORT or --port.")
    require_servers_device(project, settings.device)
    require_free_port(host, port)
    run_steps(project, select_steps(project, None, None), force=force, console=console)
    server = start_server(project, host, port)
    url = own_url(host, port, tls=settings.tls_cert_file is not None)
    try:
        with _client(url, settings.tls_cert_file) as client:
            wait_until_ready(server, client)
            show_example(project, client, console, asks_callers=settings.asks_callers)
        return exit_code_of(server.wait())
    except KeyboardInterrupt:
        # Ctrl-C or SIGTERM: the server responds to the requests that it has accepted.
        server.terminate()
        return exit_code_of(server.wait())
    finally:
        if server.poll() is None:
            server.kill()
            server.wait()


def _client(url: str, certificate: Path | None) -> httpx.Client:
    """A client of the server, which it knows by its own certificate, whatever name that has."""
    verify: ssl.SSLContext | bool = True
    if certificate is not None:
        verify = ssl.create_default_context(cafile=certificate)
        verify.check_hostname = False
        verify.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return httpx.Client(base_url=url, trust_env=False, timeout=60, verify=verify)


def require_free_port(host: str, port: int) -> None:
    """Fail early if the server can't listen.

    Raises:
        MeshError: another process listens on the port, or the address isn't this machine's.
    """
    try:
        create_listener(host, port).close()
    except OSError as error:
        raise MeshError(
            f"The server can't listen on {with_port(host, port)} ({error.strerror}); choose another with "
            "--host and --port."
        ) from error


def require_servers_device(project: Project, device: str) -> None:
    """Fail early if the server can't run the network that the steps make.

    Raises:
        MeshError: the device isn't here.
    """
    compiling = next((step for step in COMPILING if step in project.steps), None)
    if device in (AUTO, CPU) or compiling is None:
        return
    from mesh.compile.artifact import require_device

    settings, *_ = find_program(project, compiling).load_settings()
    require_device(settings.backend, device, f"SERVE_DEVICE={device}")


def start_server(project: Project, host: str, port: int) -> subprocess.Popen[bytes]:
    """Start the project's server as a separate process with this interpreter."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command: Sequence[str] = [
        sys.executable,
        "-m",
        "mesh.core.start",
        f"{project.package}.serve",
        "serve",
        "--host",
        host,
        "--port",
        str(port),
    ]
    return subprocess.Popen(command, env=environment)


def wait_until_ready(server: subprocess.Popen[bytes], client: httpx.Client) -> None:
    """Poll readiness until the server is ready.

    Raises:
        MeshError: the server ended before.
    """
    while server.poll() is None:
        try:
            if client.get("/v1/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_SECONDS)
    raise MeshError(
        f"The server ended with exit code {server.returncode} before it was ready; its message is "
        "above."
    )


def show_example(
    project: Project, client: httpx.Client, console: Console, *, asks_callers: bool = False
) -> None:
    """Print an example request and the server's response.

    Args:
        asks_callers: whether the server responds only to those who have a key, token or
            certificate, which this command has not.

    Raises:
        MeshError: the request failed.
    """
    example = create_model(project, load=False).example_request(EXAMPLE_TEXT)
    request = example.model_dump(mode="json", exclude_unset=True)
    url = str(client.base_url).rstrip("/")
    predict = f"{url}/v1/model/{project.name}/predict"
    key = "-H 'authorization: Bearer KEY' " if asks_callers else ""
    shown = "with the key of a caller, or a certificate."
    if not asks_callers:
        try:
            response = client.post(predict, json=request)
        except httpx.HTTPError as error:
            raise MeshError(f"The example request failed: {error}.") from error
        shown = response.text
        if not response.is_success:
            raise MeshError(
                f"The example request failed with status {response.status_code}: {shown[:1000]}"
            )
    body = shlex.quote(json.dumps(request, ensure_ascii=False))
    console.print(
        f"\n[bold green]{project.name} is served[/bold green] at {url} (interactive docs: "
        f"{url}/docs). Try:\n"
    )
    for text in (
        f"curl -s {predict} {key}-H 'content-type: application/json' -d {body}\n",
        f"{shown}\n",
    ):
        console.print(text, soft_wrap=True, highlight=False, markup=False)
    console.print("Ctrl-C stops the server.")
