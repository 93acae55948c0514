"""Keys, tokens and certificates for tests of who may ask a server."""

import datetime
import ipaddress
import json
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509  # pants: no-infer-dep
from cryptography.hazmat.primitives import hashes, serialization  # pants: no-infer-dep
from cryptography.hazmat.primitives.asymmetric import ec  # pants: no-infer-dep

from mesh.serve.access.keys import Key, change_keys, make_key
from mesh.serve.access.scopes import Scope

AUDIENCE = "mesh"
ISSUER = "https://issuer.example.com"


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


def add_key(
    file: Path, name: str, *scopes: Scope, days: float = 1, per_minute: int | None = None
) -> str:
    """Add a key to a file; without scopes it has all."""
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    text, key = make_key(name, frozenset(scopes or Scope), expires, per_minute)
    change_keys(file, lambda keys: (*keys, key))
    return text


def remove_key(file: Path, name: str) -> None:
    def without(keys: tuple[Key, ...]) -> tuple[Key, ...]:
        return tuple(key for key in keys if key.name != name)

    change_keys(file, without)


class Signer:
    """Signs tokens with a key of its own."""

    algorithm = "ES256"

    def __init__(self, key_id: str | None = "one") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.key_id = key_id

    @property
    def key_set(self) -> dict[str, Any]:
        """Its public key."""
        public = jwt.get_algorithm_by_name(self.algorithm).to_jwk(self._key.public_key())
        named = {"kid": self.key_id} if self.key_id else {}
        return {"keys": [json.loads(public) | named]}

    def token(self, headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token that is valid but for the claims that are given; None leaves one out."""
        now = int(time.time())
        common = {"sub": "alice", "aud": AUDIENCE, "iss": ISSUER, "iat": now, "exp": now + 60}
        all_claims = {"scope": "predict inspect", **common, **claims}
        kept = {name: value for name, value in all_claims.items() if value is not None}
        all_headers = {"kid": self.key_id, **(headers or {})}
        given = {name: value for name, value in all_headers.items() if value is not None}
        return jwt.encode(kept, self._key, self.algorithm, headers=given)


class Authority:
    """Signs certificates, which it writes into a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        own = self._certificate(self._name, self._key, is_authority=True)
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, days: float = 1, password: str = "") -> tuple[Path, Path]:
        """A certificate of 127.0.0.1 and localhost with a name, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._certificate(subject, key, days=days)
        files = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        locked = serialization.BestAvailableEncryption(password.encode()) if password else None
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                locked or serialization.NoEncryption(),
            )
        )
        return files

    def _certificate(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        *,
        is_authority: bool = False,
        days: float = 1,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        hosts = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=2))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
