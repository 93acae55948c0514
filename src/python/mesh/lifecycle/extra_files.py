"""Files that a project's server needs beside the network."""

from pathlib import Path
from typing import Any

from mesh.core.settings import MeshSettings


class ExtraFiles(MeshSettings):
    """Files that a project's server needs beside the network.

    The fields are settings of `compile:trace`; a subclass takes the prefix `COMPILE_` for them. Its
    module, with all its imports, is part of the compiled model's fingerprint. So it stands in a
    module of its own, `extra_files.py` of the project.
    """

    def write(self, folder: Path) -> None:
        """Write the files into the folder of a compiled model, which lacks only its manifest."""
        raise NotImplementedError

    def provenance(self, folder: Path) -> dict[str, Any]:
        """What the model card says of the files in a compiled model's folder; JSON-serialisable."""
        raise NotImplementedError
