"""The results of several requests together: for each its own, or the exception that it has."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mesh.core.errors import UsageError
from mesh.serve.documents import RefusedDocument

Request = TypeVar("Request")
Result = TypeVar("Result")


class RefusedDocumentError(UsageError):
    """A document can't be served as it is, and takes its request with it.

    Attributes:
        reason: why.
    """

    def __init__(self, number: int, reason: UsageError) -> None:
        super().__init__(f"Document {number}: {reason}")
        self.reason = reason


def attempt(work: Callable[[Request], Result], request: Request) -> Result | Exception:
    """The result for a request, or the exception that is raised for it."""
    try:
        return work(request)
    except Exception as error:
        return error


def compute_accepted(
    prepare: Callable[[Any], Request],
    compute: Callable[[list[Request]], Sequence[Result]],
    requests: Sequence[Any],
) -> list[Result | Exception]:
    """Compute the requests of a batch together, without those that are refused.

    Args:
        prepare: checks a request and turns it into the input of `compute`; its exception becomes
            the request's result.
        compute: returns a result for each request that it gets, in their order.
    """
    prepared = [attempt(prepare, request) for request in requests]
    results = iter(compute([each for each in prepared if not isinstance(each, Exception)]))
    return [each if isinstance(each, Exception) else next(results) for each in prepared]


def compute_documents(
    check: Callable[[Any], None],
    read: Callable[[Any, Any], Request],
    compute: Callable[[list[Request]], Sequence[Result]],
    requests: Sequence[Any],
) -> list[list[Result | RefusedDocument] | Exception]:
    """Compute the documents of a batch's requests together, without those that are refused.

    A refused document takes its request with it, unless the request says `on_error: "item"`.

    Args:
        check: refuses a whole request by its configuration, by an exception.
        read: checks an input of a request and turns it into one of `compute`; gets the request's
            configuration, of a subclass of `LanguageConfiguration`, too. It refuses a document by
            a `UsageError`.
        compute: returns a result for each input that it gets, in their order.
        requests: each has `configuration` and `inputs`.

    Returns:
        For each request the results of its documents, or its exception.
    """

    def read_all(request: Any) -> list[Request | RefusedDocument]:
        check(request.configuration)
        found: list[Request | RefusedDocument] = []
        for number, item in enumerate(request.inputs):
            try:
                found.append(read(item, request.configuration))
            except UsageError as error:
                if request.configuration.on_error == "request":
                    raise RefusedDocumentError(number, error) from error
                found.append(RefusedDocument(error=str(error)))
        return found

    def compute_all(
        prepared: list[list[Request | RefusedDocument]],
    ) -> list[list[Result | RefusedDocument]]:
        accepted = [
            one for each in prepared for one in each if not isinstance(one, RefusedDocument)
        ]
        results = iter(compute(accepted))
        return [
            [one if isinstance(one, RefusedDocument) else next(results) for one in each]
            for each in prepared
        ]

    return compute_accepted(read_all, compute_all, requests)
