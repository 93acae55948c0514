"""Opening the registry that the settings name."""

import importlib

from mesh.core.errors import MeshError, UsageError
from mesh.registry.base import ModelRegistry
from mesh.registry.read_only import ReadOnlyRegistry
from mesh.registry.settings import RegistrySettings

# Modules by name, so that a program carries and imports no backend that it does not use.
BACKENDS = {
    "mlflow": "mesh.registry.mlflow_backend",
    "neptune": "mesh.registry.neptune_backend",
}


def open_registry(settings: RegistrySettings) -> ModelRegistry:
    """Open the registry, only for reading if the settings say so; an embedded one is created at its first use.

    Raises:
        UsageError: there is no such backend, or the address is not one of its own.
        MeshError: the backend is not installed, or the registry can't be reached, read or created.
    """
    if settings.backend not in BACKENDS:
        raise UsageError(
            f"There is no registry backend {settings.backend!r}; there is {', '.join(sorted(BACKENDS))}."
        )
    try:
        backend = importlib.import_module(BACKENDS[settings.backend])
        registry: ModelRegistry = backend.open_backend(settings)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        raise MeshError(
            f"The registry backend {settings.backend!r} needs the Python package {package!r}, "
            "which is not installed; install it, or choose another MESH_REGISTRY_BACKEND."
        ) from error
    return ReadOnlyRegistry(registry) if settings.client_mode == "read-only" else registry
