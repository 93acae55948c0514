"""Building a knowledge base from generated dumps, and starting with it.

The lines are like Wikidata's, with made-up names. All items are known in enough wikis, so each
becomes an entity.
"""

import json
import logging
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from benchmarks.report import print_table
from entity_fishing.knowledge import KnowledgeBase
from entity_fishing.knowledge_base.build import BuildSettings, build
from mesh.core.program import Program
from mesh.core.settings import MeshSettings

logger = logging.getLogger("benchmarks.knowledge_base")

_SYLLABLES = "ka lo mi ner su ta ver bo ri den gal fo sha lin mar to ek us an del".split()
_LANGUAGES = ("en", "de", "fr", "es", "ru")
_LOOKUPS = 1_000


class Settings(MeshSettings):
    """Measure the build of a knowledge base."""

    model_config = SettingsConfigDict(env_prefix="BENCHMARK_")

    entities: list[int] = Field([20_000, 100_000], min_length=1, description="Sizes to measure.")
    statements: int = Field(
        40, ge=1, description="Statements of each item; 40 make lines of 12 kB, as Wikidata's are."
    )
    folder: Path = Field(Path(tempfile.gettempdir()), description="Working folder.")


def run(settings: Settings) -> None:
    """Build each size, the smallest first, and print the table."""
    with tempfile.TemporaryDirectory(dir=settings.folder) as temporary:
        rows = [
            _measured(count, settings.statements, Path(temporary))
            for count in sorted(settings.entities)
        ]
    print_table(
        "knowledge bases from generated dumps",
        (
            "entities",
            "dump, MB",
            "build, s of a core",
            "memory, MiB",
            "file, MB",
            "start, ms",
            "name, ms",
        ),
        rows,
    )


def _measured(count: int, statements: int, folder: Path) -> list[str]:
    dump, output = folder / "dump.json", folder / "knowledge-base.sqlite"
    with dump.open("w", encoding="utf-8") as file:
        file.write("[\n")
        for item in _items(count, statements):
            file.write(json.dumps(item) + ",\n")
        file.write("]\n")
    logger.info("building %d entities", count)
    processor = time.process_time()
    build(BuildSettings(dump=dump, output=output))
    seconds = time.process_time() - processor
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    start = time.perf_counter()
    knowledge = KnowledgeBase.open(output)
    opened = time.perf_counter()
    names = [item["labels"]["en"]["value"].lower() for item in _items(_LOOKUPS, 1)]
    looked_up = time.perf_counter()
    for name in names:
        knowledge.find([name], "en")
    each = (time.perf_counter() - looked_up) / len(names)
    return [
        f"{count:,}",
        f"{dump.stat().st_size / 1e6:.0f}",
        f"{seconds:.0f}",
        f"{memory:.0f}",
        f"{output.stat().st_size / 1e6:.0f}",
        f"{1000 * (opened - start):.1f}",
        f"{1000 * each:.2f}",
    ]


def _items(count: int, statements: int) -> Iterator[dict[str, Any]]:
    made = random.Random(1)  # noqa: S311 - no secret
    for number in range(1, count + 1):
        name = " ".join(_word(made) for _ in range(2))
        yield {
            "type": "item",
            "id": f"Q{number}",
            "labels": {code: _text(code, name) for code in _LANGUAGES},
            "descriptions": {code: _text(code, f"{_word(made)} in {name}") for code in _LANGUAGES},
            "aliases": {code: [_text(code, _word(made).title())] for code in _LANGUAGES},
            "claims": {
                f"P{3000 + made.randrange(2000)}": [_claim(made)] for _ in range(statements)
            },
            "sitelinks": {
                f"{code}wiki": {"site": f"{code}wiki", "title": name} for code in _LANGUAGES
            },
        }


def _word(made: random.Random) -> str:
    return "".join(made.choices(_SYLLABLES, k=3))


def _text(language: str, value: str) -> dict[str, str]:
    return {"language": language, "value": value}


def _claim(made: random.Random) -> dict[str, Any]:
    number = made.randrange(10**8)
    value = {"entity-type": "item", "numeric-id": number, "id": f"Q{number}"}
    snak = {"snaktype": "value", "datavalue": {"value": value, "type": "wikibase-entityid"}}
    return {"mainsnak": snak, "type": "statement", "id": f"Q{number}${number}", "rank": "normal"}


main = Program(component="benchmarks", name="knowledge_base", run=run, settings=(Settings,))

if __name__ == "__main__":
    main()
