"""`serve:download` of projects that need a sentence encoder but train none.

It compiles a base model into `models/`.
"""

import logging
from functools import partial
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.compile.backends import warn_of_serving
from mesh.compile.fingerprint import compile_inputs
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend, CompileSpec, Task
from mesh.core.card import COMPILED, ModelCard
from mesh.core.devices import CPU, NAMES, Device
from mesh.core.digest import fingerprint
from mesh.core.environment import code_revision, describe_environment
from mesh.core.errors import MeshError
from mesh.core.files import atomic_directory, remove_partials
from mesh.core.inputs import Inputs, differences, packages_of
from mesh.core.manifest import MANIFEST_FILE, Manifest
from mesh.core.program import Program
from mesh.core.project import Project
from mesh.core.roots import DEFAULT_BACKEND
from mesh.core.settings import MeshSettings, Url
from mesh.core.status import NEVER_RUN, Status, out_of_date, up_to_date
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.base_model import BaseModel, resolve_base_model

logger = logging.getLogger(__name__)

TASK: Task = "sentence-embedding"
_PREFIX = "ENCODER-"
PARITY_TEXTS = (
    "",
    "tram",
    "The council approved a new tram line on Tuesday.",
    "Straßenbahn, трамвай, 路面電車, 🚋.",
    "Glaciers carve valleys as they creep towards the sea. " * 60,
)
"""Texts of no, few, many and too many tokens.

The compiled encoder must embed them like the base model.
"""


class EncoderSettings(MeshSettings):
    """Compile a sentence encoder for serving, unless it is already there."""

    model_config = SettingsConfigDict(env_prefix="ENCODER_")

    base_model: Url = Field(
        description="Address of a sentence encoder: hf://org/name@revision, "
        "package://module/folder or a path."
    )
    backend: Backend = Field(DEFAULT_BACKEND, description="Runtime of the compiled encoder.")
    device: Device = Field(
        CPU,
        description="What the encoder is compiled for, and its parity checked on: "
        f"{NAMES}; several, the preferred one first, are separated by commas.",
    )
    force: bool = Field(False, description="Compile even if nothing has changed.")


def make_encoder(project: Project, settings: EncoderSettings, workspace: WorkspaceSettings) -> None:
    """Write `models/ENCODER-<fingerprint>` and let the project's server load it by default.

    Projects that compile the same base model share the directory.

    Raises:
        MeshError: the base model doesn't exist, the device isn't here, or the compiled encoder has
            different embeddings.
    """
    if settings.device != CPU:
        from mesh.compile.artifact import require_device

        named = f"ENCODER_DEVICE={settings.device}"
        require_device(settings.backend, settings.device, named)
    warn_of_serving(settings.backend)
    base = resolve_base_model(settings.base_model)
    spec = spec_for(base.folder, task=TASK, backend=settings.backend, device=settings.device)
    made_from = encoder_inputs(base, settings)
    name = encoder_name(made_from)
    directory = workspace.models / name
    if not settings.force and _is_intact(directory):
        logger.info("%s is up to date: nothing it depends on has changed", name)
    else:
        logger.info("compiling %s with %s", settings.base_model, spec.backend)
        with atomic_directory(directory, replace=True) as partial:
            _compile(base, spec, made_from, partial)
        remove_partials(workspace.models, f"{_PREFIX}*")
        logger.info("the encoder is in %s", directory)
    workspace.set_current_model(project, name)


def encoder_inputs(base: BaseModel, settings: EncoderSettings) -> Inputs:
    """Everything that determines a compiled encoder."""
    chosen = {"task": TASK, "device": settings.device}
    return compile_inputs(base.source.digest, settings.backend, chosen, source="base model")


def encoder_name(made_from: Inputs) -> str:
    """The folder of a compiled encoder."""
    return f"{_PREFIX}{fingerprint(made_from)[:12]}"


def _is_intact(directory: Path) -> bool:
    if not (directory / MANIFEST_FILE).is_file():
        return False
    problems = Manifest.read(directory).problems(directory)
    if problems:
        logger.warning("%s is damaged (%s) and will be compiled again", directory, problems[0])
    return not problems


def _compile(base: BaseModel, spec: CompileSpec, made_from: Inputs, directory: Path) -> None:
    from mesh.compile.compiler import compile_model
    from mesh.compile.parity import check_parity

    compile_model(base.folder, spec, directory / COMPILED)
    parity = check_parity(base.folder, directory / COMPILED, PARITY_TEXTS)
    if not parity.passed:
        raise MeshError(
            f"The compiled encoder differs from {base.source.uri} (largest difference "
            f"{parity.max_abs_difference:.2g}, smallest cosine {parity.min_cosine:.6f}); choose "
            "another backend."
        )
    ModelCard(
        project="encoder",
        model_type="compiled",
        description="Sentence encoder of projects that train none.",
        base_model=base.source,
        settings={"spec": spec.model_dump(mode="json")},
        metrics={"parity": parity.model_dump(mode="json")},
        code_revision=code_revision(),
        environment=describe_environment(packages_of(made_from)),
        fingerprint=fingerprint(made_from),
        made_from=made_from,
    ).write(directory)
    Manifest.of(directory).write(directory)


def status(project: Project, settings: EncoderSettings, workspace: WorkspaceSettings) -> Status:
    """Whether the server loads the encoder that would be compiled now."""
    here = workspace.find_model(project)
    if here is None:
        return NEVER_RUN
    inputs = encoder_inputs(resolve_base_model(settings.base_model, download=False), settings)
    if here.name == encoder_name(inputs):
        return up_to_date(here.name)
    return out_of_date(here.name, differences(ModelCard.read(here).made_from, inputs))


def program(project: Project) -> Program:
    """The program `serve:download` of a project."""
    return Program(
        component=f"{project.package}.serve",
        name="download",
        run=partial(make_encoder, project),
        status=partial(status, project),
        settings=(EncoderSettings, WorkspaceSettings),
    )
