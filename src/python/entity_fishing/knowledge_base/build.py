"""Make a knowledge base from a JSON dump of Wikidata."""

import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from entity_fishing.knowledge_base.dump import parse_line, read_lines
from entity_fishing.knowledge_file import FORMAT, Record, create_indexes, create_tables, insert
from entity_fishing.schema import Language
from mesh.core.digest import fingerprint
from mesh.core.errors import MeshError
from mesh.core.partials import PARTIAL_SUFFIX
from mesh.core.program import Program
from mesh.core.progress import track
from mesh.core.settings import MeshSettings

COMPONENT = "entity_fishing.knowledge_base"

# The name of the module is `__main__` when it runs.
logger = logging.getLogger(COMPONENT)

LINES_PER_TRANSACTION = 1_000


class BuildSettings(MeshSettings):
    """Make a knowledge base from a JSON dump of Wikidata; resume a build that was killed."""

    model_config = SettingsConfigDict(env_prefix="KNOWLEDGE_BASE_")

    dump: Path = Field(
        description="JSON dump of Wikidata, such as latest-all.json.bz2; .bz2, .gz, .xz or plain."
    )
    output: Path = Field(Path("models/knowledge-base.sqlite"), description="The file to make.")
    languages: list[Language] = Field(
        [Language.ENGLISH, *(language for language in Language if language != Language.ENGLISH)],
        min_length=1,
        description="Languages whose names are kept; an entity's label and description are in the "
        "first it has.",
    )
    minimum_sitelinks: int = Field(
        5, ge=0, description="Entities with pages on fewer wikis are dropped."
    )


def build(settings: BuildSettings) -> None:
    """Write `settings.output`, complete or not at all.

    An interrupted build leaves a hidden file beside it, which records the dump and how many of its
    lines are in.

    Raises:
        MeshError: the dump is missing, damaged or malformed, or the file can't be written.
    """
    partial = settings.output.with_name(f".{settings.output.name}{PARTIAL_SUFFIX}")
    try:
        settings.output.parent.mkdir(parents=True, exist_ok=True)
        with closing(_continued(partial, settings)) as database:
            _read_dump(database, settings)
            logger.info("making the names searchable")
            create_indexes(database)
            database.execute("DROP TABLE progress")
            database.commit()
            [count] = database.execute("SELECT count(*) FROM entity").fetchone()
        partial.replace(settings.output)
    except (OSError, sqlite3.Error) as error:
        raise MeshError(f"{settings.output} can't be written: {error}.") from error
    logger.info(
        "%s has %d entities, %.1f MB", settings.output, count, settings.output.stat().st_size / 1e6
    )


def _continued(partial: Path, settings: BuildSettings) -> sqlite3.Connection:
    """The database of an interrupted run with the same dump and settings, else a new one."""
    source = _source(settings)
    if partial.exists():
        database = sqlite3.connect(partial)
        try:
            if database.execute("SELECT source FROM progress").fetchone() == (source,):
                return database
        except sqlite3.DatabaseError:
            logger.warning("%s is unusable and will be rebuilt", partial)
        database.close()
        partial.unlink()
    database = sqlite3.connect(partial)
    create_tables(database)
    database.execute("CREATE TABLE progress (source TEXT NOT NULL, lines INTEGER NOT NULL)")
    database.execute("INSERT INTO progress VALUES (?, 0)", (source,))
    database.commit()
    return database


def _source(settings: BuildSettings) -> str:
    """The fingerprint of a build; a dump counts by size and time, since reading it takes hours."""
    if not settings.dump.is_file():
        raise MeshError(f"The dump {settings.dump} does not exist.")
    status = os.stat(settings.dump)
    made_from = settings.model_dump(mode="json", exclude={"output"})
    return fingerprint([FORMAT, made_from, status.st_size, status.st_mtime_ns])


def _read_dump(database: sqlite3.Connection, settings: BuildSettings) -> None:
    [done] = database.execute("SELECT lines FROM progress").fetchone()
    if done:
        logger.info("resuming after line %d of the dump", done)
    lines = enumerate(track(read_lines(settings.dump), "lines"), start=1)
    rest = (line for line in lines if line[0] > done)
    while batch := list(islice(rest, LINES_PER_TRANSACTION)):
        # Entities and progress are committed together, so a kill neither loses nor repeats any.
        with database:
            insert(database, _records(batch, settings))
            database.execute("UPDATE progress SET lines = ?", (batch[-1][0],))


def _records(batch: Sequence[tuple[int, bytes]], settings: BuildSettings) -> Iterator[Record]:
    for number, line in batch:
        try:
            record = parse_line(line, settings.languages, settings.minimum_sitelinks)
        except ValueError as error:
            raise MeshError(f"Line {number} of {settings.dump} is malformed: {error}.") from error
        if record:
            yield record


main = Program(
    component=COMPONENT,
    name="build",
    run=build,
    settings=(BuildSettings,),
)

if __name__ == "__main__":
    main()
