"""Keys of callers: made once, kept as digests in a file."""

import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from mesh.core.errors import MeshError, UsageError
from mesh.core.files import read_model, write_json_atomic
from mesh.serve.access.scopes import Caller, Scope

PREFIX = "mesh_"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
ADVICE = "`mesh keys` writes such files"

_ID_BYTES = 6
_SECRET_BYTES = 32


class Key(BaseModel):
    """What is kept of a key. The key itself can't be computed from it.

    A digest without salt and rounds is enough, since keys are random and not chosen by people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=rf"^{NAME}$", description="Of the caller, for the log.")
    id: str = Field(pattern=r"^[0-9a-f]{12}$", description="The second part of the key.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Of the whole key.")
    scopes: frozenset[Scope] = Field(min_length=1)
    created: AwareDatetime
    expires: AwareDatetime | None = None
    requests_per_minute: int | None = Field(None, ge=1)

    @property
    def is_expired(self) -> bool:
        """Whether it lets nobody in any more."""
        return self.expires is not None and self.expires <= datetime.now(UTC)

    @property
    def caller(self) -> Caller:
        """Who has it."""
        return Caller("key", self.name, self.scopes, self.requests_per_minute)


class KeyFile(BaseModel):
    """The keys that a server accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keys: tuple[Key, ...]

    @model_validator(mode="after")
    def _are_different(self) -> Self:
        for what in ("name", "id"):
            [(value, count)] = Counter(getattr(key, what) for key in self.keys).most_common(1) or [
                ("", 0)
            ]
            if count > 1:
                raise ValueError(f"{count} keys have the {what} {value}")
        return self


class Keys:
    """The keys of a file, by their ids."""

    def __init__(self, file: KeyFile) -> None:
        self._keys = {key.id: key for key in file.keys}
        self.can_open = any(not key.is_expired for key in file.keys)

    def find(self, text: str) -> Key | None:
        """The key that was sent; it may have expired.

        The time that this takes tells nothing of a key: its id is no secret, and digests are
        compared in constant time, also where there is no such key.
        """
        _, _, rest = text.partition("_")
        found = self._keys.get(rest.partition("_")[0])
        expected = found.sha256 if found else ""
        return found if hmac.compare_digest(_digest(text), expected or _NOBODYS) else None


def read_keys(path: Path) -> Keys:
    """Read a file of keys.

    Raises:
        UsageError: it can't be read, or isn't such a file.
    """
    return Keys(read_key_file(path))


def read_key_file(path: Path) -> KeyFile:
    """Read a file of keys.

    Raises:
        UsageError: it can't be read, or isn't such a file.
    """
    try:
        if path.exists() and not path.is_file():
            # Reading a pipe would wait for its writer.
            raise MeshError(f"{path} is not a file; {ADVICE}.")
        if path.exists() and path.stat().st_size == 0:
            raise MeshError(f"The file of keys {path} is empty; {ADVICE}.")
        return read_model(KeyFile, path, ADVICE)
    except MeshError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}; {ADVICE}.") from error


def make_key(
    name: str, scopes: frozenset[Scope], expires: datetime | None, requests_per_minute: int | None
) -> tuple[str, Key]:
    """A new key, and what is kept of it."""
    identifier = secrets.token_hex(_ID_BYTES)
    text = f"{PREFIX}{identifier}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    key = Key(
        name=name,
        id=identifier,
        sha256=_digest(text),
        scopes=scopes,
        created=datetime.now(UTC).replace(microsecond=0),
        expires=expires,
        requests_per_minute=requests_per_minute,
    )
    return text, key


def change_keys(path: Path, change: Callable[[tuple[Key, ...]], tuple[Key, ...]]) -> None:
    """Write a file of keys anew, which may not exist yet; one process at a time.

    Raises:
        MeshError: the file can't be read or written; then it stays as it was.
    """
    # The file that a link leads to is replaced, not the link.
    path = path.resolve()
    with _locked(path.parent):
        keys = read_key_file(path).keys if path.exists() else ()
        changed = KeyFile(keys=change(keys))
        write_json_atomic(path, changed.model_dump(mode="json"))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise MeshError(f"{folder} can't be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


_NOBODYS = _digest("")
"""The digest that the keys of nobody are compared with; no key is empty."""
