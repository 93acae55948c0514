"""AWS Neuron devices: TorchScript, one archive for each length."""

import importlib
import importlib.metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesh.compile.loaders.generic import TorchNetwork, load_script
from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError

NEURON_PACKAGES = ("torch_neuronx", "torch_neuron")
"""For Inferentia 2 and Trainium, and for Inferentia 1."""


class NeuronNetwork:
    """One network for each length bucket."""

    fixed_shapes = True

    def __init__(self, networks: dict[int, TorchNetwork]) -> None:
        self._networks = networks

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Run the network for this length."""
        return self._networks[input_ids.shape[1]].run(input_ids, attention_mask)


def archive_file(package: str, length: int) -> str:
    """The name of the archive for a length, compiled with `torch_neuronx` or `torch_neuron`."""
    return f"model.{package}.{length}.pt"


def load(directory: Path, spec: CompileSpec, threads: int) -> Any:  # noqa: ARG001
    """Load the networks of all lengths onto the device.

    Raises:
        MeshError: the package that compiled them is not installed, or an archive is missing or refused.
    """
    package = next(
        (
            name
            for name in NEURON_PACKAGES
            if any(directory.glob(archive_file(name, spec.max_length)))
        ),
        None,
    )
    if package is None:
        raise MeshError(f"{directory} holds nothing for Neuron devices.")
    import_neuron((package,))  # it registers the device's operators with torch
    return NeuronNetwork(
        {
            length: TorchNetwork(load_script(directory / archive_file(package, length)))
            for length in spec.length_buckets
        }
    )


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
