"""The files of all sources, and the rows in them."""

from dataclasses import dataclass
from typing import Any

from mesh.core.errors import UsageError
from mesh.data.dataset import Dataset
from mesh.data.sources import FORMATS, SourceFile, find_files, sample_files
from mesh.lifecycle.ingest_settings import SHIPPED, IngestSettings, Source


@dataclass(frozen=True)
class File:
    """A file with the settings of its source."""

    source: Source
    file: SourceFile
    format: str

    @property
    def description(self) -> dict[str, Any]:
        """What identifies its content."""
        return {"name": self.file.name, "size": self.file.size, "revision": self.file.revision}


def files_of(dataset: Dataset, settings: IngestSettings) -> list[File]:
    """Every file to read.

    Raises:
        UsageError: the format of one is unknown.
        MeshError: a source holds no data, or can't be reached.
    """
    return [
        File(source, file, _format(file, source.format))
        for source in settings.sources
        for file in (
            sample_files(dataset.samples) if source.source == SHIPPED else find_files(source.source)
        )
    ]


def _format(file: SourceFile, given: str) -> str:
    name = given or file.format
    if name not in FORMATS.values():
        raise UsageError(
            f"The format of {file.name} is {name or 'not clear from its name'}; set INGEST_FORMAT "
            f"to one of {', '.join(sorted(set(FORMATS.values())))}."
        )
    return str(name)
