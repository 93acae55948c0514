"""Settings of a pipeline."""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from mesh.core import names
from mesh.core.data_names import check_tag
from mesh.core.environment import IMAGE_VARIABLE
from mesh.core.errors import UsageError
from mesh.core.project import Project
from mesh.core.secret_values import is_secret_name, is_secret_value, looks_random, mask_secret
from mesh.core.secrets import SECRETS_VARIABLE
from mesh.core.settings import MeshSettings, variable_name
from pipelines import rules

logger = logging.getLogger(__name__)

_OWN_VARIABLES = (IMAGE_VARIABLE, SECRETS_VARIABLE)
"""Variables that the pipeline itself sets."""


class PipelineSettings(MeshSettings):
    """Build pipeline.yaml from containers of the life cycle, and run it."""

    model_config = SettingsConfigDict(
        env_prefix="PIPELINE_",
        cli_shortcuts={"run-containers": "r", "tag": "t"},
    )

    project: str = Field(
        "sentiment", description="Project: sentiment, ner, keywords, or one of your own."
    )
    run_containers: list[int] = Field(
        [],
        description="Container to run; repeatable: 1 ingest, 2 register, 3 tag the data, 4 train, "
        "5 compile, 6 validate, 7 upload, 8 backfill.",
    )
    tag: Annotated[str, AfterValidator(check_tag)] | None = Field(
        None, description="Tag of the data, such as dataset_v22: set by 3, used for training by 4."
    )
    target: Literal["local", "processes", "vertex", "kubeflow"] = Field(
        "local",
        description="local: in containers, or as processes if no Docker daemon responds; "
        "processes: without containers; vertex: Vertex AI; kubeflow: a Kubeflow server.",
    )
    compile_only: bool = Field(False, description="Write pipeline.yaml and stop.")
    watch: str = Field(
        "",
        description="Run of the target kubeflow or vertex to show until it ends, instead of a new "
        "one.",
    )
    output: Path | None = Field(
        None, description="File to write; outputs/<project>/pipeline/pipeline.yaml by default."
    )
    environment: Literal["dev", "prod"] = Field(
        "dev", description="Which config/<environment>.env of each component is used."
    )
    caching: bool = Field(
        False,
        description="Let Kubeflow or Vertex AI skip steps that ran before. The programs themselves "
        "recognise by fingerprints what is up to date.",
    )
    gpus: int = Field(
        0, ge=0, description="GPUs for training; several are used by a process each, by torchrun."
    )
    accelerator: str = Field(
        "",
        description="Kind of GPU, as the target names it; nvidia.com/gpu by default, "
        "NVIDIA_TESLA_T4 on Vertex AI.",
    )
    variables: dict[str, str] = Field(
        {},
        description="JSON object of variables for every step; readable in pipeline.yaml.",
        repr=False,
    )
    secrets: dict[str, str] = Field(
        {},
        description="JSON object of variables whose values are stored elsewhere: "
        "kubernetes://<secret>/<key>, or projects/<project>/secrets/<secret>/versions/<version> of "
        "Google Secret Manager.",
        repr=False,
    )
    volume: Annotated[str, AfterValidator(names.KUBERNETES_NAME.check_given)] = Field(
        "", description="Kubeflow: claim of the volume with the outputs, which the steps share."
    )

    @field_validator("variables")
    @classmethod
    def _no_secrets(cls, variables: dict[str, str]) -> dict[str, str]:
        _check_names(variables)
        for name, value in variables.items():
            if not names.can_be_value(value):
                raise ValueError(f"the value of {name} has characters that no variable can have")
            if is_secret_name(name) or is_secret_value(value):
                raise ValueError(
                    f"{name} looks like a secret and would be readable in pipeline.yaml; "
                    "put a reference to it in PIPELINE_SECRETS"
                )
            if looks_random(value):
                logger.warning(
                    "%s may be a secret, since its value looks random; it is readable in "
                    "pipeline.yaml. Put a secret into PIPELINE_SECRETS.",
                    name,
                )
        return variables

    @field_validator("secrets")
    @classmethod
    def _only_references(cls, secrets: dict[str, str]) -> dict[str, str]:
        _check_names(secrets)
        for name, reference in secrets.items():
            if not names.is_kubernetes_secret(reference) and not is_managed(reference):
                raise ValueError(
                    f"{name} must be a reference: kubernetes://<secret>/<key> or "
                    f"{rules.GOOGLE_SECRET.words}"
                )
        return secrets

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if both := sorted(self.variables.keys() & self.secrets.keys()):
            raise ValueError(
                f"{both[0]} is in PIPELINE_VARIABLES and in PIPELINE_SECRETS; remove one"
            )
        return self


class ImageSettings(MeshSettings):
    """The images that the steps run in."""

    model_config = SettingsConfigDict(env_prefix="IMAGE_")

    registry: str = Field(
        "", description="Registry of the images; empty for images on this machine."
    )
    tag: Annotated[str, AfterValidator(names.TAG_OF_IMAGE.check)] = Field(
        "latest", description="Tag of the images."
    )

    @field_validator("registry")
    @classmethod
    def _is_registry(cls, registry: str) -> str:
        return names.REGISTRY.check_given(registry.rstrip("/"))

    def name_of(self, project: Project, component: str) -> str:
        """The name of a component's image, with registry and tag.

        Raises:
            UsageError: the registry's name is too long for it.
        """
        prefix = f"{self.registry}/" if self.registry else ""
        name = f"{prefix}{project.name}-{component}"
        if len(name) > names.LONGEST_IMAGE:
            raise UsageError(
                f"IMAGE_REGISTRY is too long: the name of the image {name} has more than "
                f"{names.LONGEST_IMAGE} characters."
            )
        return f"{name}:{self.tag}"


class VertexSettings(MeshSettings):
    """Where pipelines run on Vertex AI; `require` says which settings are needed."""

    model_config = SettingsConfigDict(env_prefix="VERTEX_")

    project: Annotated[str, AfterValidator(rules.GOOGLE_PROJECT.check_given)] = Field(
        "", description="Google Cloud project."
    )
    location: Annotated[str, AfterValidator(rules.GOOGLE_LOCATION.check_given)] = Field(
        "", description="Region, such as us-central1."
    )
    pipeline_root: Annotated[str, AfterValidator(rules.GOOGLE_FOLDER.check_given)] = Field(
        "", description="Folder for Vertex AI's own files, such as gs://bucket/root."
    )
    service_account: Annotated[str, AfterValidator(rules.GOOGLE_ACCOUNT.check_given)] = Field(
        "", description="Service account that the steps run as."
    )
    labels: dict[str, str] = Field({}, description="JSON object of labels of the job.")

    @field_validator("labels")
    @classmethod
    def _are_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        rules.check_labels(labels)
        return labels


class KubeflowSettings(MeshSettings):
    """The Kubeflow server that runs pipelines; `require` says which settings are needed."""

    model_config = SettingsConfigDict(env_prefix="KUBEFLOW_")

    endpoint: Annotated[str, AfterValidator(rules.KUBEFLOW_ENDPOINT.check_given)] = Field(
        "", description="URL of the server's API."
    )
    namespace: Annotated[str, AfterValidator(names.KUBERNETES_WORD.check)] = Field(
        "kubeflow", description="Namespace of the runs."
    )
    experiment: str = Field("mesh", description="Experiment that the runs belong to.")
    service_account: Annotated[str, AfterValidator(names.KUBERNETES_NAME.check)] | None = Field(
        None, description="Kubernetes service account that the steps run as."
    )
    token_file: Path | None = Field(None, description="File with the token for the server.")


def require(settings: MeshSettings, *fields: str) -> None:
    """Make sure that settings without a default are given.

    Raises:
        UsageError: some aren't.
    """
    missing = [
        variable_name(type(settings), name) for name in fields if not getattr(settings, name)
    ]
    if missing:
        lines = (f"  {name} is required" for name in missing)
        raise UsageError("Settings are missing:\n" + "\n".join(lines))


def is_managed(reference: str) -> bool:
    """Whether a reference names a version in Google Secret Manager."""
    return rules.GOOGLE_SECRET.allows(reference)


def _check_names(given: Iterable[str]) -> None:
    for name in given:
        if not names.VARIABLE.allows(name):
            raise ValueError(f"{mask_secret('', name)!r} can't be set: {names.VARIABLE.words}")
        if name in _OWN_VARIABLES:
            raise ValueError(f"{name} is set by the pipeline itself")
