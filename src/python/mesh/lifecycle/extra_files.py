"""Files that a project's server needs beside the network."""

from pathlib import Path
from typing import Any

from mesh.core.settings import MeshSettings


class ExtraFiles(MeshSettings):
    """Files that a server needs beside the network; the fields are settings of `compile:trace`.

    A subclass uses the prefix `COMPILE_` for its settings. It is the only class of its module,
    since the module, with everything it imports, is part of the compiled model's fingerprint.
    """

    def write(self, folder: Path) -> None:
        """Write the files into a compiled model's folder, before its manifest is made."""
        raise NotImplementedError

    def provenance(self, folder: Path) -> dict[str, Any]:
        """The model card's facts about the files in a folder; JSON-serialisable."""
        raise NotImplementedError
