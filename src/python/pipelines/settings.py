"""Settings of a pipeline."""

import logging
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import SettingsConfigDict

from mesh.core.data_names import check_tag
from mesh.core.secret_values import is_secret_name, is_secret_value, looks_random
from mesh.core.settings import MeshSettings

logger = logging.getLogger(__name__)

_KUBERNETES_SECRET = re.compile(r"kubernetes://[a-z0-9.-]+/[A-Za-z0-9_.-]+")
_MANAGED_SECRET = re.compile(r"projects/[a-z0-9:.-]+/secrets/[A-Za-z0-9_-]+/versions/(latest|\d+)")


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
        description="Container to run; repeatable: 1 ingest, 2 register, 3 tag the data, 4 train, "
        "5 compile, 6 validate, 7 upload."
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
    gpus: int = Field(0, ge=0, description="GPUs for training.")
    accelerator: str = Field(
        "nvidia.com/gpu", description="Kind of GPU; on Vertex AI such as NVIDIA_TESLA_T4."
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
    volume: str = Field(
        "", description="Kubeflow: claim of the volume with the outputs, which the steps share."
    )

    @field_validator("variables")
    @classmethod
    def _no_secrets(cls, variables: dict[str, str]) -> dict[str, str]:
        for name, value in variables.items():
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
        for name, reference in secrets.items():
            if not _KUBERNETES_SECRET.fullmatch(reference) and not is_managed(reference):
                raise ValueError(
                    f"{name} must be a reference: kubernetes://<secret>/<key> or "
                    "projects/<project>/secrets/<secret>/versions/<version>"
                )
        return secrets


class ImageSettings(MeshSettings):
    """The images that the steps run in."""

    model_config = SettingsConfigDict(env_prefix="IMAGE_")

    registry: str = Field(
        "", description="Registry of the images; empty for images on this machine."
    )
    tag: str = Field("latest", description="Tag of the images.")


class VertexSettings(MeshSettings):
    """Where pipelines run on Vertex AI."""

    model_config = SettingsConfigDict(env_prefix="VERTEX_")

    project: str = Field(description="Google Cloud project.")
    location: str = Field(description="Region, such as us-central1.")
    pipeline_root: str = Field(
        pattern=r"gs://.+",
        description="Folder for Vertex AI's own files, such as gs://bucket/root.",
    )
    service_account: str = Field(
        pattern=r".+@.+", description="Service account that the steps run as."
    )
    labels: dict[str, str] = Field({}, description="JSON object of labels of the job.")


class KubeflowSettings(MeshSettings):
    """The Kubeflow server that runs pipelines."""

    model_config = SettingsConfigDict(env_prefix="KUBEFLOW_")

    endpoint: str = Field(pattern=r"https?://.+", description="URL of the server's API.")
    namespace: str = Field("kubeflow", description="Namespace of the runs.")
    experiment: str = Field("mesh", description="Experiment that the runs belong to.")
    service_account: str | None = Field(
        None, description="Kubernetes service account that the steps run as."
    )
    token_file: Path | None = Field(None, description="File with the token for the server.")


def is_managed(reference: str) -> bool:
    """Whether a reference names a version in Google Secret Manager."""
    return bool(_MANAGED_SECRET.fullmatch(reference))
