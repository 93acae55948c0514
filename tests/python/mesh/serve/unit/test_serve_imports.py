import os
import subprocess
import sys

from imported_modules import imported_by


def test_a_server_imports_no_framework_for_training() -> None:
    heavy = {
        "torch",
        "transformers",
        "mlflow",
        "fastapi",
        # What is off by default.
        "mesh.serve.prediction_log.log",
        "google.protobuf",
        "grpc",
        "numpy",
        "offapi",
        "pyarrow",
        "sqlalchemy",
    }
    assert imported_by("mesh.serve.server", heavy) == set()


PREDICTION = """
import asyncio, sys
import httpx
from echo_model import PREDICT, Echo, body
from mesh.serve.app import create_app
from mesh.serve.settings import ServeSettings

async def predict():
    app = create_app(Echo(), ServeSettings())
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            while (await client.get("/v1/ready")).status_code != 200:
                await asyncio.sleep(0)
            headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
            (await client.post(PREDICT, json=body("a"), headers=headers)).raise_for_status()

asyncio.run(predict())
off = ("opentelemetry", "mesh.core.otel", "mesh.serve.traces")
print(*(name for name in sys.modules if name.startswith(off)))
"""


def test_a_prediction_imports_nothing_of_traces_that_nobody_wants() -> None:
    path = os.pathsep.join(path for path in sys.path if path)
    result = subprocess.run(
        [sys.executable, "-c", PREDICTION],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": path},
    )
    assert result.stdout.split() == []
