"""What callers are told who are not let in."""

from collections.abc import Mapping

from mesh.serve.problems import ProblemError


class RefusalError(ProblemError):
    """A response to a caller who is not let in.

    Args:
        reason: as the metric of refusals names it.
    """

    def __init__(
        self, reason: str, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers=headers)
        self.reason = reason


def unauthorized(reason: str, detail: str) -> RefusalError:
    """Status 401, which names how to say who one is."""
    error = "" if reason == "missing" else ', error="invalid_token"'
    return RefusalError(
        reason, 401, detail, headers={"WWW-Authenticate": f'Bearer realm="mesh"{error}'}
    )
