"""A model that repeats its input, for tests of the server."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, field_validator

from mesh.core.errors import UsageError
from mesh.serve.model import ServedModel
from mesh.serve.problems import ProblemError
from mesh.serve.results import attempt

Serve = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
"""Serves a model in a test: the fixture `serve`."""

PREDICT = "/v1/model/echo/predict"


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    document: str

    @field_validator("document")
    @classmethod
    def _no_tabs(cls, document: str) -> str:
        if "\t" in document:
            raise ValueError(f"no tabs are allowed in {document!r}")
        return document


class Question(BaseModel):
    inputs: list[Item] = Field(min_length=1, max_length=100)


class Answer(BaseModel):
    outputs: list[str]


class Echo(ServedModel):
    """Repeats the documents; "usage", "problem" and "crash" fail, "wait" waits for the gate."""

    name = "echo"
    request_model = Question
    response_model = Answer

    def __init__(self) -> None:
        self.computed: list[str] = []
        self.gate = threading.Event()

    def predict_batch(self, requests: Sequence[Question]) -> list[Answer | Exception]:
        return [attempt(self._answer, request) for request in requests]

    def _answer(self, request: Question) -> Answer:
        documents = [item.document for item in request.inputs]
        self.computed += documents
        match documents[0]:
            case "usage":
                raise UsageError("The document has too many candidates.")
            case "problem":
                raise ProblemError(502, "The other service does not respond.")
            case "crash":
                raise ZeroDivisionError("a secret")
            case "wait":
                assert self.gate.wait(30)
        return Answer(outputs=documents)

    def example_request(self, text: str) -> Question:
        return Question(inputs=[Item(document=text)])


def body(*documents: str) -> dict[str, Any]:
    return {"inputs": [{"document": document} for document in documents]}


def check_problem(response: httpx.Response, status: int, detail: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert response.status_code == problem["status"] == status
    # Under `/v2`, it has the member of that protocol.
    media_type = "application/json" if "error" in problem else "application/problem+json"
    assert response.headers["content-type"] == media_type
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"] == detail
    return problem


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
