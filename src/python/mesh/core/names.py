"""The forms of names in containers, registries of images and Kubernetes."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A form that texts must have.

    Args:
        pattern: matches the whole text.
        words: the form in words, as `... is ...`.
        longest: the most characters.
    """

    pattern: re.Pattern[str]
    words: str
    longest: int = 1024

    def allows(self, text: str) -> bool:
        """Whether a text has the form."""
        return len(text) <= self.longest and bool(self.pattern.fullmatch(text))

    def check(self, text: str) -> str:
        """The text itself.

        Raises:
            ValueError: it doesn't have the form.
        """
        if not self.allows(text):
            raise ValueError(self.words)
        return text

    def check_given(self, text: str) -> str:
        """The same, for a setting that may be empty."""
        return text and self.check(text)


_WORD = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
SUBDOMAIN = rf"{_WORD}(\.{_WORD})*"
"""The pattern of a name with dots, as in the domain name system."""
_REPOSITORY = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"
HOST_WORD = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
"""The pattern of a host without dots."""
_PORT = r":[0-9]{1,5}"
HOST = rf"({HOST_WORD}(\.{HOST_WORD})+({_PORT})?|{HOST_WORD}{_PORT}|\[[0-9A-Fa-f:]+\]({_PORT})?)"
"""The pattern of a host with dots or a port."""

VARIABLE = Rule(
    re.compile(r"[A-Za-z_][A-Za-z0-9_]*"),
    "the name of a variable is letters, digits and '_', and begins with no digit",
)

# https://github.com/opencontainers/distribution-spec/blob/main/spec.md and
# https://github.com/distribution/reference/blob/main/reference.go
TAG_OF_IMAGE = Rule(
    re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"),
    "the tag of an image is letters, digits, '_', '.', '-', 128 at most, and begins with neither "
    "'.' nor '-'",
)
REGISTRY = Rule(
    re.compile(rf"({HOST}|{_REPOSITORY})(/{_REPOSITORY})*"),
    "a registry is a host with an optional port and path, such as registry.example:5000/team: no "
    "scheme, and the path in lower case",
)
LONGEST_IMAGE = 255
"""Characters of an image's name without its tag."""

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
KUBERNETES_WORD = Rule(
    re.compile(_WORD),
    "a name in Kubernetes is lower-case letters, digits and inner '-', 63 at most",
    63,
)
KUBERNETES_NAME = Rule(
    re.compile(SUBDOMAIN),
    "a name in Kubernetes is lower-case letters, digits, inner '-' and '.', 253 at most",
    253,
)
KUBERNETES_KEY = Rule(
    re.compile(r"(?!\.\.)(?!\.$)[A-Za-z0-9._-]+"),
    "a key in Kubernetes is letters, digits, '-', '_' and '.', 253 at most",
    253,
)
KUBERNETES_RESOURCE = Rule(
    re.compile(rf"{SUBDOMAIN}/[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?"),
    "a resource of Kubernetes, such as nvidia.com/gpu",
    253,
)


def is_kubernetes_secret(reference: str) -> bool:
    """Whether a reference names a key of a secret in Kubernetes, `kubernetes://<secret>/<key>`."""
    scheme, _, rest = reference.partition("://")
    secret, _, key = rest.partition("/")
    return scheme == "kubernetes" and KUBERNETES_NAME.allows(secret) and KUBERNETES_KEY.allows(key)


def can_be_value(text: str) -> bool:
    """Whether a process can have a text as the value of a variable."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def written_for_kubernetes(value: str) -> str:
    """A text, written so that Kubernetes reads it as it is in the arguments or variables of a container.

    It replaces `$(NAME)` by the value of a variable, and `$$` by `$`:
    https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#environment-variables
    """
    return value.replace("$", "$$")
