"""What the targets accept: the forms of names, and how values are written for them."""

import re
from collections.abc import Mapping

from mesh.core.names import HOST, HOST_WORD, SUBDOMAIN, Rule, written_for_kubernetes
from mesh.core.secret_values import mask_secret

_GOOGLE_PROJECT = r"([a-z0-9.-]+:)?[a-z]([a-z0-9-]{0,28}[a-z0-9])?|[0-9]+"
_GOOGLE_LOCATION = r"[a-z]+-[a-z]+[0-9]+|us|eu"

KUBEFLOW_ENDPOINT = Rule(
    re.compile(rf"https?://({HOST}|{HOST_WORD})(/[A-Za-z0-9._~/-]*)?"),
    "the server's URL is http:// or https://, a host with an optional port, and a path; no user, "
    "query or fragment",
)
KUBEFLOW_RUN = Rule(
    re.compile(r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?"),
    "the id that Kubeflow gave the run",
    128,
)

# https://cloud.google.com/resource-manager/docs/creating-managing-projects
GOOGLE_PROJECT = Rule(
    re.compile(_GOOGLE_PROJECT),
    "a Google Cloud project is its id (lower-case letters, digits and '-', 30 at most) or number",
    63,
)
GOOGLE_LOCATION = Rule(
    re.compile(_GOOGLE_LOCATION),
    "a location of Vertex AI is a region such as us-central1",
    63,
)
# https://cloud.google.com/storage/docs/buckets#naming
GOOGLE_FOLDER = Rule(
    re.compile(
        r"gs://(?!goog|[^/]*google|[0-9]+(\.[0-9]+){3}(/|$))(?=[^/]{3,222}(/|$))"
        r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)*"
        r"(/[^\x00-\x1f\x7f{}]*)?"
    ),
    "a folder of Cloud Storage is gs://<bucket>/<folder>; a bucket is lower-case letters, digits "
    "and inner '-', '_', '.', 3 to 63 of them",
)
GOOGLE_ACCOUNT = Rule(
    re.compile(rf"[a-z0-9][a-z0-9.-]*@{SUBDOMAIN}\.gserviceaccount\.com"),
    "a service account of Google Cloud is <name>@<project>.iam.gserviceaccount.com",
    253,
)
GOOGLE_SECRET = Rule(
    re.compile(
        rf"projects/({_GOOGLE_PROJECT})"
        r"/secrets/[A-Za-z0-9_-]{1,255}/versions/(latest|[1-9][0-9]*)"
    ),
    "projects/<project>/secrets/<secret>/versions/<version>",
)
VERTEX_ACCELERATOR = Rule(
    re.compile(r"(NVIDIA|TPU)(_[A-Z0-9]+)+"), "an accelerator of Vertex AI, such as NVIDIA_TESLA_T4"
)
VERTEX_JOB = Rule(
    re.compile(
        rf"(projects/({_GOOGLE_PROJECT})/locations/({_GOOGLE_LOCATION})/pipelineJobs/)?"
        r"[a-z][-a-z0-9]{0,127}"
    ),
    "the name that Vertex AI gave the run: "
    "projects/<project>/locations/<location>/pipelineJobs/<run>, or its last part",
)

# https://cloud.google.com/resource-manager/docs/labels-overview#requirements
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_MOST_LABELS = 64
PROJECT_LABEL = "mesh-project"
"""The label of a job that names the project of the mesh."""

# Kubeflow's driver finds references to parameters in any text; Argo, which runs the steps there,
# replaces what is in double braces.
_PLACEHOLDER = re.compile(r"\{\{|\$.inputs.parameters\[", re.DOTALL)


def check_labels(labels: Mapping[str, str]) -> None:
    """Make sure that a job can have these labels beside `PROJECT_LABEL`.

    Raises:
        ValueError: Google Cloud allows no such label, or not as many.
    """
    if PROJECT_LABEL in labels:
        raise ValueError(f"the label {PROJECT_LABEL} is set to the project of the pipeline")
    if len(labels) >= _MOST_LABELS:
        raise ValueError(f"a job has {_MOST_LABELS} labels at most, with {PROJECT_LABEL}")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key):
            raise ValueError(
                f"{mask_secret('', key)!r} can't be the key of a label: it is lower-case letters, "
                "digits, '_' and '-', 63 at most, and begins with a letter"
            )
        if not _LABEL_VALUE.fullmatch(value):
            raise ValueError(
                f"{mask_secret(key, value)!r} can't be the value of the label {key}: it is "
                "lower-case letters, digits, '_' and '-', 63 at most"
            )


def as_expanded(value: str) -> str:
    """A variable's value, written so that Kubernetes and Vertex AI expand it to that value.

    Raises:
        ValueError: Kubeflow or Vertex AI would replace a part of it that can't be written otherwise.
    """
    written = written_for_kubernetes(value)
    if _PLACEHOLDER.search(written):
        raise ValueError(
            "it has a placeholder ('{{', or '$.inputs.parameters['), which would be replaced"
        )
    return written
