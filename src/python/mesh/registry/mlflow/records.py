"""How a version is written in MLflow, and found there.

Cards and manifests are tags, which appear together with the version or not at all.
"""

import datetime
import hashlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from mlflow.exceptions import MlflowException
from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, UsageError, describe_invalid
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.base import ModelVersion
from mesh.registry.history import AliasMove, read_moves
from mesh.registry.mlflow.store import all_pages
from mesh.registry.reference import LATEST, ModelReference, missing_model, missing_version
from mesh.registry.transfer import check_path

FORMAT_TAG = "mesh.format"
FINGERPRINT_TAG = "mesh.fingerprint"
ATTACHMENT_FILE = "content"

_FORMAT = "1"
_CARD = "mesh.card"
_MANIFEST = "mesh.manifest"
_ATTACHMENT = "mesh.attachment."
_MOVE = "mesh.alias_move."
# Databases truncate a tag's text at 64 KiB, and a character has up to 4 bytes.
_CHUNK = 16_000
_ATTACHED = re.compile(r"attachments/[0-9a-f]{32}")

logger = logging.getLogger(__name__)


class StoredAttachment(BaseModel):
    """An attachment, and the folder of its run's artifacts that holds it, as the file `content`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: FileEntry
    folder: str

    @property
    def tag(self) -> tuple[str, str]:
        """Key and value; the key has the path's digest, since keys allow few characters."""
        return (
            _ATTACHMENT + hashlib.sha256(self.file.path.encode()).hexdigest(),
            self.model_dump_json(),
        )


@dataclass(frozen=True)
class Record:
    """A version, where MLflow keeps its files, and the fingerprint by which MLflow finds it.

    Args:
        problems: one sentence for each damaged record of an attachment.
    """

    version: ModelVersion
    run_id: str
    source: str
    fingerprint: str
    attachments: Mapping[str, StoredAttachment]
    problems: Sequence[str]


def version_tags(card: ModelCard, manifest: Manifest) -> dict[str, str]:
    """The tags of a new version."""
    return {
        FORMAT_TAG: _FORMAT,
        FINGERPRINT_TAG: card.fingerprint,
        **_split(_CARD, json.dumps(card.model_dump(mode="json"), ensure_ascii=False)),
        **_split(_MANIFEST, manifest.model_dump_json()),
    }


def read_record(stored: MlflowVersion, aliases: Sequence[str]) -> Record:
    """Read a version from its tags; damaged attachments hide neither it nor others.

    Raises:
        MeshError: the tags are of another format or damaged.
    """
    tags = stored.tags
    if tags.get(FORMAT_TAG) != _FORMAT or stored.run_id is None or stored.source is None:
        raise MeshError(
            f"{stored.name}-{stored.version} has a format that this mesh can't read; update the mesh."
        )
    by_path, problems = _read_attachments(tags)
    try:
        version = ModelVersion(
            name=stored.name,
            version=int(stored.version),
            card=ModelCard.model_validate_json(_join(_CARD, tags)),
            manifest=Manifest.model_validate_json(_join(_MANIFEST, tags)),
            created=datetime.datetime.fromtimestamp(stored.creation_timestamp / 1000, datetime.UTC),
            aliases=tuple(sorted(aliases)),
            attachments={path: by_path[path].file for path in sorted(by_path)},
        )
    except ValidationError as error:
        raise MeshError(
            f"The record of {stored.name}-{stored.version} is damaged: {describe_invalid(error)}."
        ) from error
    return Record(
        version, stored.run_id, stored.source, tags.get(FINGERPRINT_TAG, ""), by_path, problems
    )


def _read_attachments(tags: Mapping[str, str]) -> tuple[dict[str, StoredAttachment], list[str]]:
    """The attachments by path, and a sentence for each damaged record of one."""
    attachments, problems = {}, []
    for key, value in tags.items():
        if not key.startswith(_ATTACHMENT):
            continue
        try:
            attachment = StoredAttachment.model_validate_json(value)
            check_path(attachment.file.path)
        except (ValidationError, UsageError) as error:
            reason = describe_invalid(error) if isinstance(error, ValidationError) else str(error)
            problems.append(f"the attachment's record {key} is damaged: {reason.rstrip('.')}")
            continue
        if attachment.tag[0] != key or not _ATTACHED.fullmatch(attachment.folder):
            problems.append(
                f"the attachment's record {key} is not the one of {attachment.file.path}"
            )
            continue
        attachments[attachment.file.path] = attachment
    return attachments, sorted(problems)


def move_tag(move: AliasMove) -> tuple[str, str]:
    """Key and value of a model's tag for a move; each move has its own, so that none is lost."""
    return _MOVE + move.id, move.stored


def read_model_moves(name: str, tags: Mapping[str, str]) -> tuple[list[AliasMove], list[str]]:
    """The moves that a model's tags record, in order, and a sentence for each damaged record."""
    records = {key: text for key, text in tags.items() if key.startswith(_MOVE)}
    return read_moves(name, {key.removeprefix(_MOVE): text for key, text in records.items()})


def is_ours(stored: MlflowVersion) -> bool:
    """Whether this package published a version, and not another user of the same MLflow."""
    return FORMAT_TAG in stored.tags


def _split(key: str, text: str) -> dict[str, str]:
    return {
        f"{key}.{start // _CHUNK:04}": text[start : start + _CHUNK]
        for start in range(0, len(text), _CHUNK)
    }


def _join(key: str, tags: Mapping[str, str]) -> str:
    return "".join(tags[name] for name in sorted(tags) if name.startswith(f"{key}."))


def find_record(client: MlflowClient, reference: ModelReference) -> Record:
    """The record of one version.

    Raises:
        MeshError: there is no such version, or its record is damaged.
    """
    stored = find_version(client, reference)
    return read_record(stored, stored.aliases)


def find_version(client: MlflowClient, reference: ModelReference) -> MlflowVersion:
    """One version as MLflow has it.

    Raises:
        MeshError: there is no such version; the message says what there is.
    """
    try:
        stored = _find(client, reference)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        stored = None
    if stored is None or not is_ours(stored):
        raise MeshError(_what_exists(client, reference))
    return stored


def find_fingerprint(client: MlflowClient, name: str, fingerprint: str) -> Record | None:
    """The record of the newest version of a model with a fingerprint."""
    # MLflow's texts end at the first quote of their kind, and know no escapes.
    quote = '"' if "'" in fingerprint else "'"
    if quote in fingerprint:
        raise UsageError(f"{fingerprint!r} isn't a fingerprint: it has both kinds of quotes.")
    condition = f"tags.`{FINGERPRINT_TAG}` = {quote}{fingerprint}{quote}"
    found = _search(client, name, condition)
    for version in sorted(found, key=lambda version: int(version.version), reverse=True):
        # A search omits the aliases.
        stored = client.get_model_version(name, str(version.version))
        try:
            return read_record(stored, stored.aliases)
        except MeshError as error:
            logger.warning("%s", error)
    return None


def list_records(client: MlflowClient, name: str | None) -> tuple[list[Record], dict[str, str]]:
    """The records of all versions, or of one model's, by name and number.

    Returns:
        The readable ones; and sentences about damaged ones, by version, or by model for its moves.
    """
    stored = sorted(_search(client, name), key=lambda version: (version.name, int(version.version)))
    records: list[Record] = []
    damaged: dict[str, str] = {}
    models = {model: client.get_registered_model(model) for model in {one.name for one in stored}}
    for version in stored:
        reference = f"{version.name}-{version.version}"
        aliases = _by_version(models[version.name].aliases)[int(version.version)]
        try:
            records.append(record := read_record(version, aliases))
        except MeshError as error:
            damaged[reference] = str(error)
            continue
        if record.problems:
            damaged[reference] = f"{reference} is damaged: {'; '.join(record.problems)}."
    for model in sorted(models):
        _, problems = read_model_moves(model, models[model].tags)
        if problems:
            damaged[model] = " ".join(problems)
    return records, damaged


def check_model(client: MlflowClient, name: str) -> None:
    """Check that a model has a version.

    Raises:
        MeshError: it has none.
    """
    if not any(_search(client, name)):
        raise MeshError(unknown_model(client, name))


def _find(client: MlflowClient, reference: ModelReference) -> MlflowVersion | None:
    if reference.version is not None:
        return client.get_model_version(reference.name, str(reference.version))
    if reference.alias != LATEST:
        return client.get_model_version_by_alias(reference.name, str(reference.alias))
    return _newest(client, _search(client, reference.name))


def _newest(client: MlflowClient, found: Iterator[MlflowVersion]) -> MlflowVersion | None:
    """The highest number, with the aliases that a search omits."""
    newest = max(found, key=lambda version: int(version.version), default=None)
    return newest and client.get_model_version(newest.name, str(newest.version))


def _search(client: MlflowClient, name: str | None, *conditions: str) -> Iterator[MlflowVersion]:
    named = (f"name = '{name}'",) if name else ()
    condition = " and ".join((*named, *conditions)) or None
    return filter(is_ours, all_pages(client.search_model_versions, condition))


def _by_version(named: Mapping[str, str]) -> dict[int, list[str]]:
    aliases = defaultdict(list)
    for alias, version in named.items():
        aliases[int(version)].append(alias)
    return aliases


def _what_exists(client: MlflowClient, reference: ModelReference) -> str:
    versions = [int(version.version) for version in _search(client, reference.name)]
    if not versions:
        return unknown_model(client, reference.name)
    named = _by_version(client.get_registered_model(reference.name).aliases)
    aliases = {alias: version for version in versions for alias in named[version]}
    return missing_version(reference, versions, aliases)


def unknown_model(client: MlflowClient, name: str) -> str:
    """The sentence for a model without versions; it names the models that have some."""
    return missing_model(name, {version.name for version in _search(client, None)})
