"""How a version is written in Neptune's fields, and found there.

Models have always been kept below `model/`.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.card import CARD_FILE, ModelCard, TestFiles
from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.manifest import MANIFEST_FILE, FileEntry, Manifest
from mesh.registry.base import ModelVersion
from mesh.registry.history import AliasMove, read_moves
from mesh.registry.neptune.client import Client
from mesh.registry.reference import LATEST, ModelReference, missing_model, missing_version
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


@dataclass(frozen=True)
class Lookup:
    """The registered versions of a client's projects; incomplete ones are ignored."""

    client: Client

    def find(self, reference: ModelReference) -> ModelReference:
        """The reference by number of a complete version.

        Raises:
            MeshError: there is none.
        """
        numbers = self.numbers(reference.name)
        if not numbers:
            raise MeshError(self.unknown_model(reference.name))
        if reference.alias == LATEST:
            return ModelReference(reference.name, version=numbers[-1])
        if reference.alias is None:
            if reference.version not in numbers:
                raise MeshError(missing_version(reference, numbers, {}))
            return reference
        aliases = read_aliases(self.fields(reference.name))
        if reference.alias not in aliases:
            raise MeshError(missing_version(reference, numbers, aliases))
        return ModelReference(reference.name, version=aliases[reference.alias])

    def read(self, found: ModelReference) -> ModelVersion:
        """Read a complete version.

        Raises:
            MeshError: its record is damaged.
        """
        return self.read_record(found)[0]

    def read_record(self, found: ModelReference) -> tuple[ModelVersion, list[str]]:
        """Read a complete version, and a sentence for each damaged record of an attachment.

        Raises:
            MeshError: its record is damaged.
        """
        aliases = read_aliases(self.fields(found.name))
        with self.client.version(found) as version:
            fields = version[OWN].fetch()
            created = version["sys/creation_time"].fetch()
        try:
            record = Record.of(fields)
        except ValidationError as error:
            raise MeshError(
                f"The record of {found} is damaged: {describe_invalid(error)}."
            ) from error
        attachments, problems = read_attachments(fields)
        version_read = ModelVersion(
            name=found.name,
            version=int(found.version or 0),
            card=record.card,
            manifest=record.manifest,
            created=created,
            aliases=tuple(sorted(name for name in aliases if aliases[name] == found.version)),
            attachments=attachments,
        )
        return version_read, problems

    def read_all(self, name: str | None) -> tuple[list[ModelVersion], dict[str, str]]:
        """The complete versions of all models, or of one, by name and number.

        Returns:
            The readable ones; and sentences about damaged ones, by version, or by model for its
            moves.
        """
        versions, damaged = [], {}
        for model in self.models() if name is None else [name]:
            numbers = self.numbers(model)
            for number in numbers:
                reference = ModelReference(model, version=number)
                try:
                    version, problems = self.read_record(reference)
                except MeshError as error:
                    damaged[str(reference)] = str(error)
                    continue
                versions.append(version)
                if problems:
                    damaged[str(reference)] = f"{reference} is damaged: {'; '.join(problems)}."
            moves = read_model_moves(model, self.fields(model))[1] if numbers else []
            if moves:
                damaged[model] = " ".join(moves)
        return versions, damaged

    def fields(self, name: str) -> dict[str, Any]:
        """The fields that this package has given a model."""
        with self.client.model(name) as model:
            if OWN not in model.get_structure():
                return {}
            fields: dict[str, Any] = model[OWN].fetch()
            return fields

    def numbers(self, name: str, fingerprint: str | None = None) -> Sequence[int]:
        """The numbers of a model's complete versions, in order, or of those with a fingerprint."""
        rows = self._rows(name)
        return sorted(
            number
            for number, row in rows.items()
            if value(row, RECORD) is not None and fingerprint in (None, value(row, FINGERPRINT))
        )

    def incomplete(self, name: str, claimed: str | None = None) -> Sequence[int]:
        """The numbers of versions that are being published, or whose publishing failed.

        Args:
            claimed: only those that claim this fingerprint.
        """
        rows = self._rows(name)
        return sorted(
            number
            for number, row in rows.items()
            if value(row, RECORD) is None and claimed in (None, value(row, CLAIM))
        )

    def _rows(self, name: str) -> dict[int, Any]:
        """The rows of Neptune's table of a model's versions, by number."""
        if name not in self.models(name):
            return {}
        with self.client.model(name) as model:
            rows = model.fetch_model_versions_table(
                columns=["sys/id", RECORD, FINGERPRINT, CLAIM], sort_by="sys/id"
            ).to_rows()
        return {int(row.get_attribute_value("sys/id").rpartition("-")[2]): row for row in rows}

    def models(self, name: str | None = None) -> Sequence[str]:
        """The names of all models, or of those in the project that a model belongs to."""
        projects = self.client.projects if name is None else [self.client.project_of(name)]
        found = []
        for project in projects:
            with self.client.project(project) as opened:
                rows = opened.fetch_models_table(columns=["sys/id"], sort_by="sys/id").to_rows()
            found += [str(row.get_attribute_value("sys/id")) for row in rows]
        return sorted(found)

    def unknown_model(self, name: str) -> str:
        """The sentence for a model that has no version."""
        return missing_model(name, [model for model in self.models() if self.numbers(model)])
