"""A few simple rows that a network learns in seconds; for tests that don't judge quality."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SETTINGS = {
    # The rows are much alike.
    "REGISTER_NEAR_DUPLICATE": "1",
    "REGISTER_RELATED": "1",
    "TRAIN_BATCH_SIZE": "8",
    "TRAIN_EPOCHS": "3",
    "TRAIN_HEAD_LEARNING_RATE": "5e-3",
    "TRAIN_LEARNING_RATE": "1e-3",
}
"""Settings with which a network learns the rows by heart."""

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
MOVES = (
    "{person} came to {place} on Monday.",
    "The visit of {person} to {place} was short.",
    "{person} flew from {place} to {other}.",
    "Crowds waited for {person} at the station of {place}.",
    "A street between {place} and {other} is named after {person}.",
)
THINGS = ("The film", "The hotel", "Their new record", "The tour", "The parcel service")
JUDGEMENTS = {
    "negative": ("was terrible, we hated it", "was a disaster, nobody liked it"),
    "neutral": ("lasts two hours", "is listed on the second page"),
    "positive": ("was wonderful, we loved it", "was a delight, everybody liked it"),
}
ENDINGS = (".", ", as was said on Monday.", " from the beginning to the end.")


def write_rows(project: str, folder: Path) -> Path | None:
    """Write rows for a project into a folder; None if its model isn't trained on such rows."""
    if project not in _ROWS:
        return None
    path = folder / "few-rows.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row in _ROWS[project]():
            file.write(json.dumps(row | {"language": "en", "domain": "news"}) + "\n")
    return path


def _names() -> Iterator[dict[str, Any]]:
    pairs = itertools.product(PERSONS, range(len(PLACES)))
    for move, (person, number) in zip(itertools.cycle(MOVES), pairs, strict=False):
        place, other = PLACES[number - 1], PLACES[number]
        text = move.format(person=person, place=place, other=other)
        entities = [
            {"start": text.index(name), "end": text.index(name) + len(name), "label": label}
            for name, label in ((person, "PER"), (place, "LOC"), (other, "LOC"))
            if name in text
        ]
        yield {"text": text, "entities": entities}


def _opinions() -> Iterator[dict[str, Any]]:
    for label, judgements in JUDGEMENTS.items():
        for parts in itertools.product(THINGS, judgements, ENDINGS):
            yield {"text": f"{parts[0]} {parts[1]}{parts[2]}", "label": label}


_ROWS = {"ner": _names, "sentiment": _opinions}
