"""The pod of a server: the same containers under every kind of controller."""

from typing import Any

from mesh.deploy.release import DOWNLOAD, Release
from mesh.deploy.resources import THREADS
from mesh.serve.settings import ServeSettings

PORT = 8000
"""Of every server's image."""

USER = 10001
"""Of every image."""

DRAIN_DELAY_SECONDS = 5
"""How long a server still accepts connections after its end is announced: proxies need a moment."""

DRAIN_SECONDS: float = ServeSettings.model_fields["drain_seconds"].default

GRACE_SECONDS = round(DRAIN_DELAY_SECONDS + DRAIN_SECONDS + 10)

MODELS = "/workspace/models"
REGISTRY_SECRET = "mesh-registry"  # noqa: S105 - a name
"""The secret with the registry's settings and credentials, for the container that brings a model."""

_MIB = 2**20

SECURITY = {
    "runAsNonRoot": True,
    "runAsUser": USER,
    "runAsGroup": USER,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""Of every container: the images need no more."""

TEMPORARY: dict[str, Any] = {"name": "tmp", "mountPath": "/tmp"}  # noqa: S108 - in containers
"""The mount of the one folder that is written to beside the volumes."""

_FETCHING = {
    "requests": {"cpu": "100m", "memory": "512Mi"},
    "limits": {"cpu": "2", "memory": "2Gi"},
}
"""Of the container that brings a model: enough to compile an encoder, too."""


def probe(path: str, period: int, failures: int) -> dict[str, Any]:
    """A probe of the server by HTTP."""
    return {
        "httpGet": {"path": path, "port": PORT},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def server(release: Release, *, name: str, port_name: str) -> dict[str, Any]:
    """The container of the server.

    It has five minutes to load its model. It is started again when its event loop is stuck, and gets
    no requests while it isn't ready.
    """
    mounts = [TEMPORARY]
    if release.brings_model:
        mounts.append({"name": "models", "mountPath": MODELS, "readOnly": True})
    return {
        "name": name,
        "image": release.image("serve"),
        "args": ["serve"],
        "env": _variables(release),
        "ports": [{"name": port_name, "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": probe("/v1/ready", 2, 150),
        "livenessProbe": probe("/v1/live", 10, 3),
        "readinessProbe": probe("/v1/ready", 5, 3),
        "resources": release.resources.manifest,
        "securityContext": SECURITY,
        "volumeMounts": mounts,
    }


def _variables(release: Release) -> list[dict[str, Any]]:
    settings = {
        "MESH_ENV_FILE": "config/prod.env",
        "SERVE_THREADS": f"{THREADS}",
        "SERVE_DRAIN_DELAY_SECONDS": f"{DRAIN_DELAY_SECONDS}",
        "SERVE_DRAIN_SECONDS": f"{DRAIN_SECONDS:g}",
    }
    if release.version:
        settings["SERVE_MODEL_DIRECTORY"] = f"{MODELS}/{release.version.reference}"
    variables: list[dict[str, Any]] = [
        {"name": name, "value": value} for name, value in settings.items()
    ]
    if release.traces:
        variables += release.traces.variables(f"{release.name}-serve")
    return variables


def pod(release: Release, *, name: str = "server", port_name: str = "http") -> dict[str, Any]:
    """The specification of the pod, as far as every controller takes it.

    Args:
        name: of the server's container.
        port_name: of its port.
    """
    found: dict[str, Any] = {
        "enableServiceLinks": False,
        "automountServiceAccountToken": False,
        "containers": [server(release, name=name, port_name=port_name)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}}],
    }
    if release.brings_model:
        found["initContainers"] = [bringing(release)]
        size = {"sizeLimit": models_size(release)}
        found["volumes"].append({"name": "models", "emptyDir": size})
    return found


def bringing(release: Release) -> dict[str, Any]:
    """The container that brings the model, every file verified, before the server starts."""
    container: dict[str, Any] = {
        "name": "model",
        # An encoder is compiled here, from weights in that image.
        "image": release.image("load" if release.version else "compile"),
        "args": [DOWNLOAD],
        "env": [{"name": "MESH_LOG_FORMAT", "value": "json"}],
        "resources": _FETCHING,
        "securityContext": SECURITY,
        "volumeMounts": [
            TEMPORARY,
            {"name": "models", "mountPath": MODELS},
        ],
    }
    if release.version:
        container["args"] += ["--reference", release.version.reference]
        container["envFrom"] = [{"secretRef": {"name": REGISTRY_SECRET}}]
    return container


def models_size(release: Release) -> str:
    """Room for the model, and for a copy that is still being written."""
    if release.version is None:
        return "1Gi"
    steps = -(-2 * release.version.manifest.size // (64 * _MIB))
    return f"{64 * max(1, steps)}Mi"
