"""Who is let in, and where."""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from access_files import AUDIENCE, Signer, add_key, bearer, remove_key
from echo_model import PREDICT, Echo, Serve, body, check_problem, until
from mesh.core.errors import UsageError
from mesh.serve.access import watched
from mesh.serve.access.guard import needed_scope
from mesh.serve.access.scopes import Scope
from mesh.serve.app import create_app
from mesh.serve.settings import ServeSettings

BIO = "/v1/model/echo/bio"
PROBES = (
    "/v1/live",
    "/v1/ready",
    "/v2/health/live",
    "/v2/health/ready",
    "/v2/models/echo/ready",
    "/v2/models/echo/versions/1/ready",
)
INSPECTED = ("/metrics", "/docs", "/docs/start.js", "/openapi.json", BIO)
OTHERS = ("/", "/v2", "/v2/models/echo")
MISSING = ("/nothing", "/v1/live/", "/V1/live", "/docsX", "/metrics/", "/v1/model/other/ready")
ODD = ("", "//v1/live", "/v1/live\n", "/v1/ready/../../metrics", "/v1/live;/metrics")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(watched, "WATCH_SECONDS", 0.01)
    return tmp_path / "keys.json"


def run(scenario: Callable[[], Any]) -> None:
    asyncio.run(scenario())


async def statuses(client: httpx.AsyncClient, paths: tuple[str, ...], **headers: str) -> set[int]:
    return {(await client.get(path, headers=headers)).status_code for path in paths}


def test_without_settings_nobody_is_asked(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            assert await statuses(client, PROBES + INSPECTED + OTHERS) == {200}
            assert await statuses(client, PROBES, authorization="Bearer x") == {200}
            assert "access_refusals" not in (await client.get("/metrics")).text
            document = (await client.get("/openapi.json")).json()
            assert "securitySchemes" not in document["components"]

    run(scenario)


def test_keys_open_what_their_scopes_say(serve: Serve, file: Path) -> None:
    predict, inspect = add_key(file, "p", Scope.PREDICT), add_key(file, "i", Scope.INSPECT)
    both = add_key(file, "b")

    async def scenario() -> None:
        async with serve(Echo(), api_keys_file=file) as client:
            assert await statuses(client, PROBES) == {200}
            assert await statuses(client, INSPECTED + OTHERS + MISSING) == {401}
            for text, inspected, others, missing in (
                (predict, 403, 200, 404),
                (inspect, 200, 403, 403),
                (both, 200, 200, 404),
            ):
                assert await statuses(client, INSPECTED, **bearer(text)) == {inspected}
                assert await statuses(client, OTHERS, **bearer(text)) == {others}
                assert await statuses(client, MISSING, **bearer(text)) == {missing}
                response = await client.post(PREDICT, json=body("a"), headers=bearer(text))
                assert response.status_code == others
            assert (await client.post(PREDICT, json=body("a"))).status_code == 401
            metrics = (await client.get("/metrics", headers=bearer(both))).text
            assert 'access_refusals_total{reason="missing"} 15.0' in metrics
            assert 'access_refusals_total{reason="scope"} 15.0' in metrics

    run(scenario)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_how_keys_are_sent(serve: Serve, file: Path) -> None:
    text, expired = add_key(file, "a"), add_key(file, "old", days=-1)
    table = {
        f"Bearer {text}": 200,
        f"bearer   {text}": 200,
        f"BEARER {text} ": 200,
        basic("", text): 200,
        basic("anyone", text): 200,
        text: 401,
        f"Token {text}": 401,
        f"Bearer {text}a": 401,
        f"Bearer {text},{text}": 401,
        f"Bearer {expired}": 401,
        f"Bearer {Signer().token()}": 401,
        f"Bearer {'é' * 10}": 401,
        "Bearer": 401,
        "Bearer mesh_": 401,
        "Basic": 401,
        "Basic ?": 401,
        "Basic " + base64.b64encode(text.encode()).decode(): 401,
        basic(text, ""): 401,
        "": 401,
    }

    async def scenario() -> None:
        async with serve(Echo(), api_keys_file=file) as client:
            for value, status in table.items():
                headers = {b"authorization": value.encode("latin-1")}
                response = await client.get("/v2", headers=headers)
                assert response.status_code == status, value
                posted = await client.post(PREDICT, json=body("a"), headers=headers)
                assert posted.status_code == status, value
                if status == 401:
                    # Browsers log in by themselves; programs are told what they need.
                    assert response.headers["www-authenticate"].startswith("Basic ")
                    assert posted.headers["www-authenticate"].startswith("Bearer ")
            twice = [("authorization", f"Bearer {text}")] * 2
            assert (await client.get("/v2", headers=twice)).status_code == 401
            assert (await client.get(f"/v2?key={text}")).status_code == 401
            response = await client.get("/v2", headers=bearer(expired))
            assert response.json()["detail"].startswith("The key old expired at 20")

    run(scenario)


def test_keys_change_while_the_server_runs(serve: Serve, file: Path) -> None:
    first = add_key(file, "first")

    async def scenario() -> None:
        async with serve(Echo(), api_keys_file=file) as client:
            seen: list[int] = []

            async def comes(text: str, status: int) -> None:
                async with asyncio.timeout(30):
                    while (await client.get("/v2", headers=bearer(text))).status_code != status:
                        await asyncio.sleep(0.01)
                seen.append(status)

            second = add_key(file, "second")
            await comes(second, 200)
            remove_key(file, "first")
            await comes(first, 401)
            await comes(second, 200)
            sound = file.read_bytes()
            file.write_bytes(b"")
            await comes(second, 503)
            check_problem(
                await client.get("/v2", headers=bearer(second)),
                503,
                "The server can't read its keys at the moment; try again later.",
            )
            assert await statuses(client, PROBES) == {200}
            file.write_bytes(sound)
            await comes(second, 200)
            assert seen == [200, 401, 200, 503, 200]

    run(scenario)


def test_a_file_without_a_valid_key_does_not_start(file: Path) -> None:
    add_key(file, "old", days=-1)
    with pytest.raises(UsageError, match=r"has no key that is valid now.*mesh keys new"):
        create_app(Echo(), ServeSettings(api_keys_file=file))
    file.write_text('{"keys": []}')
    with pytest.raises(UsageError, match="has no key that is valid now"):
        create_app(Echo(), ServeSettings(api_keys_file=file))
    file.write_text("")
    with pytest.raises(UsageError, match="is empty"):
        create_app(Echo(), ServeSettings(api_keys_file=file))


def test_tokens_and_keys_beside_each_other(serve: Serve, file: Path, tmp_path: Path) -> None:
    signer = Signer()
    key_set = tmp_path / "jwks.json"
    key_set.write_text(json.dumps(signer.key_set))
    key = add_key(file, "a", Scope.PREDICT)
    settings = {
        "jwt_jwks_file": key_set,
        "jwt_audience": AUDIENCE,
        "jwt_algorithm": "ES256",
        "api_keys_file": file,
    }

    async def scenario() -> None:
        async with serve(Echo(), **settings) as client:
            for text, path, status in (
                (key, "/v2", 200),
                (key, BIO, 403),
                (signer.token(), BIO, 200),
                (signer.token(scope="predict"), "/v2", 200),
                (signer.token(scope="predict"), BIO, 403),
                (signer.token(aud="other"), "/v2", 401),
                (Signer().token(), "/v2", 401),
            ):
                response = await client.get(path, headers=bearer(text))
                assert response.status_code == status

    run(scenario)


def test_an_issuer_that_cannot_be_reached_opens_nothing(serve: Serve) -> None:
    settings = {"jwt_issuer": "http://127.0.0.1:1", "jwt_audience": AUDIENCE}

    async def scenario() -> None:
        async with serve(Echo(), **settings) as client:
            assert (await client.get("/v2")).status_code == 401
            response = await client.get("/v2", headers=bearer(Signer().token()))
            assert response.status_code == 503
            assert response.headers["retry-after"] == "1"
            assert await statuses(client, PROBES) == {200}

    run(scenario)


def test_rates_of_keys(serve: Serve, file: Path) -> None:
    slow, fast = add_key(file, "slow", per_minute=2), add_key(file, "fast")

    async def scenario() -> None:
        async with serve(Echo(), api_keys_file=file, requests_per_minute=4) as client:

            async def ask(text: str) -> int:
                return (await client.get("/v2", headers=bearer(text))).status_code

            assert [await ask(slow) for _ in range(4)] == [200, 200, 429, 429]
            assert [await ask(fast) for _ in range(6)] == [200] * 4 + [429] * 2
            refused = await client.post(PREDICT, json=body("a"), headers=bearer(slow))
            check_problem(refused, 429, "More than 2 requests a minute came from the key slow.")
            assert 1 <= int(refused.headers["retry-after"]) <= 30
            assert await statuses(client, PROBES * 3) == {200}

    run(scenario)


def test_rates_of_addresses(serve: Serve) -> None:
    settings = {"requests_per_minute": 2, "trusted_proxies": "127.0.0.1"}

    async def scenario() -> None:
        async with serve(Echo(), **settings) as client:

            async def ask(*addresses: str) -> int:
                headers = {"x-forwarded-for": ", ".join(addresses)}
                return (await client.get("/v2", headers=headers)).status_code

            assert [await ask("1.2.3.4") for _ in range(3)] == [200, 200, 429]
            # The client claims other addresses before its own.
            assert [await ask(f"9.9.9.{n}", "1.2.3.4") for n in range(3)] == [429] * 3
            assert await ask("1.2.3.5") == 200
            # A network of IPv6 is one client's.
            six = [await ask(f"2001:db8:1:2::{n}") for n in range(3)]
            assert six == [200, 200, 429]
            assert await ask("2001:db8:1:3::1") == 200

    run(scenario)


@asynccontextmanager
async def on_port(client: httpx.AsyncClient, port: int) -> AsyncIterator[httpx.AsyncClient]:
    transport = client._transport
    async with httpx.AsyncClient(transport=transport, base_url=f"http://test:{port}") as other:
        yield other


def on_ports(
    client: httpx.AsyncClient,
) -> tuple[AbstractAsyncContextManager[httpx.AsyncClient], ...]:
    return on_port(client, 8000), on_port(client, 9000)


@pytest.mark.parametrize("with_keys", [False, True])
def test_a_port_of_its_own_for_what_is_inspected(serve: Serve, file: Path, with_keys: bool) -> None:
    text = add_key(file, "a")
    settings = {"api_keys_file": file} if with_keys else {}

    async def scenario() -> None:
        async with serve(Echo(), inspect_port=9000, **settings) as client:
            own, inspect = on_ports(client)
            async with own as main, inspect as other:
                assert await statuses(main, PROBES, **bearer(text)) == {200}
                assert await statuses(main, OTHERS, **bearer(text)) == {200}
                assert await statuses(main, INSPECTED, **bearer(text)) == {404}
                assert await statuses(main, OTHERS) == {401 if with_keys else 200}
                assert await statuses(other, PROBES + INSPECTED) == {200}
                assert await statuses(other, OTHERS + MISSING, **bearer(text)) == {404}
                refused = await other.post(PREDICT, json=body("a"), headers=bearer(text))
                assert refused.status_code == 404

    run(scenario)


def test_no_key_is_in_the_log(serve: Serve, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text, expired = add_key(file, "web"), add_key(file, "old", days=-1)
    token = Signer().token()
    lost = "mesh_" + "0" * 12 + "_" + "x" * 43

    async def scenario() -> None:
        async with serve(Echo(), api_keys_file=file, requests_per_minute=3) as client:
            for sent in (text, expired, token, lost, "Secret" * 5):
                for headers in (bearer(sent), {"authorization": basic("u", sent)}):
                    await client.post(PREDICT, json=body("crash"), headers=headers)
                    await client.get(f"/v1/{sent}?key={sent}", headers=headers)
                    await client.get(f"/v1/model/{sent}/bio", headers=headers)

    run(scenario)
    own = [record for record in caplog.records if record.name.startswith("mesh")]
    assert len(own) >= 30
    for record in own:
        shown = f"{record.getMessage()} {vars(record)}"
        for sent in (text, expired, token, lost):
            assert sent not in shown
            # A key's secret, a token's signature; either may have any of base64's characters.
            secret = sent.split("_", 2)[2] if sent.startswith("mesh_") else sent.split(".")[2]
            assert len(secret) > 40
            assert secret not in shown
    [served, *_] = [record for record in own if "status_code" in vars(record)]
    assert vars(served)["caller"] == "key web"


def test_the_description_says_what_is_needed(serve: Serve, file: Path) -> None:
    text = add_key(file, "a")

    async def scenario() -> None:
        async with serve(Echo(), api_keys_file=file) as client:
            document = (await client.get("/openapi.json", headers=bearer(text))).json()
            schemes = document["components"]["securitySchemes"]
            assert schemes == {"key": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    is_open = path.format(version=1) in PROBES
                    assert operation["security"] == ([] if is_open else [{"key": []}])
                    assert ("401" in operation["responses"]) is not is_open

    run(scenario)


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        *((path, None) for path in (*PROBES, "/v2/models/a/versions/1/ready")),
        *((path, Scope.INSPECT) for path in INSPECTED),
        *((path, Scope.PREDICT) for path in (*OTHERS, *MISSING, PREDICT, *ODD)),
    ],
)
def test_what_paths_need(path: str, scope: Scope | None) -> None:
    assert needed_scope(path) is scope


def test_a_waiting_client_that_loses_its_key_gets_its_response(serve: Serve, file: Path) -> None:
    text = add_key(file, "a")
    add_key(file, "b")
    echo = Echo()

    async def scenario() -> None:
        async with serve(echo, api_keys_file=file) as client:
            waiting = asyncio.create_task(
                client.post(PREDICT, json=body("wait"), headers=bearer(text))
            )
            await until(lambda: bool(echo.computed))
            remove_key(file, "a")
            echo.gate.set()
            assert (await waiting).status_code == 200

    run(scenario)
