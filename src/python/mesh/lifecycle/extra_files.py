"""Files that a project's server needs beside the network."""

from pathlib import Path
from typing import Any

from mesh.core.settings import MeshSettings


class ExtraFiles(MeshSettings):
    """Files that a project's server needs beside the network; the fields are settings of `compile:trace`.

    A subclass takes the prefix `COMPILE_` for its settings. Its module, and what that imports, is
    part of the compiled model's fingerprint, so it stands in a module of its own.
    """

    def write(self, folder: Path) -> None:
        """Write the files into the folder of a compiled model, which has everything else but its manifest."""
        raise NotImplementedError

    def provenance(self, folder: Path) -> dict[str, Any]:
        """What the model card says of the files in a compiled model's folder; JSON-serialisable."""
        raise NotImplementedError
