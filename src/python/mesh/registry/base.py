"""The interface of every registry of models."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry, Manifest
from mesh.registry.history import AliasMove
from mesh.registry.reference import ModelReference, missing_model


@dataclass(frozen=True, kw_only=True)
class ModelVersion:
    """One published version.

    Args:
        name: the registered model, such as `KEYWORDS-COMPILED`.
        version: its number, from 1, assigned by the registry and never given twice.
        card: its description, and its origin.
        manifest: its files, with sizes and digests.
        created: when it became visible, in UTC.
        aliases: names that point at it, sorted.
        attachments: files added after publication, by path.
    """

    name: str
    version: int
    card: ModelCard
    manifest: Manifest
    created: datetime.datetime
    aliases: tuple[str, ...]
    attachments: Mapping[str, FileEntry]

    @property
    def reference(self) -> str:
        """The version by its number, such as `KEYWORDS-COMPILED-3`."""
        return str(ModelReference(self.name, version=self.version))

    def attachment(self, path: str) -> FileEntry:
        """The attachment at a path.

        Raises:
            MeshError: there is none.
        """
        if path not in self.attachments:
            known = ", ".join(self.attachments) or "none"
            raise MeshError(f"{self.reference} has no attachment {path!r}; it has: {known}.")
        return self.attachments[path]

    def check_unaliased(self) -> None:
        """Refuse to remove a version that an alias points at.

        Raises:
            MeshError: one does.
        """
        if self.aliases:
            raise MeshError(
                f"{self.reference} can't be deleted: {' and '.join(self.aliases)} would point at nothing; "
                "move them first."
            )


Accepts = Callable[[ModelVersion], bool]
"""Whether a version with the same fingerprint as a new one will do in its place."""


def any_version(_version: ModelVersion) -> bool:
    """Accept each version: equal fingerprints mean that there is nothing to do."""
    return True


@dataclass(frozen=True)
class Survey:
    """What a registry has, read once.

    Args:
        versions: the readable ones, by name and number.
        damaged: sentences about records that can't be read, by the reference of a version, or by
            the model for its history of aliases.
    """

    versions: Sequence[ModelVersion]
    damaged: Mapping[str, str]

    def of(self, name: str) -> "Survey":
        """The part about one model.

        Raises:
            MeshError: no version of it is registered.
        """
        versions = [version for version in self.versions if version.name == name]
        damaged = {
            record: problem
            for record, problem in self.damaged.items()
            if name in (record, record.rpartition("-")[0])
        }
        if not versions and not damaged:
            raise MeshError(missing_model(name, {version.name for version in self.versions}))
        return Survey(versions, damaged)


@dataclass(frozen=True)
class Leftover:
    """What a killed publish has left: files, or an incomplete version, that no version names.

    Args:
        name: the model and where it is, for people.
        size: bytes in its files.
        in_use: whether the publish may still be under way.
    """

    name: str
    size: int
    in_use: bool


class ModelRegistry(Protocol):
    """Versions of models, in order and intact.

    References read `KEYWORDS-COMPILED-3`, `KEYWORDS-COMPILED:prod` or `KEYWORDS-COMPILED:latest`.
    Every method raises a `UsageError` for a malformed name, reference, alias or path, and a
    `MeshError` if the version doesn't exist, or the registry can't be reached, read or written.
    """

    def publish(
        self, name: str, directory: Path, card: ModelCard, *, unless: Accepts | None = None
    ) -> ModelVersion:
        """Publish a directory's files and the card as the next version.

        The version is visible only when it is complete. The directory isn't changed; a
        `model_card.json`, a `manifest.json` and a `signature.json` at its top are not published,
        since each version gets its own.

        Args:
            unless: accepts the newest version with the card's fingerprint, which is then returned,
                and no other is made: of several publishers at the same time, one makes a version.

        Raises:
            MeshError: the directory is missing or empty, has a link or a special file, or changes
                meanwhile.
        """

    def fetch(self, reference: str, directory: Path) -> ModelVersion:
        """Bring a version into a directory, complete and verified.

        Nothing is downloaded if the directory already holds the version intact; a damaged one is
        replaced.

        Raises:
            MeshError: the version is damaged in the registry, or not signed as the settings demand,
                or the directory holds something other than a version.
        """

    def get(self, reference: str) -> ModelVersion:
        """Look a version up."""

    def survey(self, name: str | None = None) -> Survey:
        """All versions and damaged records, or those of one model.

        Raises:
            MeshError: no version of that model is registered.
        """

    def list(self, name: str | None = None) -> Sequence[ModelVersion]:
        """The readable versions of a survey.

        Raises:
            MeshError: no version of that model is registered.
        """

    def find(self, name: str, fingerprint: str) -> ModelVersion | None:
        """The newest version of a model with a fingerprint, if there is one."""

    def alias(self, reference: str, alias: str, why: str = "") -> ModelVersion:
        """Point an alias, such as `dev`, `stage` or `prod`, at a version and no other of its model.

        The alias moves at once, and the move is recorded; if it already points there, nothing
        happens.

        Args:
            why: a reason that is recorded with the move.
        """

    def history(self, name: str) -> Sequence[AliasMove]:
        """All moves of a model's aliases, in order; `survey` tells of those that can't be read.

        Raises:
            MeshError: no version of that model is registered.
        """

    def rollback(self, reference: str) -> ModelVersion:
        """Point an alias, such as `KEYWORDS-COMPILED:prod`, at the version before the current one.

        Raises:
            MeshError: there is no such alias, or no version before.
        """

    def delete(self, reference: str) -> None:
        """Remove a version, its files and attachments for good; its number isn't reused.

        Raises:
            MeshError: there is no such version, or an alias points at it.
        """

    def leftovers(self, name: str | None = None, *, delete: bool = False) -> Sequence[Leftover]:
        """What killed publishes of all models, or of one, have left.

        Args:
            delete: remove it, unless it may be in use.
        """

    def attach(self, reference: str, path: str, file: Path) -> None:
        """Add a file, such as test results, to a published version, or replace the one at its path.

        Args:
            path: relative POSIX path that names the attachment.
        """

    def read_attachment(self, reference: str, path: str) -> bytes:
        """The content of an attachment, verified.

        Raises:
            MeshError: there is none at this path, or it is damaged.
        """

    def verify(self, reference: str) -> Sequence[str]:
        """Check every stored file of a version; one sentence for each problem.

        The card and the fingerprint in the registry's database are checked as well.
        """
