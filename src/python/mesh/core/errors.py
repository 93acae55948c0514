"""Errors that are meant for the person who runs a program."""

from typing import TYPE_CHECKING

from mesh.core.urls import mask_urls

if TYPE_CHECKING:
    # Plans import this module without any package of others.
    from pydantic import ValidationError


UNDECIDED = 3
"""The exit code of programs that can't tell whether what they look at succeeds."""


class MeshError(Exception):
    """A failure that the user can understand from the message alone.

    The message is one sentence: what happened, with which value, and what to do. Programs print it
    without a traceback and exit with `exit_code`. Passwords of URLs in it are masked.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(mask_urls(message))


class UsageError(MeshError):
    """A setting, flag or argument is missing or wrong; programs exit with 2."""

    exit_code = 2


def as_clause(error: MeshError) -> str:
    """An error's sentence as a part of another."""
    return str(error).removesuffix(".")


def describe_invalid(error: "ValidationError") -> str:
    """The first problem of a validation error, as `field: message`."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}" if field else str(first["msg"])
