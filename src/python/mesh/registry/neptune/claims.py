"""Claims on fingerprints in Neptune: a field of incomplete versions."""

import logging
from collections.abc import Collection
from dataclasses import dataclass

from mesh.core.errors import MeshError
from mesh.registry.base import ModelVersion
from mesh.registry.neptune import layout
from mesh.registry.neptune.client import WRITE
from mesh.registry.neptune.lookup import Lookup
from mesh.registry.reference import ModelReference

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class NeptuneClaims:
    """The `Claims` on a fingerprint of a model; the methods' promises are documented there.

    Args:
        new: the incomplete version that claims.
    """

    lookup: Lookup
    name: str
    fingerprint: str
    new: ModelReference

    def find(self) -> ModelVersion | None:
        return find_fingerprint(self.lookup, self.name, self.fingerprint)

    def claim(self) -> None:
        self._write(self.fingerprint)

    def withdraw(self) -> None:
        self._write("")

    def others(self) -> Collection[str]:
        claimed = self.lookup.incomplete(self.name, claimed=self.fingerprint)
        return [str(number) for number in claimed if number != self.new.version]

    def _write(self, claimed: str) -> None:
        with self.lookup.client.version(self.new, WRITE) as version:
            version[layout.CLAIM] = claimed


def find_fingerprint(lookup: Lookup, name: str, fingerprint: str) -> ModelVersion | None:
    """The newest readable version of a model with a fingerprint."""
    for number in reversed(lookup.numbers(name, fingerprint)):
        try:
            return lookup.read(ModelReference(name, version=number))
        except MeshError as error:
            logger.warning("%s", error)
    return None
