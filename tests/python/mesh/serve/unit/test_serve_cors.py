"""Pages of other origins."""

import asyncio
from pathlib import Path

import httpx
import pytest

from access_files import add_key, bearer
from echo_model import PREDICT, Echo, Serve, body

APP = "https://app.example.com"
ALLOW = "access-control-allow-origin"


async def preflight(client: httpx.AsyncClient, origin: str, path: str = PREDICT) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    return await client.options(path, headers=asked)


@pytest.mark.parametrize(
    ("setting", "origin", "allowed"),
    [
        (APP, APP, APP),
        (f"https://other.example.com, {APP}", APP, APP),
        (f"{APP}:443", APP, APP),
        ("HTTPS://App.Example.com", APP, APP),
        ("http://localhost:3000", "http://localhost:3000", "http://localhost:3000"),
        ("*", APP, "*"),
        (APP, "https://evil.example.com", None),
        (APP, f"{APP}.evil.com", None),
        (APP, "http://app.example.com", None),
        (APP, f"{APP}:8443", None),
        (APP, "null", None),
        ("http://localhost:3000", "http://localhost", None),
        ("", APP, None),
    ],
)
def test_who_may_call(serve: Serve, setting: str, origin: str, allowed: str | None) -> None:
    async def scenario() -> None:
        async with serve(Echo(), cors_origins=setting) as client:
            asked = await preflight(client, origin)
            assert asked.headers.get(ALLOW) == allowed
            assert asked.status_code == (204 if allowed else 403 if setting else 405)
            if allowed:
                assert "authorization" in asked.headers["access-control-allow-headers"].lower()
                assert "POST" in asked.headers["access-control-allow-methods"]
            response = await client.post(PREDICT, json=body("a"), headers={"origin": origin})
            assert response.status_code == 200
            assert response.headers.get(ALLOW) == allowed
            # A cache gives no page the response to another one.
            assert ("Origin" in response.headers.get("vary", "")) == (setting not in ("", "*"))

    asyncio.run(scenario())


def test_pages_may_read_errors_and_ask_before_they_have_a_key(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    key = bearer(add_key(file, "a", per_minute=5))

    async def scenario() -> None:
        async with serve(Echo(), cors_origins=APP, api_keys_file=file) as client:
            assert (await preflight(client, APP)).status_code == 204
            assert (await preflight(client, APP, "/nothing")).status_code == 204
            found = {}
            for name, headers, document in (
                ("unauthorized", {}, "a"),
                ("defect", key, "crash"),
                ("usage", key, "usage"),
                ("fine", key, "a"),
                ("fine", key, "a"),
                ("fine", key, "a"),
                ("rate", key, "a"),
            ):
                response = await client.post(
                    PREDICT, json=body(document), headers={"origin": APP, **headers}
                )
                assert response.headers[ALLOW] == APP
                assert "Retry-After" in response.headers["access-control-expose-headers"]
                assert "access-control-allow-credentials" not in response.headers
                found[name] = response.status_code
            assert found == {
                "unauthorized": 401,
                "defect": 500,
                "usage": 422,
                "fine": 200,
                "rate": 429,
            }

    asyncio.run(scenario())
