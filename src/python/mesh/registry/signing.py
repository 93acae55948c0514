"""Signatures of versions: they prove who published a version, and that it is unchanged since.

Ed25519 (RFC 8032) over the model's name and the paths, sizes and digests of the version's files,
including its card. The signature is one of the version's files, so it is stored, fetched and listed
with them.
"""

import base64
import binascii
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.files import read_model, write_json_atomic
from mesh.core.manifest import FileEntry
from mesh.registry.base import ModelVersion

SIGNATURE_FILE = "signature.json"

_KEY_BYTES = 32


class Signature(BaseModel):
    """The content of `signature.json`: the public key and the signature, in base64."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    key: str
    signature: str


def check_key(text: str) -> str:
    """Return a public or private key as it is.

    Raises:
        ValueError: it is not 32 bytes in base64.
    """
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != _KEY_BYTES:
        raise ValueError("a key is 32 bytes in base64; mesh registry keygen makes a pair")
    return text


def generate_keys() -> tuple[str, str]:
    """A new private key and its public key, in base64."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    return _encode(key.private_bytes_raw()), _encode(key.public_key().public_bytes_raw())


def sign(private_key: str, name: str, files: Iterable[FileEntry], directory: Path) -> None:
    """Write the signature of a new version's files into a directory.

    Args:
        name: the model.
        files: those of the version, without the signature.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
    signature = Signature(
        key=_encode(key.public_key().public_bytes_raw()),
        signature=_encode(key.sign(_message(name, files))),
    )
    write_json_atomic(directory / SIGNATURE_FILE, signature.model_dump(mode="json"))


def trust_problems(
    version: ModelVersion, directory: Path, trusted_keys: Sequence[str]
) -> list[str]:
    """Why a version can't be trusted; empty where no keys are named.

    Args:
        directory: holds the version's signature, as the manifest lists it.
        trusted_keys: public keys, of which one must have signed it.
    """
    if not trusted_keys:
        return []
    if SIGNATURE_FILE not in {entry.path for entry in version.manifest.files}:
        return ["it is not signed, as MESH_REGISTRY_TRUSTED_KEYS demands"]
    try:
        signature = read_model(Signature, directory / SIGNATURE_FILE, "publish it again")
        valid = _is_valid(signature, version)
    except (MeshError, ValueError):
        return ["its signature can't be read"]
    if signature.key not in trusted_keys:
        return [
            f"it is signed with the key {signature.key}, which MESH_REGISTRY_TRUSTED_KEYS does not name"
        ]
    if not valid:
        return ["its signature is not one of this model's name and these files"]
    return []


def _is_valid(signature: Signature, version: ModelVersion) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(signature.key, validate=True))
    signed = [entry for entry in version.manifest.files if entry.path != SIGNATURE_FILE]
    try:
        key.verify(
            base64.b64decode(signature.signature, validate=True), _message(version.name, signed)
        )
    except InvalidSignature:
        return False
    return True


def _message(name: str, files: Iterable[FileEntry]) -> bytes:
    """The signed bytes: one digest, whatever the order of the files."""
    listed = sorted([entry.path, entry.size, entry.sha256] for entry in files)
    return fingerprint({"signed": "mesh model version", "model": name, "files": listed}).encode()


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
