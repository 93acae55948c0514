"""The settings of `compile:trace`, and the inputs of the version that it would compile."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from mesh.compile.fingerprint import compile_inputs
from mesh.compile.source import spec_for
from mesh.compile.spec import Backend, CompileSpec, Tolerances
from mesh.core.devices import CPU, NAMES, Device
from mesh.core.env_files import find_env_file
from mesh.core.inputs import Inputs
from mesh.core.precisions import FLOAT32, Precisions
from mesh.core.program import component_folder
from mesh.core.roots import DEFAULT_BACKEND
from mesh.core.settings import MeshSettings, load_settings
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_download import DownloadSettings
from mesh.lifecycle.compile_records import BASE_FOLDER
from mesh.lifecycle.extra_files import ExtraFiles
from mesh.lifecycle.recipe import Recipe
from mesh.lifecycle.status import find_chosen, registered, with_fingerprint
from mesh.lifecycle.version import digest_of, source_digest
from mesh.registry.base import ModelVersion
from mesh.registry.settings import RegistrySettings


class CompileSettings(MeshSettings):
    """Compile the downloaded model."""

    model_config = SettingsConfigDict(env_prefix="COMPILE_")

    backend: Backend = Field(DEFAULT_BACKEND, description="Runtime of the compiled model.")
    device: Device = Field(
        CPU,
        description="What the model is compiled for, and its parity checked on: "
        f"{NAMES}; several, the preferred one first, are separated by commas.",
    )
    precisions: Precisions = Field(
        FLOAT32,
        description="What the model may compute in, and its parity is checked in: float32, with the "
        "backend onnx also int8, and with openvino int8, bfloat16 or float16, separated by commas.",
    )
    max_length: int | None = Field(
        None, description="Tokens of one pass through the network; by default the model's maximum."
    )
    length_buckets: tuple[int, ...] | None = Field(
        None, description="Lengths, in ascending order, for backends with fixed shapes."
    )
    max_batch_tokens: int = Field(
        1024,
        description="Tokens of one pass, padding included; where shapes are free, a processor takes "
        "256 at most.",
    )
    max_abs_difference: float = Field(
        1e-4, description="Largest accepted difference of any output value."
    )
    min_cosine: float = Field(0.9999, description="Smallest accepted cosine of the outputs.")
    force: bool = Field(False, description="Compile even if nothing has changed.")

    def spec(self, source: Path, recipe: Recipe) -> CompileSpec:
        """The complete specification for compiling a model's folder.

        Raises:
            MeshError: the model can't be compiled in this way.
        """
        return spec_for(
            source,
            task=recipe.task,
            backend=self.backend,
            device=self.device,
            precisions=self.precisions.split(","),
            max_length=self.max_length,
            length_buckets=self.length_buckets,
            max_batch_tokens=self.max_batch_tokens,
            overflow=recipe.overflow,
            stride=recipe.stride,
            tolerances=Tolerances(
                max_abs_difference=self.max_abs_difference, min_cosine=self.min_cosine
            ),
        )


def inputs_of(
    recipe: Recipe, source: str, settings: CompileSettings, extra_files: ExtraFiles | None = None
) -> Inputs:
    """Everything that determines a compiled version, without reading its files.

    Args:
        source: the digest of the version's files.
    """
    chosen = {
        **recipe.declared,
        **settings.model_dump(mode="json", exclude={"force"}),
        **(extra_files.model_dump(mode="json") if extra_files else {}),
    }
    module = type(extra_files).__module__ if extra_files else None
    return compile_inputs(source, settings.backend, chosen, module)


def expected_inputs(recipe: Recipe, workspace: WorkspaceSettings) -> Inputs | None:
    """The inputs for compiling now, after a download; None if there is nothing to compile."""
    extra = (recipe.extra_files,) if recipe.extra_files else ()
    settings, source, registry_settings, *extra_files = load_settings(
        [CompileSettings, DownloadSettings, RegistrySettings, *extra],
        env_file=find_env_file(component_folder(f"{recipe.project.package}.compile")),
        complete=False,
    )
    if "://" in source.reference:
        downloads = workspace.output(recipe.project, "download")
        if not (downloads / BASE_FOLDER).is_dir():
            return None
        digest = source_digest(downloads / BASE_FOLDER)
    else:
        version = find_chosen(
            workspace,
            recipe.project,
            recipe.project.trained_model,
            source.reference,
            registry_settings,
        )
        if version is None:
            return None
        digest = digest_of(version.manifest)
    return inputs_of(recipe, digest, settings, *extra_files)


def find_compiled(recipe: Recipe, inputs: Inputs) -> ModelVersion | None:
    """The registered compiled version that was made from inputs."""
    (settings,) = load_settings(
        [RegistrySettings],
        env_file=find_env_file(component_folder(f"{recipe.project.package}.compile")),
        complete=False,
    )
    return with_fingerprint(registered(settings, recipe.project.compiled_model), inputs)
