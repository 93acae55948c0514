"""The inputs of a compiled model."""

from collections.abc import Mapping
from typing import Any

from mesh.core.inputs import Inputs, code_inputs, setting_inputs
from mesh.core.roots import COMPILER_PACKAGES, NOT_COMPILING, OPENS_BY_NAME, compiling, loading


def compile_inputs(
    source_digest: str,
    backend: str,
    settings: Mapping[str, Any],
    extra_files: str | None = None,
    *,
    source: str = "trained version",
) -> Inputs:
    """All that determines a compiled model: equal inputs mean that there is nothing to compile.

    Args:
        source_digest: of the uncompiled model's files.
        backend: what compiles.
        settings: whatever else chooses how; JSON-serialisable.
        extra_files: the module that writes the files which are added to the network.
        source: what the uncompiled model is called.

    Raises:
        MeshError: a module isn't there, or can't be parsed.
    """
    code = code_inputs(
        compiling(backend), excluded=NOT_COMPILING, packages=COMPILER_PACKAGES.get(backend, ())
    )
    return {
        source: source_digest,
        **setting_inputs({**settings, "backend": backend}),
        **code,
        **(_extra_inputs(extra_files, backend) if extra_files else {}),
    }


def _extra_inputs(module: str, backend: str) -> Inputs:
    """The code of extra files, with the loader if they need the compiled network."""
    inputs = code_inputs((module,))
    if f"file {OPENS_BY_NAME}" in inputs:
        inputs |= code_inputs((module, loading(backend)))
    return inputs
