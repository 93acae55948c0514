import asyncio
from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import urljoin

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field

from echo_model import Serve
from mesh.serve.app import create_app
from mesh.serve.model import ServedModel
from mesh.serve.openapi import openapi_document
from mesh.serve.settings import ServeSettings

Value = TypeVar("Value")


class Part(BaseModel):
    text: str = Field(max_length=100, description="A text.")
    weight: float = 1.0


class Request(BaseModel):
    """Parts to count."""

    inputs: list[Part]


class Response(BaseModel):
    outputs: list[tuple[str, float]]


class Counter(ServedModel):
    name = "counter"
    request_model = Request
    response_model = Response

    def predict_batch(self, requests: Sequence[Request]) -> list[Response]:
        return [
            Response(outputs=[(part.text, part.weight) for part in request.inputs])
            for request in requests
        ]

    def example_request(self, text: str) -> Request:
        return Request(inputs=[Part(text=text)])


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(openapi_document(Counter())).validate()


def test_the_document_describes_exactly_the_routes_for_json_and_metrics() -> None:
    app = create_app(Counter(), ServeSettings())
    unlisted = {"/", "/docs", "/docs/start.js", "/docs/swagger-ui.js", "/docs/swagger-ui.css"}
    served = {
        (
            route.path.replace("{name}", "counter").replace("{version}", "1"),  # type: ignore[attr-defined]
            method.lower(),
        )
        for route in app.routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
        if route.path not in unlisted | {"/openapi.json"}  # type: ignore[attr-defined]
    }
    paths = openapi_document(Counter())["paths"]
    assert {(path, method) for path, item in paths.items() for method in item} == served


class Live(BaseModel):
    """Has the name of one of the server's own."""

    inputs: list[Part]


class Page(BaseModel, Generic[Value]):
    items: list[Value]


class TextMetrics(BaseModel):
    page: Page[Live]
    live: Live


@pytest.mark.parametrize(
    ("project", "names"),
    [
        (
            "count-er",
            {"CountErLive", "CountErPart", "CountErTextMetrics", "CountErPage_Live_"},
        ),
        # A name that begins with the project's stays as it is.
        ("text", {"TextLive", "TextPart", "TextMetrics", "TextPage_Live_"}),
        ("tex", {"TexLive", "TexPart", "TexTextMetrics", "TexPage_Live_"}),
    ],
)
def test_a_projects_schemas_have_its_name(project: str, names: set[str]) -> None:
    class Named(Counter):
        name = project
        request_model = Live  # type: ignore[assignment]
        response_model = TextMetrics  # type: ignore[assignment]

        def example_request(self, text: str) -> Live:  # type: ignore[override]
            return Live(inputs=[])

    document = openapi_document(Named())
    OpenAPIV31SpecValidator(document).validate()
    schemas = document["components"]["schemas"]
    own = set(openapi_document(Counter())["components"]["schemas"])
    assert set(schemas) - own == names
    assert all(schema["title"] == name for name, schema in schemas.items())
    assert schemas["Live"]["properties"].keys() == {"live"}


def test_defaults_of_requests_are_told_by_descriptions() -> None:
    schemas = openapi_document(Counter())["components"]["schemas"]
    # openapi-typescript would have clients send what has a default.
    assert schemas["CounterPart"]["properties"]["weight"] == {
        "title": "Weight",
        "type": "number",
        "description": "By default 1.0.",
    }
    for name in ("InferRequest", "InputTensor", "RequestParameters", "IndexRequest"):
        for member in schemas[name]["properties"].values():
            assert "default" not in member


def test_paths_are_relative_to_the_document_so_that_a_proxy_may_add_a_prefix() -> None:
    document = openapi_document(Counter())
    [server] = document["servers"]
    base = urljoin("https://example.org/ml/counter/openapi.json", server["url"])
    assert base == "https://example.org/ml/counter/"


def test_the_models_schemas_and_examples_agree() -> None:
    document = openapi_document(Counter())
    predict = document["paths"]["/v1/model/counter/predict"]["post"]
    content = predict["requestBody"]["content"]["application/json"]
    validator = Draft202012Validator({**document, **content["schema"]})
    validator.validate(content["example"])
    assert not validator.is_valid({"inputs": [{"text": "x" * 101}]})
    # Only what the example sets is shown: the rest has defaults.
    assert list(content["example"]["inputs"][0]) == ["text"]
    response = predict["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**document, **response}).validate({"outputs": [["a", 1.0]]})


def test_the_examples_get_responses_that_fit_their_schemas(serve: Serve) -> None:
    async def scenario() -> None:
        document = openapi_document(Counter())
        async with serve(Counter()) as client:
            assert (await client.get("/openapi.json")).json() == document
            for path, item in document["paths"].items():
                [(method, operation)] = item.items()
                body = operation.get("requestBody", {"content": {"application/json": {}}})
                example = body["content"]["application/json"].get("example")
                response = await client.request(method, path, json=example)
                assert response.status_code == 200, path
                content = operation["responses"]["200"]["content"]
                media_type = response.headers["content-type"].partition(";")[0]
                assert media_type in content
                if media_type == "application/json":
                    schema = {**document, **content[media_type]["schema"]}
                    Draft202012Validator(schema).validate(response.json())
            problem = (await client.post("/v1/model/counter/predict", json={})).json()
            schema = {**document, "$ref": "#/components/schemas/ProblemDetails"}
            Draft202012Validator(schema).validate(problem)

    asyncio.run(scenario())


def test_the_docs_page_and_its_files_name_no_other_host(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Counter()) as client:
            page = await client.get("/docs")
            assert page.status_code == 200
            assert "://" not in page.text
            assert "default-src 'none'" in page.headers["content-security-policy"]
            for name, media_type in {
                "start.js": "text/javascript",
                "swagger-ui.js": "text/javascript",
                "swagger-ui.css": "text/css",
            }.items():
                file = await client.get(f"/docs/{name}")
                assert file.status_code == 200
                assert file.headers["content-type"].startswith(media_type)
            assert (await client.get("/docs/../../../etc/passwd")).status_code == 404

    asyncio.run(scenario())
