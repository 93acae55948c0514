"""Served models whose weights come from the registry."""

from abc import abstractmethod
from pathlib import Path
from typing import Any

from mesh.core.card import COMPILED, ModelCard
from mesh.core.errors import UsageError
from mesh.serve.model import ServedModel

WARM_UP = "The first answer takes longer than the others."


class ArtifactModel(ServedModel):
    """A model made from a compiled version's directory.

    Args:
        directory: `models/<KEY>-COMPILED-N`.

    Raises:
        UsageError: no directory is given.
    """

    def __init__(self, directory: Path | None = None) -> None:
        if directory is None:
            raise UsageError(f"{self.name} needs the directory of a compiled version.")
        self._directory = directory
        self._card: ModelCard | None = None

    @abstractmethod
    def load_compiled(self, folder: Path) -> None:
        """Bring the compiled model in a folder into memory.

        Raises:
            MeshError: it is damaged or can't be loaded.
        """

    def load(self) -> None:
        """Read the card, load the compiled model, and answer once so that no client waits for what is lazy."""
        self._card = ModelCard.read(self._directory)
        self.load_compiled(self._directory / COMPILED)
        self.predict(self.example_request(WARM_UP))

    def bio(self) -> dict[str, Any]:
        card = self._card.model_dump(mode="json") if self._card else {}
        return {"model_name": self.name, "model_card": card}
