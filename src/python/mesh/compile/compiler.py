"""The compilation of a Hugging Face folder to a folder `compiled/`."""

import importlib
import shutil
from collections.abc import Callable
from pathlib import Path

from mesh.compile.source import transformer_folder
from mesh.compile.spec import CompileSpec
from mesh.compile.tokenizer import TOKENIZER_FILE
from mesh.compile.torch_model import build_module
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory
from mesh.core.manifest import MANIFEST_FILE, Manifest

WriteFiles = Callable[[Path], None]


def compile_model(
    source: Path, spec: CompileSpec, directory: Path, extra_files: WriteFiles | None = None
) -> None:
    """Compile a model; if that fails, `directory` stays as it was.

    Args:
        source: folder with `config.json`, `tokenizer.json` and safetensors weights.
        spec: from `mesh.compile.source.spec_for`.
        directory: replaced if it exists.
        extra_files: writes files that belong to the model but not to the network into the folder.

    Raises:
        MeshError: the model can't be loaded or compiled, a package of the backend is missing, or an
            extra file has the name of one of the compiled model's.
    """
    module = build_module(source, spec)
    with atomic_directory(directory, replace=True) as partial:
        _load_compiler(spec.backend)(module, spec, partial)
        spec.write(partial)
        shutil.copyfile(transformer_folder(source) / TOKENIZER_FILE, partial / TOKENIZER_FILE)
        if extra_files:
            compiled = Manifest.of(partial)
            extra_files(partial)
            if (partial / MANIFEST_FILE).exists() or set(compiled.files) - set(
                Manifest.of(partial).files
            ):
                raise MeshError(
                    "An extra file has the name of one of the compiled model's files; give it another name."
                )
        Manifest.of(partial).write(partial)


def _load_compiler(backend: str) -> Callable[..., None]:
    module = f"mesh.compile.compilers.{backend}"
    try:
        compile_network: Callable[..., None] = importlib.import_module(module).compile_network
    except ModuleNotFoundError as error:
        raise MeshError(
            f"Compiling for the backend {backend!r} needs the package {error.name!r}; install it."
        ) from error
    return compile_network
