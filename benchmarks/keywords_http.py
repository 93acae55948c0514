"""Documents per second over HTTP: the keywords server, and KeyBERT in BentoML, LitServe, FastAPI.

All servers are started; then they take turns, while the others are paused. Each request has one
document.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.answers import Keywords, check_nearly_same, check_same
from benchmarks.http_turns import MESH, WORKERS, TurnsSettings, paused, print_turns, take_turns
from benchmarks.keywords_serving import keywords_server, requests
from benchmarks.models import compiled_keywords, paragraphs
from benchmarks.peer_servers import Peer, peer_answer, peer_requests, peer_server
from benchmarks.server_process import ServerProcess
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program


class HttpSettings(TurnsSettings):
    """The extent of the measurement."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    documents: int = Field(32, ge=8, le=64, description="Number of paragraphs.")
    precisions: tuple[Precision, ...] = Field(
        (),
        description="Lower precisions, in each of which another server of the mesh computes, by "
        "OpenVINO; the processor must have them.",
    )


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
                    partial(_peer_keywords, name),
                )
            )
            for name in settings.peers
        ]
        for name, server in _own_servers(settings, stack).items():
            own = paused(name, server, requests(documents), _own_keywords)
            contenders.append(stack.enter_context(own))
        compared: list[str] = []
        turns = take_turns(contenders, settings, partial(_check, compared))
        print_turns(
            f"Keywords over HTTP, {settings.documents} paragraphs, {settings.rounds} round(s) of "
            f"{settings.seconds:g} s",
            contenders,
            turns,
            [
                "First pass: each document once, to fresh servers. After it, all documents were "
                "seen before.",
                "All results of the first pass in float32 were the same: keywords, order, and "
                "scores within 0.001.",
                *compared,
            ],
        )


def _own_servers(
    settings: HttpSettings, stack: ExitStack
) -> dict[str, AbstractContextManager[ServerProcess]]:
    """The servers of the mesh by their names: by ONNX Runtime, and in each lower precision."""
    servers: dict[str, AbstractContextManager[ServerProcess]] = {}
    servers[MESH] = keywords_server(stack.enter_context(compiled_keywords()))
    if settings.precisions:
        compiled = compiled_keywords("openvino", precisions=(FLOAT32, *settings.precisions))
        folder = stack.enter_context(compiled)
        for precision in settings.precisions:
            servers[f"{MESH}, {precision}"] = keywords_server(folder, f"--precision={precision}")
    return servers


def _peer_keywords(name: Peer, body: bytes) -> Keywords:
    return [(str(keyword), float(score)) for keyword, score in peer_answer(name, body)]


def _own_keywords(body: bytes) -> Keywords:
    [output] = json.loads(body)["outputs"]
    return [
        (found["keyword_token"], found["keyword_score"]) for found in output["predicted_document"]
    ]


def _check(
    compared: list[str], name: str, expected: Sequence[Keywords], found: Sequence[Keywords]
) -> None:
    """Compare keywords; add a sentence on a server that computes in a lower precision."""
    if name.startswith(f"{MESH}, "):
        compared.append(check_nearly_same(expected, found, name))
        return
    for theirs, own in zip(expected, found, strict=True):
        check_same(theirs, own, name)


main = Program(component="benchmarks", name="keywords_http", run=run, settings=(HttpSettings,))

if __name__ == "__main__":
    main()
