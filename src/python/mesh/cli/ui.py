"""`mesh ui`: MLflow's web pages on the registry."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from mesh.core.digest import sha256_file
from mesh.core.env_files import find_env_file
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory
from mesh.core.settings import load_settings
from mesh.core.urls import mask_url
from mesh.registry.factory import open_runs
from mesh.registry.serve import OFF
from mesh.registry.settings import RegistrySettings

_PACKAGES = Path(__file__).with_name("ui.txt")
_SERVERS = ("http://", "https://")
_PORT = 5001


@click.command("ui")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=_PORT, show_default=True, help="Port."
)
def command(host: str, port: int) -> None:
    console = Console(stderr=True)
    settings: RegistrySettings
    (settings,) = load_settings([RegistrySettings], env_file=find_env_file(Path()))
    if settings.uri.startswith(_SERVERS):
        raise MeshError(
            f"{mask_url(settings.uri)} is a server, whose machine can show its pages: run "
            "`mesh ui` there, with its database as MESH_REGISTRY_URI."
        )
    # It makes a missing database, and refuses what isn't one.
    open_runs(settings)
    pages = install_pages(console)
    console.print(f"the registry is at http://{host}:{port} (Ctrl-C ends this)")
    environment = {
        **os.environ,
        **OFF,
        "PYTHONPATH": os.pathsep.join([str(pages), *(path for path in sys.path if path)]),
        # Flags can be read by everyone on the machine.
        "MLFLOW_BACKEND_STORE_URI": settings.uri,
        "MLFLOW_ARTIFACTS_DESTINATION": settings.storage,
    }
    options = [f"--host={host}", f"--port={port}", "--workers=1"]
    arguments = [sys.executable, "-m", "mlflow", "server", *options]
    os.execve(sys.executable, arguments, environment)  # noqa: S606


def install_pages(console: Console) -> Path:
    """The folder of the packages that only the pages need; they are installed on first use.

    Raises:
        MeshError: pip can't get them.
    """
    from platformdirs import user_cache_path

    folder = user_cache_path("mesh") / "ui" / sha256_file(_PACKAGES)[:16]
    if folder.is_dir():
        return folder
    console.print(f"installing MLflow's pages into {folder}, once: 13 MB, 60 MB unpacked")
    with atomic_directory(folder, replace=True) as partial, tempfile.TemporaryDirectory() as venv:
        # Programs have no pip of their own.
        _run([sys.executable, "-m", "venv", venv], "make an environment for pip")
        pip = [str(Path(venv) / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
        install = ["install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        where = ["--target", str(partial), "--requirement", str(_PACKAGES)]
        _run([*pip, *install, *where], "install MLflow's pages")
    return folder


def _run(arguments: list[str], what: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    result = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        said = (result.stderr or result.stdout).strip().splitlines()
        reason = next(
            (line for line in reversed(said) if "ERROR" in line), said[-1] if said else ""
        )
        raise MeshError(
            f"The command to {what} failed: {reason.removeprefix('ERROR: ').rstrip('.')}."
        )
