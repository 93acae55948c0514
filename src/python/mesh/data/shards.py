"""Parquet shards: the files that the rows of a version are stored in."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import NonNegativeInt

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry

ROWS_PER_SHARD = 500_000
"""Few large files, since stores and version control are slow with many small ones."""
ROWS_PER_GROUP = 10_000


class Shard(FileEntry):
    """A Parquet file of a version: what it is a part of, and how many rows it holds."""

    part: str
    rows: NonNegativeInt


def write_shards(
    rows: Iterable[dict[str, Any]], schema: pa.Schema, folder: Path, part: str
) -> list[Shard]:
    """Write rows into `<part>-00000.parquet` and so on below a folder, one file at least."""
    remaining = iter(rows)
    shards: list[Shard] = []
    while True:
        name = f"{part}-{len(shards):05}.parquet"
        count = _write_shard(islice(remaining, ROWS_PER_SHARD), schema, folder / name)
        if count == 0 and shards:
            (folder / name).unlink()
            return shards
        entry = FileEntry.of(folder / name, name)
        shards.append(Shard(**entry.model_dump(), part=part, rows=count))
        if count < ROWS_PER_SHARD:
            return shards


def _write_shard(rows: Iterator[dict[str, Any]], schema: pa.Schema, path: Path) -> int:
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROWS_PER_GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def read_shards(folder: Path, shards: Iterable[Shard]) -> Iterator[dict[str, Any]]:
    """Yield the rows of shards in a local folder.

    Raises:
        MeshError: a file is damaged.
    """
    for shard in shards:
        try:
            with pq.ParquetFile(folder / shard.path) as file:
                for batch in file.iter_batches(batch_size=ROWS_PER_GROUP):
                    yield from batch.to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise MeshError(f"{folder / shard.path} is damaged: {error}.") from error
