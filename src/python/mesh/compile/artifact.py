"""The compiled model on disk: a folder `compiled/`, which is refused unless it is complete."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from mesh.compile.backends import served_by
from mesh.compile.spec import Backend, CompileSpec
from mesh.compile.text_model import TextModel, Use
from mesh.compile.tokenizer import TOKENIZER_FILE, TextTokenizer
from mesh.core.devices import CPU, current_placement
from mesh.core.errors import MeshError
from mesh.core.manifest import MANIFEST_FILE, Manifest, check_no_links
from mesh.core.precisions import FLOAT32


class CompiledModel(TextModel):
    """A compiled model, loaded and ready.

    Example:
        >>> model = CompiledModel.load(Path("models/KEYWORDS-COMPILED-1/model_artifacts/compiled"))
        >>> model.embed(["a text", "another"]).shape
        (2, 384)
    """

    directory: Path

    @classmethod
    def load(cls, directory: Path, threads: int = 1) -> Self:
        """Check every file of the folder against its manifest, load the model and calibrate it.

        It runs on the device that it was compiled for, or where `Placement.applied` says.

        Args:
            directory: the folder `compiled/`; the attribute `directory` leads to its extra files.
            threads: cores that one call may use; with several calling threads, 1 is best.

        Raises:
            MeshError: a file is missing or damaged, a package of the backend isn't installed, or
                the device or the precision isn't here, or parity wasn't checked on it.
        """
        check_complete(directory)
        model = cls.open(directory, threads)
        model.calibrate()
        return model

    @classmethod
    def open(cls, directory: Path, threads: int = 1) -> Self:
        """Load the model without checking its files; only for files that were just written.

        Raises:
            MeshError: see `load`.
        """
        spec = CompileSpec.read(directory)
        tokenizer = TextTokenizer(directory / TOKENIZER_FILE, spec)
        placement = current_placement()
        device = placement.wanted(spec.device)
        loader = _loader(spec.backend)
        loader.require(device, placement.name(spec.device))
        placement.check(spec.device)
        # Other devices have float32 alone.
        here = loader.precisions() if device == CPU else (FLOAT32,)
        precision = placement.choose_precision(spec.precisions, here)
        network = loader.load(directory, spec, Use(device, threads, placement.callers, precision))
        placement.runs_on, placement.precision = network.runs_on, network.precision
        model = cls(spec, tokenizer, network)
        model.directory = directory
        return model


def check_complete(directory: Path) -> None:
    """Compare the folder of a compiled model with its manifest.

    Raises:
        MeshError: a file is a link, missing, extra or changed.
    """
    if not (directory / MANIFEST_FILE).is_file():
        raise MeshError(f"{directory} holds no compiled model: its {MANIFEST_FILE} is missing.")
    check_no_links(directory)
    if problems := Manifest.read(directory).problems(directory):
        raise MeshError(
            f"The compiled model {directory} is damaged: {'; '.join(problems)}. Download or compile it again."
        )


def require_device(backend: Backend, device: str, named: str) -> None:
    """Make sure that a backend can run networks on a device here.

    Args:
        named: who wants it, such as `COMPILE_DEVICE=cuda`.

    Raises:
        MeshError: it can't, or a package of the backend isn't installed.
    """
    _loader(backend).require(device, named)


def require_precisions(backend: Backend, precisions: Sequence[str], named: str) -> None:
    """Make sure that a backend can compute in precisions here.

    Args:
        named: who wants it, such as `COMPILE_PRECISIONS=float32,bfloat16`.

    Raises:
        MeshError: it can't, or a package of the backend isn't installed.
    """
    here = _loader(backend).precisions()
    if lacking := [precision for precision in precisions if precision not in here]:
        raise MeshError(
            f"{named} can't be used here, since parity is checked in each precision: the backend "
            f"{backend!r} computes in {' and '.join(here)} on this processor, not in {lacking[0]}. "
            "Leave it out, choose another backend, or compile on a machine that has it "
            "(docs/compile.md#precisions)."
        )


def _loader(backend: Backend) -> Any:
    """The module of `mesh.compile.loaders`."""
    # By name, so that neither a server nor a build tool that follows imports needs the frameworks
    # of other backends.
    module = f"mesh.compile.loaders.{backend}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # The loaders of other backends are left out of a server's image themselves.
        missing = (
            "a module" if str(error.name).startswith("mesh.") else f"the package {error.name!r}"
        )
        raise MeshError(
            f"The compiled model's backend {backend!r} needs {missing} that is not installed here. "
            f"{served_by(backend) or 'Install it.'}"
        ) from error
