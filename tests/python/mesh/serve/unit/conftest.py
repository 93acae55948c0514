import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from echo_model import Serve
from mesh.serve.app import create_app
from mesh.serve.availability import Phase
from mesh.serve.model import ServedModel
from mesh.serve.settings import ServeSettings


@contextlib.asynccontextmanager
async def _serve(model: ServedModel, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """Run the model's app in this event loop and yield a client, its `app` being the app."""
    app = create_app(model, ServeSettings(**settings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app):
        while app.state.availability.phase is Phase.LOADING:
            await asyncio.sleep(0.001)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            client.app = app  # type: ignore[attr-defined]
            yield client


@pytest.fixture
def serve() -> Serve:
    return _serve
