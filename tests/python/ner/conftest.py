"""What the tests of the running project share."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh_command import Served
from mesh_command import up

PERSONS = (
    "Ada Lovelace",
    "Angela Merkel",
    "Barack Obama",
    "Frida Kahlo",
    "Marie Curie",
    "Nelson Mandela",
    "Toni Morrison",
)
PLACES = ("Berlin", "London", "Madrid", "Oslo", "Paris", "Rome", "Vienna", "Warsaw")
SENTENCES = (
    "{person} came to {place} on Monday.",
    "The visit of {person} to {place} was short.",
    "In the evening {person} left for {place}.",
    "Crowds waited for {person} at the station of {place}.",
    "A street in the north of {place} is named after {person}.",
)
FEW_ROWS = {
    # They are much alike.
    "REGISTER_NEAR_DUPLICATE": "1",
    "REGISTER_RELATED": "1",
    "TRAIN_BATCH_SIZE": "8",
    "TRAIN_EPOCHS": "3",
    "TRAIN_HEAD_LEARNING_RATE": "5e-3",
    "TRAIN_LEARNING_RATE": "1e-3",
}
"""Settings with which a model learns the rows above by heart, in seconds."""


def write_rows(path: Path) -> None:
    """Labelled sentences, each of one person and one place."""
    pairs = itertools.product(PERSONS, PLACES)
    for sentence, (person, place) in zip(itertools.cycle(SENTENCES), pairs):
        text = sentence.format(person=person, place=place)
        entities = [
            {"start": text.index(name), "end": text.index(name) + len(name), "label": label}
            for name, label in ((person, "PER"), (place, "LOC"))
        ]
        row = {"text": text, "entities": entities, "language": "en", "domain": "news"}
        with path.open("a") as file:
            file.write(json.dumps(row) + "\n")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`mesh up ner` in an empty workspace, once for all tests of a process; how good the model is does not matter."""
    rows = tmp_path_factory.mktemp("data") / "rows.jsonl"
    write_rows(rows)
    workspace = tmp_path_factory.mktemp("workspace")
    with up("ner", workspace, INGEST_SOURCE=str(rows), **FEW_ROWS) as served:
        yield served
