"""The registry on Neptune, in the layout that models have had there.

Neptune shows a version as soon as it has a number, so files are uploaded to an incomplete version.
The field `mesh/record`, written last, makes it complete: it says in how many parts the card and the
manifest are recorded. Versions without it are ignored.
"""

import contextlib
import datetime
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import neptune  # pants: no-infer-dep

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry
from mesh.core.progress import Advance
from mesh.core.urls import mask_url
from mesh.registry.base import Accepts, Leftover, ModelVersion, Survey
from mesh.registry.claims import AlreadyPublishedError, claim_fingerprint, publish_unless
from mesh.registry.fetching import fetch_version
from mesh.registry.history import AliasMove, check_rollback
from mesh.registry.moving import move_alias, roll_back
from mesh.registry.neptune import layout
from mesh.registry.neptune.aliases import NeptuneAliases
from mesh.registry.neptune.claims import NeptuneClaims, find_fingerprint
from mesh.registry.neptune.client import WRITE, Client, neptune_errors
from mesh.registry.neptune.files import VersionFiles, removed_on_error, version_part
from mesh.registry.neptune.lookup import Lookup
from mesh.registry.neptune.objects import Objects, ObjectsError
from mesh.registry.reference import ModelReference, check_model_name, check_new_alias
from mesh.registry.settings import RegistrySettings
from mesh.registry.transfer import (
    KEPT_SECONDS,
    FileState,
    check_path,
    check_unchanged,
    for_each,
    prepare,
    read_content,
    with_own_entry,
)

_SHOWN = 10


@dataclass(frozen=True)
class NeptuneRegistry:
    """A `ModelRegistry` in projects of Neptune; its methods' promises are documented there.

    Args:
        root: the URL on S3 below which new files are kept; none to upload them to Neptune.
    """

    client: Client
    settings: RegistrySettings
    objects: Objects
    root: str | None

    def publish(
        self, name: str, directory: Path, card: ModelCard, *, unless: Accepts | None = None
    ) -> ModelVersion:
        check_model_name(name)
        with self._errors():
            return publish_unless(
                partial(find_fingerprint, self._lookup, name, card.fingerprint),
                unless,
                partial(self._publish, name, directory, card, unless),
            )

    def _publish(
        self, name: str, directory: Path, card: ModelCard, unless: Accepts | None
    ) -> ModelVersion:
        content = read_content(directory)
        layout.check_files(content)
        self.client.ensure_model(name)
        new = self.client.new_version(name)
        prefix = f"{self.root}/{self._part(new)}" if self.root else None
        try:
            with removed_on_error(self.objects, prefix):
                record = self._send(new, directory, content, card)
                check_unchanged(directory, content)
                self._check_sent(new, record)
                if unless is not None:
                    claims = NeptuneClaims(self._lookup, name, card.fingerprint, new)
                    claim_fingerprint(claims, unless)
        except AlreadyPublishedError:
            self.client.delete(new)
            raise
        with self.client.version(new, WRITE) as version:
            version[layout.RECORD] = len(record.parts())
        return self._lookup.read(new)

    def fetch(self, reference: str, directory: Path) -> ModelVersion:
        with self._errors():
            found = self._lookup.find(ModelReference.parse(reference))
            version = self._lookup.read(found)
            with self.client.version(found) as stored:
                files = self._files(stored, found)
                fetch_version(
                    version,
                    directory,
                    lambda entry, root, advance: files.download(entry.path, root, advance),
                    self.settings.trusted,
                )
        return version

    def get(self, reference: str) -> ModelVersion:
        with self._errors():
            return self._lookup.read(self._lookup.find(ModelReference.parse(reference)))

    def survey(self, name: str | None = None) -> Survey:
        if name is not None:
            check_model_name(name)
        with self._errors():
            versions, damaged = self._lookup.read_all(name)
            if name is not None and not versions and not damaged:
                raise MeshError(self._lookup.unknown_model(name))
            return Survey(versions, damaged)

    def list(self, name: str | None = None) -> Sequence[ModelVersion]:
        return self.survey(name).versions

    def find(self, name: str, fingerprint: str) -> ModelVersion | None:
        check_model_name(name)
        with self._errors():
            return find_fingerprint(self._lookup, name, fingerprint)

    def alias(self, reference: str, alias: str, why: str = "") -> ModelVersion:
        check_new_alias(alias)
        with self._errors():
            found = self._lookup.find(ModelReference.parse(reference))
            aliases = NeptuneAliases(self._lookup, found.name)
            moved = ModelReference(found.name, alias=alias)
            move_alias(aliases, moved, self.settings.who, int(found.version or 0), why)
            return self._lookup.read(found)

    def history(self, name: str) -> Sequence[AliasMove]:
        check_model_name(name)
        with self._errors():
            if not self._lookup.numbers(name):
                raise MeshError(self._lookup.unknown_model(name))
            return NeptuneAliases(self._lookup, name).read().moves

    def rollback(self, reference: str) -> ModelVersion:
        parsed = check_rollback(reference)
        with self._errors():
            self._lookup.find(parsed)
            aliases = NeptuneAliases(self._lookup, parsed.name)

            def check(version: int) -> None:
                self._lookup.find(ModelReference(parsed.name, version=version))

            before = roll_back(aliases, parsed, self.settings.who, check)
            return self._lookup.read(ModelReference(parsed.name, version=before))

    def delete(self, reference: str) -> None:
        with self._errors():
            found = self._lookup.find(ModelReference.parse(reference))
            self._lookup.read(found).check_unaliased()
            with self.client.version(found) as stored:
                prefixes = self._files(stored, found).own_prefixes()
            self.client.delete(found)
            if found.version in self._lookup.numbers(found.name):
                raise MeshError(f"Neptune did not delete {found}; its log may say why.")
            for prefix in prefixes:
                self._remove_objects(found, prefix)

    def leftovers(self, name: str | None = None, *, delete: bool = False) -> Sequence[Leftover]:
        if name is not None:
            check_model_name(name)
        with self._errors():
            found = [
                ModelReference(model, version=number)
                for model in (self._lookup.models() if name is None else [name])
                for number in self._lookup.incomplete(model)
            ]
            return [self._leftover(version, delete=delete) for version in found]

    def attach(self, reference: str, path: str, file: Path) -> None:
        check_path(path)
        if file.is_symlink() or not file.is_file():
            raise MeshError(f"{file} is not a plain file, so it can't be attached to {reference}.")
        with self._errors():
            found = self._lookup.find(ModelReference.parse(reference))
            entry = FileEntry.of(file, path)
            with self.client.version(found, WRITE) as stored:
                self._files(stored, found).upload(layout.attachment_field(path), file)
                stored[layout.attachment_record(path)] = entry.model_dump_json()

    def read_attachment(self, reference: str, path: str) -> bytes:
        with self._errors(), tempfile.TemporaryDirectory() as temporary:
            found = self._lookup.find(ModelReference.parse(reference))
            attachment = self._lookup.read(found).attachment(path)
            file = Path(temporary) / "attachment"
            with self.client.version(found) as stored:
                files = self._files(stored, found)
                files.download_field(layout.attachment_field(path), file, path, lambda _: None)
            if FileEntry.of(file, path) != attachment:
                raise MeshError(f"The attachment {path} of {found} is damaged in the registry.")
            return file.read_bytes()

    def verify(self, reference: str) -> Sequence[str]:
        with self._errors():
            found = self._lookup.find(ModelReference.parse(reference))
            version, problems = self._lookup.read_record(found)
            with self.client.version(found) as stored:
                files = self._files(stored, found)
                return [*problems, *files.problems(version, self.settings.trusted)]

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return neptune_errors(mask_url(self.settings.uri))

    @property
    def _lookup(self) -> Lookup:
        return Lookup(self.client)

    def _part(self, reference: ModelReference) -> str:
        return version_part(self.client.project_of(reference.name), reference)

    def _files(self, stored: neptune.ModelVersion, reference: ModelReference) -> VersionFiles:
        return VersionFiles(stored, self.objects, self._part(reference))

    def _send(
        self,
        new: ModelReference,
        directory: Path,
        content: Mapping[str, FileState],
        card: ModelCard,
    ) -> layout.Record:
        """Send all of a version but the field that makes it complete."""
        sizes = {path: state.size for path, state in content.items()}
        with (
            tempfile.TemporaryDirectory() as temporary,
            self.client.version(new, self.settings.client_mode) as stored,
        ):
            files = self._files(stored, new)

            def send(path: str, advance: Advance) -> FileEntry:
                entry = FileEntry.of(directory / path, path)
                files.store(directory / path, entry, self.root, advance)
                if FileEntry.of(directory / path, path) != entry:
                    raise MeshError(f"{path} changed while it was being published.")
                return entry

            entries = for_each(send, sizes, f"publishing {new.name}")
            staging = Path(temporary)
            manifest = prepare(new.name, entries, card, staging, self.settings.signing_key)
            for file in staging.iterdir():
                files.upload(layout.field_of(file.name), file)
            record = layout.Record(card=card, manifest=manifest)
            stored[layout.FINGERPRINT] = card.fingerprint
            for field, text in record.parts().items():
                stored[field] = text
        return record

    def _leftover(self, found: ModelReference, *, delete: bool) -> Leftover:
        """An incomplete version; a killed publisher can't be told from a slow one for a week."""
        with self.client.version(found) as stored:
            created: datetime.datetime = stored["sys/creation_time"].fetch()
            prefixes = self._files(stored, found).own_prefixes()
        age = datetime.datetime.now(datetime.UTC) - created
        in_use = age.total_seconds() < KEPT_SECONDS
        if delete and not in_use:
            self.client.delete(found)
            for prefix in prefixes:
                self._remove_objects(found, prefix)
        return Leftover(f"the incomplete version {found}", 0, in_use)

    def _remove_objects(self, gone: ModelReference, prefix: str) -> None:
        try:
            self.objects.remove(prefix)
        except ObjectsError as error:
            raise MeshError(f"{gone} is deleted, but some of its files remain: {error}") from error

    def _check_sent(self, new: ModelReference, record: layout.Record) -> None:
        """Check that the server has all fields, since its client only logs some failures.

        Raises:
            MeshError: a field is missing.
        """
        with self.client.version(new) as stored:
            paths = [entry.path for entry in with_own_entry(record.manifest).files]
            fields = [*map(layout.field_of, paths), layout.FINGERPRINT, *record.parts()]
            missing = [field for field in fields if not stored.exists(field)]
            if missing or not record.is_in(stored[layout.OWN].fetch()):
                shown = ", ".join(missing[:_SHOWN]) or layout.RECORD_PARTS
                raise MeshError(
                    f"Neptune did not keep all of {new} ({shown}); its log may say why."
                )
