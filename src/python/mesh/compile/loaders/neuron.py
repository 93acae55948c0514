"""Programs for AWS Neuron devices: TorchScript, one archive for each length."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesh.compile.loaders.generic import TorchProgram, load_script
from mesh.compile.neuron_package import NEURON_PACKAGES, import_neuron
from mesh.compile.spec import CompileSpec
from mesh.core.errors import MeshError


class NeuronProgram:
    """One program for each length bucket."""

    fixed_shapes = True

    def __init__(self, programs: dict[int, TorchProgram]) -> None:
        self._programs = programs

    def run(
        self, input_ids: NDArray[np.int64], attention_mask: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Run the program of this length."""
        return self._programs[input_ids.shape[1]].run(input_ids, attention_mask)


def program_file(package: str, length: int) -> str:
    """The name of the archive for a length, compiled with `torch_neuronx` or `torch_neuron`."""
    return f"model.{package}.{length}.pt"


def load(directory: Path, spec: CompileSpec, threads: int) -> Any:  # noqa: ARG001
    """Load the programs of all lengths onto the device.

    Raises:
        MeshError: the package that compiled them is not installed, or an archive is missing or refused.
    """
    package = next(
        (
            name
            for name in NEURON_PACKAGES
            if any(directory.glob(program_file(name, spec.max_length)))
        ),
        None,
    )
    if package is None:
        raise MeshError(f"{directory} holds no program for Neuron devices.")
    import_neuron((package,))  # it registers the device's operators with torch
    return NeuronProgram(
        {
            length: TorchProgram(load_script(directory / program_file(package, length)))
            for length in spec.length_buckets
        }
    )
