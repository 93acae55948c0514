"""The context of the caller's trace in requests, whoever has set OpenTelemetry up."""

import asyncio

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import format_span_id, format_trace_id
from pydantic import BaseModel

from mesh.client.clients import AsyncClient, Client


class Word(BaseModel):
    outputs: list[str] = []


@pytest.fixture
def received() -> list[httpx.Headers]:
    return []


@pytest.fixture
def transport(received: list[httpx.Headers]) -> httpx.MockTransport:
    def respond(request: httpx.Request) -> httpx.Response:
        received.append(request.headers)
        return httpx.Response(200, json={"outputs": []})

    return httpx.MockTransport(respond)


def test_requests_are_part_of_the_callers_trace(
    transport: httpx.MockTransport, received: list[httpx.Headers]
) -> None:
    async def call() -> None:
        async with httpx.AsyncClient(transport=transport) as http:
            await AsyncClient("http://mesh.test", "words", Word, Word, http=http).predict(Word())

    client = Client("http://mesh.test", "words", Word, Word, http=httpx.Client(transport=transport))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("a program of its own")
    with tracer.start_as_current_span("work") as span:
        client.predict(Word())
        asyncio.run(call())
    client.predict(Word())
    context = span.get_span_context()
    expected = f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-03"
    assert [each.get("traceparent") for each in received] == [expected, expected, None]
