"""Headers, whatever a client writes into them."""

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo_model import PREDICT, Echo, Serve, check_problem, until
from mesh.serve.app import create_app
from mesh.serve.availability import Phase
from mesh.serve.media_types import (
    MAX_ACCEPTED,
    MAX_MEDIA_TYPE,
    parse_media_type,
    prefers,
)
from mesh.serve.request_check import MAX_HEADER_BYTES
from mesh.serve.settings import ServeSettings

JSON = "application/json"
OPEN = "application/openmetrics-text"
CONTENT = b'{"inputs": [{"document": "a"}]}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("application/json", (JSON, {})),
        (" Application/JSON ; Charset=UTF-8\t", (JSON, {"charset": "UTF-8"})),
        ('a/b;c="d \\"e\\" f";g=h', ("a/b", {"c": 'd "e" f', "g": "h"})),
        ("a/b;;c=d;", ("a/b", {"c": "d"})),
        (
            "a/b;charset*=utf-8''x;charset*0*=%ff",
            ("a/b", {"charset*": "utf-8''x", "charset*0*": "%ff"}),
        ),
        ("a/b;c=1;C=2", None),
        ("a/b;c=", None),
        ('a/b;c="d', None),
        ("a/b c", None),
        ("a/b, a/b", None),
        ("a", None),
        ("", None),
        ("a/b;c=" + "x" * MAX_MEDIA_TYPE, None),
    ],
)
def test_media_types_are_parsed(text: str, expected: tuple[str, dict[str, str]] | None) -> None:
    assert parse_media_type(text) == expected


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([], 200),
        ([("content-type", "application/json")], 200),
        ([("content-type", "application/json; charset=UTF-8")], 200),
        ([("content-type", 'application/json;charset="utf8"')], 200),
        ([("content-type", "application/json; charset=UTF8")], 200),
        ([("content-type", "application/json; charset*=utf-8''utf-8; charset*0*=%ff")], 200),
        ([("content-type", "application/json; charset=latin-1")], 415),
        ([("content-type", "application/x-www-form-urlencoded")], 415),
        ([("content-type", "nonsense")], 415),
        ([("content-type", "")], 415),
        ([("content-type", "application/json"), ("content-type", "text/plain")], 400),
        ([("content-type", "application/json"), ("content-type", "application/json")], 400),
        ([("content-encoding", "gzip")], 415),
        ([("content-encoding", "identity")], 200),
        ([("content-encoding", "Identity"), ("content-encoding", "gzip")], 400),
    ],
)
def test_the_body_is_json_in_utf_8(
    serve: Serve, headers: list[tuple[str, str]], status: int
) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.post(PREDICT, content=CONTENT, headers=headers)
            assert response.status_code == status

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        (OPEN, True),
        (f"{OPEN}; version=1.0.0; escaping=dots", True),
        (f"{OPEN}; version=x", False),
        (f"{OPEN}; version=0.0.1", False),
        (f"{OPEN};q=0", False),
        (f"{OPEN};q=2", False),
        (f"{OPEN};q=0.5,text/plain;q=0.6", False),
        (f"text/plain;version=..;q=0.3,{OPEN};version=1.0.0;q=0.5", True),
        ("text/plain," * MAX_ACCEPTED + OPEN, False),
        # Prometheus' own.
        (
            f"{OPEN};version=1.0.0;escaping=allow-utf-8;q=0.6,{OPEN};version=0.0.1;q=0.5,"
            "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,"
            "*/*;q=0.2",
            True,
        ),
    ],
)
def test_accept(accept: str, expected: bool) -> None:
    assert prefers(accept, OPEN, "text/plain") is expected


FRAGMENTS = (
    *"\x80\xe9\xff \t,;=\"'\\%*/:.-[]",
    *("application/json", OPEN, "text/plain", "multipart/form-data", "gzip", "identity", "W/"),
    *("charset", "charset*", "charset*0*", "utf-8''", "%ff", "version", "escaping", "q", "1.0.0"),
    *("bytes", "0", "1", "-1", "9" * 400, "1e999", "nan", "x", "boundary", "chunked", "trailers"),
    *("100-continue", "close", "upgrade", "h2c", "localhost", "Mon, 30 Nov 2026 00:00:00 GMT"),
)
NAMES = (
    *("accept", "accept-charset", "accept-encoding", "accept-language", "authorization"),
    *("connection", "content-encoding", "content-length", "content-type", "cookie", "expect"),
    *("forwarded", "host", "if-match", "if-modified-since", "if-none-match", "if-range"),
    *("inference-header-content-length", "origin", "range", "te", "trailer", "transfer-encoding"),
    *("upgrade", "x-forwarded-for", "x-forwarded-proto", "x-request-id"),
)
REQUESTS = [
    *(("POST", PREDICT), ("GET", "/metrics"), ("POST", "/v2/models/echo/infer")),
    *(("GET", path) for path in ("/", "/v1/live", "/docs", "/docs/swagger-ui.css", "/v2")),
    ("PUT", "/nothing"),
]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join)
media_types = st.builds(
    lambda kind, parameters: ";".join([kind, *map("=".join, parameters)]),
    st.sampled_from((JSON, OPEN, "text/plain", "application/x-ndjson")),
    st.lists(
        st.tuples(
            st.sampled_from(("charset", "charset*", "charset*0*", "version", "escaping", "q")),
            st.sampled_from(("utf-8''utf-8", "%ff", "1.0.0", "x", "..", "\xff", "nan", "")) | texts,
        ),
        max_size=3,
    ),
)


requests = st.one_of(
    st.tuples(st.just(REQUESTS[0]), st.just("content-type"), media_types),
    st.tuples(st.sampled_from(REQUESTS[:2]), st.just("accept"), media_types),
    st.tuples(st.sampled_from(REQUESTS), st.sampled_from(NAMES), texts | media_types),
)


@settings(max_examples=25)
@given(st.lists(requests, min_size=20, max_size=30))
def test_no_header_is_a_defect(sent: list[tuple[tuple[str, str], str, str]]) -> None:
    async def scenario() -> None:
        app = create_app(Echo(), ServeSettings())
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app):
            await until(lambda: app.state.availability.phase is Phase.SERVING)
            for (method, path), name, value in sent:
                request = httpx.Request(method, f"http://test{path}", content=CONTENT)
                request.headers = httpx.Headers([(name.encode(), value.encode("latin-1"))])
                response = await transport.handle_async_request(request)
                await response.aread()
                assert response.status_code < 500
                if response.status_code >= 400:
                    expected = JSON if path.startswith("/v2") else "application/problem+json"
                    assert response.headers["content-type"] == expected

    asyncio.run(scenario())


@pytest.mark.parametrize("count", [1, 100])
def test_headers_above_the_limit_are_refused(serve: Serve, count: int) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            for size, status in ((MAX_HEADER_BYTES - 1000, 200), (MAX_HEADER_BYTES, 431)):
                headers = [("x", "a" * (size // count - 5))] * count
                response = await client.get("/v1/live", headers=headers)
                assert response.status_code == status
            detail = "The header is larger than 65536 bytes."
            check_problem(response, 431, detail)
            half = "a" * (MAX_HEADER_BYTES // 2)
            check_problem(await client.get(f"/{half}", headers={"x": half}), 431, detail)

    asyncio.run(scenario())
