"""The files of a deployment, and the folder that holds them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.core.errors import MeshError, UsageError
from mesh.core.files import atomic_directory, write_text_atomic
from mesh.deploy import base, overlays
from mesh.deploy.release import Release
from mesh.deploy.yaml_text import to_yaml

Contents = Mapping[str, base.Object]
"""The contents of a folder's files, by their names without the ending."""

HEADER = "# Written by `mesh deploy`, which replaces it: change it in an overlay of your own.\n"


def files_of(release: Release) -> Mapping[str, str]:
    """The text of each file, by its path."""
    return {
        f"{folder}/{name}.yaml": HEADER + to_yaml(content)
        for folder, contents in (("base", _base(release)), *_overlays(release).items())
        for name, content in contents.items()
    }


def _base(release: Release) -> Contents:
    objects = {
        "deployment": base.deployment(release),
        "service": base.service(release),
        "autoscaler": base.autoscaler(release),
        "disruption-budget": base.disruption_budget(release),
        "network-policy": base.network_policy(release),
        "service-monitor": base.service_monitor(release),
    }
    return {**objects, "kustomization": _kustomization([f"{name}.yaml" for name in objects])}


def _overlays(release: Release) -> Mapping[str, Contents]:
    """The contents of the overlays, by their folders."""
    on_base = ["../../base"]
    over_grpc = overlays.over_grpc(release)
    found: dict[str, Contents] = {
        "overlays/kserve": {
            "inference-service": overlays.inference_service(release),
            "kustomization": _kustomization(["inference-service.yaml"]),
        },
        "overlays/kserve-canary": {
            "canary": overlays.canary(release),
            "kustomization": _kustomization(["../kserve"], ["canary.yaml"]),
        },
        "overlays/keda": {
            "scaled-object": overlays.scaled_object(release),
            "no-autoscaler": overlays.no_autoscaler(release),
            "kustomization": _kustomization(
                [*on_base, "scaled-object.yaml"], ["no-autoscaler.yaml"]
            ),
        },
        "overlays/grpc": {
            **over_grpc,
            "kustomization": _kustomization(on_base, [f"{name}.yaml" for name in over_grpc]),
        },
        "overlays/nvidia-gpu": {
            "device": overlays.accelerated(release, resource="nvidia.com/gpu", variant="-cuda"),
            "kustomization": _kustomization(on_base, ["device.yaml"]),
        },
        "overlays/neuron": {
            "device": overlays.accelerated(
                release, resource="aws.amazon.com/neuron", variant="-neuron"
            ),
            "kustomization": _kustomization(on_base, ["device.yaml"]),
        },
    }
    if release.brings_model:
        found["overlays/model-from-claim"] = {
            "volume": overlays.from_claim(release),
            "kustomization": _kustomization(on_base, ["volume.yaml"]),
        }
    return found


def _kustomization(resources: Sequence[str], patches: Sequence[str] = ()) -> dict[str, Any]:
    found: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(resources),
    }
    if patches:
        found["patches"] = [{"path": path} for path in patches]
    return found


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files into a new folder, or replace one that an earlier call has written.

    Raises:
        UsageError: the folder holds something else.
        MeshError: it can't be written.
    """
    folder = folder.absolute()
    _require_own(folder)
    with atomic_directory(folder, replace=True) as partial:
        for path, text in files.items():
            write_text_atomic(partial / path, text)


def _require_own(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is not a folder; name another one.")
    try:
        foreign = next((path for path in folder.rglob("*") if not _is_own(path)), None)
    except OSError as error:
        raise MeshError(f"{folder} can't be read: {error.strerror}.") from error
    if foreign:
        raise UsageError(
            f"{folder} holds {foreign.relative_to(folder)}, which `mesh deploy` has not written; "
            "name another folder."
        )


def _is_own(path: Path) -> bool:
    if path.is_symlink():
        return False
    if path.is_dir():
        return True
    if path.suffix != ".yaml" or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(HEADER.encode())) == HEADER.encode()
