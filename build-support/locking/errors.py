"""The error that is shown to people as one sentence."""


class LockError(Exception):
    """A lock can't be made; the message says why, and what to do."""
