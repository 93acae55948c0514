"""What a project implements to be served."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client.registry import Collector
from pydantic import BaseModel

from mesh.core.settings import MeshSettings


class ServedModel(ABC):
    """A model behind the API.

    `load` runs once, in a thread of its own. After it, `predict_batch` runs in several threads at the same time, so
    what it shares between calls must be safe for that. All other methods run on the event loop and must return at once.

    Attributes:
        name: names the model in URLs, such as `keywords`.
        request_model: what a request's body is validated against. Its lists need a `max_length`: without one, pydantic
            goes through all of a hostile body and collects millions of errors.
        response_model: what `predict` returns.
        settings: classes of the model's own settings.

    Args:
        directory: of a compiled version, `models/<KEY>-COMPILED-N`; none if code is all that the model has.
        settings: an instance of each class of its own settings.
    """

    name: str
    request_model: type[BaseModel]
    response_model: type[BaseModel]
    settings: tuple[type[MeshSettings], ...] = ()

    def __init__(  # noqa: B027 - code alone needs neither
        self, directory: Path | None = None, *settings: MeshSettings
    ) -> None:
        """Code alone needs neither."""

    def load(self) -> None:  # noqa: B027 - a model that is code alone has nothing to load
        """Bring the model into memory, and warm it up where the first answer would be slow.

        Raises:
            MeshError: it can't be loaded; the server prints the sentence and ends with exit code 1.
        """

    @property
    def ready(self) -> bool:
        """Whether the model, once loaded, can answer: override where it depends on another service."""
        return True

    @property
    def collectors(self) -> Sequence[Collector]:
        """Measurements of the model's own, which are shown with the server's; made without a registry."""
        return ()

    @abstractmethod
    def predict(self, request: Any) -> BaseModel:
        """Answer a request.

        Args:
            request: an instance of `request_model`.

        Returns:
            An instance of `response_model`.

        Raises:
            UsageError: the request can't be answered as it is; the client gets status 422 and the sentence.
            ProblemError: the client gets the status and sentence that it holds; `UpstreamError` for another service's
                failure.
            Exception: a defect; the client gets status 500 without details, the log gets the traceback.
        """

    def predict_batch(self, requests: Sequence[Any]) -> Sequence[BaseModel | Exception]:
        """Answer several requests of different clients at once: override where that is faster than one by one.

        Returns:
            For each request its response, or the exception that `predict` would raise for it. Where this method raises
            instead, each request of the batch is tried again alone.
        """
        return [self._attempt(request) for request in requests]

    def bio(self) -> dict[str, Any]:
        """What the model is: `model_name`, and the `model_card` as JSON values."""
        return {"model_name": self.name, "model_card": {}}

    @abstractmethod
    def example_request(self, text: str) -> BaseModel:
        """A request about one text with default settings, for docs, `mesh predict`, and the Open Inference Protocol."""

    def _attempt(self, request: Any) -> BaseModel | Exception:
        try:
            return self.predict(request)
        except Exception as error:
            return error
