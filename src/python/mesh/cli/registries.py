"""The registries that commands name, opened after a check of what they are asked for."""

from collections.abc import Mapping
from pathlib import Path

import click

from mesh.cli.paths import typed_path
from mesh.core.env_files import find_env_file
from mesh.core.errors import UsageError
from mesh.core.settings import load_settings, load_settings_of_file, variable_name
from mesh.registry.base import ModelRegistry
from mesh.registry.factory import open_registry
from mesh.registry.reference import ModelReference, check_model_name
from mesh.registry.settings import RegistrySettings


def open_own(*references: str) -> ModelRegistry:
    """The user's own registry, after a check of references to it, since opening may make it."""
    for reference in references:
        ModelReference.parse(reference)
    return open_registry(settings_of(""))


def open_for(name: str | None) -> ModelRegistry:
    """The same, after a check of the name of a model."""
    if name is not None:
        check_model_name(name)
    return open_own()


def settings_of(location: str) -> RegistrySettings:
    """Settings of a registry.

    Args:
        location: a URL, which goes with the user's own keys; an env file, which replaces the
            environment; or empty, for the user's own settings.
    """
    if "://" in location:
        return settings_of("").model_copy(update={"uri": location, "artifacts": ""})
    if not location:
        own: RegistrySettings
        (own,) = load_settings([RegistrySettings], env_file=find_env_file(Path()))
        return own
    file = typed_path(location)
    if not file.is_file():
        raise UsageError(
            f"{location!r} is neither an env file nor a URL such as http://registry:5000."
        )
    given: RegistrySettings = load_settings_of_file(RegistrySettings, file)
    if "uri" not in given.model_fields_set:
        raise UsageError(
            f"{file} names no registry: {variable_name(RegistrySettings, 'uri')} is missing."
        )
    return given


def report_damage(damaged: Mapping[str, str]) -> int:
    """Tell which records are damaged; the exit code."""
    for problem in damaged.values():
        click.echo(f"error: {problem}", err=True)
    return 1 if damaged else 0
