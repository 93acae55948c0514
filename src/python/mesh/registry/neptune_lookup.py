"""Finding and reading versions in Neptune; those that are not complete are left alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mesh.core.errors import MeshError, describe_invalid
from mesh.registry import neptune_layout as layout
from mesh.registry.base import ModelVersion
from mesh.registry.neptune_client import Client
from mesh.registry.reference import LATEST, ModelReference

_SHOWN = 10


@dataclass(frozen=True)
class Lookup:
    """What is registered in a client's projects."""

    client: Client

    def find(self, reference: ModelReference) -> ModelReference:
        """The reference by number of a version that is complete.

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
                shown = ", ".join(str(number) for number in numbers[-_SHOWN:])
                raise MeshError(
                    f"There is no {reference}; the newest versions of {reference.name} are {shown}."
                )
            return reference
        aliases = layout.read_aliases(self.fields(reference.name))
        if reference.alias not in aliases:
            known = ", ".join(f"{alias} ({aliases[alias]})" for alias in sorted(aliases))
            raise MeshError(
                f"{reference.name} has no alias {reference.alias!r}; it has: {known or 'none'}."
            )
        return ModelReference(reference.name, version=aliases[reference.alias])

    def read(self, found: ModelReference) -> ModelVersion:
        """What is known of a version that is complete.

        Raises:
            MeshError: its record is damaged.
        """
        aliases = layout.read_aliases(self.fields(found.name))
        with self.client.version(found) as version:
            fields = version[layout.OWN].fetch()
            created = version["sys/creation_time"].fetch()
        try:
            record = layout.Record.of(fields)
            attachments = layout.read_attachments(fields)
        except ValidationError as error:
            raise MeshError(
                f"The record of {found} is damaged: {describe_invalid(error)}."
            ) from error
        return ModelVersion(
            name=found.name,
            version=int(found.version or 0),
            card=record.card,
            manifest=record.manifest,
            created=created,
            aliases=tuple(sorted(name for name in aliases if aliases[name] == found.version)),
            attachments=attachments,
        )

    def fields(self, name: str) -> dict[str, Any]:
        """The fields that this package has given a model."""
        with self.client.model(name) as model:
            if layout.OWN not in model.get_structure():
                return {}
            fields: dict[str, Any] = model[layout.OWN].fetch()
            return fields

    def numbers(self, name: str, fingerprint: str | None = None) -> Sequence[int]:
        """The numbers of a model's complete versions, in order, or of those with a fingerprint."""
        if name not in self.models(name):
            return []
        with self.client.model(name) as model:
            rows = model.fetch_model_versions_table(
                columns=["sys/id", layout.RECORD, layout.FINGERPRINT], sort_by="sys/id"
            ).to_rows()
        return sorted(
            int(row.get_attribute_value("sys/id").rpartition("-")[2])
            for row in rows
            if layout.value(row, layout.RECORD) is not None
            and fingerprint in (None, layout.value(row, layout.FINGERPRINT))
        )

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
        known = ", ".join(model for model in self.models() if self.numbers(model)) or "none"
        return f"No version of {name} is registered; registered are: {known}."
