"""What goes wrong between a client and a server, told by the server's problem details."""

from collections.abc import Sequence
from http import HTTPStatus

from pydantic import BaseModel, ValidationError

from mesh.core.errors import MeshError

MAX_DETAIL = 2_000
"""Characters of a server's own words in an error."""


class WrongField(BaseModel):
    """A field of a request that is wrong."""

    loc: list[str | int]
    msg: str

    def __str__(self) -> str:
        """What is wrong with it: `inputs[0].document: ...`."""
        parts = self.loc[1:] if self.loc[:1] == ["body"] else self.loc
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
        return f"{path.removeprefix('.') or 'body'}: {self.msg}"


class Problem(BaseModel):
    """What an error response says, RFC 9457; anything may be missing, as from a proxy."""

    status: int | None = None
    title: str = ""
    detail: str = ""
    request_id: str | None = None
    errors: Sequence[WrongField] = ()

    @property
    def sentence(self) -> str:
        """The detail, or the fields that are wrong."""
        return ("; ".join(map(str, self.errors)) or self.detail or self.title)[:MAX_DETAIL]


class CallError(MeshError):
    """A call had no result.

    Attributes:
        status: of the last response; None if there was none.
        problem: what that response said.
    """

    def __init__(
        self, message: str, *, status: int | None = None, problem: Problem | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = problem or Problem()


def status_error(url: str, status: int, content: bytes) -> CallError:
    """The error of a response with an error status."""
    problem = read_problem(content)
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else "unknown"
    said = f": {problem.sentence}" if problem and problem.sentence else ""
    known = f" (request {problem.request_id})" if problem and problem.request_id else ""
    return CallError(
        f"{url} responded with status {status} ({phrase}){said}{known}",
        status=status,
        problem=problem,
    )


def read_problem(content: bytes | str) -> Problem | None:
    """The problem details in a body; None if it has none, as from a proxy."""
    try:
        return Problem.model_validate_json(content)
    except ValidationError:
        return None
