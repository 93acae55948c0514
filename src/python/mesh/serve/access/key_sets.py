"""The public keys of tokens: of a file, or of an issuer, which publishes them."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from mesh.core.errors import MeshError, UsageError
from mesh.core.files import read_json
from mesh.core.urls import mask_url
from mesh.serve.access.settings import is_safe_url

logger = logging.getLogger(__name__)

KeySet = Mapping[str | None, PyJWK]
"""Keys by their ids."""

REFRESH_SECONDS = 300.0
RETRY_SECONDS = 10.0
EXPIRY_SECONDS = 24 * 3600.0
"""Without a word of the issuer for so long, its keys may have been withdrawn."""

_TIMEOUT_SECONDS = 10.0
_MAX_BYTES = 1024 * 1024
_DISCOVERY = "/.well-known/openid-configuration"
_SECRET_PARTS = ("d", "k", "p", "q", "dp", "dq", "qi")


def read_key_set(path: Path, algorithm: str) -> KeySet:
    """Read a JSON Web Key Set.

    Raises:
        UsageError: the file can't be read, or has no key for the algorithm.
    """
    try:
        return parse_key_set(read_json(path), algorithm, f"The key set {path}")
    except MeshError as error:
        raise UsageError(str(error)) from error


def parse_key_set(document: Any, algorithm: str, name: str) -> KeySet:
    """The keys of a JSON Web Key Set (RFC 7517) that may sign tokens with the algorithm.

    Args:
        name: begins the sentence of an error.

    Raises:
        MeshError: there is none.
    """
    found = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(found, list):
        raise MeshError(f"{name} is not a JSON Web Key Set: it needs a list `keys`.")
    if any(isinstance(each, dict) and set(each).intersection(_SECRET_PARTS) for each in found):
        raise MeshError(f"{name} has a private key; public keys alone belong there.")
    keys = [key for each in found if (key := _key(each, algorithm)) is not None]
    if not keys:
        raise MeshError(f"{name} has no key for {algorithm} (SERVE_JWT_ALGORITHM).")
    return {key.key_id: key for key in keys}


def _key(found: Any, algorithm: str) -> PyJWK | None:
    """A key, if it is one that may sign tokens with the algorithm."""
    is_meant = (
        isinstance(found, dict)
        and found.get("alg") in (None, algorithm)
        and found.get("use") in (None, "sig")
        and isinstance(found.get("kid"), str | None)
    )
    try:
        return PyJWK(found, algorithm) if is_meant else None
    except (PyJWTError, ValueError, TypeError):
        return None


class IssuerKeys:
    """The keys of an OpenID Connect issuer, fetched again and again in a thread.

    No request waits for them.

    Args:
        clock: seconds.
    """

    def __init__(
        self, issuer: str, algorithm: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._algorithm = algorithm
        self._clock = clock
        self._keys: KeySet | None = None
        self._fetched = clock()
        self._is_reported = False
        self._wanted = threading.Event()
        self._ended = False

    @property
    def value(self) -> KeySet | None:
        """The keys, or None if there are none yet, or they are too old."""
        is_old = self._clock() - self._fetched > EXPIRY_SECONDS
        return None if is_old else self._keys

    def start(self) -> None:
        """Fetch them from now on."""
        threading.Thread(target=self._run, name="issuer", daemon=True).start()

    def close(self) -> None:
        """Fetch no more."""
        self._ended = True
        self._wanted.set()

    def want(self) -> None:
        """Fetch soon: a token names a key that is unknown."""
        self._wanted.set()

    def refresh(self) -> bool:
        """Fetch the keys; whether that succeeded."""
        try:
            self._keys = self._fetch()
        except MeshError as error:
            if not self._is_reported:
                logger.error("%s It is tried again; tokens may be refused meanwhile.", error)
            self._is_reported = True
            return False
        self._fetched = self._clock()
        self._is_reported = False
        return True

    def _run(self) -> None:
        while not self._ended:
            is_fresh = self.refresh()
            # Unknown keys of tokens that anyone can make up may not have it fetched all the time.
            time.sleep(0 if self._ended else RETRY_SECONDS)
            if is_fresh:
                self._wanted.wait(REFRESH_SECONDS - RETRY_SECONDS)
            self._wanted.clear()

    def _fetch(self) -> KeySet:
        with httpx.Client(timeout=_TIMEOUT_SECONDS) as client:
            found = _get(client, self._issuer.rstrip("/") + _DISCOVERY)
            if not isinstance(found, dict) or found.get("issuer") != self._issuer:
                raise MeshError(
                    f"{mask_url(self._issuer)}{_DISCOVERY} is not of the issuer "
                    f"{mask_url(self._issuer)} (SERVE_JWT_ISSUER)."
                )
            address = found.get("jwks_uri")
            if not isinstance(address, str) or not is_safe_url(address.partition("?")[0]):
                raise MeshError(f"The issuer {self._issuer} names no `jwks_uri` with https.")
            name = f"The key set {mask_url(address)}"
            return parse_key_set(_get(client, address), self._algorithm, name)


def _get(client: httpx.Client, address: str) -> Any:
    try:
        with client.stream("GET", address) as response:
            response.raise_for_status()
            content = b""
            for piece in response.iter_bytes():
                content += piece
                if len(content) > _MAX_BYTES:
                    raise MeshError(f"{mask_url(address)} has more than {_MAX_BYTES} bytes.")
        return json.loads(content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise MeshError(
            f"{mask_url(address)} can't be read ({type(error).__name__}: {error})."
        ) from error
    except (ValueError, RecursionError) as error:
        raise MeshError(f"{mask_url(address)} is not JSON.") from error
