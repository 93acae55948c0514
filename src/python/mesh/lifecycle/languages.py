"""The languages of a compiled model, in a file beside its network."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from pydantic_settings import SettingsConfigDict

from mesh.lifecycle.extra_files import ExtraFiles
from mesh.nlp.language import write_languages

Code = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class LanguageFiles(ExtraFiles):
    """The languages that the model was trained on."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_")

    languages: tuple[Code, ...] = Field(
        ("en",),
        min_length=1,
        description="JSON list of ISO 639 codes; the server refuses documents in other languages.",
    )

    def write(self, folder: Path) -> None:
        write_languages(folder, self.languages)

    def provenance(self, folder: Path) -> dict[str, Any]:  # noqa: ARG002
        return {"languages": sorted(self.languages)}
