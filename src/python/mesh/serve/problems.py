"""Errors as problem details, RFC 9457."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mesh.core.urls import mask_urls

RETRY_AFTER = {"Retry-After": "1"}
TRACE_ID = "trace_id"
"""The key in a request's state of the id of its trace, where it is traced."""
MEDIA_TYPE = "application/problem+json"
DEFECT = "The server failed to respond; its log says why, under this request id."
MAX_ERRORS = 20
MAX_COUNTED_ERRORS = 10_000
MAX_TEXT = 300
PROBLEM = "problem"
"""The key in a request's state of the problem that its response tells."""


class FieldError(BaseModel):
    """An error in one field."""

    loc: list[str | int] = Field(description="The path to the field: keys and positions.")
    msg: str
    type: str = Field(description="A name for this kind of error, as pydantic gives it.")


class ProblemDetails(BaseModel):
    """The body of every response with status 400 or above."""

    type: str = "about:blank"
    title: str = Field(description="The name of the status code.")
    status: int
    detail: str = Field(description="A sentence about what happened.")
    request_id: str = Field(description="As in the header X-Request-ID and the server's log.")
    trace_id: str | None = Field(
        None, description="Of the request's OpenTelemetry trace, where the server is traced."
    )
    errors: list[FieldError] | None = Field(
        None, description=f"The fields that are wrong, at most {MAX_ERRORS}; only with status 422."
    )


class ProtocolProblem(ProblemDetails):
    """The same under `/v2`, for clients of the Open Inference Protocol, which show `error` alone."""

    error: str = Field(description="What is wrong with which field, or the detail.")


class ProblemError(Exception):
    """A response with an error status.

    Args:
        status: HTTP status code.
        detail: one sentence for the client; passwords of URLs in it are masked.
        errors: the fields that are wrong.
        headers: more headers of the response.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.detail = mask_urls(detail)
        super().__init__(self.detail)
        self.errors = errors
        self.headers = headers

    @property
    def sentence(self) -> str:
        """What is wrong with which field, such as `inputs[0].shape: ...`, or else the detail."""
        return "; ".join(f"{field_name(each)}: {each.msg}" for each in self.errors) or self.detail


class FullError(ProblemError):
    """Status 503: there is no room for this request now, and may be soon."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, headers=RETRY_AFTER)


def problem_details(scope: Mapping[str, Any], problem: ProblemError) -> ProblemDetails:
    """What the client of the scope's request gets to know."""
    return ProblemDetails(
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        request_id=scope["state"]["request_id"],
        trace_id=scope["state"].get(TRACE_ID),
        errors=list(problem.errors) or None,
    )


def problem_response(scope: Mapping[str, Any], problem: ProblemError) -> Response:
    """The response to the request of the scope, whose state has the problem from now on."""
    scope["state"][PROBLEM] = problem
    # The request's state would hold itself.
    forget_frames(problem)
    details = problem_details(scope, problem)
    media_type = MEDIA_TYPE
    if scope["path"].startswith("/v2"):
        details = ProtocolProblem(**dict(details), error=problem.sentence)
        # KServe's client reads no other one.
        media_type = "application/json"
    content = details.model_dump(exclude_none=True)
    return JSONResponse(content, problem.status, problem.headers, media_type)


def forget_frames(error: BaseException) -> None:
    """Have an exception that is dealt with, and those before it, hold no frames.

    The frames hold the request, and hold the exception as a result or a local variable. Such a
    circle stays until garbage is searched for, which is seldom.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        before = each.__cause__ or each.__context__
        each.__cause__ = each.__context__ = None
        each = before


def validation_problem(
    error: ValidationError, where: Sequence[str | int] = ("body",)
) -> ProblemError:
    """Status 400 when the text isn't JSON, else 422 with the fields that are wrong.

    Inputs are not repeated.

    Args:
        where: the location of the validated value.
    """
    count = error.error_count()
    if count > MAX_COUNTED_ERRORS:
        return ProblemError(422, f"The request has {count} errors, too many to list.")
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    first = errors[0]
    if first["type"] == "json_invalid" and not first["loc"]:
        reason = first["msg"].removeprefix("Invalid JSON: ")
        return ProblemError(400, f"The body is not JSON: {shorten(reason)}.")
    fields = [
        FieldError(
            loc=[*where, *(_short_part(part) for part in entry["loc"])],
            msg=shorten(entry["msg"]),
            type=entry["type"],
        )
        for entry in errors[:MAX_ERRORS]
    ]
    return field_problem(fields, count)


def field_problem(fields: Sequence[FieldError], count: int | None = None) -> ProblemError:
    """Status 422 with the fields that are wrong.

    Args:
        count: of all that are wrong, where not all of them are given.
    """
    count = count or len(fields)
    noun = "error" if count == 1 else "errors"
    return ProblemError(422, f"The request has {count} {noun}, see `errors`.", errors=fields)


def shorten(text: str) -> str:
    """The text, truncated where it is too long for an error message or a log."""
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


async def handle_problem(request: Request, error: Exception) -> Response:
    """Exception handler for `ProblemError`."""
    assert isinstance(error, ProblemError)  # noqa: S101 - it is registered for these
    return problem_response(request.scope, error)


async def handle_http_exception(request: Request, error: Exception) -> Response:
    """Exception handler for the router's exceptions: 404 and 405."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    path = shorten(request.scope["path"])
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and error.headers:
        detail = f"{path} takes {error.headers['Allow']}, not {shorten(request.method)}."
    elif error.status_code == HTTPStatus.NOT_FOUND:
        detail = f"There is nothing at {path}; see /docs."
    else:
        detail = error.detail
    return problem_response(
        request.scope, ProblemError(error.status_code, detail, headers=error.headers)
    )


def field_name(error: FieldError) -> str:
    """The name of a field: `inputs[0].shape`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.loc)
    return path.removeprefix(".body").removeprefix(".") or "body"


def _short_part(part: str | int) -> str | int:
    return shorten(part) if isinstance(part, str) else part
