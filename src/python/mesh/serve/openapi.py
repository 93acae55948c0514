"""The OpenAPI 3.1 document, made from the pydantic models."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mesh.serve.api import Bio, Live, Ready
from mesh.serve.documents import EXAMPLE_TEXT
from mesh.serve.inference_protocol import (
    InferRequest,
    InferResponse,
    ModelMetadata,
    ModelReady,
    ServerMetadata,
)
from mesh.serve.model import ServedModel
from mesh.serve.problems import MEDIA_TYPE, ProblemDetails

PROBLEMS = {
    400: "The body is not JSON.",
    404: "Another model is served here.",
    408: "The body did not arrive in time.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The body does not fit the schema, or the model refuses it.",
    500: "The server failed.",
    502: "A service that the model calls returned a wrong response.",
    503: "The model, or a service that it calls, is unavailable, or too many requests wait; see "
    "Retry-After.",
    504: "No response was ready in time.",
}
INFERENCE = tuple(PROBLEMS)


def openapi_route(model: ServedModel, *, needs_credentials: bool = False) -> Route:
    """The document at `/openapi.json`.

    Args:
        needs_credentials: whether all but probes need a key or token.
    """
    document = openapi_document(model)
    if needs_credentials:
        from mesh.serve.access.openapi import add_security

        add_security(document)

    async def show(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
        return JSONResponse(document)

    return Route("/openapi.json", show)


def openapi_document(model: ServedModel) -> dict[str, Any]:
    """Describe all paths that a server of the model has."""
    schemas = _Schemas(model)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": model.name,
            "version": "1",
            "description": f"Serves the model `{model.name}`.",
        },
        "tags": [
            {"name": "model", "description": "Predictions, and the description of the model."},
            {"name": "operations", "description": "Probes and metrics."},
            {
                "name": "open inference protocol",
                "description": "The same model for KServe clients.",
            },
        ],
        "paths": {
            **_model_paths(model, schemas),
            **_operations_paths(schemas),
            **_protocol_paths(model, schemas),
        },
        "components": {"schemas": schemas.definitions},
    }


class _Schemas:
    """JSON schemas of all models, with references between them."""

    def __init__(self, model: ServedModel) -> None:
        received = (model.request_model, InferRequest)
        sent = (
            model.response_model,
            *(Bio, Live, Ready, ProblemDetails),
            *(ServerMetadata, ModelMetadata, ModelReady, InferResponse),
        )
        self._references, schema = models_json_schema(
            [
                *((each, "validation") for each in received),
                *((each, "serialization") for each in sent),
            ],
            ref_template="#/components/schemas/{model}",
        )
        self.definitions = schema["$defs"]

    def received(self, model: type[BaseModel]) -> dict[str, Any]:
        return dict(self._references[model, "validation"])

    def sent(self, model: type[BaseModel]) -> dict[str, Any]:
        return dict(self._references[model, "serialization"])

    def responses(self, model: type[BaseModel], problems: tuple[int, ...] = ()) -> dict[str, Any]:
        found = {"200": _content("The response.", "application/json", self.sent(model))}
        for status in problems:
            found[str(status)] = _content(PROBLEMS[status], MEDIA_TYPE, self.sent(ProblemDetails))
        return found


def _content(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _operation(tag: str, name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": name, "tags": [tag], "summary": summary, "responses": responses}


def _body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _model_paths(model: ServedModel, schemas: _Schemas) -> dict[str, Any]:
    example = model.example_request(EXAMPLE_TEXT).model_dump(mode="json", exclude_unset=True)
    predict = _operation(
        "model", "predict", "Predict", schemas.responses(model.response_model, INFERENCE)
    )
    predict["requestBody"] = _body(schemas.received(model.request_model), example)
    bio = _operation("model", "bio", "Description of the model", schemas.responses(Bio, (404,)))
    return {
        f"/v1/model/{model.name}/predict": {"post": predict},
        f"/v1/model/{model.name}/bio": {"get": bio},
    }


def _operations_paths(schemas: _Schemas) -> dict[str, Any]:
    tag = "operations"
    text = {"200": _content("All metrics.", "text/plain", {"type": "string"})}
    return {
        "/v1/live": {
            "get": _operation(tag, "live", "Does the process respond?", schemas.responses(Live))
        },
        "/v1/ready": {
            "get": _operation(
                tag, "ready", "Does the model respond?", schemas.responses(Ready, (503,))
            )
        },
        "/metrics": {"get": _operation(tag, "metrics", "Metrics for Prometheus", text)},
    }


def _protocol_paths(model: ServedModel, schemas: _Schemas) -> dict[str, Any]:
    tag = "open inference protocol"
    path = f"/v2/models/{model.name}"
    tensor = {"name": "text", "shape": [1], "datatype": "BYTES", "data": [EXAMPLE_TEXT]}
    infer = _operation(
        tag, "v2_infer", "Predict for texts", schemas.responses(InferResponse, INFERENCE)
    )
    infer["requestBody"] = _body(schemas.received(InferRequest), {"inputs": [tensor]})

    def get(name: str, summary: str, body: type[BaseModel], *problems: int) -> dict[str, Any]:
        return {"get": _operation(tag, name, summary, schemas.responses(body, problems))}

    return {
        "/v2": get("v2_server", "Server metadata", ServerMetadata),
        "/v2/health/live": get("v2_live", "Server live", Live),
        "/v2/health/ready": get("v2_ready", "Server ready", Ready, 503),
        path: get("v2_model", "Model metadata", ModelMetadata, 404),
        f"{path}/ready": get("v2_model_ready", "Model ready", ModelReady, 404, 503),
        f"{path}/infer": {"post": infer},
    }
