"""Names that Kubernetes takes, and names of images."""

import re

from mesh.core.errors import UsageError
from mesh.core.names import TAG_OF_IMAGE
from mesh.core.secret_values import mask_secret

LONGEST = 47
"""Of a name, in characters: KServe's longest name made of it, `<name>-predictor-00001`, has 63."""

_LABEL = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")
_REGISTRY = re.compile(
    r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*"
)


def check_name(name: str) -> str:
    """Return the name of a deployment: a DNS label, short enough for all names made of it.

    Raises:
        UsageError: Kubernetes forbids it.
    """
    if len(name) > LONGEST or not _LABEL.fullmatch(name):
        raise UsageError(
            f"Kubernetes takes no {_shown(name)} as the name of a deployment: use lower-case letters, "
            f"digits and hyphens, beginning with a letter, ending with no hyphen, at most {LONGEST} "
            "characters; --name sets it."
        )
    return name


def image_prefix(registry: str) -> str:
    """What stands before an image's name: the registry with its slash, or nothing.

    Raises:
        UsageError: it isn't a registry's address.
    """
    if registry and not _REGISTRY.fullmatch(registry):
        raise UsageError(
            f"{_shown(registry)} isn't a registry of images: write a host, with a port and a path if "
            "needed, such as registry.example.com:5000/mesh, without user and https://."
        )
    return f"{registry}/" if registry else ""


def check_tag(tag: str) -> str:
    """Return the tag of an image.

    Raises:
        UsageError: it isn't one.
    """
    if not TAG_OF_IMAGE.allows(tag):
        raise UsageError(f"{_shown(tag)} isn't the tag of an image: {TAG_OF_IMAGE.words}.")
    return tag


def _shown(text: str) -> str:
    """A text that may be a secret, or very long."""
    masked = "***" if "@" in text else str(mask_secret("", text))
    return repr(masked if len(masked) <= 100 else f"{masked[:100]}…")
