"""How a version is written in MLflow: as tags, which appear together with the version or not at all."""

import datetime
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlflow.entities.model_registry import ModelVersion as MlflowVersion
from pydantic import BaseModel, ConfigDict, ValidationError

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, describe_invalid
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.base import ModelVersion
from mesh.registry.history import AliasMove

FORMAT_TAG = "mesh.format"
FINGERPRINT_TAG = "mesh.fingerprint"
ATTACHMENT_FILE = "content"

_FORMAT = "1"
_CARD = "mesh.card"
_MANIFEST = "mesh.manifest"
_ATTACHMENT = "mesh.attachment."
_MOVE = "mesh.alias_move."
# Databases cut a tag's text at 64 KiB, and a character has up to 4 bytes.
_CHUNK = 16_000


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
    """A version as this package knows it, where MLflow keeps its files, and what fingerprint MLflow finds it by."""

    version: ModelVersion
    run_id: str
    source: str
    fingerprint: str
    attachments: Mapping[str, StoredAttachment]


def version_tags(card: ModelCard, manifest: Manifest) -> dict[str, str]:
    """The tags of a new version."""
    return {
        FORMAT_TAG: _FORMAT,
        FINGERPRINT_TAG: card.fingerprint,
        **_split(_CARD, json.dumps(card.model_dump(mode="json"), ensure_ascii=False)),
        **_split(_MANIFEST, manifest.model_dump_json()),
    }


def read_record(stored: MlflowVersion, aliases: Sequence[str]) -> Record:
    """Read a version from its tags.

    Raises:
        MeshError: the tags are of another format or damaged.
    """
    tags = stored.tags
    if tags.get(FORMAT_TAG) != _FORMAT or stored.run_id is None or stored.source is None:
        raise MeshError(
            f"{stored.name}-{stored.version} is recorded in a form that this mesh can't read; update it."
        )
    try:
        attachments = [
            StoredAttachment.model_validate_json(value)
            for key, value in tags.items()
            if key.startswith(_ATTACHMENT)
        ]
        by_path = {attachment.file.path: attachment for attachment in attachments}
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
    return Record(version, stored.run_id, stored.source, tags.get(FINGERPRINT_TAG, ""), by_path)


def move_tag(move: AliasMove) -> tuple[str, str]:
    """Key and value of the tag of a model that records a move; each has its own, so that none is lost."""
    return f"{_MOVE}{uuid.uuid4().hex}", move.model_dump_json()


def read_moves(name: str, tags: Mapping[str, str]) -> list[AliasMove]:
    """The moves that a model's tags record, in order.

    Raises:
        MeshError: a record is damaged.
    """
    try:
        moves = [
            AliasMove.model_validate_json(value)
            for key, value in tags.items()
            if key.startswith(_MOVE)
        ]
    except ValidationError as error:
        raise MeshError(
            f"The history of {name}'s aliases is damaged: {describe_invalid(error)}."
        ) from error
    return sorted(moves, key=lambda move: move.when)


def is_ours(stored: MlflowVersion) -> bool:
    """Whether a version was published by this package, and not by other users of the same MLflow."""
    return FORMAT_TAG in stored.tags


def _split(key: str, text: str) -> dict[str, str]:
    return {
        f"{key}.{start // _CHUNK:04}": text[start : start + _CHUNK]
        for start in range(0, len(text), _CHUNK)
    }


def _join(key: str, tags: Mapping[str, str]) -> str:
    return "".join(tags[name] for name in sorted(tags) if name.startswith(f"{key}."))
