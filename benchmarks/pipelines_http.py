"""ner or sentiment over HTTP, beside Hugging Face's pipeline with the same weights in other servers.

./pants run benchmarks:pipelines_http -- --project=ner
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.answers import (
    Entity,
    check_entities,
    check_most_same,
    check_sentiments,
    label,
    places,
)
from benchmarks.http_load import post
from benchmarks.http_turns import (
    MESH,
    WORKERS,
    Contender,
    TurnsSettings,
    paused,
    print_turns,
    take_turns,
)
from benchmarks.models import paragraphs
from benchmarks.peer_servers import Peer, Runtime, Task, peer_answer, peer_requests, peer_server
from benchmarks.server_process import project_server
from mesh.core.card import ARTIFACTS
from mesh.core.precisions import FLOAT32, Precision
from mesh.core.program import Program
from mesh.core.workspace import WorkspaceSettings
from mesh.lifecycle.compile_records import Downloaded
from mesh.nlp.sentences import split_sentences
from ner.project import PROJECT as NER
from sentiment.project import PROJECT as SENTIMENT


class Settings(TurnsSettings):
    """Compare a server with Hugging Face's pipeline in other servers."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    project: Literal["ner", "sentiment"] = Field(description="The project to measure.")
    weights: Path | None = Field(
        None,
        description="Folder of the weights that the version in models/ was compiled from; by "
        "default the one that compile:download wrote.",
    )
    texts: Literal["sentences", "paragraphs"] = Field(
        "sentences", description="What a request has one of."
    )
    documents: int = Field(64, ge=8, le=400, description="Number of texts.")
    runtimes: tuple[Runtime, ...] = Field(
        ("torch", "optimum"), min_length=1, description="What the peers compute the network with."
    )
    precisions: tuple[Precision, ...] = Field(
        (),
        description="Lower precisions, in each of which another server of the mesh computes; the "
        "version in models/ must cover them, and the processor have them.",
    )


@dataclass(frozen=True)
class Kind:
    """What differs between the projects.

    Args:
        configuration: of our requests.
        own: what is compared, of our output.
        theirs: the same, of a peer's.
        check: compares both; called with the contender's name.
        without_scores: what is compared where ours are in a lower precision.
        answers: names that to people.
    """

    configuration: dict[str, Any]
    own: Callable[[Any], Any]
    theirs: Callable[[Any], Any]
    check: Callable[[str, Sequence[Any], Sequence[Any]], None]
    without_scores: Callable[[Any], object]
    answers: str


def _own_entities(output: Any) -> list[Entity]:
    return [
        Entity(each["entity_type"], each["start"], each["end"], each["score"])
        for each in output["entities"]
    ]


def _own_sentiment(output: Any) -> dict[str, float]:
    return {label: output[f"{label}_prob"] for label in ("negative", "neutral", "positive")}


KINDS = {
    "ner": Kind(
        # The pipeline leaves out no entity.
        {"min_score": 0},
        _own_entities,
        lambda found: [Entity(*each) for each in found],
        check_entities,
        places,
        "entities",
    ),
    "sentiment": Kind({}, _own_sentiment, dict, check_sentiments, label, "label"),
}


PROJECTS = {"ner": NER, "sentiment": SENTIMENT}


def _theirs(kind: Kind, peer: Peer, body: bytes) -> Any:
    return kind.theirs(peer_answer(peer, body))


def _downloaded(folder: Path) -> Path:
    return Downloaded.read(folder).verified(folder) / ARTIFACTS


def run(settings: Settings, workspace: WorkspaceSettings) -> None:
    """Start the servers, let them take turns, compare their answers, print the medians.

    Raises:
        MeshError: a server doesn't start or fails, or answers differ.
    """
    kind = KINDS[settings.project]
    texts = list(_texts(settings))[: settings.documents]
    with ExitStack() as stack:
        contenders = [
            stack.enter_context(each)
            for each in (
                *_peers(settings, workspace, kind, texts),
                *_own(settings, workspace, kind, texts),
            )
        ]
        compared: list[str] = []
        turns = take_turns(contenders, settings, partial(_check, kind, compared))
        print_turns(
            f"{settings.project} over HTTP, {len(texts)} {settings.texts}, {settings.rounds} "
            f"round(s) of {settings.seconds:g} s",
            contenders,
            turns,
            [
                "All answers of the first pass in float32 were the same within the tolerances of "
                "answers.py.",
                *compared,
            ],
        )


def _peers(
    settings: Settings, workspace: WorkspaceSettings, kind: Kind, texts: Sequence[str]
) -> Iterator[AbstractContextManager[Contender]]:
    weights = settings.weights or _downloaded(
        workspace.output(PROJECTS[settings.project], "download")
    )
    for runtime in settings.runtimes:
        task = Task(settings.project, weights, runtime)
        for peer in settings.peers:
            yield paused(
                f"{peer}, {runtime}",
                peer_server(peer, settings.cache, WORKERS, task),
                peer_requests(peer, texts),
                partial(_theirs, kind, peer),
            )


def _own(
    settings: Settings, workspace: WorkspaceSettings, kind: Kind, texts: Sequence[str]
) -> Iterator[AbstractContextManager[Contender]]:
    project = PROJECTS[settings.project]
    version = workspace.current_model(project)
    path = f"/v1/model/{project.name}/predict"
    bodies = [
        {"inputs": [{"document": text}], "configuration": kind.configuration} for text in texts
    ]
    for precision in (FLOAT32, *settings.precisions):
        yield paused(
            MESH if precision == FLOAT32 else f"{MESH}, {precision}",
            project_server(
                project.name, f"--model-directory={version}", f"--precision={precision}"
            ),
            [post(path, json.dumps(body).encode()) for body in bodies],
            lambda body: kind.own(json.loads(body)["outputs"][0]),
        )


def _check(
    kind: Kind, compared: list[str], name: str, expected: Sequence[Any], found: Sequence[Any]
) -> None:
    """Compare answers; add a sentence on a server that computes in a lower precision."""
    if name.startswith(f"{MESH}, "):
        both = (list(map(kind.without_scores, answers)) for answers in (expected, found))
        compared.append(check_most_same(name, kind.answers, *both))
    else:
        kind.check(name, expected, found)


def _texts(settings: Settings) -> Iterator[str]:
    for paragraph in paragraphs():
        if settings.texts == "paragraphs":
            yield paragraph
        else:
            yield from (paragraph[start:end] for start, end in split_sentences(paragraph, "en"))


main = Program(
    component="benchmarks",
    name="pipelines_http",
    run=run,
    settings=(Settings, WorkspaceSettings),
)

if __name__ == "__main__":
    main()
