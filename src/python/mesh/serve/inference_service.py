"""What the Open Inference Protocol says and asks of the model, over HTTP and gRPC alike."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from mesh.serve.availability import Availability
from mesh.serve.inference_schemas import (
    INPUT,
    OUTPUT,
    IndexedModel,
    ModelConfiguration,
    ModelMetadata,
    RepositoryIndex,
    ServerMetadata,
    TensorConfiguration,
    TensorMetadata,
)
from mesh.serve.model import ServedModel
from mesh.serve.predict import require_model
from mesh.serve.problems import ProblemError, shorten, validation_problem

PLATFORM = "mesh"
EXTENSIONS = ["binary_tensor_data", "model_configuration", "model_repository"]


class InferenceService:
    """Responses about the model, and its requests.

    Args:
        max_texts: that one request may have.
    """

    def __init__(self, model: ServedModel, availability: Availability, max_texts: int) -> None:
        self.max_texts = max_texts
        self._model = model
        self._availability = availability

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def version(self) -> str:
        """The version that is served."""
        return self._model.version

    def server(self) -> ServerMetadata:
        """Server metadata."""
        return ServerMetadata(name="mesh", version="2", extensions=EXTENSIONS)

    def index(self, *, ready: bool) -> RepositoryIndex:
        """The models that are served here.

        Args:
            ready: only those that respond.
        """
        listed = IndexedModel(name=self.name, version=self.version, state="READY")
        if not self._availability.is_ready:
            reason = self._availability.unavailable().detail
            listed = listed.model_copy(update={"state": "UNAVAILABLE", "reason": reason})
        is_shown = listed.state == "READY" or not ready
        return RepositoryIndex([listed] if is_shown else [])

    def metadata(self) -> ModelMetadata:
        """Model metadata."""
        return ModelMetadata(
            name=self.name,
            versions=[self.version],
            platform=PLATFORM,
            inputs=[TensorMetadata(name=INPUT)],
            outputs=[TensorMetadata(name=OUTPUT)],
        )

    def configuration(self) -> ModelConfiguration:
        """Model configuration."""
        return ModelConfiguration(
            name=self.name,
            platform=PLATFORM,
            backend=PLATFORM,
            input=[TensorConfiguration(name=INPUT)],
            output=[TensorConfiguration(name=OUTPUT)],
        )

    def require_model(self, name: str, version: str | None) -> None:
        """Check that a request names the model that is served, and its version if any.

        Raises:
            ProblemError: 404.
        """
        require_model(name, self._model)
        if version is not None and version != self.version:
            detail = (
                f"The version {shorten(version)!r} of {self.name} is not served here; "
                f"{self.version!r} is."
            )
            raise ProblemError(404, detail)

    def requests(self, texts: Sequence[str], where: Sequence[str | int]) -> list[BaseModel]:
        """A request of the model for each text.

        Args:
            where: the location of the texts in the message.

        Raises:
            ProblemError: 422, the model doesn't take a text.
        """
        requests = []
        for index, text in enumerate(texts):
            try:
                requests.append(self._model.example_request(text))
            except ValidationError as error:
                raise validation_problem(error, (*where, index)) from None
        return requests
