"""Opens the registry that the settings name."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from mesh.core.card import ModelCard
from mesh.core.errors import MeshError, UsageError
from mesh.registry.base import Accepts, Leftover, ModelRegistry, ModelVersion, Survey
from mesh.registry.history import AliasMove
from mesh.registry.runs import Runs
from mesh.registry.settings import RegistrySettings

# Modules by name, so that a program carries and imports no backend that it does not use.
BACKENDS = {
    "mlflow": "mesh.registry.mlflow.backend",
    "neptune": "mesh.registry.neptune.backend",
}
WITH_RUNS = ("mlflow",)
"""Backends that keep runs of trainings."""

_READ_ONLY = "the registry is read-only (MESH_REGISTRY_CLIENT_MODE=read-only)"


def open_registry(settings: RegistrySettings) -> ModelRegistry:
    """Open the registry, read-only if the settings say so; the first use creates an embedded one.

    Raises:
        UsageError: there is no such backend, or the URI isn't one of its own.
        MeshError: the backend is not installed, or the registry can't be reached, read or created,
            or another release of the backend has made it.
    """
    registry: ModelRegistry = _call("open_backend", settings)
    return ReadOnlyRegistry(registry) if _is_read_only(settings) else registry


def upgrade_registry(settings: RegistrySettings, *, without_copy: bool) -> str:
    """Make a registry of an older release of its backend usable; return a sentence about it.

    Args:
        without_copy: whether the user has made a copy of what this program can't copy.

    Raises:
        UsageError: there is no such backend, or nothing that this program could upgrade.
        MeshError: the registry is read-only, in use, damaged, or of a newer release.
    """
    if _is_read_only(settings):
        raise MeshError(f"The registry can't be upgraded: {_READ_ONLY}.")
    sentence: str = _call("upgrade_backend", settings, without_copy=without_copy)
    return sentence


def open_runs(settings: RegistrySettings) -> Runs:
    """Open the runs of the registry.

    Raises:
        UsageError: there is no such backend, the URI isn't one of its own, or it has no runs.
        MeshError: the backend is not installed, or the registry can't be reached, read or created.
    """
    if settings.backend not in WITH_RUNS:
        raise UsageError(
            f"The registry backend {settings.backend!r} keeps no runs of trainings; "
            f"{' and '.join(WITH_RUNS)} does."
        )
    runs: Runs = _call("open_runs", settings)
    return runs


def keeps_runs(settings: RegistrySettings) -> bool:
    """Whether a training may record a run."""
    return settings.backend in WITH_RUNS and not _is_read_only(settings)


def _is_read_only(settings: RegistrySettings) -> bool:
    return settings.client_mode == "read-only"


def _call(function: str, settings: RegistrySettings, **options: Any) -> Any:
    """Call a function of the module of the settings' backend."""
    if settings.backend not in BACKENDS:
        raise UsageError(
            f"There is no registry backend {settings.backend!r}; there is {', '.join(sorted(BACKENDS))}."
        )
    try:
        backend = importlib.import_module(BACKENDS[settings.backend])
        return getattr(backend, function)(settings, **options)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "mesh":
            raise MeshError(
                f"This program doesn't carry the registry backend {settings.backend!r}: add "
                f"{BACKENDS[settings.backend]} to the dependencies in its BUILD file."
            ) from error
        raise MeshError(
            f"The registry backend {settings.backend!r} needs the Python package {package!r}, "
            "which is not installed; install it, or choose another MESH_REGISTRY_BACKEND."
        ) from error


@dataclass(frozen=True)
class ReadOnlyRegistry:
    """A `ModelRegistry`, whatever its backend, that refuses every change before anything is sent.

    It keeps this program from changing the registry by mistake. It does not protect the registry:
    give those who must not change it credentials that can't.
    """

    registry: ModelRegistry

    def publish(
        self,
        name: str,
        directory: Path,
        card: ModelCard,
        *,
        unless: Accepts | None = None,  # noqa: ARG002
    ) -> ModelVersion:
        self._refuse(f"The {card.model_type} model in {directory} can't be published as {name}")

    def fetch(self, reference: str, directory: Path) -> ModelVersion:
        return self.registry.fetch(reference, directory)

    def get(self, reference: str) -> ModelVersion:
        return self.registry.get(reference)

    def survey(self, name: str | None = None) -> Survey:
        return self.registry.survey(name)

    def list(self, name: str | None = None) -> Sequence[ModelVersion]:
        return self.registry.list(name)

    def find(self, name: str, fingerprint: str) -> ModelVersion | None:
        return self.registry.find(name, fingerprint)

    def alias(self, reference: str, alias: str, why: str = "") -> ModelVersion:  # noqa: ARG002
        self._refuse(f"{alias} can't be moved to {reference}")

    def history(self, name: str) -> Sequence[AliasMove]:
        return self.registry.history(name)

    def rollback(self, reference: str) -> ModelVersion:
        self._refuse(f"{reference} can't be rolled back")

    def delete(self, reference: str) -> None:
        self._refuse(f"{reference} can't be deleted")

    def leftovers(self, name: str | None = None, *, delete: bool = False) -> Sequence[Leftover]:
        if delete:
            self._refuse("What killed publishes have left can't be deleted")
        return self.registry.leftovers(name)

    def attach(self, reference: str, path: str, file: Path) -> None:
        self._refuse(f"{file} can't be attached to {reference} as {path}")

    def read_attachment(self, reference: str, path: str) -> bytes:
        return self.registry.read_attachment(reference, path)

    def verify(self, reference: str) -> Sequence[str]:
        return self.registry.verify(reference)

    def _refuse(self, refusal: str) -> NoReturn:
        raise MeshError(f"{refusal}: {_READ_ONLY}.")
