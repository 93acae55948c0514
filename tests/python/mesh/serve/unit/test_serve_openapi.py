import asyncio
from collections.abc import Sequence

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field

from echo_model import Serve
from mesh.serve.app import create_app
from mesh.serve.model import ServedModel
from mesh.serve.openapi import openapi_document
from mesh.serve.settings import ServeSettings


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
        (route.path.replace("{name}", "counter"), method.lower())  # type: ignore[attr-defined]
        for route in app.routes
        for method in route.methods - {"HEAD"}  # type: ignore[attr-defined]
        if route.path not in unlisted | {"/openapi.json"}  # type: ignore[attr-defined]
    }
    paths = openapi_document(Counter())["paths"]
    assert {(path, method) for path, item in paths.items() for method in item} == served


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
                for media_type, content in operation["responses"]["200"]["content"].items():
                    assert response.headers["content-type"].startswith(media_type)
                    if media_type == "application/json":
                        schema = {**document, **content["schema"]}
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
