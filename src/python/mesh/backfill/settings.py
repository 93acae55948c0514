"""Settings of a backfill: what it reads and writes, and how it computes."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_serializer, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from mesh.core.precisions import FLOAT32, Precision
from mesh.core.settings import MeshSettings, Url
from mesh.core.urls import mask_url

LANGUAGE = "language"
"""The field of a request's configuration that `--language` and `--language-column` set."""


def _listed(value: Any) -> Any:
    """The parts of a value of the environment; flags are lists already."""
    if not isinstance(value, str):
        return value
    return [part for part in map(str.strip, value.split(",")) if part]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
"""Several names, separated by commas."""


class BackfillSettings(MeshSettings):
    """Predict for all documents of files, and write Parquet."""

    model_config = SettingsConfigDict(env_prefix="BACKFILL_")

    input: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        description="Files or patterns, separated by commas: paths, s3://..., gs://... or "
        "https://...; a folder stands for all files in it.",
        min_length=1,
        repr=False,
    )
    output: Url = Field(description="Folder of the results: a path, s3://... or gs://...")
    format: Literal["auto", "parquet", "jsonl", "csv"] = Field(
        "auto", description="Of the input; by default according to the files' names."
    )
    delimiter: str = Field(
        "",
        description="Between the columns of CSV: a character, or tab; by default a comma, and a tab "
        "in files named .tsv.",
    )
    text: str = Field("text", description="The column of the documents.")
    id: str = Field(
        "",
        description="The column of the documents' ids; by default an id is made of the file's name "
        "and the row's number.",
    )
    language: str = Field(
        "", description="Language of all documents, as the model's requests name it."
    )
    language_column: str = Field(
        "",
        description="The column of the documents' languages; where it is empty, --language holds.",
    )
    configuration: dict[str, Any] = Field(
        {}, description="JSON object: the configuration of all requests."
    )
    configuration_column: str = Field(
        "",
        description="The column of JSON objects whose fields come before those of --configuration.",
    )
    carry: Names = Field(
        (), description="Columns that are copied to the results, separated by commas."
    )
    max_rejected: float = Field(
        0.01, ge=0, le=1, description="Fraction of rejected rows above which the run fails."
    )
    max_rejected_after: int = Field(
        1000, ge=0, description="Rows before which no fraction of rejected ones fails the run."
    )
    shard_mb: float = Field(
        64, gt=0, description="About how many MB of uncompressed input make one file of output."
    )
    model_directory: Path | None = Field(
        None, description="Directory of a compiled version; by default the one downloaded last."
    )
    precision: Precision = Field(
        FLOAT32,
        description="What the network computes in: float32, or another one in which parity of the "
        "version was checked, and which the processor of every worker has.",
    )
    ray: Url = Field(
        "auto",
        description="Address of a Ray cluster, such as ray://head:10001; local: start Ray inside this "
        "process; auto: the cluster that RAY_ADDRESS names or `ray start` has started here, else local.",
    )
    workers: int | None = Field(
        None,
        ge=1,
        description="Shards that are computed at once; by default one for each core or GPU.",
    )
    gpus_per_worker: float = Field(
        0, ge=0, description="GPUs that a worker takes, such as 1 or 0.5; 0 computes on a core."
    )
    retries: int = Field(
        10, ge=0, description="How often a shard is tried again whose worker was lost or failed."
    )
    object_store_mb: int = Field(
        128, ge=80, description="Shared memory of Ray where it starts inside this process."
    )
    verify: bool = Field(
        False,
        description="Compare the output with the input and the manifest, and compute nothing.",
    )

    @field_serializer("input", when_used="json")
    def masked(self, urls: tuple[str, ...]) -> list[str]:
        """The input without secrets."""
        return list(map(mask_url, urls))

    @field_validator("delimiter")
    @classmethod
    def _is_character(cls, delimiter: str) -> str:
        delimiter = "\t" if delimiter.lower() in ("tab", "\\t") else delimiter
        if len(delimiter) > 1 or delimiter in ('"', "\n", "\r"):
            raise ValueError("it must be one character other than a quotation mark, or tab")
        return delimiter
