"""How a version is written in Neptune's fields; `lookup` finds it there.

Models have always been kept below `model/`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.card import CARD_FILE, ModelCard, TestFiles
from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.manifest import MANIFEST_FILE, FileEntry, Manifest
from mesh.registry.history import AliasMove, read_moves
from mesh.registry.transfer import check_path

OWN = "mesh"
RECORD = f"{OWN}/record"
RECORD_PARTS = f"{OWN}/record_parts"
FINGERPRINT = f"{OWN}/fingerprint"
CLAIM = f"{OWN}/claim"
ALIASES = f"{OWN}/aliases"
MOVES = f"{OWN}/alias_moves"

# The client truncates longer texts, at 16384 characters.
_TEXT_LIMIT = 16_000
_MODEL = "model/"
_ATTACHMENTS = "attachments/"
# Attachments that are kept beside the files.
_KNOWN_ATTACHMENTS = ("test_results/", "compiled_model_versions/")
_FIELDS = {
    CARD_FILE: "model/model_card",
    MANIFEST_FILE: "model/manifest",
    TestFiles().inputs: "model/test_files/inputs",
    TestFiles().inference_params: "model/test_files/inference_params",
    TestFiles().predictions: "model/test_files/predictions",
}
_PATHS = {field: path for path, field in _FIELDS.items()}


class Record(BaseModel):
    """The card and manifest of a version, kept in parts; their number is written last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: ModelCard
    manifest: Manifest

    def parts(self) -> dict[str, str]:
        """The record's text, in fields that Neptune's client doesn't truncate."""
        text = self.model_dump_json()
        starts = range(0, len(text), _TEXT_LIMIT)
        return {
            f"{RECORD_PARTS}/{start // _TEXT_LIMIT:04}": text[start : start + _TEXT_LIMIT]
            for start in starts
        }

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """Read the record from the fields of this package.

        Raises:
            ValidationError: it is damaged.
        """
        parts = fields.get("record_parts", {})
        return cls.model_validate_json("".join(parts[name] for name in sorted(parts)))

    def is_in(self, fields: Mapping[str, Any]) -> bool:
        """Whether the fields of this package have this record, undamaged."""
        try:
            return self.of(fields) == self
        except ValidationError:
            return False


def field_of(path: str) -> str:
    """The field of a version's file."""
    return _FIELDS.get(path, _MODEL + path)


def path_of(field: str) -> str:
    """The path of the file in a field."""
    return _PATHS.get(field, field.removeprefix(_MODEL))


def check_files(paths: Iterable[str]) -> None:
    """Refuse files whose fields have another use.

    Raises:
        MeshError: there is one.
    """
    for path in paths:
        taken = field_of(path) == _MODEL + path and _MODEL + path in _PATHS
        if taken or path.startswith(_KNOWN_ATTACHMENTS):
            raise MeshError(f"{path!r} can't be published in Neptune: the field is in use.")


def attachment_field(path: str) -> str:
    """The field of an attachment."""
    return (_MODEL if path.startswith(_KNOWN_ATTACHMENTS) else _ATTACHMENTS) + path


def attachment_record(path: str) -> str:
    """The field with an attachment's size and digest."""
    return f"{OWN}/attachments/{hashlib.sha256(path.encode()).hexdigest()}"


def read_attachments(fields: Mapping[str, Any]) -> tuple[dict[str, FileEntry], list[str]]:
    """The attachments of a version by path, and a sentence for each damaged record of one."""
    entries, problems = [], []
    for key, record in sorted(fields.get("attachments", {}).items()):
        try:
            entry = FileEntry.model_validate_json(record)
            check_path(entry.path)
        except (ValidationError, UsageError) as error:
            reason = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
            problems.append(f"the attachment's record {key} is damaged: {reason.rstrip('.')}")
            continue
        if attachment_record(entry.path).rpartition("/")[2] != key:
            problems.append(f"the attachment's record {key} is not the one of {entry.path}")
            continue
        entries.append(entry)
    return {entry.path: entry for entry in sorted(entries, key=lambda entry: entry.path)}, problems


def read_aliases(fields: Mapping[str, Any]) -> dict[str, int]:
    """The aliases of a model and the numbers that they point at."""
    return {alias: int(number) for alias, number in fields.get("aliases", {}).items()}


def read_model_moves(name: str, fields: Mapping[str, Any]) -> tuple[list[AliasMove], list[str]]:
    """The moves of a model's aliases, in order, and a sentence for each damaged record."""
    return read_moves(name, fields.get("alias_moves", {}))


def file_fields(structure: Mapping[str, Any]) -> list[str]:
    """The fields below `model/`."""
    return sorted(_walk(structure.get("model", {}), "model"))


def value(row: Any, field: str) -> Any:
    """The value of a field in a row of a table, if it has one."""
    try:
        return row.get_attribute_value(field)
    except ValueError:
        return None


def _walk(tree: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, below in tree.items():
        if isinstance(below, dict):
            yield from _walk(below, f"{prefix}/{name}")
        else:
            yield f"{prefix}/{name}"
