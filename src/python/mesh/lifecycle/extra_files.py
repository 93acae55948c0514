"""Files that a project's server needs beside the network."""

from pathlib import Path
from typing import Any

from mesh.core.settings import MeshSettings


class ExtraFiles(MeshSettings):
    """Files that a project's server needs beside the network.

    The fields are settings of `compile:trace`; a subclass uses the prefix `COMPILE_` for them. Its
    module, with all its imports, is part of the compiled model's fingerprint. So a project keeps it
    in a separate module, `extra_files.py`.
    """

    def write(self, folder: Path) -> None:
        """Write the files into the folder of a compiled model, which lacks only its manifest."""
        raise NotImplementedError

    def provenance(self, folder: Path) -> dict[str, Any]:
        """The model card's facts about the files in a folder; JSON-serialisable."""
        raise NotImplementedError
