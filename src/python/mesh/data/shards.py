"""Parquet shards: the files that hold the rows of a version, and the Arrow schema of rows."""

import types
import typing
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, NonNegativeInt

from mesh.core.errors import MeshError
from mesh.core.manifest import FileEntry

ROWS_PER_SHARD = 500_000
"""Few large files, since stores and version control are slow with many small ones."""
ROWS_PER_GROUP = 10_000

_SCALARS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


class Shard(FileEntry):
    """A Parquet file of a version, with its part, such as `train`, and its number of rows."""

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


def arrow_schema(model: type[BaseModel]) -> pa.Schema:
    """The schema that stores a model's fields, nested models and lists included.

    With a schema, empty lists and missing values keep their types.

    Raises:
        TypeError: a field has a type that has no form in Arrow.
    """
    return pa.schema(_fields(model))


def _fields(model: type[BaseModel]) -> list[pa.Field]:
    return [
        _field(name, field.annotation, f"{model.__name__}.{name}")
        for name, field in model.model_fields.items()
    ]


def _field(name: str, annotation: Any, where: str) -> pa.Field:
    nullable = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        options = [option for option in typing.get_args(annotation) if option is not type(None)]
        nullable = len(options) < len(typing.get_args(annotation))
        annotation = options[0] if len(options) == 1 else annotation
    return pa.field(name, _type(annotation, where), nullable=nullable)


def _type(annotation: Any, where: str) -> pa.DataType:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if origin is typing.Annotated:
        return _type(arguments[0], where)
    if origin is Literal and len(kinds := {type(value) for value in arguments}) == 1:
        return _type(kinds.pop(), where)
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return pa.list_(_field("element", arguments[0], where))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return pa.struct(_fields(annotation))
    raise TypeError(f"{where}: {annotation} can't be stored; use text, numbers, lists or models")
