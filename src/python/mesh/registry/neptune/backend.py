"""Opening the registry on a Neptune server that a team runs itself."""

import atexit
import logging
import os
import re
import shutil
import tempfile
import warnings

from mesh.core.errors import UsageError
from mesh.core.urls import mask_url
from mesh.registry.base import ModelRegistry
from mesh.registry.settings import RegistrySettings

_URI = re.compile(r"neptune://(?P<workspace>[^/,]+)/(?P<projects>[^/,]+(,[^/,]+)*)")
_DEFAULTS = {
    # With Neptune's own values it takes many minutes to find that a server can't be reached.
    "NEPTUNE_RETRIES_TIMEOUT": "20",
    "NEPTUNE_REQUEST_TIMEOUT": "60",
    "NEPTUNE_SYNC_AFTER_STOP_TIMEOUT": "20",
}


def open_backend(settings: RegistrySettings) -> ModelRegistry:
    """Open the registry of the projects that the settings name.

    Raises:
        UsageError: the URI names no projects, there is no token, or the settings' place for files
            can't be used.
        MeshError: the server can't be reached.
        ModuleNotFoundError: Neptune is not installed.
    """
    match = _URI.fullmatch(settings.uri)
    if not match:
        raise UsageError(
            f"MESH_REGISTRY_URI={mask_url(settings.uri)!r} names no projects of Neptune: "
            "use neptune://WORKSPACE/PROJECT, or several projects separated by commas."
        )
    token = settings.token.get_secret_value() or os.environ.get("NEPTUNE_API_TOKEN", "")
    if not token:
        raise UsageError("MESH_REGISTRY_TOKEN (or NEPTUNE_API_TOKEN) is required for Neptune.")
    for variable, value in _DEFAULTS.items():
        os.environ.setdefault(variable, value)
    if "NEPTUNE_DATA_DIRECTORY" not in os.environ:
        # Otherwise it keeps unsent data in the working directory.
        folder = os.environ["NEPTUNE_DATA_DIRECTORY"] = tempfile.mkdtemp(prefix="neptune-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    from mesh.registry.neptune.client import Client
    from mesh.registry.neptune.files import objects_root
    from mesh.registry.neptune.objects import Objects
    from mesh.registry.neptune.registry import NeptuneRegistry

    warnings.filterwarnings("ignore", "Neptune's model registry has been deprecated")
    # Importing it sets another level, at which it logs each of its calls.
    logging.getLogger("neptune").setLevel(logging.ERROR)
    projects = [f"{match['workspace']}/{name}" for name in match["projects"].split(",")]
    return NeptuneRegistry(Client(projects, token), settings, Objects(), objects_root(settings))


def upgrade_backend(settings: RegistrySettings, **_: bool) -> str:
    """Refuse: Neptune's server keeps its own format, and changes it itself.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"The registry {settings.uri} needs no upgrade: Neptune's server has its own.")
