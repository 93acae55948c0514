"""The model card: the description and the origin of a registered model version."""

import datetime
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from mesh.core.files import read_model, write_json_atomic

CARD_FILE = "model_card.json"
ARTIFACTS = "model_artifacts"
"""Folder of the weights below a version's directory."""
COMPILED = f"{ARTIFACTS}/compiled"
"""Folder of a compiled model below a version's directory."""
TEST_RESULTS = "test_results"
"""Folder of a server's test results, below `<image tag>/` in a version's directory."""


class BaseModelSource(BaseModel):
    """A base model's source: URI, revision (commit or package version), digest of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    revision: str | None = None
    digest: str


class TestFiles(BaseModel):
    """Paths, relative to the version's directory, of the stored regression test."""

    __test__ = False
    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: str = "test_files/inputs.json"
    inference_params: str = "test_files/inference_params.json"
    predictions: str = "test_files/predictions.json"


class ModelCard(BaseModel):
    """Everything needed to understand a version and to make it again.

    `fingerprint` is the digest of everything that determines the version; if it is unchanged, there
    is nothing to do.
    `made_from` holds the digested values, by the names of `mesh.core.inputs`; older versions lack
    it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    project: str
    model_type: Literal["base", "trained", "compiled"]
    description: str = ""
    base_model: BaseModelSource | None = None
    trained_version: str | None = None
    data_version: str | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    code_revision: str
    environment: dict[str, str] = Field(default_factory=dict)
    fingerprint: str
    made_from: dict[str, Any] = Field(default_factory=dict)
    test_files: TestFiles | None = None
    created: datetime.datetime = Field(default_factory=lambda: datetime.datetime.now(datetime.UTC))

    @classmethod
    def read(cls, directory: Path) -> Self:
        """Read the card in a version's directory.

        Raises:
            MeshError: it is missing, malformed, or of a newer schema version.
        """
        return read_model(cls, directory / CARD_FILE, "get or make the version again")

    def write(self, directory: Path) -> None:
        """Store the card in a directory as `model_card.json`."""
        write_json_atomic(directory / CARD_FILE, self.model_dump(mode="json"))
