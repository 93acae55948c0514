"""Publishes a fingerprint once, though several publishers come with it at the same time.

No clock takes part. A publisher whose files are stored claims the fingerprint, then reads the
claims of others. If there is one, it gives its own claim up, and tries again later. Each writes
before it reads, so of two publishers at least one sees the other.
"""

import random
import time
from collections.abc import Callable, Collection
from typing import Protocol

from mesh.core.errors import MeshError
from mesh.registry.base import Accepts, ModelVersion
from mesh.registry.moving import POLL_SECONDS, WAIT_SECONDS


class Claims(Protocol):
    """Claims on one fingerprint of a model, as a backend keeps them beside unfinished versions."""

    def find(self) -> ModelVersion | None:
        """The newest version with the fingerprint."""

    def claim(self) -> None:
        """Store this publisher's claim."""

    def withdraw(self) -> None:
        """Remove it again."""

    def others(self) -> Collection[str]:
        """The claims of other publishers whose versions are not complete, by any names."""


class AlreadyPublishedError(MeshError):
    """A version with the fingerprint will do, so nothing needs to be published."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"{version.reference} has the same fingerprint.")
        self.version = version


def publish_unless(
    find: Callable[[], ModelVersion | None],
    accepts: Accepts | None,
    publish: Callable[[], ModelVersion],
) -> ModelVersion:
    """Publish, unless a version with the fingerprint will do; return either.

    Args:
        find: the newest version with the fingerprint.
        accepts: which will do; without it, none.
        publish: may raise an `AlreadyPublishedError`.
    """
    try:
        if accepts is not None:
            _check_new(find(), accepts)
        return publish()
    except AlreadyPublishedError as error:
        return error.version


def claim_fingerprint(claims: Claims, accepts: Accepts) -> None:
    """Return when this publisher alone may make its version, with its claim stored.

    A claim that stays for `WAIT_SECONDS` is taken for that of a killed publisher.

    Raises:
        AlreadyPublishedError: another publisher has made one that will do.
    """
    deadlines: dict[str, float] = {}
    while True:
        claims.claim()
        now = time.monotonic()
        # One that went away meanwhile belongs to a publisher that is alive.
        deadlines = {other: deadlines.get(other, now + WAIT_SECONDS) for other in claims.others()}
        # Claims end when versions are complete, so versions are read after them.
        _check_new(claims.find(), accepts)
        if all(deadline <= now for deadline in deadlines.values()):
            return
        claims.withdraw()
        time.sleep(random.uniform(1, 10) * POLL_SECONDS)  # noqa: S311


def _check_new(found: ModelVersion | None, accepts: Accepts) -> None:
    if found is not None and accepts(found):
        raise AlreadyPublishedError(found)
