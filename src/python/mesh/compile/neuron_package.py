"""Which of the AWS Neuron packages is installed."""

import importlib
import importlib.metadata
from typing import Any

from mesh.core.errors import MeshError

NEURON_PACKAGES = ("torch_neuronx", "torch_neuron")
"""For Inferentia 2 and Trainium, and for Inferentia 1."""


def import_neuron(names: tuple[str, ...] = NEURON_PACKAGES) -> tuple[str, Any]:
    """Import the first of the packages that is there.

    Returns:
        its name, and the module that has `trace`.

    Raises:
        MeshError: there is none, or only the empty `torch-neuron` of PyPI.
    """
    for name in names:
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise MeshError(
                    f"The package {name} can't be imported: {error.name} is not installed."
                ) from error
            continue
        # torch_neuron adds itself to torch as torch.neuron.
        for module in (package, getattr(importlib.import_module("torch"), "neuron", None)):
            if callable(getattr(module, "trace", None)):
                return name, module
        raise MeshError(_placeholder(name))
    if "torch_neuron" in names and _version("torch-neuron") is not None:
        raise MeshError(_placeholder("torch_neuron"))
    raise MeshError(
        f"The backend 'neuron' needs {' or '.join(names)}, which is not installed; install it from the AWS Neuron "
        "package index, or choose another backend."
    )


def _placeholder(name: str) -> str:
    distribution = name.replace("_", "-")
    return (
        f"The installed {distribution} {_version(distribution)} can't trace: it is PyPI's placeholder, not the AWS Neuron "
        "SDK; install the real one from the AWS Neuron package index, or choose another backend."
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
