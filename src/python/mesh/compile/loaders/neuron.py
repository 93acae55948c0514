"""AWS Neuron devices: TorchScript, one archive for each length."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mesh.compile.loaders.generic import TorchNetwork, load_script
from mesh.compile.neuron_package import NEURON_PACKAGES, import_neuron
from mesh.compile.spec import CompileSpec
from mesh.compile.text_model import Use
from mesh.core.devices import CPU, require_own
from mesh.core.errors import MeshError
from mesh.core.precisions import FLOAT32, Precision


class NeuronNetwork:
    """One network for each length bucket."""

    fixed_shapes = True
    few_shapes = False
    runs_on = ("neuron",)
    precision = FLOAT32

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


def require(device: str, named: str) -> None:
    """Make sure that no other device is wanted than Neuron's, which no setting names."""
    require_own(device, named, "neuron", (CPU,), "Neuron devices alone")


def precisions() -> tuple[Precision, ...]:
    """The precisions that programs for Neuron devices compute in."""
    return (FLOAT32,)


def load(directory: Path, spec: CompileSpec, use: Use) -> NeuronNetwork:  # noqa: ARG001
    """Load the networks of all lengths onto the device.

    Raises:
        MeshError: the package that compiled them is not installed, or an archive is missing or
            refused.
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
