"""A chat endpoint on this machine with prepared responses."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from services.http import Answer, ScriptedHandler, ScriptedServer, running


class ChatServer(ScriptedServer):
    """Returns a summary by default."""

    def __init__(self) -> None:
        super().__init__(self.completion("A summary."))

    @property
    def url(self) -> str:
        """The base URL of the protocol."""
        return f"{super().url}/v1"

    @staticmethod
    def completion(text: str, finish_reason: str = "stop") -> Answer:
        """A complete response, or a stream if the request demands one."""

        def answer(handler: ScriptedHandler, body: dict[str, Any]) -> None:
            usage = {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25}
            if body.get("stream"):
                choices = [
                    [{"index": 0, "delta": {"role": "assistant", "content": ""}}],
                    *(
                        [{"index": 0, "delta": {"content": word}}]
                        for word in re.split(r"(?<= )", text)
                    ),
                    [{"index": 0, "delta": {}, "finish_reason": finish_reason}],
                ]
                events: list[dict[str, Any]] = [{"choices": choice} for choice in choices]
                events.append({"choices": [], "usage": usage})
                lines = [f"data: {json.dumps(event)}\n\n" for event in events] + [
                    "data: [DONE]\n\n"
                ]
                handler.answer(200, "".join(lines).encode(), {"Content-Type": "text/event-stream"})
            else:
                message = {"role": "assistant", "content": text}
                choice = {"index": 0, "message": message, "finish_reason": finish_reason}
                handler.answer(200, json.dumps({"choices": [choice], "usage": usage}).encode())

        return answer

    @staticmethod
    def status(code: int, headers: dict[str, str] | None = None, error: str = "no") -> Answer:
        """A refusal that repeats the key."""

        def answer(handler: ScriptedHandler, body: dict[str, Any]) -> None:
            message = f"Not for {handler.headers['Authorization']}."
            content = {"error": {"message": message, "code": error}}
            handler.answer(code, json.dumps(content).encode(), headers)

        return answer


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with running(ChatServer()) as server:
        yield server
    assert {path for path, _ in server.received} <= {"/v1/chat/completions"}
