"""Models behind the API: a project implements one to be served."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client.registry import Collector
from pydantic import BaseModel

from mesh.core.card import COMPILED, ModelCard
from mesh.core.digest import fingerprint as digest_of
from mesh.core.errors import MeshError, UsageError
from mesh.core.passes import checkpoint
from mesh.core.project import Project
from mesh.core.settings import MeshSettings
from mesh.serve.documents import EXAMPLE_TEXT, DocumentsRequest
from mesh.serve.results import RefusedDocumentError
from mesh.serve.version_files import VersionFiles

Result = TypeVar("Result")

_NUMBER = re.compile(r"(?<=-)[0-9]+\Z")

CHARACTERS_OF_PASS = 4_000
"""Of documents: about a thousand tokens, which a network computes in one pass."""


class ServedModel(ABC):
    """A model behind the API.

    `load` runs once, in a thread of its own. After it, `predict_batch` runs in several threads at
    the same time, so everything that it shares between calls must be safe for that. All other
    methods run on the event loop and must return at once.

    Attributes:
        name: names the model in URLs, such as `keywords`.
        request_model: validates the body of a request. Its lists and strings need a `max_length`: from
            these follows how large a body may be (`mesh.serve.request_limits`).
        response_model: the type of all responses.
        version: names what is served in paths of the Open Inference Protocol: the number of a
            compiled version; 1 where code is the model.
        settings: classes of the model's own settings.
        ready: whether the model, once loaded, can respond. A model that depends on another service
            may set it to False while that is down; damaged files do for good.

    Args:
        directory: of the version that it serves; None where code is the whole model.
        settings: an instance of each class of its own settings.
    """

    name: str
    request_model: type[BaseModel]
    response_model: type[BaseModel]
    version: str = "1"
    settings: tuple[type[MeshSettings], ...] = ()
    ready: bool = True

    def __init__(  # noqa: B027 - a model that is code alone needs neither
        self, directory: Path | None = None, *settings: MeshSettings
    ) -> None:
        """Models with weights or settings take them here."""

    def load(self) -> None:  # noqa: B027 - a model that is code alone has nothing to load
        """Bring the model into memory, and warm it up where the first response would be slow.

        Raises:
            MeshError: it can't be loaded; the server prints the sentence and ends with exit code 1.
        """

    @property
    def collectors(self) -> Sequence[Collector]:
        """The model's own metrics, shown with the server's; made without a registry."""
        return ()

    @abstractmethod
    def predict_batch(self, requests: Sequence[Any]) -> Sequence[BaseModel | Exception]:
        """Respond to several requests of different clients at once.

        Args:
            requests: instances of `request_model`.

        Returns:
            For each request an instance of `response_model`, or an exception: `UsageError` where
            the request can't be served as it is (the client gets status 422 and the sentence),
            `ProblemError` for another status, such as `UpstreamError` for another service's
            failure. Any other exception is a defect: the client gets status 500 without details,
            and the log gets the traceback.

        Raises:
            Exception: each request of the batch is then tried again alone.
        """

    def predict(self, request: Any) -> Any:
        """The response to one request.

        Raises:
            Exception: the exception that `predict_batch` returns for it.
        """
        [result] = self.predict_batch([request])
        if isinstance(result, Exception):
            raise result
        return result

    def parts(self, request: Any) -> Sequence[Any]:
        """The requests that make up a request, so that each has a part of its outputs.

        By default there is one for each document. Where the documents of a request count together,
        it is its only part.
        """
        if not isinstance(request, DocumentsRequest):
            return [request]
        return [request.model_copy(update={"inputs": [item]}) for item in request.inputs]

    def outputs(self, request: Any) -> Iterator[Any]:
        """The `outputs` of the response to a request, each as soon as it is ready, in their order.

        Raises:
            Exception: see `predict`; after the outputs before it.
        """
        for number, part in enumerate(self.parts(request)):
            checkpoint()
            try:
                response = self.predict(part)
            except RefusedDocumentError as error:
                # The part counts from 0.
                raise RefusedDocumentError(number, error.reason) from error
            yield from getattr(response, "outputs", [response])

    def warm_up(self) -> None:
        """Respond once, so that no client waits for anything lazy."""
        self.predict(self.example_request(EXAMPLE_TEXT))

    @property
    def computes_here(self) -> bool:
        """Whether it computes itself; another service gets long requests together, too."""
        return True

    def passes(self, request: Any) -> float:
        """About how many passes a request takes (see `mesh.core.passes`), at a glance.

        A request of more than one is computed alone, and makes way for others at its checkpoints.
        By default, documents count by their length, and other requests take less than one.
        """
        if not isinstance(request, DocumentsRequest):
            return 0
        return sum(map(len, request.documents)) / CHARACTERS_OF_PASS

    def bio(self) -> dict[str, Any]:
        """The description of the model: `model_name`, and the `model_card` as JSON values."""
        return {"model_name": self.name, "model_card": {}}

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the served version, once it is loaded; else the digest of its card."""
        card = self.bio()["model_card"]
        return str(card.get("fingerprint") or digest_of(card))

    def example_request(self, text: str) -> BaseModel:
        """A request about one text with default settings.

        It is for the docs, `mesh predict`, the Open Inference Protocol, and backfills. A model
        whose requests hold no `inputs` with a `document` each writes its own.

        Raises:
            ValidationError: the model doesn't take this text.
        """
        return self.request_model.model_validate({"inputs": [{"document": text}]})


class ArtifactModel(ServedModel):
    """A model whose weights come from a compiled version.

    Args:
        directory: `models/<KEY>-COMPILED-N`.

    Raises:
        UsageError: no directory is given.
    """

    def __init__(self, directory: Path | None) -> None:
        if directory is None:
            raise UsageError(f"{self.name} needs the directory of a compiled version.")
        self._directory = directory
        self._card: dict[str, Any] = {}
        if number := _NUMBER.search(directory.name):
            self.version = number[0]

    @abstractmethod
    def load_compiled(self, folder: Path) -> None:
        """Bring the compiled model in a folder into memory.

        Raises:
            MeshError: it is damaged or can't be loaded.
        """

    def load(self) -> None:
        files = VersionFiles(self._directory)
        files.watch(self)
        self._card = ModelCard.read(self._directory).model_dump(mode="json")
        with files.verified():
            self.load_compiled(self._directory / COMPILED)
        self.warm_up()

    def bio(self) -> dict[str, Any]:
        return {"model_name": self.name, "model_card": self._card}


class EncoderModel(ServedModel):
    """A model with several backends, of which one uses a compiled encoder.

    Args:
        project: describes the model.
        directory: `models/ENCODER-...`; None where the backend needs no encoder.
        backend: the name of the backend in use.
    """

    def __init__(self, project: Project, directory: Path | None, backend: str) -> None:
        self._directory = directory
        self._card: dict[str, Any] = {"description": project.description, "backend": backend}

    def load_encoder(self, load: Callable[[Path], Result]) -> Result:
        """Load the encoder, and name it in the model card.

        Args:
            load: gets the folder of the compiled encoder.

        Raises:
            MeshError: there is none, it is damaged, or it can't be loaded.
        """
        if self._directory is None:
            raise MeshError(
                f"{self.name} needs an encoder, and none is in models/; "
                f"run `mesh run {self.name}`, or serve:download."
            )
        files = VersionFiles(self._directory)
        files.watch(self)
        self._card["encoder"] = ModelCard.read(self._directory).model_dump(mode="json")
        with files.verified():
            return load(self._directory / COMPILED)

    def bio(self) -> dict[str, Any]:
        return {"model_name": self.name, "model_card": self._card}
