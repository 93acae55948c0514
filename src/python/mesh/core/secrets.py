"""Values of settings in Google Secret Manager, read with the service account of a container.

Pipelines on Vertex AI can't refer to secrets. So the pipeline holds names, and the entry point of
the containers fetches the values:
https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access.
"""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any

from mesh.core.errors import MeshError, UsageError

SECRETS_VARIABLE = "MESH_SECRETS"
"""JSON object: variable to `projects/<project>/secrets/<secret>/versions/<version>`."""

_MANAGER = "https://secretmanager.googleapis.com"
_METADATA = "http://metadata.google.internal"
_TOKEN = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
_SECONDS = 30


def managed_secrets(
    environment: Mapping[str, str], *, manager: str = _MANAGER, metadata: str = _METADATA
) -> dict[str, str]:
    """The values of the variables in `MESH_SECRETS`; variables that are set take precedence.

    Raises:
        UsageError: `MESH_SECRETS` is malformed.
        MeshError: a value can't be read.
    """
    references = _references(environment.get(SECRETS_VARIABLE) or "{}")
    wanted = {name: kept for name, kept in references.items() if not environment.get(name)}
    if not wanted:
        return {}
    response = _get(f"{metadata}{_TOKEN}", {"Metadata-Flavor": "Google"}, "The service account")
    headers = {"Authorization": f"Bearer {response['access_token']}"}
    return {
        name: _value(_get(f"{manager}/v1/{kept}:access", headers, f"{name} ({kept})"))
        for name, kept in wanted.items()
    }


def set_managed_secrets() -> None:
    """Set the variables that `MESH_SECRETS` names in this process."""
    os.environ.update(managed_secrets(os.environ))


def _references(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
        if all(isinstance(value, str) for value in found.values()):
            return dict(found)
    except (ValueError, AttributeError, RecursionError):
        pass
    raise UsageError(f"{SECRETS_VARIABLE} must be a JSON object of names of secrets.")


def _value(response: Mapping[str, Any]) -> str:
    return base64.b64decode(response["payload"]["data"]).decode()


def _get(url: str, headers: Mapping[str, str], what: str) -> dict[str, Any]:
    import urllib.error
    import urllib.request

    # One of two fixed hosts.
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310
            value: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        raise MeshError(
            f"{what} can't be read (HTTP {error.code}); give the step's service account access to it."
        ) from error
    except (OSError, ValueError) as error:
        raise MeshError(f"{what} can't be read: {error}.") from error
    return value
