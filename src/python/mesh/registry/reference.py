"""References to versions, such as `KEYWORDS-COMPILED-88` and `KEYWORDS-COMPILED:prod`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from mesh.core.errors import UsageError

LATEST = "latest"

_MAX_NAME_LENGTH = 100
_SHOWN = 10
_NAME = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*-(TRAINED|COMPILED)")
_NUMBERED = re.compile(r"(?P<name>.+)-(?P<version>[1-9][0-9]{0,8})")
_MAX_VERSION = 999_999_999
_ALIAS = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RESERVED_ALIAS = re.compile(r"latest|v?[0-9]+", re.IGNORECASE)


def check_model_name(name: str) -> str:
    """Return the name of a registered model, such as `KEYWORDS-COMPILED`.

    Raises:
        UsageError: it isn't one.
    """
    if len(name) > _MAX_NAME_LENGTH or not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} isn't the name of a model: use capitals and digits joined by hyphens, ending in "
            f"-TRAINED or -COMPILED, at most {_MAX_NAME_LENGTH} characters."
        )
    return name


def check_new_alias(alias: str) -> str:
    """Return an alias that may be given to a version, such as `prod`.

    Raises:
        UsageError: it has other characters, or is reserved: `latest` and version numbers.
    """
    _check_alias(alias)
    if _RESERVED_ALIAS.fullmatch(alias):
        raise UsageError(
            f"{alias!r} can't be given as an alias: 'latest' and numbers are reserved."
        )
    return alias


def _check_alias(alias: str) -> None:
    if not _ALIAS.fullmatch(alias):
        raise UsageError(f"{alias!r} isn't an alias: use 1 to 64 letters, digits, '-' and '_'.")


@dataclass(frozen=True)
class ModelReference:
    """One version of a model, by its number or by an alias; `latest` is the highest number.

    Raises:
        UsageError: a part is malformed, or not exactly one of version and alias is given.
    """

    name: str
    version: int | None = None
    alias: str | None = None

    def __post_init__(self) -> None:
        check_model_name(self.name)
        if (self.version is None) == (self.alias is None):
            raise UsageError(f"A reference to {self.name} needs a version number or an alias.")
        if self.alias is not None:
            _check_alias(self.alias)
        if self.version is not None and not 1 <= self.version <= _MAX_VERSION:
            raise UsageError(f"{self.version} isn't a version number: versions count from 1.")

    def __str__(self) -> str:
        return f"{self.name}-{self.version}" if self.alias is None else f"{self.name}:{self.alias}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME-3`, `NAME:alias` or `NAME:latest`.

        Raises:
            UsageError: the text is not a reference.
        """
        name, colon, alias = text.partition(":")
        if colon:
            return cls(name, alias=alias)
        if match := _NUMBERED.fullmatch(text):
            return cls(match["name"], version=int(match["version"]))
        raise UsageError(
            f"{text!r} isn't a version of a model: write NAME-3, NAME:prod or NAME:latest."
        )


def missing_version(
    reference: ModelReference, numbers: Iterable[int], aliases: Mapping[str, int]
) -> str:
    """The sentence for a reference to no version; it names the model's versions or aliases."""
    if reference.version is not None:
        shown = ", ".join(str(number) for number in sorted(numbers)[-_SHOWN:])
        return f"There is no {reference}; the newest versions of {reference.name} are {shown}."
    shown = ", ".join(f"{alias} ({aliases[alias]})" for alias in sorted(aliases))
    return f"{reference.name} has no alias {reference.alias!r}; it has: {shown or 'none'}."


def missing_model(name: str, registered: Iterable[str]) -> str:
    """The sentence for a model without versions; it names the models that have some."""
    shown = ", ".join(sorted(registered)) or "none"
    return f"No version of {name} is registered; registered are: {shown}."


def reference_to(name: str, text: str) -> str:
    """Check that a reference names a version of one model; an empty one means the latest.

    Raises:
        UsageError: it is malformed, or names another model.
    """
    reference = ModelReference.parse(text) if text else ModelReference(name, alias=LATEST)
    if reference.name != name:
        raise UsageError(
            f"{text!r} is a version of {reference.name}; a version of {name} is needed here."
        )
    return str(reference)
