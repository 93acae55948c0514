"""Services on this machine with prepared responses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.http import Answer, ScriptedHandler, ScriptedServer, running


class JsonServer(ScriptedServer):
    """Finds no entities by default."""

    def __init__(self) -> None:
        super().__init__(self.entities())

    @staticmethod
    def entities(*entities: dict[str, Any]) -> Answer:
        """A response of an entity-fishing server, in the format of version 0.0.6."""

        def answer(handler: ScriptedHandler, body: dict[str, Any]) -> None:
            content = {
                "software": "entity-fishing",
                "version": "0.0.6",
                "date": "2024-01-01T00:00:00.000000Z",
                "runtime": 17,
                "nbest": False,
                "text": body["text"],
                "language": {"lang": body["language"]["lang"], "conf": 1.0},
                "global_categories": [
                    {"weight": 0.5, "source": "wikipedia-en", "category": "Capitals", "page_id": 1}
                ],
                "entities": list(entities),
            }
            handler.answer(200, json.dumps(content).encode())

        return answer

    @staticmethod
    def status(code: int, headers: dict[str, str] | None = None) -> Answer:
        return lambda handler, body: handler.answer(code, b"secret detail", headers)


@pytest.fixture
def fishing() -> Iterator[JsonServer]:
    with running(JsonServer()) as server:
        yield server


@pytest.fixture
def ner() -> Iterator[JsonServer]:
    with running(JsonServer()) as server:
        yield server
