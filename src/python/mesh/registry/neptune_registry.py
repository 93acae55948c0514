"""The registry on Neptune, in the layout that models have had there.

Neptune shows a version as soon as it has a number, so files are uploaded to a version that is not complete yet. What
makes it one is the field `mesh/record`, written last: in how many parts its card and manifest are recorded. Versions
without it are left alone.
"""

import contextlib
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import neptune
from pydantic import ValidationError

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry
from mesh.core.manifest import Manifest
from mesh.core.models import describe_invalid
from mesh.core.progress import track
from mesh.registry import neptune_layout as layout
from mesh.registry.base import ModelVersion
from mesh.registry.history import AliasMove
from mesh.registry.history import check_rollback
from mesh.registry.history import version_before
from mesh.registry.neptune_client import WRITE
from mesh.registry.neptune_client import Client
from mesh.registry.neptune_client import neptune_errors
from mesh.registry.reference import LATEST
from mesh.registry.reference import ModelReference
from mesh.registry.reference import check_model_name
from mesh.registry.reference import check_new_alias
from mesh.registry.settings import RegistrySettings
from mesh.registry.transfer import OWN_FILES
from mesh.registry.transfer import check_path
from mesh.registry.transfer import check_unchanged
from mesh.registry.transfer import prepare
from mesh.registry.transfer import read_content
from mesh.registry.transfer import receive
from mesh.registry.transfer import record_problems
from mesh.registry.transfer import with_own_entry

_SHOWN = 10


@dataclass(frozen=True)
class NeptuneRegistry:
    """A `ModelRegistry` in projects of Neptune; what the methods promise is written there."""

    client: Client
    settings: RegistrySettings

    def publish(self, name: str, directory: Path, card: ModelCard) -> ModelVersion:
        """Publish a directory's files and the card as the next version."""
        check_model_name(name)
        with self._errors(), tempfile.TemporaryDirectory() as temporary:
            content = read_content(directory)
            layout.check_files(content)
            self.client.ensure_model(name)
            with self.client.version(ModelReference(name, alias="new"), WRITE) as version:
                entries = []
                for path in track(content, f"publishing {name}"):
                    entries.append(FileEntry.of(directory / path, path))
                    _upload(version, layout.field_of(path), directory / path)
                    if FileEntry.of(directory / path, path) != entries[-1]:
                        raise MeshError(f"{path} changed while it was being published.")
                check_unchanged(directory, content)
                staging, key = Path(temporary), self.settings.signing_key
                manifest = prepare(name, entries, card, staging, key)
                for file in staging.iterdir():
                    _upload(version, layout.field_of(file.name), file)
                version[layout.FINGERPRINT] = card.fingerprint
                parts = layout.Record(card=card, manifest=manifest).parts()
                for field, text in parts.items():
                    version[field] = text
                version[layout.RECORD] = len(parts)
                reference = ModelReference.parse(version["sys/id"].fetch())
            return self._read(reference)

    def fetch(self, reference: str, directory: Path) -> ModelVersion:
        """Bring a version into a directory, complete and verified."""
        with self._errors():
            found = self._find(ModelReference.parse(reference))
            version = self._read(found)
            with self.client.version(found) as stored:
                receive(
                    version,
                    directory,
                    lambda path, root: _download(stored, path, root),
                    self.settings.trusted,
                )
        return version

    def get(self, reference: str) -> ModelVersion:
        """Look a version up."""
        with self._errors():
            return self._read(self._find(ModelReference.parse(reference)))

    def list(self, name: str | None = None) -> Sequence[ModelVersion]:
        """All versions, or those of one model, by name and number."""
        if name is not None:
            check_model_name(name)
        with self._errors():
            names = self._models() if name is None else [name]
            references = [
                ModelReference(model, version=number)
                for model in names
                for number in self._numbers(model)
            ]
            if name is not None and not references:
                raise MeshError(self._unknown_model(name))
            return [self._read(reference) for reference in references]

    def find(self, name: str, fingerprint: str) -> ModelVersion | None:
        """The newest version of a model with a fingerprint, if there is one."""
        check_model_name(name)
        with self._errors():
            numbers = self._numbers(name, fingerprint)
            return self._read(ModelReference(name, version=numbers[-1])) if numbers else None

    def alias(self, reference: str, alias: str) -> ModelVersion:
        """Let an alias point at a version, and at no other version of its model."""
        check_new_alias(alias)
        with self._errors():
            return self._move_alias(self._find(ModelReference.parse(reference)), alias)

    def history(self, name: str) -> Sequence[AliasMove]:
        """All moves of a model's aliases, in order."""
        check_model_name(name)
        with self._errors():
            if not self._numbers(name):
                raise MeshError(self._unknown_model(name))
            return layout.read_moves(self._fields(name))

    def rollback(self, reference: str) -> ModelVersion:
        """Let an alias point at the version before the current one."""
        parsed = check_rollback(reference)
        with self._errors():
            current = self._find(parsed)
            moves = layout.read_moves(self._fields(parsed.name))
            before = version_before(parsed, moves, int(current.version or 0))
            return self._move_alias(
                ModelReference(parsed.name, version=before), str(parsed.alias), undo=True
            )

    def delete(self, reference: str) -> None:
        """Remove a version, its files and attachments for good."""
        with self._errors():
            found = self._find(ModelReference.parse(reference))
            self._read(found).check_unaliased()
            self.client.delete(found)
            if found.version in self._numbers(found.name):
                raise MeshError(f"Neptune did not delete {found}; its log may say why.")

    def attach(self, reference: str, path: str, file: Path) -> None:
        """Add a file to a published version; another one at the same path is replaced."""
        check_path(path)
        if file.is_symlink() or not file.is_file():
            raise MeshError(f"{file} is not a plain file, so it can't be attached to {reference}.")
        with self._errors():
            found = self._find(ModelReference.parse(reference))
            entry = FileEntry.of(file, path)
            with self.client.version(found, WRITE) as version:
                _upload(version, layout.attachment_field(path), file)
                version[layout.attachment_record(path)] = entry.model_dump_json()

    def read_attachment(self, reference: str, path: str) -> bytes:
        """The content of an attachment, verified."""
        with self._errors(), tempfile.TemporaryDirectory() as temporary:
            found = self._find(ModelReference.parse(reference))
            attachments = self._read(found).attachments
            if path not in attachments:
                known = ", ".join(attachments) or "none"
                raise MeshError(f"{found} has no attachment {path!r}; it has: {known}.")
            file = Path(temporary) / "attachment"
            with self.client.version(found) as version:
                _download_field(version, layout.attachment_field(path), file, path)
            if FileEntry.of(file, path) != attachments[path]:
                raise MeshError(f"The attachment {path} of {found} is damaged in the registry.")
            return file.read_bytes()

    def verify(self, reference: str) -> Sequence[str]:
        """Check every stored file of a version; one sentence for each that is missing, extra or changed."""
        with self._errors(), tempfile.TemporaryDirectory() as temporary:
            found = self._find(ModelReference.parse(reference))
            version = self._read(found)
            with self.client.version(found) as stored:
                return _storage_problems(stored, version, Path(temporary), self.settings.trusted)

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return neptune_errors(self.settings.masked(self.settings.uri))

    def _move_alias(self, found: ModelReference, alias: str, *, undo: bool = False) -> ModelVersion:
        before = layout.read_aliases(self._fields(found.name)).get(alias)
        if before != found.version and found.version is not None:
            move = AliasMove(
                alias=alias, before=before, after=found.version, who=self.settings.who, undo=undo
            )
            with self.client.model(found.name, WRITE) as model:
                model[f"{layout.MOVES}/{uuid.uuid4().hex}"] = move.model_dump_json()
                model[f"{layout.ALIASES}/{alias}"] = found.version
        return self._read(found)

    def _find(self, reference: ModelReference) -> ModelReference:
        """The reference by number of a version that is complete."""
        numbers = self._numbers(reference.name)
        if not numbers:
            raise MeshError(self._unknown_model(reference.name))
        if reference.alias == LATEST:
            return ModelReference(reference.name, version=numbers[-1])
        if reference.alias is None:
            if reference.version not in numbers:
                shown = ", ".join(str(number) for number in numbers[-_SHOWN:])
                raise MeshError(
                    f"There is no {reference}; the newest versions of {reference.name} are {shown}."
                )
            return reference
        aliases = layout.read_aliases(self._fields(reference.name))
        if reference.alias not in aliases:
            known = ", ".join(f"{alias} ({aliases[alias]})" for alias in sorted(aliases))
            raise MeshError(
                f"{reference.name} has no alias {reference.alias!r}; it has: {known or 'none'}."
            )
        return ModelReference(reference.name, version=aliases[reference.alias])

    def _read(self, found: ModelReference) -> ModelVersion:
        aliases = layout.read_aliases(self._fields(found.name))
        with self.client.version(found) as version:
            fields = version[layout.OWN].fetch()
            created = version["sys/creation_time"].fetch()
        try:
            record = layout.Record.of(fields)
            attachments = layout.read_attachments(fields)
        except ValidationError as error:
            raise MeshError(
                f"The record of {found} is damaged: {describe_invalid(error)}."
            ) from error
        return ModelVersion(
            name=found.name,
            version=int(found.version or 0),
            card=record.card,
            manifest=record.manifest,
            created=created,
            aliases=tuple(sorted(name for name in aliases if aliases[name] == found.version)),
            attachments=attachments,
        )

    def _fields(self, name: str) -> dict[str, Any]:
        """The fields that this package has given a model."""
        with self.client.model(name) as model:
            if layout.OWN not in model.get_structure():
                return {}
            fields: dict[str, Any] = model[layout.OWN].fetch()
            return fields

    def _numbers(self, name: str, fingerprint: str | None = None) -> Sequence[int]:
        """The numbers of a model's complete versions, in order, or of those with a fingerprint."""
        if name not in self._models(name):
            return []
        with self.client.model(name) as model:
            rows = model.fetch_model_versions_table(
                columns=["sys/id", layout.RECORD, layout.FINGERPRINT], sort_by="sys/id"
            ).to_rows()
        return sorted(
            int(row.get_attribute_value("sys/id").rpartition("-")[2])
            for row in rows
            if layout.value(row, layout.RECORD) is not None
            and fingerprint in (None, layout.value(row, layout.FINGERPRINT))
        )

    def _models(self, name: str | None = None) -> Sequence[str]:
        """The names of all models, or of those in the project that a model belongs to."""
        projects = self.client.projects if name is None else [self.client.project_of(name)]
        found = []
        for project in projects:
            with self.client.project(project) as opened:
                rows = opened.fetch_models_table(columns=["sys/id"], sort_by="sys/id").to_rows()
            found += [str(row.get_attribute_value("sys/id")) for row in rows]
        return sorted(found)

    def _unknown_model(self, name: str) -> str:
        known = ", ".join(model for model in self._models() if self._numbers(model)) or "none"
        return f"No version of {name} is registered; registered are: {known}."


def _upload(version: neptune.ModelVersion, field: str, file: Path) -> None:
    version[field].upload(str(file), wait=True)


def _download(version: neptune.ModelVersion, path: str, root: Path) -> FileEntry:
    """Bring a file of a version to the same path below a directory."""
    _download_field(version, layout.field_of(path), root / path, path)
    return FileEntry.of(root / path, path)


def _download_field(version: neptune.ModelVersion, field: str, file: Path, path: str) -> None:
    if not version.exists(field):
        raise MeshError(f"{path} is missing in the registry's storage.")
    version[field].download(destination=str(file), progress_bar=False)


def _storage_problems(
    stored: neptune.ModelVersion, version: ModelVersion, temporary: Path, trusted: Sequence[str]
) -> list[str]:
    def read(field: str, path: str) -> FileEntry:
        file = temporary / "file"
        _download_field(stored, field, file, path)
        return FileEntry.of(file, path)

    fields = layout.file_fields(stored.get_structure())
    attached = {layout.attachment_field(path): path for path in version.attachments}
    files = [
        read(field, layout.path_of(field))
        for field in track(fields, f"verifying {version.reference}")
        if field not in attached
    ]
    problems = with_own_entry(version.manifest).differences(files)
    own = temporary / "own"
    own.mkdir()
    for path in OWN_FILES:
        if any(entry.path == path for entry in files):
            _download(stored, path, own)
    problems += record_problems(version, stored[layout.FINGERPRINT].fetch(), own, trusted)
    expected = Manifest(files=tuple(version.attachments.values()))
    found = [read(field, path) for field, path in attached.items() if stored.exists(field)]
    return problems + [f"attachment {problem}" for problem in expected.differences(found)]
