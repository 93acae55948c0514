"""What `mesh up` asks of the server that it has started."""

import io

import httpx
import pytest
from pydantic import BaseModel
from rich.console import Console

from mesh.cli import up
from mesh.core.errors import MeshError
from mesh.core.project import Project

PROJECT = Project(name="echo", description="Repeats a text.", port=8000, kind="code-only")


class Request(BaseModel):
    text: str


class Echo:
    def example_request(self, text: str) -> Request:
        return Request(text=text)


def shown(monkeypatch: pytest.MonkeyPatch, *, asks_callers: bool) -> tuple[str, list[str]]:
    """What is printed, and the paths of the requests."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, text="the response")

    monkeypatch.setattr(up, "create_model", lambda *_, **__: Echo())
    output = io.StringIO()
    transport = httpx.MockTransport(respond)
    with httpx.Client(base_url="https://127.0.0.1:1", transport=transport) as client:
        up.show_example(PROJECT, client, Console(file=output, width=500), asks_callers=asks_callers)
    return output.getvalue(), asked


def test_an_example_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = shown(monkeypatch, asks_callers=False)
    assert asked == ["/v1/model/echo/predict"]
    assert "the response" in text
    assert "authorization" not in text


def test_a_server_that_asks_is_not_sent_an_example(monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = shown(monkeypatch, asks_callers=True)
    assert asked == []
    assert (
        "curl -s https://127.0.0.1:1/v1/model/echo/predict -H 'authorization: Bearer KEY'" in text
    )


def test_an_example_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "create_model", lambda *_, **__: Echo())
    transport = httpx.MockTransport(lambda _: httpx.Response(504, text="No result in time."))
    with (
        httpx.Client(base_url="http://127.0.0.1:1", transport=transport) as client,
        pytest.raises(MeshError, match=r"failed with status 504: No result in time\."),
    ):
        up.show_example(PROJECT, client, Console(file=io.StringIO()))
