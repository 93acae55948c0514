"""Files that the keywords server needs in addition to the network."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from keywords.embeddings import read_vocabulary_record
from mesh.lifecycle.extra_files import ExtraFiles


class KeywordFiles(ExtraFiles):
    """The English stop words, and a vocabulary with its embeddings."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_")

    vocabulary_words: int = Field(
        30_000,
        ge=0,
        description="Maximum number of words to embed in advance; 0 for none. "
        "Each is a single token of the model's tokenizer.",
    )

    def write(self, folder: Path) -> None:
        from keywords.stop_words_export import write_english_stop_words
        from keywords.vocabulary_export import write_vocabulary

        write_english_stop_words(folder)
        if self.vocabulary_words:
            write_vocabulary(folder, self.vocabulary_words, len(os.sched_getaffinity(0)))

    def provenance(self, folder: Path) -> dict[str, Any]:
        record = read_vocabulary_record(folder)
        if record is None:
            return {}
        described = record.model_dump(mode="json", exclude={"schema_version", "words"})
        return {"vocabulary": described | {"words": len(record.words)}}
