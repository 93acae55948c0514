"""Models that answer the documents of many requests at once."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from mesh.core.errors import UsageError
from mesh.serve.artifact_model import ArtifactModel


class DocumentModel(ArtifactModel):
    """A compiled version that answers the documents of several requests in one go."""

    @abstractmethod
    def check(self, request: Any) -> None:
        """Refuse a request that can't be answered.

        Raises:
            UsageError: the client gets status 422 and the sentence.
        """

    @abstractmethod
    def answer(self, requests: Sequence[Any]) -> Sequence[BaseModel]:
        """The response to each of the requests, which `check` has let pass."""

    def predict(self, request: Any) -> BaseModel:
        self.check(request)
        return self.answer([request])[0]

    def predict_batch(self, requests: Sequence[Any]) -> Sequence[BaseModel | Exception]:
        problems = [self._problem(request) for request in requests]
        pairs = zip(requests, problems, strict=True)
        answers = iter(self.answer([request for request, problem in pairs if problem is None]))
        return [next(answers) if problem is None else problem for problem in problems]

    def _problem(self, request: Any) -> UsageError | None:
        try:
            self.check(request)
        except UsageError as error:
            return error
        return None
