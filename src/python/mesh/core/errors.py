"""Errors that are meant for the person who runs a program."""


class MeshError(Exception):
    """Something went wrong that the user can understand from the message alone.

    The message is one sentence: what happened, with which value, and what to do. Programs print it without a
    traceback and exit with `exit_code`.
    """

    exit_code = 1


class UsageError(MeshError):
    """A setting, flag or argument is missing or wrong; programs exit with 2."""

    exit_code = 2
