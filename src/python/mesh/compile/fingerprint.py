"""One digest of everything that determines a compiled model."""

from typing import Any

from mesh.compile.spec import CompileSpec
from mesh.core.digest import code_digest, fingerprint
from mesh.core.environment import describe_environment

CODE = (
    "mesh.compile.compiler",
    "mesh.compile.compilers",
    "mesh.compile.loaders.neuron",
    "mesh.compile.source",
    "mesh.compile.spec",
    "mesh.compile.torch_model",
)
"""The modules that determine the files; those that only load and run them may change freely."""

COMPILER_PACKAGES = {
    "onnx": ("torch", "transformers", "onnx", "onnxscript", "onnxruntime"),
    "generic": ("torch", "transformers"),
    "neuron": ("torch", "transformers", "torch-neuronx", "torch-neuron", "neuronx-cc", "neuron-cc"),
}


def compiler_versions(spec: CompileSpec) -> dict[str, str]:
    """The installed versions of the spec's compiler packages, without the missing ones."""
    packages = COMPILER_PACKAGES[spec.backend]
    return {
        name: version
        for name, version in describe_environment(packages).items()
        if name in packages
    }


def compile_fingerprint(source_digest: str, spec: CompileSpec, extra: Any = None) -> str:
    """The fingerprint of a compiled model; if it is unchanged, there is nothing to compile.

    Args:
        source_digest: of the uncompiled model's manifest.
        extra: JSON-serialisable; everything else that determines the compiled folder, such as a
            digest of its extra files.
    """
    return fingerprint(
        {
            "source": source_digest,
            "spec": spec.model_dump(mode="json"),
            "code": code_digest(CODE),
            "packages": compiler_versions(spec),
            "extra": extra,
        }
    )
