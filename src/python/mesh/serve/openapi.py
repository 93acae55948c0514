"""The OpenAPI 3.1 document, made from the pydantic models."""

import functools
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mesh.serve.api import Bio, Live, Ready
from mesh.serve.documents import EXAMPLE_TEXT
from mesh.serve.inference_schemas import (
    INPUT,
    IndexRequest,
    InferRequest,
    InferResponse,
    ModelConfiguration,
    ModelMetadata,
    ModelReady,
    RepositoryIndex,
    ServerMetadata,
)
from mesh.serve.media_types import JSON, LINES
from mesh.serve.model import ServedModel
from mesh.serve.openapi_schemas import Schemas
from mesh.serve.problems import MEDIA_TYPE, ProblemDetails, ProtocolProblem

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
PROTOCOL = "open inference protocol"


def openapi_route(model: ServedModel, *, needs_credentials: bool = False) -> Route:
    """The document at `/openapi.json`.

    Args:
        needs_credentials: whether all but probes need a key or token.
    """

    # Only for those who ask: a server becomes ready sooner without it.
    @functools.cache
    def document() -> dict[str, Any]:
        document = openapi_document(model)
        if needs_credentials:
            from mesh.serve.access.openapi import add_security

            add_security(document)
        return document

    async def show(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
        return JSONResponse(document())

    return Route("/openapi.json", show)


def openapi_document(model: ServedModel) -> dict[str, Any]:
    """Describe all paths that a server of the model has."""
    schemas = _schemas(model)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": model.name,
            "version": "1",
            "description": f"Serves the model `{model.name}`.",
        },
        # The folder of this document, so that a proxy may add a prefix.
        "servers": [{"url": "."}],
        "tags": [
            {"name": "model", "description": "Predictions, and the description of the model."},
            {"name": "operations", "description": "Probes and metrics."},
            {
                "name": PROTOCOL,
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


def _schemas(model: ServedModel) -> Schemas:
    return Schemas(
        model.name,
        received=(model.request_model, InferRequest, IndexRequest),
        sent=(
            model.response_model,
            *(Bio, Live, Ready, ProblemDetails, ProtocolProblem),
            *(ServerMetadata, ModelMetadata, ModelConfiguration, ModelReady),
            *(InferResponse, RepositoryIndex),
        ),
    )


def _responses(
    schemas: Schemas,
    model: type[BaseModel],
    problems: tuple[int, ...] = (),
    problem: type[ProblemDetails] = ProblemDetails,
) -> dict[str, Any]:
    found = {"200": _content("The response.", JSON, schemas.sent(model))}
    media_type = JSON if problem is ProtocolProblem else MEDIA_TYPE
    for status in problems:
        found[str(status)] = _content(PROBLEMS[status], media_type, schemas.sent(problem))
    return found


def _content(description: str, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": schema}}}


def _operation(tag: str, name: str, summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"operationId": name, "tags": [tag], "summary": summary, "responses": responses}


def _body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    return {
        "required": True,
        "content": {JSON: {"schema": schema, "example": example}},
    }


def _model_paths(model: ServedModel, schemas: Schemas) -> dict[str, Any]:
    example = model.example_request(EXAMPLE_TEXT).model_dump(mode="json", exclude_unset=True)
    predict = _operation(
        "model", "predict", "Predict", _responses(schemas, model.response_model, INFERENCE)
    )
    # Not as a second type of the response: generated clients would take it for either.
    predict["description"] = (
        f"With `Accept: {LINES}`, each of the `outputs` is a line of JSON, sent as soon as it is ready."
    )
    predict["requestBody"] = _body(schemas.received(model.request_model), example)
    bio = _operation("model", "bio", "Description of the model", _responses(schemas, Bio, (404,)))
    return {
        f"/v1/model/{model.name}/predict": {"post": predict},
        f"/v1/model/{model.name}/bio": {"get": bio},
    }


def _operations_paths(schemas: Schemas) -> dict[str, Any]:
    tag = "operations"
    text = {"200": _content("All metrics.", "text/plain", {"type": "string"})}
    return {
        "/v1/live": {
            "get": _operation(tag, "live", "Does the process respond?", _responses(schemas, Live))
        },
        "/v1/ready": {
            "get": _operation(
                tag, "ready", "Does the model respond?", _responses(schemas, Ready, (503,))
            )
        },
        "/metrics": {"get": _operation(tag, "metrics", "Metrics for Prometheus", text)},
    }


def _protocol_paths(model: ServedModel, schemas: Schemas) -> dict[str, Any]:
    responses = functools.partial(_responses, schemas, problem=ProtocolProblem)

    def get(name: str, summary: str, body: type[BaseModel], *problems: int) -> dict[str, Any]:
        return {"get": _operation(PROTOCOL, name, summary, responses(body, problems))}

    index = _operation(
        PROTOCOL,
        "v2_index",
        "Models that are served here",
        responses(RepositoryIndex, (400, 408, 413, 415, 422)),
    )
    index["requestBody"] = _body(schemas.received(IndexRequest), {"ready": True})
    path = f"/v2/models/{model.name}"
    paths = {
        "/v2": get("v2_server", "Server metadata", ServerMetadata),
        "/v2/health/live": get("v2_live", "Server live", Live),
        "/v2/health/ready": get("v2_ready", "Server ready", Ready, 503),
        "/v2/repository/index": {"post": index},
    }
    for base, suffix in ((path, ""), (f"{path}/versions/{model.version}", "_of_version")):
        name = f"v2_model{suffix}"
        paths |= {
            base: get(name, "Model metadata", ModelMetadata, 404),
            f"{base}/ready": get(f"{name}_ready", "Model ready", ModelReady, 404, 503),
            f"{base}/config": get(f"{name}_config", "Model configuration", ModelConfiguration, 404),
            f"{base}/infer": {"post": _infer(f"v2_infer{suffix}", schemas)},
        }
    return paths


def _infer(name: str, schemas: Schemas) -> dict[str, Any]:
    tensor = {"name": INPUT, "shape": [1], "datatype": "BYTES", "data": [EXAMPLE_TEXT]}
    responses = _responses(schemas, InferResponse, INFERENCE, ProtocolProblem)
    infer = _operation(PROTOCOL, name, "Predict for texts", responses)
    infer["requestBody"] = _body(schemas.received(InferRequest), {"inputs": [tensor]})
    return infer
