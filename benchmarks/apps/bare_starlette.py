"""The same responses by Starlette alone, without validation, limits, metrics or ids.

They are computed on the event loop or in Starlette's thread pool. Only the server's own log is
kept.
"""

import sys

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


async def ready(request: Request) -> Response:  # noqa: ARG001 - Starlette passes it
    """Readiness probe."""
    return JSONResponse({"ready": True})


async def predict(request: Request) -> Response:
    """Return the text of the request."""
    body = await request.json()
    return JSONResponse({"text": body["text"]})


async def predict_in_thread(request: Request) -> Response:
    """Return the text of the request, from a thread."""
    body = await request.json()
    return JSONResponse(await run_in_threadpool(lambda: {"text": body["text"]}))


def serve(server: str, port: int, *, logs: bool, thread: bool) -> None:
    """Serve it with the usual settings."""
    app = Starlette(
        routes=[
            Route("/v1/ready", ready),
            Route(
                "/v1/model/empty/predict",
                predict_in_thread if thread else predict,
                methods=["POST"],
            ),
        ]
    )
    if server == "uvicorn":
        import uvicorn

        # uvloop and httptools, as with `uvicorn[standard]`.
        uvicorn.run(app, port=port, access_log=logs, loop="uvloop", http="httptools")
    else:
        import asyncio
        from typing import cast

        from hypercorn.asyncio import serve as serve_hypercorn
        from hypercorn.config import Config
        from hypercorn.typing import ASGIFramework

        config = Config()
        config.bind = [f"127.0.0.1:{port}"]
        config.accesslog = "-" if logs else None
        asyncio.run(serve_hypercorn(cast(ASGIFramework, app), config))


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), logs=sys.argv[3] == "logs", thread=sys.argv[4] == "thread")
