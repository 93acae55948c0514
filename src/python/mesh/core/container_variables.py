"""Variables that containers are given, in files that many people can read."""

import logging
from collections.abc import Collection, Iterable, Mapping

from mesh.core.names import VARIABLE, can_be_value
from mesh.core.secret_values import is_secret_name, is_secret_value, looks_random, mask_secret

logger = logging.getLogger(__name__)


def check_variables(
    variables: Mapping[str, str], *, file: str, instead: str, taken: Collection[str]
) -> None:
    """Make sure that variables can be set, and that none of them is a secret.

    A value that may be one is logged.

    Args:
        file: what has the values, in words.
        instead: where references to secrets belong, in words.
        taken: the variables that the command sets itself.

    Raises:
        ValueError: one can't, or looks like a secret.
    """
    check_names(variables, taken)
    for name, value in variables.items():
        if not can_be_value(value):
            raise ValueError(f"the value of {name} has characters that no variable can have")
        if is_secret_name(name) or is_secret_value(value):
            raise ValueError(
                f"{name} looks like a secret and would be readable in {file}; put a reference to "
                f"it in {instead}"
            )
        if looks_random(value):
            logger.warning(
                "%s may be a secret, since its value looks random; it is readable in %s. Put a "
                "secret into %s.",
                name,
                file,
                instead,
            )


def check_names(names: Iterable[str], taken: Collection[str]) -> None:
    """Make sure that variables can have these names.

    Raises:
        ValueError: one can't.
    """
    for name in names:
        if not VARIABLE.allows(name):
            raise ValueError(f"{mask_secret('', name)!r} can't be set: {VARIABLE.words}")
        if name in taken:
            raise ValueError(f"{name} is set by the command itself")
