"""The registry on MLflow.

A version's files and attachments are artifacts of a run. They are uploaded first; the version that
points at them is created last, in one transaction with its card and manifest. So a killed publish
leaves a run of the experiment `mesh` that no version names.
"""

import contextlib
import logging
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mlflow.exceptions import MlflowException

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry
from mesh.registry.base import Accepts, Leftover, ModelVersion, Survey
from mesh.registry.claims import claim_fingerprint, publish_unless
from mesh.registry.fetching import fetch_version
from mesh.registry.history import AliasMove, check_rollback
from mesh.registry.mlflow import files
from mesh.registry.mlflow.aliases import MlflowAliases
from mesh.registry.mlflow.claims import MlflowClaims
from mesh.registry.mlflow.errors import registry_errors
from mesh.registry.mlflow.leftovers import find_leftovers
from mesh.registry.mlflow.publishing import new_run
from mesh.registry.mlflow.records import (
    ATTACHMENT_FILE,
    Record,
    StoredAttachment,
    check_model,
    find_fingerprint,
    find_record,
    find_version,
    list_records,
    read_record,
    unknown_model,
    version_tags,
)
from mesh.registry.mlflow.store import Store
from mesh.registry.moving import move_alias, roll_back
from mesh.registry.reference import ModelReference, check_model_name, check_new_alias
from mesh.registry.transfer import check_path, check_unchanged, for_each, prepare, read_content

TAG_ATTEMPTS = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MlflowRegistry:
    """A `ModelRegistry` in a connected MLflow; its methods' promises are documented there."""

    store: Store

    def publish(
        self, name: str, directory: Path, card: ModelCard, *, unless: Accepts | None = None
    ) -> ModelVersion:
        check_model_name(name)
        with self._errors():
            return publish_unless(
                partial(self._find, name, card.fingerprint),
                unless,
                partial(self._publish, name, directory, card, unless),
            )

    def _publish(
        self, name: str, directory: Path, card: ModelCard, unless: Accepts | None
    ) -> ModelVersion:
        content = read_content(directory)
        with (
            new_run(self.store, name, directory, content) as (run_id, uri, upload),
            tempfile.TemporaryDirectory() as temporary,
        ):
            stored_files = for_each(
                lambda path, advance: upload.store(directory / path, path, advance),
                {path: state.size for path, state in content.items()},
                f"publishing {name}",
            )
            check_unchanged(directory, content)
            staging, key = Path(temporary), self.store.settings.signing_key
            manifest = prepare(name, stored_files, card, staging, key)
            for file in staging.iterdir():
                files.upload(upload.repository, file, file.name)
            self.store.client.set_terminated(run_id)
            self._ensure_model(name)
            if unless is not None:
                claims = MlflowClaims(self.store, name, card.fingerprint, run_id)
                claim_fingerprint(claims, unless)
            stored = self.store.client.create_model_version(
                name,
                f"{uri}/{files.FILES}",
                run_id,
                tags=version_tags(card, manifest),
                await_creation_for=0,
            )
        return read_record(stored, ()).version

    def fetch(self, reference: str, directory: Path) -> ModelVersion:
        with self._errors():
            record = self._record(reference)
            source = files.repository(self.store, record, files.FILES)
            fetch_version(
                record.version,
                directory,
                lambda entry, root, advance: files.download(
                    source, entry.path, entry.size, root, advance
                ),
                self.store.settings.trusted,
            )
        return record.version

    def get(self, reference: str) -> ModelVersion:
        with self._errors():
            return self._record(reference).version

    def survey(self, name: str | None = None) -> Survey:
        if name is not None:
            check_model_name(name)
        with self._errors():
            records, damaged = list_records(self.store.client, name)
            if name is not None and not records and not damaged:
                raise MeshError(unknown_model(self.store.client, name))
        return Survey([record.version for record in records], damaged)

    def list(self, name: str | None = None) -> Sequence[ModelVersion]:
        return self.survey(name).versions

    def find(self, name: str, fingerprint: str) -> ModelVersion | None:
        check_model_name(name)
        with self._errors():
            return self._find(name, fingerprint)

    def alias(self, reference: str, alias: str, why: str = "") -> ModelVersion:
        check_new_alias(alias)
        with self._errors():
            version = self._record(reference).version
            aliases = MlflowAliases(self.store.client, version.name)
            moved = ModelReference(version.name, alias=alias)
            move_alias(aliases, moved, self.store.settings.who, version.version, why)
            return self._record(version.reference).version

    def history(self, name: str) -> Sequence[AliasMove]:
        check_model_name(name)
        with self._errors():
            check_model(self.store.client, name)
            return MlflowAliases(self.store.client, name).read().moves

    def rollback(self, reference: str) -> ModelVersion:
        parsed = check_rollback(reference)
        with self._errors():
            # Whatever the version that it points at is like.
            find_version(self.store.client, parsed)
            aliases = MlflowAliases(self.store.client, parsed.name)

            def check(version: int) -> None:
                self._record(f"{parsed.name}-{version}")

            before = roll_back(aliases, parsed, self.store.settings.who, check)
            return self._record(f"{parsed.name}-{before}").version

    def delete(self, reference: str) -> None:
        with self._errors():
            record = self._record(reference)
            version = record.version
            version.check_unaliased()
            # A process that is killed from here on leaves files that no version names.
            self.store.client.delete_model_version(version.name, str(version.version))
            uri = record.source.removesuffix(f"/{files.FILES}")
            for folder in (files.FILES, files.ATTACHMENTS):
                files.remove(self.store, record.run_id, uri, folder)
            self.store.client.delete_run(record.run_id)

    def leftovers(self, name: str | None = None, *, delete: bool = False) -> Sequence[Leftover]:
        if name is not None:
            check_model_name(name)
        with self._errors():
            return find_leftovers(self.store, name, delete=delete)

    def attach(self, reference: str, path: str, file: Path) -> None:
        check_path(path)
        if file.is_symlink() or not file.is_file():
            raise MeshError(f"{file} is not a plain file, so it can't be attached to {reference}.")
        with self._errors(), tempfile.TemporaryDirectory() as temporary:
            record = self._record(reference)
            copy = Path(temporary) / ATTACHMENT_FILE
            shutil.copyfile(file, copy)
            # In a folder of its own: a previous attachment stays readable until the tag is set.
            folder = f"{files.ATTACHMENTS}/{uuid.uuid4().hex}"
            attachment = StoredAttachment(file=FileEntry.of(copy, path), folder=folder)
            files.upload(files.repository(self.store, record, folder), copy, ATTACHMENT_FILE)
            self._set_tag(record.version, *attachment.tag)

    def read_attachment(self, reference: str, path: str) -> bytes:
        with self._errors():
            record = self._record(reference)
            record.version.attachment(path)
            return files.read_attachment(self.store, record, record.attachments[path])

    def verify(self, reference: str) -> Sequence[str]:
        with self._errors():
            return files.storage_problems(self.store, self._record(reference))

    def _set_tag(self, version: ModelVersion, key: str, value: str) -> None:
        """Set a tag, even when another process sets the same new tag at the same time.

        Both try to insert it, and the database refuses the second. Its next attempt finds the tag.
        """
        for attempts_left in reversed(range(TAG_ATTEMPTS)):
            try:
                self.store.client.set_model_version_tag(
                    version.name, str(version.version), key, value
                )
            except MlflowException as error:
                if error.error_code != "BAD_REQUEST" or not attempts_left:
                    raise
            else:
                return

    def _find(self, name: str, fingerprint: str) -> ModelVersion | None:
        record = find_fingerprint(self.store.client, name, fingerprint)
        return record.version if record else None

    def _record(self, reference: str) -> Record:
        return find_record(self.store.client, ModelReference.parse(reference))

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return registry_errors(self.store.settings)

    def _ensure_model(self, name: str) -> None:
        try:
            self.store.client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
