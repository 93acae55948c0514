"""Request ids, access log and metrics."""

import asyncio
import logging
import re

import pytest

from echo_model import PREDICT, Echo, Serve, body
from mesh.core.devices import current_placement
from mesh.core.digest import fingerprint


@pytest.mark.parametrize("given_id", ["a", "7f3c-11.x:_/+=@", "x" * 128])
def test_a_valid_request_id_is_kept(serve: Serve, given_id: str) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.get("/v1/live", headers={"x-request-id": given_id})
            assert response.headers["x-request-id"] == given_id

    asyncio.run(scenario())


@pytest.mark.parametrize("given_id", ["", "x" * 129, "a b", "a\x1b[31m", "é", '"'])
def test_other_request_ids_are_replaced(serve: Serve, given_id: str) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as client:
            response = await client.get("/v1/live", headers={b"x-request-id": given_id.encode()})
            assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])

    asyncio.run(scenario())


def test_access_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mesh.serve.access")

    async def scenario() -> None:
        async with serve(Echo()) as client:
            await client.get("/v1/live")
            await client.get("/v1/%0Anothing?secret=1", headers={"x-request-id": "abc"})

    asyncio.run(scenario())
    # Probes are logged only when they fail, or at level DEBUG.
    [record] = [record for record in caplog.records if record.name == "mesh.serve.access"]
    fields = vars(record)
    assert fields["request_line"] == "GET /v1/%0Anothing HTTP/1.1"
    assert fields["status_code"] == 404
    assert fields["request_id"] == "abc"
    assert fields["client_addr"] == "127.0.0.1:123"
    assert fields["duration_ms"] >= 0
    assert "secret" not in record.getMessage()


def test_metrics(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo(), queue_size=5) as client:
            await client.post(PREDICT, json=body("a"))
            await client.post(PREDICT, json={})
            await client.post(PREDICT, json=body("usage"))
            await client.request("BREW", "/pot")
            response = await client.get("/metrics")
            assert response.headers["content-type"].startswith("text/plain")
            lines = response.text.splitlines()
            route = "/v1/model/{name}/predict"
            digest = fingerprint({})
            served = f'fingerprint="{digest}",model="echo",version="1"'
            for line in (
                f'http_requests_total{{method="POST",route="{route}",status="200"}} 1.0',
                f'http_requests_total{{method="POST",route="{route}",status="422"}} 2.0',
                'http_requests_total{method="OTHER",route="none",status="404"} 1.0',
                f'http_request_duration_seconds_count{{method="POST",route="{route}"}} 3.0',
                "http_requests_in_progress 1.0",
                "inference_queue_depth 0.0",
                'inference_batch_size_bucket{le="1.0"} 2.0',
                "inference_batch_seconds_count 2.0",
                "inference_queue_seconds_count 2.0",
                "model_ready 1.0",
                f"model_info{{{served}}} 1.0",
                f'model_predictions_total{{fingerprint="{digest}",model="echo",outcome="ok",version="1"}} 1.0',
                f'model_predictions_total{{fingerprint="{digest}",model="echo",outcome="error",version="1"}} 1.0',
            ):
                assert line in lines
            accept = {"accept": "application/openmetrics-text; version=1.0.0"}
            assert (await client.get("/metrics", headers=accept)).text.endswith("# EOF\n")

    asyncio.run(scenario())


def test_apps_do_not_share_metrics(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo()) as first, serve(Echo()) as second:
            await first.post(PREDICT, json=body("a"))
            assert "inference_batch_seconds_count 0.0" in (await second.get("/metrics")).text

    asyncio.run(scenario())


class OnDevice(Echo):
    """Loads a network, as compiled models do."""

    def load(self) -> None:
        current_placement().runs_on = ("CUDAExecutionProvider", "CPUExecutionProvider")
        current_placement().precision = "float32"


def test_bio_metrics_and_log_name_the_device_and_the_precision(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "mesh.serve")

    async def scenario() -> None:
        async with serve(OnDevice(), device="cuda") as client:
            bio = (await client.get("/v1/model/echo/bio")).json()
            assert bio["runs_on"] == ["CUDAExecutionProvider", "CPUExecutionProvider"]
            assert bio["precision"] == "float32"
            device = "CUDAExecutionProvider,CPUExecutionProvider"
            labels = f'device="{device}",model="echo",precision="float32"'
            assert f"model_device_info{{{labels}}} 1.0" in (await client.get("/metrics")).text
            assert "CUDAExecutionProvider and CPUExecutionProvider in float32" in caplog.text

    asyncio.run(scenario())


def test_a_device_that_no_network_uses_ends_the_server_with_a_sentence(serve: Serve) -> None:
    async def scenario() -> None:
        async with serve(Echo(), device="cuda") as client:
            failure = client.app.state.availability.failure  # type: ignore[attr-defined]
            assert failure.startswith("SERVE_DEVICE=cuda has no effect on this model")

    asyncio.run(scenario())
