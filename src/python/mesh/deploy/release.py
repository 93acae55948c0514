"""What is deployed: a project's server with a version of its model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mesh.compile.backends import served_by
from mesh.core.errors import MeshError, UsageError
from mesh.core.project import Project
from mesh.core.roots import DEFAULT_BACKEND
from mesh.deploy.names import check_name, check_tag, image_prefix
from mesh.deploy.resources import DEFAULT, Resources, measured
from mesh.deploy.traces import TraceSettings
from mesh.lifecycle.promotion import load_tested, load_tests
from mesh.registry.base import ModelRegistry, ModelVersion
from mesh.registry.reference import ModelReference, reference_to

DOWNLOAD = "serve:download"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A server to deploy.

    Args:
        name: of all objects in the cluster.
        image_registry: of the images; empty for none.
        image_tag: of the images.
        version: of the model; None if code is the model.
        annotations: what is said of the version, without the prefix.
        warnings: what speaks against the version, in sentences.
        traces: where the server sends them; None for no traces.
    """

    project: Project
    name: str
    image_registry: str = ""
    image_tag: str = "latest"
    version: ModelVersion | None = None
    resources: Resources = DEFAULT
    warnings: Sequence[str] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    traces: TraceSettings | None = None

    def __post_init__(self) -> None:
        check_name(self.name)
        check_tag(self.image_tag)
        image_prefix(self.image_registry)

    def image(self, component: str, variant: str = "") -> str:
        """The image of a component, or a variant of it."""
        prefix = image_prefix(self.image_registry)
        return f"{prefix}{self.project.name}-{component}:{self.image_tag}{variant}"

    @property
    def brings_model(self) -> bool:
        """Whether a step brings files that the server needs beside its image."""
        return DOWNLOAD in self.project.steps


def check_asked(project: Project, reference: str | None) -> None:
    """Check what a user asks for, without a registry.

    Raises:
        UsageError: a version is missing, malformed, or of another model.
    """
    if project.kind == "trained":
        if reference is None:
            raise UsageError(
                f"Name the version of {project.name} to deploy, such as --version "
                f"{project.compiled_model}:prod."
            )
        ModelReference.parse(reference)
        reference_to(project.compiled_model, reference)
    elif reference is not None:
        raise UsageError(
            f"The code of {project.name} is its model: it has no versions, so leave --version out."
        )


def with_version(release: Release, registry: ModelRegistry, reference: str) -> Release:
    """The release of a version, by its number, with the footprint that was measured.

    Raises:
        MeshError: there is no such version, or the registry can't be read.
    """
    version = registry.get(reference)
    condition = load_tested(registry, version)
    resources = _measured(registry, version)
    warnings = []
    if not condition.met:
        warnings.append(f"{version.reference} is deployed although {condition.found}.")
    if sentence := served_by(
        version.card.settings.get("compile", {}).get("backend", DEFAULT_BACKEND)
    ):
        warnings.append(sentence)
    said = {
        "version": version.reference,
        "fingerprint": version.card.fingerprint,
        "resources": resources.why,
        **({"load-test": condition.found} if condition.met else {}),
        **({"warning": " ".join(warnings)} if warnings else {}),
    }
    return replace(
        release, version=version, resources=resources, warnings=warnings, annotations=said
    )


def _measured(registry: ModelRegistry, version: ModelVersion) -> Resources:
    """The resources by the last load test that has measured them."""
    try:
        tests = load_tests(registry, version)
    except MeshError:
        # What is wrong with them is in the warning.
        return DEFAULT
    known = (measured(test.report.server, test.image_tag) for test in reversed(tests))
    return next((one for one in known if one is not DEFAULT), DEFAULT)
