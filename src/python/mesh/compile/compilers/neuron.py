"""AWS Neuron: one program of fixed shape for each length bucket."""

from pathlib import Path

import torch

from mesh.compile.batching import bucket_rows
from mesh.compile.loaders.neuron import archive_file
from mesh.compile.neuron_package import import_neuron
from mesh.compile.spec import CompileSpec
from mesh.compile.torch_model import example_inputs, quiet

# Fast-math gives NaN for masked attention on the first generation.
COMPILER_ARGUMENTS = {
    "torch_neuron": ["--fast-math", "none"],
    "torch_neuronx": ["--auto-cast", "none"],
}


def compile_network(module: torch.nn.Module, spec: CompileSpec, directory: Path) -> None:
    """Trace the network once for each length.

    Raises:
        MeshError: no Neuron package is installed.
    """
    neuron = import_neuron()
    package = neuron.__name__
    with quiet():
        for length in spec.length_buckets:
            inputs = example_inputs(bucket_rows(length, spec.max_batch_tokens), length)
            traced = neuron.trace(module, inputs, compiler_args=COMPILER_ARGUMENTS[package])
            traced.save(str(directory / archive_file(package, length)))
