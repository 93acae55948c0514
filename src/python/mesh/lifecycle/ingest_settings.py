"""What `ingest:ingest` reads, and how."""

import hashlib
import json
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
)
from pydantic_settings import SettingsConfigDict

from mesh.core.errors import describe_invalid
from mesh.core.settings import MeshSettings
from mesh.core.urls import mask_url
from mesh.data.delimited import check_delimiter
from mesh.data.formats import Reading
from mesh.data.offsets import Offsets
from mesh.data.sources import FORMATS
from mesh.data.text_files import check_encoding
from mesh.data.translation import Translation

SHIPPED = "shipped"
"""Names the samples of the project as a source."""

Delimiter = Annotated[str, AfterValidator(lambda text: check_delimiter(text) if text else text)]
Encoding = Annotated[str, AfterValidator(lambda text: check_encoding(text) if text else text)]
Counting = Annotated[str, AfterValidator(lambda text: str(Offsets.parse(text)))]


class IngestSettings(MeshSettings):
    """Read labelled data, check every row, store it as the next raw version."""

    model_config = SettingsConfigDict(env_prefix="INGEST_")

    source: str = Field(
        SHIPPED,
        description="File, folder or pattern: a path, s3://..., gs://..., or "
        "hf://datasets/org/name@revision/path; or shipped: the project's samples. A JSON list of "
        'several, each such a string or an object such as {"source": "a.csv", "weight": 0.5}, '
        "whose weight is the fraction of its rows that is taken; other settings in it are its own.",
        repr=False,
    )
    format: str = Field(
        "",
        description=f"{', '.join(sorted(set(FORMATS.values())))}; by default according to the "
        "files' names.",
    )
    columns: list[str] = Field(
        [],
        description="JSON list: names of the columns of CSV and TSV files without a header, or of "
        "CoNLL files, with token and tag among them.",
    )
    delimiter: Delimiter = Field(
        "",
        description="Between the columns of tables: a character, or tab; by default found by their "
        "first lines.",
    )
    encoding: Encoding = Field(
        "", description="Of text files, such as cp1252; by default found by their bytes."
    )
    offsets: Counting = Field(
        "characters",
        description="How the places of entities are counted: characters, utf16 (code units) or "
        "bytes, from-1, inclusive (ends), joined by commas.",
    )
    rename: dict[str, str] = Field(
        {},
        description="JSON object: the project's names of the file's fields, such as "
        '{"sentence": "text"}.',
    )
    values: dict[str, dict[str, str | None]] = Field(
        {},
        description="JSON object: by the project's name of a field, the project's values of the "
        'file\'s, such as {"label": {"0": "negative", "3-5": "positive"}}; null drops an entity.',
    )
    defaults: dict[str, Any] = Field(
        {},
        description="JSON object: values for fields that the data lacks, such as "
        '{"language": "en"}.',
    )
    max_rejected_share: float = Field(
        0.01, ge=0, le=1, description="Fraction of malformed rows above which nothing is stored."
    )
    force: bool = Field(False, description="Read the source even if nothing has changed.")
    dry_run: bool = Field(
        False, description="Show ten rows as a model will see them, and store nothing."
    )

    @field_validator("source")
    @classmethod
    def _is_readable(cls, source: str) -> str:
        _listed(source)
        return source

    @field_serializer("source", when_used="json")
    def masked(self, source: str) -> str:
        """The source without secrets."""
        listed = [{**item, "source": _shown(item["source"])} for item in _listed(source)]
        return json.dumps(listed) if _is_list(source) else _shown(source)

    @property
    def own(self) -> list[dict[str, Any]]:
        """The settings of single sources; none where all are those of every source."""
        if not _is_list(self.source):
            return []
        return [source.model_dump(mode="json", exclude={"source"}) for source in self.sources]

    @property
    def sources(self) -> list["Source"]:
        """Each source with the settings that hold for it."""
        common = self.model_dump(include=set(Source.model_fields) - {"source", "weight"})
        return [Source.model_validate({**common, **listed}) for listed in _listed(self.source)]


class Source(BaseModel):
    """One source: the settings of the same names, and the fraction of its rows that is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    weight: float = Field(1.0, gt=0, le=1)
    format: str = ""
    columns: list[str] = []
    delimiter: Delimiter = ""
    encoding: Encoding = ""
    offsets: Counting = "characters"
    rename: dict[str, str] = {}
    values: dict[str, dict[str, str | None]] = {}
    defaults: dict[str, Any] = {}

    @property
    def reading(self) -> Reading:
        """How its files are read."""
        return Reading(self.columns, self.delimiter, self.encoding)

    @property
    def translation(self) -> Translation:
        """How its fields become the project's."""
        return Translation(self.rename, self.values, self.defaults)

    @property
    def counting(self) -> Offsets:
        """How it counts the places of entities."""
        return Offsets.parse(self.offsets)

    def takes(self, text: str) -> bool:
        """Whether a row is taken, by its text: the same rows every time."""
        number = int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16)
        return number < self.weight * 16**8


def _is_list(source: str) -> bool:
    return source.lstrip().startswith("[")


def _shown(url: str) -> str:
    return mask_url(url) if "://" in url else url


def _listed(text: str) -> list[dict[str, Any]]:
    if not _is_list(text):
        return [{"source": text or SHIPPED}]
    try:
        items = json.loads(text)
        listed = [{"source": item} if isinstance(item, str) else item for item in items]
        for item in listed:
            Source.model_validate(item)
    except ValidationError as error:
        raise ValueError(f"a source is malformed: {describe_invalid(error)}") from error
    except ValueError as error:
        raise ValueError(f"it begins like a JSON list, but isn't one: {error}") from error
    if not listed:
        raise ValueError("it lists no source")
    return listed
