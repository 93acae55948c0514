import asyncio
from typing import Any

import pytest

from mesh.serve.lingering import LingeringClose

PIECE = {"type": "http.request", "body": b"{", "more_body": True}
LAST = {"type": "http.request", "body": b"}", "more_body": False}


def refused(monkeypatch: pytest.MonkeyPatch, *arrived: Any, **headers: str) -> list[str]:
    """What happens to a request that is refused unread, when its body has arrived so far."""
    monkeypatch.setattr("mesh.serve.lingering.LINGER_SECONDS", 0.01)
    messages = list(arrived)
    events: list[str] = []

    async def receive() -> Any:
        if not messages:
            await asyncio.Event().wait()
        events.append("received")
        return messages.pop(0)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            is_last = (b"connection", b"close") in message["headers"]
            events.append("last response" if is_last else "response")
        elif not message["more_body"]:
            events.append("end")

    scope = {
        "type": "http",
        "method": "POST",
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {},
    }

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 503, "headers": []})
        await send({"type": "http.response.body", "body": b"refused", "more_body": False})

    asyncio.run(LingeringClose(app)(scope, receive, send))
    return events


def test_a_connection_goes_on_where_the_refused_body_has_arrived(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert refused(monkeypatch, LAST) == ["received", "response", "end"]


def test_a_connection_ends_where_a_part_of_the_refused_body_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert refused(monkeypatch) == ["last response", "end"]
    assert refused(monkeypatch, PIECE) == ["received", "last response", "end"]


def test_a_client_is_not_asked_for_a_body_that_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    events = refused(monkeypatch, LAST, expect="100-continue")
    assert events == ["last response", "received", "end"]
