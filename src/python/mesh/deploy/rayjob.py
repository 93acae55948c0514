"""A backfill on Kubernetes, as a RayJob of KubeRay: it makes a Ray cluster for one job.

https://ray-project.github.io/kuberay/reference/api/
"""

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mesh
from mesh.backfill.settings import BackfillSettings
from mesh.core.environment import IMAGE_VARIABLE, code_revision
from mesh.core.errors import MeshError, UsageError
from mesh.core.files import write_text_atomic
from mesh.core.names import written_for_kubernetes
from mesh.core.project import source_root
from mesh.core.settings import load_settings
from mesh.core.steps import BACKFILL
from mesh.core.urls import mask_url
from mesh.deploy.pod import MODELS, SECURITY, TEMPORARY, bringing, models_size
from mesh.deploy.release import Release
from mesh.deploy.yaml_text import to_yaml

_HEADER = "# Written by `mesh backfill --emit`: `kubectl create -f` starts it.\n"

_COMPONENT = BACKFILL.partition(":")[0]
_HERE_ONLY = ("--model-directory", "--ray")
"""Flags that a RayJob can't have."""
_LOCK = "3rdparty/python/serving.lock"
_KEPT_SECONDS = 3600
"""How long a finished job can be looked at."""
_RETRIES = 3
"""How often a failed job is started again, on a new cluster; it goes on where it ended."""
_IDLE_SECONDS = 60
"""After which a pod without work is removed."""
_HEAD = {"cpu": "1", "memory": "4Gi"}
"""Of the pod that divides the work and computes nothing."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The pods that compute.

    Args:
        least: pods that are there from the start.
        most: pods that the autoscaler may make.
        cpus: cores of each, with a model on each core.
        memory: of each, in Kubernetes' units.
        gpus: of each.
        service_account: in the cluster; it may give access to buckets.
        secrets: names of secrets in the cluster, whose keys become variables.
        grace_seconds: for shards in flight when a pod is asked to end.
    """

    least: int = 1
    most: int = 10
    cpus: int = 4
    memory: str = "8Gi"
    gpus: int = 0
    service_account: str = ""
    secrets: Sequence[str] = ()
    grace_seconds: int = 300


def write_ray_job(path: Path, release: Release, cluster: Cluster, flags: Sequence[str]) -> None:
    """Write the RayJob that runs a backfill with flags, complete or not at all.

    Raises:
        UsageError: the flags are wrong, name what only this machine has, or hold a secret.
        MeshError: the file can't be written.
    """
    _check(flags)
    write_text_atomic(path, _HEADER + to_yaml(ray_job(release, cluster, flags)))


def _check(flags: Sequence[str]) -> None:
    for flag in flags:
        if (name := flag.partition("=")[0]) in _HERE_ONLY:
            raise UsageError(f"A RayJob brings the model and makes the cluster: leave {name} out.")
    prefix = str(BackfillSettings.model_config["env_prefix"])
    for name in os.environ:
        if name.startswith(prefix):
            raise UsageError(f"{name} is set here, where no pod sees it: give the flag instead.")
    settings: BackfillSettings
    (settings,) = load_settings([BackfillSettings], flags=flags, program="mesh backfill")
    for url in (*settings.input, settings.output):
        if mask_url(url) != url:
            raise UsageError(
                f"{mask_url(url)} holds a password or a query, which would be readable in the "
                "RayJob: let --secret name a secret of the cluster."
            )
        if "://" not in url or url.startswith("file:"):
            raise UsageError(f"{url} is on this machine, where no pod sees it: give a URL.")


def ray_job(release: Release, cluster: Cluster, flags: Sequence[str]) -> dict[str, Any]:
    """The RayJob that runs a backfill with flags.

    Raises:
        MeshError: the lock with Ray's version can't be read.
    """
    labels = {
        "app.kubernetes.io/name": release.project.name,
        "app.kubernetes.io/component": _COMPONENT,
        "app.kubernetes.io/part-of": "mesh",
    }
    version = {"org.mesh/version": release.version.reference} if release.version else {}
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayJob",
        "metadata": {
            "name": release.name,
            "labels": labels,
            "annotations": {"org.mesh/code-revision": code_revision(), **version},
        },
        "spec": {
            "entrypoint": _entrypoint(release, flags),
            "submissionMode": "K8sJobMode",
            "backoffLimit": _RETRIES,
            "shutdownAfterJobFinishes": True,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "rayClusterSpec": _ray_cluster(release, cluster),
        },
    }


def _entrypoint(release: Release, flags: Sequence[str]) -> str:
    """The command of the job: a shell reads it, after Kubernetes."""
    words = ["python", "-m", "mesh.core.start", f"{release.project.package}.{_COMPONENT}"]
    return written_for_kubernetes(shlex.join([*words, _COMPONENT, *flags, "--ray=auto"]))


def _ray_cluster(release: Release, cluster: Cluster) -> dict[str, Any]:
    gpus = {"nvidia.com/gpu": f"{cluster.gpus}"} if cluster.gpus else {}
    computing = {"cpu": f"{cluster.cpus}", "memory": cluster.memory, **gpus}
    return {
        "rayVersion": ray_version(),
        # Whoever reaches a port of Ray can run code; with this, only with the cluster's token.
        "authOptions": {"mode": "token"},
        "enableInTreeAutoscaling": True,
        "autoscalerOptions": {
            "version": "v2",
            "idleTimeoutSeconds": _IDLE_SECONDS,
            "securityContext": SECURITY,
            "volumeMounts": [TEMPORARY],
        },
        "headGroupSpec": {
            # It computes no shards, and sends the model to the pods that do.
            "rayStartParams": {"num-cpus": "0"},
            "template": {"spec": _with_model(release, _pod(release, cluster, "ray-head", _HEAD))},
        },
        "workerGroupSpecs": [
            {
                "groupName": "workers",
                "replicas": cluster.least,
                "minReplicas": cluster.least,
                "maxReplicas": cluster.most,
                "rayStartParams": {},
                "template": {"spec": _pod(release, cluster, "ray-worker", computing)},
            }
        ],
    }


def _pod(
    release: Release, cluster: Cluster, name: str, resources: Mapping[str, str]
) -> dict[str, Any]:
    container: dict[str, Any] = {
        "name": name,
        "image": release.image(_COMPONENT),
        "env": [{"name": key, "value": value} for key, value in _variables(release).items()],
        # Ray divides what it is told by the limits.
        "resources": {"requests": dict(resources), "limits": dict(resources)},
        "securityContext": SECURITY,
        "volumeMounts": [TEMPORARY],
    }
    if cluster.secrets:
        container["envFrom"] = [{"secretRef": {"name": secret}} for secret in cluster.secrets]
    pod: dict[str, Any] = {
        "enableServiceLinks": False,
        # The autoscaler replaces pods.
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": cluster.grace_seconds,
        "containers": [container],
        # Ray spills and logs there.
        "volumes": [{"name": TEMPORARY["name"], "emptyDir": {}}],
    }
    if cluster.service_account:
        pod["serviceAccountName"] = cluster.service_account
    return pod


def _with_model(release: Release, pod: dict[str, Any]) -> dict[str, Any]:
    """The pod with the model in its folder, if there is one."""
    if release.brings_model:
        mount = {"name": "models", "mountPath": MODELS, "readOnly": True}
        pod["containers"][0]["volumeMounts"].append(mount)
        pod["initContainers"] = [bringing(release)]
        pod["volumes"].append({"name": "models", "emptyDir": {"sizeLimit": models_size(release)}})
    return pod


def _variables(release: Release) -> dict[str, str]:
    return {
        "MESH_ENV_FILE": "config/prod.env",
        "MESH_LOG_FORMAT": "json",
        # Whatever folder Ray starts the job in.
        "MESH_WORKSPACE": str(Path(MODELS).parent),
        IMAGE_VARIABLE: release.image(_COMPONENT),
        # Ray's own processes don't import the package that sets them.
        **{name: value for name, value in mesh.SILENT.items() if name.startswith("RAY_")},
    }


def ray_version() -> str:
    """The version of Ray in the images.

    Raises:
        MeshError: the lock has none.
    """
    path = source_root().parents[1] / _LOCK
    try:
        lock = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MeshError(
            f"{path}, which has Ray's version, can't be read: {error.strerror}."
        ) from error
    found = re.search(r"^ray(?:\[[^\]]*\])?==([0-9.]+)", lock, re.MULTILINE)
    if not found:
        raise MeshError(f"{path} has no line ray==...; run build-support/lock.")
    return found[1]
