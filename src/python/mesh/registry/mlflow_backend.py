"""The registry on MLflow: an SQLite file and a folder, any database and object store, or an MLflow server.

A version's files lie below `version/` in the artifacts of an MLflow run of their own, and are uploaded before the model
version is created: what is visible is complete. A publish that dies leaves a run that never finished, and no version.
"""

import contextlib
import datetime
import shutil
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from mesh.core.card import CARD_FILE
from mesh.core.card import ModelCard
from mesh.core.digest import sha256_file
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory
from mesh.core.files import safe_path
from mesh.core.manifest import MANIFEST_FILE
from mesh.core.manifest import Manifest
from mesh.registry.base import ModelRegistry
from mesh.registry.base import ModelVersion
from mesh.registry.mlflow_client import connect_client
from mesh.registry.mlflow_client import mlflow_errors
from mesh.registry.reference import LATEST
from mesh.registry.reference import ModelReference
from mesh.registry.reference import check_alias
from mesh.registry.reference import check_name
from mesh.registry.settings import RegistrySettings

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Record

FILES = "version"
ATTACHMENTS = "attachments"
FINGERPRINT_TAG = "mesh.fingerprint"
MANIFEST_TAG = "mesh.manifest"
ATTACHMENT_TAG = "mesh.attachment/"
PAGE = 200


def connect(settings: RegistrySettings) -> "MlflowRegistry":
    """Connect to the registry.

    Raises:
        MeshError: it can't be reached or written.
    """
    return MlflowRegistry(settings)


class MlflowRegistry(ModelRegistry):
    """The registry on MLflow."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._uri = settings.uri
        self._client, self._experiment = connect_client(settings)

    def publish(self, name: str, directory: Path, card: ModelCard) -> ModelVersion:
        check_name(name)
        manifest = Manifest.of(directory)
        if not manifest.files:
            raise MeshError(f"{directory} is empty; there is nothing to publish as {name}.")
        for reserved in (CARD_FILE, MANIFEST_FILE):
            if (directory / reserved).exists():
                raise MeshError(f"{directory} holds a {reserved}, which the registry writes; remove it.")
        with self._errors():
            run = self._client.create_run(self._experiment, run_name=f"publish {name}").info.run_id
            self._client.log_artifacts(run, str(directory), FILES)
            manifest = self._upload_description(run, directory, card)
            self._client.set_terminated(run)
            self._register_name(name)
            record = self._client.create_model_version(
                name,
                source=f"{self._artifact_uri(run)}/{FILES}",
                run_id=run,
                tags={FINGERPRINT_TAG: card.fingerprint, MANIFEST_TAG: manifest.digest},
            )
        return self._version(record)

    def fetch(self, reference: str, directory: Path) -> ModelVersion:
        record = self._record(reference)
        version = self._version(record)
        if _holds(directory, version.manifest):
            return version
        with atomic_directory(directory, replace=True) as partial:
            self._download(record.run_id, FILES, partial)
            if problems := self._problems(version, partial):
                raise MeshError(f"{version.reference} is damaged in the registry: {'; '.join(problems)}.")
        return version

    def get(self, reference: str) -> ModelVersion:
        return self._version(self._record(reference))

    def list(self, name: str | None = None) -> Sequence[ModelVersion]:
        if name is not None:
            self._require_model(check_name(name))
        records = self._search(f"name='{name}'" if name else None)
        versions = [self._version(record) for record in records]
        return sorted(versions, key=lambda version: (version.name, version.version))

    def find(self, name: str, fingerprint: str) -> ModelVersion | None:
        records = self._search(f"name='{check_name(name)}'")
        matching = [record for record in records if record.tags.get(FINGERPRINT_TAG) == fingerprint]
        return self._version(max(matching, key=_number)) if matching else None

    def alias(self, reference: str, alias: str) -> ModelVersion:
        check_alias(alias)
        record = self._record(reference)
        with self._errors():
            self._client.set_registered_model_alias(record.name, alias, str(record.version))
        return self.get(f"{record.name}-{record.version}")

    def attach(self, reference: str, path: str, file: Path) -> None:
        name = _attachment_name(path)
        record = self._record(reference)
        if not file.is_file():
            raise MeshError(f"{file} does not exist; nothing was attached to {reference}.")
        sha256 = sha256_file(file)
        with self._errors(), tempfile.TemporaryDirectory() as temporary:
            # Under its digest, so that the attachment it replaces stays whole until the tag moves on.
            copy = Path(temporary) / sha256
            shutil.copyfile(file, copy)
            self._client.log_artifact(record.run_id, str(copy), ATTACHMENTS)
            self._client.set_model_version_tag(record.name, str(record.version), ATTACHMENT_TAG + name, sha256)

    def read_attachment(self, reference: str, path: str) -> bytes:
        record = self._record(reference)
        sha256 = _attachments(record).get(_attachment_name(path))
        if sha256 is None:
            known = ", ".join(sorted(_attachments(record))) or "none"
            raise MeshError(f"{reference} has no attachment {path!r}; it has: {known}.")
        with tempfile.TemporaryDirectory() as temporary:
            self._download(record.run_id, f"{ATTACHMENTS}/{sha256}", Path(temporary))
            file = Path(temporary) / sha256
            if sha256_file(file) != sha256:
                raise MeshError(f"The attachment {path} of {reference} is damaged in the registry.")
            return file.read_bytes()

    def verify(self, reference: str) -> Sequence[str]:
        record = self._record(reference)
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary)
            try:
                version = self._version(record)
                self._download(record.run_id, FILES, directory)
                problems = self._problems(version, directory)
            except MeshError as error:
                return [str(error)]
            for path in version.attachments:
                try:
                    self.read_attachment(version.reference, path)
                except MeshError as error:
                    problems.append(str(error))
        return problems

    def _upload_description(self, run: str, directory: Path, card: ModelCard) -> Manifest:
        """Upload card and manifest beside the files; returns the manifest of the files and the card."""
        with tempfile.TemporaryDirectory() as temporary:
            description = Path(temporary)
            card.write(description)
            files = (*Manifest.of(directory).files, *Manifest.of(description).files)
            manifest = Manifest(files=tuple(sorted(files, key=lambda entry: entry.path)))
            manifest.write(description)
            self._client.log_artifacts(run, str(description), FILES)
        return manifest

    def _register_name(self, name: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _record(self, reference: str) -> "Record":
        from mlflow.exceptions import MlflowException

        parsed = ModelReference.parse(reference)
        try:
            if parsed.version is not None:
                return self._client.get_model_version(parsed.name, str(parsed.version))
            if parsed.alias != LATEST:
                return self._client.get_model_version_by_alias(parsed.name, parsed.alias)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise MeshError(f"The registry {self._uri} failed: {error.message}") from error
            raise self._missing(parsed) from error
        records = self._search(f"name='{parsed.name}'")
        if not records:
            raise self._missing(parsed)
        return max(records, key=_number)

    def _require_model(self, name: str) -> None:
        if not self._search(f"name='{name}'"):
            raise self._missing(ModelReference(name, alias=LATEST))

    def _missing(self, reference: ModelReference) -> MeshError:
        records = self._search(f"name='{reference.name}'")
        if not records:
            names = ", ".join(sorted({record.name for record in self._search(None)})) or "none"
            return MeshError(f"The registry has no version of {reference.name}; it has: {names}.")
        numbers = sorted(_number(record) for record in records)
        aliases = sorted({alias for record in records for alias in self._aliases(record)})
        what = f"no version {reference.version}" if reference.version else f"no alias {reference.alias!r}"
        return MeshError(
            f"{reference.name} has {what}; its versions are {numbers[0]} to {numbers[-1]}, "
            f"its aliases: {', '.join(aliases) or 'none'}."
        )

    def _search(self, condition: str | None) -> "list[Record]":
        records: list[Any] = []
        token = None
        with self._errors():
            while True:
                page = self._client.search_model_versions(condition, max_results=PAGE, page_token=token)
                records += [record for record in page if MANIFEST_TAG in record.tags]
                token = page.token
                if not token:
                    return records

    def _version(self, record: "Record") -> ModelVersion:
        with tempfile.TemporaryDirectory() as temporary:
            directory = Path(temporary)
            for name in (CARD_FILE, MANIFEST_FILE):
                self._download(record.run_id, f"{FILES}/{name}", directory)
            card, manifest = ModelCard.read(directory), Manifest.read(directory)
            listed = {entry.path: entry.sha256 for entry in manifest.files}
            intact = listed.get(CARD_FILE) == sha256_file(directory / CARD_FILE)
        if manifest.digest != record.tags[MANIFEST_TAG] or not intact:
            raise MeshError(f"The card or manifest of {record.name}-{record.version} is damaged in the registry.")
        return ModelVersion(
            name=record.name,
            version=_number(record),
            card=card,
            manifest=manifest,
            aliases=self._aliases(record),
            created=datetime.datetime.fromtimestamp(record.creation_timestamp / 1000, datetime.UTC),
            attachments=_attachments(record),
        )

    def _aliases(self, record: "Record") -> tuple[str, ...]:
        with self._errors():
            aliases = self._client.get_registered_model(record.name).aliases
        return tuple(sorted(alias for alias, version in aliases.items() if int(version) == _number(record)))

    def _problems(self, version: ModelVersion, directory: Path) -> "list[str]":
        return version.manifest.problems(directory)

    def _download(self, run: str, path: str, directory: Path) -> None:
        """Copy an artifact into a directory: a file under its own name, of a folder what it holds."""
        with self._errors():
            downloaded = Path(self._client.download_artifacts(run, path, str(directory)))
        if downloaded.is_dir():
            for entry in downloaded.iterdir():
                entry.rename(directory / entry.name)
            downloaded.rmdir()
        elif downloaded.parent != directory:
            downloaded.rename(directory / downloaded.name)

    def _artifact_uri(self, run: str) -> str:
        return str(self._client.get_run(run).info.artifact_uri)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        with mlflow_errors(self._uri):
            yield


def _number(record: "Record") -> int:
    """Version numbers are integers in a database and texts over HTTP."""
    return int(record.version)


def _attachments(record: "Record") -> dict[str, str]:
    return {
        tag.removeprefix(ATTACHMENT_TAG): sha256
        for tag, sha256 in record.tags.items()
        if tag.startswith(ATTACHMENT_TAG)
    }


def _attachment_name(path: str) -> str:
    return safe_path(Path("/attachments"), path).relative_to("/attachments").as_posix()


def _holds(directory: Path, manifest: Manifest) -> bool:
    if not (directory / MANIFEST_FILE).is_file():
        return False
    try:
        return Manifest.read(directory) == manifest and not manifest.problems(directory)
    except MeshError:
        return False
