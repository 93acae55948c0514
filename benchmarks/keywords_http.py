"""Documents per second over HTTP: the keywords server, and KeyBERT in BentoML, LitServe, FastAPI.

All servers are started; then they take turns, while the others are paused. Each request has one
document.
"""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.answers import Keywords, check_same
from benchmarks.http_turns import WORKERS, TurnsSettings, paused, print_turns, take_turns
from benchmarks.keywords_serving import keywords_server, requests
from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.peer_servers import peer_answer, peer_requests, peer_server
from mesh.core.program import Program


class HttpSettings(TurnsSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(32, ge=8, le=64, description="Number of paragraphs.")


def run(settings: HttpSettings) -> None:
    """Start the servers, let them take turns, compare their keywords, print the medians.

    Raises:
        MeshError: a server doesn't start, fails, or finds other keywords than the first peer.
    """
    documents = paragraphs()[: settings.documents]
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(
                paused(
                    name,
                    peer_server(name, settings.cache, WORKERS),
                    peer_requests(name, documents),
                    lambda body, name=name: _pairs(peer_answer(name, body)),
                )
            )
            for name in settings.peers
        ]
        folder = stack.enter_context(compiled_keywords())
        contenders.append(
            stack.enter_context(
                paused("mesh", keywords_server(folder), requests(documents), _own_keywords)
            )
        )
        turns = take_turns(contenders, settings, _check)
        print_turns(
            f"Keywords over HTTP, {settings.documents} paragraphs, {settings.rounds} round(s) of "
            f"{settings.seconds:g} s",
            contenders,
            turns,
            [
                "First pass: each document once, to fresh servers. After it, all documents were "
                "seen before.",
                "All results of the first pass were the same: keywords, order, and scores within "
                "0.001.",
            ],
        )


def _pairs(found: Any) -> Keywords:
    return [(str(keyword), float(score)) for keyword, score in found]


def _own_keywords(body: bytes) -> Keywords:
    [output] = json.loads(body)["outputs"]
    return [
        (found["keyword_token"], found["keyword_score"]) for found in output["predicted_document"]
    ]


def _check(name: str, expected: Sequence[Keywords], found: Sequence[Keywords]) -> None:
    for theirs, own in zip(expected, found, strict=True):
        check_same(theirs, own, name)


main = Program(component="benchmarks", name="keywords_http", run=run, settings=(HttpSettings,))

if __name__ == "__main__":
    main()
