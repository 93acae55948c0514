"""OpenAI's chat protocol as endpoints speak it: responses in any of their usual forms."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

End = Literal["complete", "cut", "withheld", "failed"]

# Parts of the names that endpoints give to the ends of responses; other names are complete ones,
# such as `stop`, `end_turn`, `STOP` and `eos_token`.
_ENDS: Sequence[tuple[End, re.Pattern[str]]] = (
    ("cut", re.compile(r"length|max|limit")),
    (
        "withheld",
        re.compile(r"filter|safety|refus|recit|block|prohib|spii|moderat|guard|sensitive|flag"),
    ),
    ("failed", re.compile(r"error|abort|cancel|resource|tool|function|malformed|other")),
)
_TEXT_PARTS = ("text", "output_text")


class _Part(BaseModel):
    type: str = "text"
    text: str | None = None


class Message(BaseModel):
    """A response or a piece of it; other fields, such as the reasoning, are passed over."""

    content: str | list[str | _Part] | None = None
    refusal: str | None = None

    @property
    def text(self) -> str:
        """The content; of a list of parts, those that are text."""
        if not isinstance(self.content, list):
            return self.content or ""
        return "".join(
            part if isinstance(part, str) else part.text or ""
            for part in self.content
            if isinstance(part, str) or part.type in _TEXT_PARTS
        )


class Choice(BaseModel):
    """A whole response has a message, a piece of a stream a delta."""

    message: Message | None = None
    delta: Message | None = None
    finish_reason: str | None = None


class Completion(BaseModel):
    """A response, or one event of a stream.

    Attributes:
        usage: the tokens so far; of any form, so that it never makes a response unusable.
        error: of an endpoint that reports failures with status 200.
    """

    choices: list[Choice] | None = None
    usage: object = None
    error: object = None


@dataclass
class Response:
    """A whole response, put together from its events.

    Attributes:
        parts: of the text.
        chosen: whether there was a choice, of which the first counts.
        ended: whether the response has an end of its own; a stream may break off without a trace.
        tokens: the endpoint's counts, by kind: `prompt`, `completion`.
    """

    parts: list[str] = field(default_factory=list)
    refusal: str = ""
    finish_reason: str | None = None
    error: object = None
    chosen: bool = False
    ended: bool = False
    tokens: Counter[str] = field(default_factory=Counter)

    def add(self, event: Completion | Literal["end"]) -> None:
        """Append the event's text; its finish reason and its counts replace earlier ones."""
        if event == "end":
            self.ended = True
            return
        self.error = self.error or event.error
        for choice in (event.choices or [])[:1]:
            message = choice.message or choice.delta or Message()
            self.chosen = True
            self.parts.append(message.text)
            self.refusal = self.refusal or message.refusal or ""
            self.finish_reason = choice.finish_reason or self.finish_reason
        usage = event.usage if isinstance(event.usage, dict) else {}
        for kind in ("prompt", "completion"):
            count = usage.get(f"{kind}_tokens")
            if isinstance(count, int) and count >= 0:
                self.tokens[kind] = count

    @property
    def content(self) -> str:
        """The text so far."""
        return "".join(self.parts)


def end_of(finish_reason: str | None) -> End:
    """What a reason says of a response; a response without a reason is complete."""
    name = (finish_reason or "").casefold()
    return next((end for end, pattern in _ENDS if pattern.search(name)), "complete")
