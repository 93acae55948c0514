"""The model of a backfill: what it is, and how a worker loads it."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mesh.backfill.manifest import ModelEntry
from mesh.compile.spec import CompileSpec
from mesh.core.card import COMPILED, ModelCard
from mesh.core.devices import Placement
from mesh.core.digest import fingerprint, sha256_file
from mesh.core.env_files import find_env_file
from mesh.core.errors import UsageError
from mesh.core.inputs import code_inputs, setting_inputs
from mesh.core.manifest import Manifest
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import component_folder
from mesh.core.project import Project
from mesh.core.roots import loading
from mesh.core.secret_values import mask_secret
from mesh.core.settings import MeshSettings, load_settings, variable_name
from mesh.serve.model import ServedModel
from mesh.serve.program import model_class

_PRECISION = "BACKFILL_PRECISION"


def own_settings(project: Project) -> Sequence[Any]:
    """The settings of a project's model, by the environment and the component's env file."""
    file = find_env_file(component_folder(f"{project.package}.backfill"))
    return load_settings(model_class(project).settings, env_file=file, complete=False)


def shown_variables(project: Project) -> dict[str, str]:
    """The variables of this process that are settings of a model, and no secrets.

    Workers on other machines get them; secrets are theirs by reference.
    """
    names = [
        variable_name(cls, name)
        for cls in model_class(project).settings
        for name, field in cls.model_fields.items()
        if field.repr and "Secret" not in str(field.annotation)
    ]
    found = {name: os.environ[name] for name in names if name in os.environ}
    return {name: value for name, value in found.items() if mask_secret(name, value) == value}


def make_model(
    project: Project, directory: Path | None, own: Sequence[MeshSettings]
) -> ServedModel:
    """The model, not yet loaded.

    Raises:
        UsageError: it needs a version, and there is none.
    """
    return model_class(project)(directory, *own)


def describe_model(
    project: Project,
    directory: Path | None,
    own: Sequence[MeshSettings],
    precision: Precision = FLOAT32,
) -> ModelEntry:
    """What determines the predictions of a model: its version, code, packages, settings and precision.

    Raises:
        UsageError: parity of the version wasn't checked in the precision.
        MeshError: the version is damaged.
    """
    roots = [f"{project.package}.serve.model"]
    made_from: dict[str, Any] = {}
    if directory is not None:
        made_from["version"] = ModelCard.read(directory).fingerprint
        made_from["version files"] = Manifest.read(directory / COMPILED).digest
        roots.append(loading(CompileSpec.read(directory / COMPILED).backend))
    if precision != FLOAT32:
        _require_checked(precision, directory)
        made_from["precision"] = precision
    for settings in own:
        made_from |= setting_inputs(_values(settings))
    made_from |= code_inputs(roots)
    return ModelEntry(
        name=project.name,
        version=directory.name if directory else None,
        fingerprint=fingerprint(made_from),
        made_from=made_from,
    )


def placement(precision: Precision) -> contextlib.AbstractContextManager[None]:
    """Have the networks that the block loads in this thread compute in a precision.

    Raises:
        MeshError: this processor doesn't have it.
    """
    if precision == FLOAT32:
        # As steps compute; a model without a network has that one, too.
        return contextlib.nullcontext()
    return Placement(precision=precision, setting=_PRECISION).applied()


def _require_checked(precision: Precision, directory: Path | None) -> None:
    if directory is None:
        raise UsageError(
            f"{_PRECISION}={precision} has no effect on this model, which runs no network here; "
            "remove it."
        )
    checked = CompileSpec.read(directory / COMPILED).precisions
    if precision not in checked:
        raise UsageError(
            f"{_PRECISION}={precision} can't be used: parity of {directory.name} was checked in "
            f"{' and '.join(checked)}. Choose one of these, or compile the model for {precision} "
            "(docs/compile.md#precisions)."
        )


def _values(settings: MeshSettings) -> Mapping[str, Any]:
    """The values of settings without secrets; a file counts by its content."""
    values = {
        name: mask_secret(name, value) for name, value in settings.model_dump(mode="json").items()
    }
    files = {
        name: sha256_file(value)
        for name, value in settings
        if isinstance(value, Path) and value.is_file()
    }
    return values | files
