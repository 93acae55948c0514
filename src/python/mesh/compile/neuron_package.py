"""The installed AWS Neuron package."""

import importlib
import importlib.metadata
from types import ModuleType

from mesh.core.errors import MeshError

NEURON_PACKAGES = ("torch_neuronx", "torch_neuron")
"""For Inferentia 2 and Trainium, and for Inferentia 1."""


def import_neuron(names: tuple[str, ...] = NEURON_PACKAGES) -> ModuleType:
    """Import the first of the packages that is installed; its `trace` compiles for the device.

    Raises:
        MeshError: none is installed, it is broken, or it is the empty `torch-neuron` of PyPI.
    """
    for name in names:
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name == name:
                continue
            raise MeshError(
                f"The package {name} can't be imported: {error.name} is not installed."
            ) from error
        except ImportError as error:  # PyPI's torch-neuron always raises it
            raise MeshError(_placeholder(name)) from error
        if not callable(getattr(package, "trace", None)):
            raise MeshError(_placeholder(name))
        return package
    raise MeshError(
        f"The backend 'neuron' needs {' or '.join(names)}, which is not installed; install it from the AWS Neuron "
        "package index, or choose another backend."
    )


def _placeholder(name: str) -> str:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    return (
        f"The installed {name} ({version}) is not the AWS Neuron SDK: torch-neuron 1.0 of PyPI is only a placeholder; "
        "install the real package from the AWS Neuron package index, or choose another backend."
    )
