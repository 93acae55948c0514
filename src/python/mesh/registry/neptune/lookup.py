"""Finds and reads the versions that are written as `layout` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mesh.core.errors import MeshError, describe_invalid
from mesh.registry.base import ModelVersion
from mesh.registry.neptune.client import Client
from mesh.registry.neptune.layout import (
    CLAIM,
    FINGERPRINT,
    OWN,
    RECORD,
    Record,
    read_aliases,
    read_attachments,
    read_model_moves,
    value,
)
from mesh.registry.reference import LATEST, ModelReference, missing_model, missing_version


@dataclass(frozen=True)
class Lookup:
    """The registered versions of a client's projects; incomplete ones are ignored."""

    client: Client

    def find(self, reference: ModelReference) -> ModelReference:
        """The reference by number of a complete version.

        Raises:
            MeshError: there is none.
        """
        numbers = self.numbers(reference.name)
        if not numbers:
            raise MeshError(self.unknown_model(reference.name))
        if reference.alias == LATEST:
            return ModelReference(reference.name, version=numbers[-1])
        if reference.alias is None:
            if reference.version not in numbers:
                raise MeshError(missing_version(reference, numbers, {}))
            return reference
        aliases = read_aliases(self.fields(reference.name))
        if reference.alias not in aliases:
            raise MeshError(missing_version(reference, numbers, aliases))
        return ModelReference(reference.name, version=aliases[reference.alias])

    def read(self, found: ModelReference) -> ModelVersion:
        """Read a complete version.

        Raises:
            MeshError: its record is damaged.
        """
        return self.read_record(found)[0]

    def read_record(self, found: ModelReference) -> tuple[ModelVersion, list[str]]:
        """Read a complete version, and a sentence for each damaged record of an attachment.

        Raises:
            MeshError: its record is damaged.
        """
        aliases = read_aliases(self.fields(found.name))
        with self.client.version(found) as version:
            fields = version[OWN].fetch()
            created = version["sys/creation_time"].fetch()
        try:
            record = Record.of(fields)
        except ValidationError as error:
            raise MeshError(
                f"The record of {found} is damaged: {describe_invalid(error)}."
            ) from error
        attachments, problems = read_attachments(fields)
        version_read = ModelVersion(
            name=found.name,
            version=int(found.version or 0),
            card=record.card,
            manifest=record.manifest,
            created=created,
            aliases=tuple(sorted(name for name in aliases if aliases[name] == found.version)),
            attachments=attachments,
        )
        return version_read, problems

    def read_all(self, name: str | None) -> tuple[list[ModelVersion], dict[str, str]]:
        """The complete versions of all models, or of one, by name and number.

        Returns:
            The readable ones; and sentences about damaged ones, by version, or by model for its
            moves.
        """
        versions, damaged = [], {}
        for model in self.models() if name is None else [name]:
            numbers = self.numbers(model)
            for number in numbers:
                reference = ModelReference(model, version=number)
                try:
                    version, problems = self.read_record(reference)
                except MeshError as error:
                    damaged[str(reference)] = str(error)
                    continue
                versions.append(version)
                if problems:
                    damaged[str(reference)] = f"{reference} is damaged: {'; '.join(problems)}."
            moves = read_model_moves(model, self.fields(model))[1] if numbers else []
            if moves:
                damaged[model] = " ".join(moves)
        return versions, damaged

    def fields(self, name: str) -> dict[str, Any]:
        """The fields that this package has given a model."""
        with self.client.model(name) as model:
            if OWN not in model.get_structure():
                return {}
            fields: dict[str, Any] = model[OWN].fetch()
            return fields

    def numbers(self, name: str, fingerprint: str | None = None) -> Sequence[int]:
        """The numbers of a model's complete versions, in order, or of those with a fingerprint."""
        rows = self._rows(name)
        return sorted(
            number
            for number, row in rows.items()
            if value(row, RECORD) is not None and fingerprint in (None, value(row, FINGERPRINT))
        )

    def incomplete(self, name: str, claimed: str | None = None) -> Sequence[int]:
        """The numbers of versions that are being published, or whose publishing failed.

        Args:
            claimed: only those that claim this fingerprint.
        """
        rows = self._rows(name)
        return sorted(
            number
            for number, row in rows.items()
            if value(row, RECORD) is None and claimed in (None, value(row, CLAIM))
        )

    def _rows(self, name: str) -> dict[int, Any]:
        """The rows of Neptune's table of a model's versions, by number."""
        if name not in self.models(name):
            return {}
        with self.client.model(name) as model:
            rows = model.fetch_model_versions_table(
                columns=["sys/id", RECORD, FINGERPRINT, CLAIM], sort_by="sys/id"
            ).to_rows()
        return {int(row.get_attribute_value("sys/id").rpartition("-")[2]): row for row in rows}

    def models(self, name: str | None = None) -> Sequence[str]:
        """The names of all models, or of those in the project that a model belongs to."""
        projects = self.client.projects if name is None else [self.client.project_of(name)]
        found = []
        for project in projects:
            with self.client.project(project) as opened:
                rows = opened.fetch_models_table(columns=["sys/id"], sort_by="sys/id").to_rows()
            found += [str(row.get_attribute_value("sys/id")) for row in rows]
        return sorted(found)

    def unknown_model(self, name: str) -> str:
        """The sentence for a model that has no version."""
        return missing_model(name, [model for model in self.models() if self.numbers(model)])
